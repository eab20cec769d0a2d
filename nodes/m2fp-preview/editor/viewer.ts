/** The enlarged view: source, overlay or map, with a legend that hides labels, and what lies under the pointer. */
import type { PreviewFacts } from '../../../src/parsing/colorize/preview.ts';
import { type Ajax, type EditorRed, element, pullJson, pullImage, text } from './page.ts';
import { labelName } from '../../form/texts.ts';
import { lookUp, paint, type Pixels } from '../painting.ts';

/** Where the slider stands for each of the three views, percent. */
const STOPS = { original: 0, overlay: 60, map: 100 } as const;

/** Of the picture on the screen, pixels. */
const MIN_WIDTH = 480;

/** Longest time between the clicks of a double click, milliseconds. */
const DOUBLE_CLICK = 500;

/** What the enlarged view shows. */
interface Detail {
  /** Null for a picture without a parsing. */
  facts: PreviewFacts | null;
  width: number;
  height: number;
  source: Pixels;
  /** Of the same size; null without a parsing. */
  maps: Pixels | null;
}

export class Viewer {
  readonly #red: EditorRed;
  readonly #ajax: Ajax;
  #close: (() => void) | null = null;
  /** The number of the last time that it was opened, or closed: what was asked for before comes too late. */
  #turn = 0;

  constructor(RED: EditorRed, $: Ajax) {
    this.#red = RED;
    this.#ajax = $;
  }

  /** Shows what the node `id` shows now; tells the user where there is nothing any more. */
  async open(id: string): Promise<void> {
    this.close();
    const turn = this.#turn;
    const opener = document.activeElement;
    try {
      const detail = await this.#pull(id);
      // The second click of a double click has asked once more.
      if (turn !== this.#turn) return;
      this.#show(detail, () => {
        if (opener instanceof HTMLElement || opener instanceof SVGElement) opener.focus();
      });
    } catch {
      if (turn !== this.#turn) return;
      this.#red.notify(text(this.#red, 'gone'), { type: 'warning', timeout: 4000 });
    }
  }

  close(): void {
    this.#turn++;
    this.#close?.();
  }

  async #pull(id: string): Promise<Detail> {
    const base = `m2fp/previews/${encodeURIComponent(id)}`;
    const { facts } = await pullJson<{ facts: PreviewFacts | null }>(this.#ajax, base);
    const source = await this.#pixelsOf(`${base}/source`);
    const maps = facts === null ? null : await this.#pixelsOf(`${base}/maps`);
    // A newer picture may have come between the two requests.
    const fits = maps !== null && maps.width === source.width && maps.height === source.height;
    return {
      facts: fits ? facts : null,
      width: source.width,
      height: source.height,
      source: source.data,
      maps: fits ? maps.data : null,
    };
  }

  async #pixelsOf(url: string): Promise<ImageData> {
    const objectUrl = await pullImage(this.#ajax, url);
    try {
      const image = element('img', { src: objectUrl, alt: '' });
      await image.decode();
      const canvas = element('canvas', { width: String(image.width), height: String(image.height) });
      const context = canvas.getContext('2d', { willReadFrequently: true });
      if (context === null) throw new Error('The browser draws no pictures.');
      context.drawImage(image, 0, 0);
      return context.getImageData(0, 0, image.width, image.height);
    } finally {
      URL.revokeObjectURL(objectUrl);
    }
  }

