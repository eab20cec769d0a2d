/** The thumbnails under the nodes. */
import { labelName } from '../../form/texts.ts';
import type { PreviewNotice } from '../admin.ts';
import { type Area, drawLegend, layOut, legendLines, shape } from './legend.ts';
import {
  type Ajax,
  type CanvasNode,
  type EditorRed,
  pullJson,
  pullImage,
  text,
  type ViewEvent,
} from './page.ts';

const TYPE = 'm2fp-preview';
const TOPIC = 'm2fp-preview';
/** Below the node and the text of its status, pixels. */
const GAP = 22;
/** Of the text of a status below a node, pixels. */
const STATUS = 18;

/** What is drawn under one node. */
interface Thumbnail {
  seq: number;
  /** Object URL of the picture; empty until it has come. */
  url: string;
  width: number;
  height: number;
  legend: NonNullable<PreviewNotice['legend']>;
  labels: number;
}

export class Thumbnails {
  readonly #red: EditorRed;
  readonly #ajax: Ajax;
  readonly #open: (id: string) => void;
  readonly #thumbnails = new Map<string, Thumbnail>();
  /** The nodes' own groups on the canvas, as far as they are drawn. */
  readonly #elements = new Map<string, Element>();
  /** The newest notice of a node whose picture is being pulled: one request for each node at a time. */
  readonly #pulling = new Map<string, PreviewNotice | null>();
  /** Of the legends' texts, which all have the same font. */
  readonly #widths = new Map<string, number>();
  #isArranging = false;

  /** @param open called when a thumbnail is clicked */
  constructor(RED: EditorRed, $: Ajax, open: (id: string) => void) {
    this.#red = RED;
    this.#ajax = $;
    this.#open = open;
  }

  /** Draws what there is, and from now on whatever comes. */
  start(): void {
    this.#red.comms.subscribe(TOPIC, this.#onNotice);
    this.#red.hooks?.add(`viewRedrawNode.${TYPE}`, this.#onRedraw);
    this.#red.hooks?.add(`viewRemoveNode.${TYPE}`, this.#onRemove);
    void this.#takeAll();
  }

  stop(): void {
    this.#red.comms.unsubscribe(TOPIC, this.#onNotice);
    this.#red.hooks?.remove(`*.${TYPE}`);
    for (const id of this.#thumbnails.keys()) this.#remove(id);
    this.#elements.clear();
  }

  /** Never rejects. */
  async #takeAll(): Promise<void> {
    try {
      const notices = await pullJson<PreviewNotice[]>(this.#ajax, 'm2fp/previews');
      for (const notice of notices) this.#take(notice);
    } catch {
      // Without the permission to see them there are no previews.
    }
  }

  readonly #onNotice = (_topic: string, notice: unknown): void => this.#take(notice as PreviewNotice);

  readonly #onRedraw = ({ node, el }: ViewEvent): void => {
    // A node that moves may come to lie where a legend is.
    this.#arrangeSoon();
    if (node.type !== TYPE || !el) return;
    this.#elements.set(node.id, el);
    this.#draw(node);
  };

  readonly #onRemove = ({ node }: ViewEvent): void => {
    this.#arrangeSoon();
    if (node.type !== TYPE) return;
    this.#elements.delete(node.id);
    // Nodes go from the canvas when another tab is shown, too; only those that are deleted lose their picture.
    if (!this.#red.nodes.node(node.id)) this.#remove(node.id);
  };

  #take(notice: PreviewNotice): void {
    if (this.#pulling.has(notice.id)) this.#pulling.set(notice.id, notice);
    else {
      const { id, seq, width, height, legend = [], labels = legend.length } = notice;
      if (width === undefined || height === undefined) this.#remove(id);
      else void this.#pull(id, { seq, width, height, legend, labels });
    }
  }

  /** Never rejects. */
  async #pull(id: string, facts: Omit<Thumbnail, 'url'>): Promise<void> {
    this.#pulling.set(id, null);
    try {
      const address = `m2fp/previews/${encodeURIComponent(id)}/thumbnail?seq=${facts.seq}`;
      const url = await pullImage(this.#ajax, address);
      this.#forget(id);
      this.#thumbnails.set(id, { ...facts, url });
      const node = this.#red.nodes.node(id);
      // It may have been switched off meanwhile, and goes at once then.
      const next = this.#pulling.get(id);
      if (node && (!next || next.width !== undefined)) this.#draw(node);
    } catch {
      // It has gone meanwhile; the next notice says how it is.
    }
    const next = this.#pulling.get(id);
    this.#pulling.delete(id);
    if (next) this.#take(next);
  }

