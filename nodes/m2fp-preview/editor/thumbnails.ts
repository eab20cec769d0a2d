/** The thumbnails under the nodes. */
import { labelText } from '../../form/texts.ts';
import type { PreviewNotice } from '../admin.ts';
import {
  type Ajax,
  type CanvasNode,
  type EditorRed,
  pullJson,
  pullPicture,
  text,
  type ViewEvent,
} from './page.ts';

const TYPE = 'm2fp-preview';
const TOPIC = 'm2fp-preview';
const SVG = 'http://www.w3.org/2000/svg';
/** Below the node and the text of its status, pixels. */
const GAP = 22;
/** Height of a line of the legend, pixels. */
const LINE = 15;

/** What is drawn under one node. */
interface Thumbnail {
  seq: number;
  /** Object URL of the picture; empty until it has come. */
  url: string;
  width: number;
  height: number;
  legend: NonNullable<PreviewNotice['legend']>;
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
    if (node.type !== TYPE || !el) return;
    this.#elements.set(node.id, el);
    this.#draw(node);
  };

  readonly #onRemove = ({ node }: ViewEvent): void => {
    if (node.type !== TYPE) return;
    this.#elements.delete(node.id);
    // Nodes go from the canvas when another tab is shown, too; only those that are deleted lose their picture.
    if (this.#red.nodes.node(node.id) === null) this.#remove(node.id);
  };

  #take(notice: PreviewNotice): void {
    if (this.#pulling.has(notice.id)) this.#pulling.set(notice.id, notice);
    else {
      const { id, seq, width, height, legend = [] } = notice;
      if (width === undefined || height === undefined) this.#remove(id);
      else void this.#pull(id, { seq, width, height, legend });
    }
  }

  /** Never rejects. */
  async #pull(id: string, facts: Omit<Thumbnail, 'url'>): Promise<void> {
    this.#pulling.set(id, null);
    try {
      const address = `m2fp/previews/${encodeURIComponent(id)}/thumbnail?seq=${facts.seq}`;
      const url = await pullPicture(this.#ajax, address);
      this.#forget(id);
      this.#thumbnails.set(id, { ...facts, url });
      const node = this.#red.nodes.node(id);
      if (node !== null) this.#draw(node);
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
    const { url, width, height, legend } = thumbnail;
    for (const part of group.querySelectorAll('.m2fp-preview-size')) {
      part.setAttribute('width', String(width));
      part.setAttribute('height', String(height));
    }
    const image = group.querySelector('image');
    if (image === null || image.getAttribute('href') === url) return;
    image.setAttribute('href', url);
    group.querySelector('.m2fp-preview-legend')?.replaceChildren(
      ...legend.flatMap(({ name, color }, line) => {
        const y = height + 4 + line * LINE;
        const swatch = shape('rect', { x: '0', y: String(y), width: '11', height: '11', fill: color });
        const label = shape('text', { x: '17', y: String(y + 10) });
        label.textContent = labelText(this.#red, name);
        return [swatch, label];
      }),
    );
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

function shape(name: string, attributes: Readonly<Record<string, string>>): SVGElement {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