  #show(detail: Detail, onClose: () => void): void {
    const { facts, width, height } = detail;
    const hidden = new Set<number>();
    const canvas = element('canvas', {
      width: String(width),
      height: String(height),
      role: 'img',
      'aria-label': this.#describe(facts),
    });
    // A small picture is enlarged, and a large one shrunk to what the window has room for beside the legend.
    const beside = facts === null ? 74 : 328;
    const roomy = `calc((100vh - 160px) * ${width / height})`;
    canvas.style.width = `min(100vw - ${beside}px, ${Math.max(width, MIN_WIDTH)}px, ${roomy})`;
    const slider = element('input', {
      type: 'range',
      min: '0',
      max: '100',
      value: String(facts === null ? STOPS.original : STOPS.overlay),
      'aria-label': text(this.#red, 'view.strength'),
    });
    const context = canvas.getContext('2d');
    const target = new ImageData(width, height);
    const draw = (): void => {
      const opacity = Number(slider.value) / 100;
      if (facts === null || detail.maps === null) target.data.set(detail.source);
      else {
        const layer = { labels: facts.labels, hidden, opacity };
        paint(target.data, detail.source, detail.maps, layer);
      }
      context?.putImageData(target, 0, 0);
    };
    const pointed = element('div', { class: 'm2fp-viewer-pointed' });
    canvas.addEventListener('mousemove', (event) => this.#point(event, canvas, detail, pointed));
    canvas.addEventListener('mouseleave', () => pointed.replaceChildren());
    slider.addEventListener('input', draw);

    const close = element('button', { type: 'button', class: 'red-ui-button' }, text(this.#red, 'close'));
    const bar = element('div', { class: 'm2fp-viewer-bar' });
    if (facts !== null) bar.append(...this.#views(slider, draw), slider);
    bar.append(pointed, close);
    const side = element('div', { class: 'm2fp-viewer-side' });
    if (facts !== null) side.append(...this.#side(facts, hidden, draw));
    const dialog = element(
      'div',
      { class: 'm2fp-viewer', role: 'dialog', 'aria-modal': 'true', 'aria-label': text(this.#red, 'title') },
      element(
        'div',
        { class: 'm2fp-viewer-box' },
        bar,
        element(
          'div',
          { class: 'm2fp-viewer-body' },
          element('div', { class: 'm2fp-viewer-image' }, canvas),
          side,
        ),
      ),
    );

    const onKey = (event: KeyboardEvent): void => {
      // None of the editor's own shortcuts while this is open.
      event.stopPropagation();
      if (event.key === 'Escape') this.close();
      else if (event.key === 'Tab') keepInside(dialog, event);
    };
    this.#close = () => {
      this.#close = null;
      document.removeEventListener('keydown', onKey, true);
      dialog.remove();
      onClose();
    };
    document.addEventListener('keydown', onKey, true);
    close.addEventListener('click', () => this.close());
    const opened = performance.now();
    dialog.addEventListener('click', (event) => {
      // The second click of a double click on the thumbnail is not meant for what lies over it by then.
      if (event.target === dialog && performance.now() - opened > DOUBLE_CLICK) this.close();
    });
    draw();
    document.body.append(dialog);
    close.focus();
  }

  /** A button for each of the views that the slider goes through. */
  #views(slider: HTMLInputElement, draw: () => void): HTMLElement[] {
    return Object.entries(STOPS).map(([view, stop]) => {
      const button = element(
        'button',
        { type: 'button', class: 'red-ui-button' },
        text(this.#red, `view.${view}`),
      );
      button.addEventListener('click', () => {
        slider.value = String(stop);
        draw();
      });
      return button;
    });
  }

  /** The legend, the persons and what made it. */
  #side(facts: PreviewFacts, hidden: Set<number>, draw: () => void): HTMLElement[] {
    const labels = facts.labels.map(({ code, name, color, share }) => {
      const box = element('input', { type: 'checkbox' });
      box.checked = true;
      box.addEventListener('change', () => {
        if (box.checked) hidden.delete(code);
        else hidden.add(code);
        draw();
      });
      const swatch = element('span', { class: 'm2fp-viewer-swatch' });
      swatch.style.background = color;
      const percent = element('span', { class: 'm2fp-viewer-number' }, shareOf(share));
      const shown = labelName(this.#red, name);
      return element('li', {}, element('label', {}, box, swatch, shown), percent);
    });
    const persons = facts.persons.map(({ id, score }) => {
      const parts = facts.parts.filter(({ person }) => person === id);
      const names = new Set(parts.map(({ label }) => labelName(this.#red, label)));
      const name = text(this.#red, 'person', { n: id });
      return element(
        'li',
        { title: [...names].join(', ') },
        element('span', {}, name),
        element('span', { class: 'm2fp-viewer-number' }, percentOf(score)),
      );
    });
    const title = (key: string): HTMLElement => element('h4', {}, text(this.#red, key));
    const size = `${facts.width} × ${facts.height}`;
    return [
      title('labels'),
      element('ul', {}, ...labels),
      ...(persons.length > 0 ? [title('persons'), element('ul', {}, ...persons)] : []),
      element('p', {}, `${size} · ${facts.model} · ${facts.seconds.toFixed(2)} s`),
    ];
  }

  /** Says what lies under the pointer. */
  #point(event: MouseEvent, canvas: HTMLCanvasElement, detail: Detail, pointed: HTMLElement): void {
    const { facts, maps, width, height } = detail;
    if (facts === null || maps === null) return;
    const box = canvas.getBoundingClientRect();
    const x = Math.min(width - 1, Math.floor(((event.clientX - box.left) / box.width) * width));
    const y = Math.min(height - 1, Math.floor(((event.clientY - box.top) / box.height) * height));
    const { label, person } = lookUp(maps, width, Math.max(x, 0), Math.max(y, 0), facts.labels);
    if (label === undefined) return pointed.replaceChildren();
    const parts = facts.parts.filter((part) => part.label === label.name && (part.person ?? 0) === person);
    const score = Math.max(...parts.map((part) => part.score));
    const words = [
      labelName(this.#red, label.name),
      ...(person > 0 ? [text(this.#red, 'person', { n: person })] : []),
      ...(parts.length > 0 ? [percentOf(score)] : []),
    ];
    pointed.replaceChildren(words.join(' · '));
  }

  /** The picture in words. */
  #describe(facts: PreviewFacts | null): string {
    if (facts === null) return text(this.#red, 'title');
    return `${text(this.#red, 'title')}: ${facts.labels.map(({ name }) => labelName(this.#red, name)).join(', ')}`;
  }
}

function percentOf(score: number): string {
  return `${Math.round(100 * score)} %`;
}

/** With one digit behind the point: small parts have little of a picture. */
function shareOf(share: number): string {
  return share < 0.001 ? '< 0.1 %' : `${(100 * share).toFixed(1)} %`;
}

/** Lets the tabulator go round inside `dialog`. */
function keepInside(dialog: HTMLElement, event: KeyboardEvent): void {
  const fields = [...dialog.querySelectorAll<HTMLElement>('button, input')];
  const [first, last] = [fields[0], fields.at(-1)];
  if (event.shiftKey && document.activeElement === first) {
    event.preventDefault();
    last?.focus();
  } else if (!event.shiftKey && document.activeElement === last) {
    event.preventDefault();
    first?.focus();
  }
}