  /** Frees the picture, which the browser keeps until told. */
  #forget(id: string): void {
    const thumbnail = this.#thumbnails.get(id);
    if (thumbnail !== undefined) URL.revokeObjectURL(thumbnail.url);
    this.#thumbnails.delete(id);
  }

  #remove(id: string): void {
    this.#forget(id);
    this.#elements.get(id)?.querySelector('.m2fp-preview')?.remove();
  }

  #draw(node: CanvasNode): void {
    const thumbnail = this.#thumbnails.get(node.id);
    const parent = this.#elements.get(node.id);
    if (thumbnail === undefined || parent === undefined) return;
    const group = parent.querySelector('.m2fp-preview') ?? this.#create(parent, node.id);
    group.setAttribute('transform', `translate(0, ${node.h + GAP})`);
    const { url, width, height } = thumbnail;
    for (const part of group.querySelectorAll('.m2fp-preview-size')) {
      part.setAttribute('width', String(width));
      part.setAttribute('height', String(height));
    }
    const image = group.querySelector('image');
    if (image === null || image.getAttribute('href') === url) return;
    image.setAttribute('href', url);
    this.#arrange(node);
  }

  /** Once for all nodes that are drawn in one go. */
  #arrangeSoon(): void {
    if (this.#isArranging || this.#thumbnails.size === 0) return;
    this.#isArranging = true;
    requestAnimationFrame(() => {
      this.#isArranging = false;
      for (const id of this.#thumbnails.keys()) {
        const node = this.#red.nodes.node(id);
        if (node) this.#arrange(node);
      }
    });
  }

  /** Draws the legend of a node's thumbnail, where it lies on no other node. */
  #arrange(node: CanvasNode): void {
    const thumbnail = this.#thumbnails.get(node.id);
    const group = this.#elements.get(node.id)?.querySelector('.m2fp-preview-legend');
    if (thumbnail === undefined || !group) return;
    const { left, bottom } = areaOf(node);
    const top = bottom + GAP;
    const image = { left, top, right: left + thumbnail.width, bottom: top + thumbnail.height };
    const others = this.#red.nodes
      .filterNodes({ z: node.z })
      .filter(({ id }) => id !== node.id)
      .flatMap((other) => this.#taken(other));
    const layout = layOut(
      image,
      legendLines(thumbnail, (name) => labelName(this.#red, name)),
      (n) => text(this.#red, 'more', { n }),
      (words) => this.#widthOf(group, words),
      others,
    );
    group.replaceChildren(...drawLegend(layout, { left, top }));
  }

  #widthOf(group: Element, words: string): number {
    const known = this.#widths.get(words);
    if (known !== undefined) return known;
    const label = shape('text', {}) as SVGTextElement;
    label.textContent = words;
    group.append(label);
    const width = label.getComputedTextLength();
    label.remove();
    this.#widths.set(words, width);
    return width;
  }

  /** What a node takes of the canvas, with its status and its picture. */
  #taken(node: CanvasNode): Area[] {
    const area = areaOf(node);
    const own = { ...area, bottom: area.bottom + (node.status ? STATUS : 0) };
    const thumbnail = this.#thumbnails.get(node.id);
    if (thumbnail === undefined) return [own];
    const top = area.bottom + GAP;
    return [
      own,
      { left: area.left, top, right: area.left + thumbnail.width, bottom: top + thumbnail.height },
    ];
  }

  #create(parent: Element, id: string): Element {
    const label = text(this.#red, 'enlarge');
    const group = shape('g', { class: 'm2fp-preview', role: 'button', tabindex: '0', 'aria-label': label });
    group.append(
      shape('image', { class: 'm2fp-preview-size' }),
      shape('rect', { class: 'm2fp-preview-size' }),
      shape('g', { class: 'm2fp-preview-legend' }),
    );
    // What the canvas does with a node, dragging and opening its form, it does not do with its picture.
    for (const type of ['mousedown', 'mouseup', 'dblclick', 'touchstart', 'touchend', 'pointerdown']) {
      group.addEventListener(type, (event) => event.stopPropagation());
    }
    group.addEventListener('click', (event) => {
      event.stopPropagation();
      this.#open(id);
    });
    group.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      event.stopPropagation();
      this.#open(id);
    });
    parent.append(group);
    return group;
  }
}

function areaOf({ x, y, w, h }: CanvasNode): Area {
  return { left: x - w / 2, top: y - h / 2, right: x + w / 2, bottom: y + h / 2 };
}
