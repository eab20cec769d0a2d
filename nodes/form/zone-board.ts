/** The picture of a zone editor with what is drawn on it: moved with the mouse, a finger or the keyboard. */
import type { Area, Point } from '../../src/people/zones/areas.ts';
import type { Drawing } from './zone-drawing.ts';
import { stepOf, take } from './zone-keys.ts';
import { arrowOf, colourOf, labelPlace } from './zone-shapes.ts';
import { html, type PageElement, type PageEvent, svg } from './zone-dom.ts';

/** Units of the drawing's width: its height follows from the picture. */
const WIDTH = 1000;
/** Moves what the pointer holds. */
type Move = (from: Point, to: Point) => void;

/** What the board tells the editor around it. */
export interface BoardListener {
  /** Something was moved, added or removed. */
  changed(said?: string): void;
  chosen(index: number): void;
  text(key: string, values?: Readonly<Record<string, string | number>>): string;
}

export class Board {
  readonly element: PageElement;
  readonly #svg: PageElement;
  readonly #drawing: Drawing;
  readonly #listener: BoardListener;
  /** Of the picture: its width to its height. */
  #aspect = 16 / 9;
  #picture: string | undefined;
  /** What the pointer holds. */
  #drag: { pointer: number; handle: string; at: Point; move: Move } | undefined;

  constructor(drawing: Drawing, listener: BoardListener) {
    this.#drawing = drawing;
    this.#listener = listener;
    this.#svg = svg('svg', { role: 'group', 'aria-label': listener.text('zones.board') });
    this.element = html('div', { class: 'm2fp-zones-board' }, this.#svg);
    this.#listenToPointer();
  }

  /** Lays a picture under the drawing, or takes it away. */
  show(picture: { url: string; aspect: number } | undefined): void {
    this.#picture = picture?.url;
    this.#aspect = picture?.aspect ?? 16 / 9;
    this.draw();
  }

  get #height(): number {
    return WIDTH / this.#aspect;
  }

  /** Draws all of it anew. @param focus `data-handle` of what gets the focus; else it stays where it is */
  draw(focus?: string): void {
    const height = this.#height;
    this.#svg.setAttribute('viewBox', `0 0 ${WIDTH} ${height}`);
    const ground =
      this.#picture === undefined
        ? svg('rect', { width: WIDTH, height, class: 'm2fp-zones-blank' })
        : svg('image', { href: this.#picture, width: WIDTH, height, preserveAspectRatio: 'none' });
    const { areas, chosen } = this.#drawing;
    // The chosen one lies on top.
    const order = areas
      .map((_, index) => index)
      .toSorted((a, b) => Number(a === chosen) - Number(b === chosen));
    this.#svg.replaceChildren(ground, ...order.map((index) => this.#areaOf(areas[index]!, index)));
    if (focus !== undefined) this.focus(focus);
  }

  /** @returns whether there is such a handle */
  focus(handle: string): boolean {
    const element = this.#svg.querySelector(`[data-handle="${handle}"]`);
    element?.focus({ preventScroll: true });
    return element !== null;
  }

  #at([x, y]: Point): Point {
    return [x * WIDTH, y * this.#height];
  }

  #areaOf(area: Area, index: number): PageElement {
    const isChosen = index === this.#drawing.chosen;
    const points = area.points.map((point) => this.#at(point));
    const shape = svg(area.kind === 'line' ? 'polyline' : 'polygon', {
      class: 'm2fp-zones-shape',
      points: points.map((point) => point.join()).join(' '),
      'data-handle': `${index}`,
      tabindex: 0,
      role: 'button',
      'aria-label': this.#listener.text(`zones.${area.kind}Label`, { name: area.name }),
      'aria-keyshortcuts': 'ArrowLeft ArrowRight ArrowUp ArrowDown Delete',
    });
    shape.addEventListener('focus', () => this.#choose(index));
    this.#onDrag(shape, `${index}`, (from, to) =>
      this.#drawing.move(index, [to[0] - from[0], to[1] - from[1]]),
    );
    shape.addEventListener('keydown', (event) => this.#shapeKey(event, index));
    const [x, y] = labelPlace(points);
    const label = svg('text', { x, y, class: 'm2fp-zones-name' }, area.name);
    const group = svg(
      'g',
      { class: isChosen ? 'm2fp-zones-chosen' : '', style: `--zone: ${colourOf(index)}` },
      shape,
    );
    if (area.kind === 'line') group.append(arrowOf(points));
    group.append(label);
    if (!isChosen) return group;
    if (area.kind === 'zone')
      group.append(...points.map((point, at) => this.#middleOf(index, at, point, points)));
    group.append(...points.map((point, at) => this.#cornerOf(area, index, at, point)));
    return group;
  }

  /** Where an edge can be pulled out into a corner. */
  #middleOf(index: number, corner: number, [ax, ay]: Point, points: readonly Point[]): PageElement {
    const [bx, by] = points[(corner + 1) % points.length]!;
    const middle = svg('circle', {
      class: 'm2fp-zones-middle',
      cx: (ax + bx) / 2,
      cy: (ay + by) / 2,
      r: 7,
    });
    middle.addEventListener('pointerdown', (event) => {
      const added = this.#drawing.addPoint(index, corner, this.#shareOf(event));
      if (added === undefined) return;
      event.preventDefault();
      this.draw(`${index}.${added}`);
      this.#listener.changed();
    });
    return middle;
  }

  #cornerOf(area: Area, index: number, corner: number, [cx, cy]: Point): PageElement {
    const [x, y] = area.points[corner]!;
    const handle = svg('circle', {
      class: 'm2fp-zones-corner',
      cx,
      cy,
      r: 10,
      'data-handle': `${index}.${corner}`,
      tabindex: 0,
      role: 'button',
      'aria-label': this.#listener.text('zones.pointLabel', {
        name: area.name,
        n: corner + 1,
        of: area.points.length,
        x: Math.round(x * 100),
        y: Math.round(y * 100),
      }),
      'aria-keyshortcuts': 'ArrowLeft ArrowRight ArrowUp ArrowDown Insert Delete',
    });
    this.#onDrag(handle, `${index}.${corner}`, (_from, to) => this.#drawing.movePoint(index, corner, to));
    handle.addEventListener('dblclick', () => this.#removeCorner(index, corner));
    handle.addEventListener('keydown', (event) => this.#cornerKey(event, index, corner));
    return handle;
  }

  #removeCorner(index: number, corner: number): void {
    const { name } = this.#drawing.areas[index]!;
    const removed = this.#drawing.removePoint(index, corner);
    this.draw(`${index}.${Math.max(corner - 1, 0)}`);
    const key = removed ? 'zones.pointRemoved' : 'zones.pointNeeded';
    this.#listener.changed(this.#listener.text(key, { name }));
  }

  #cornerKey(event: PageEvent, index: number, corner: number): void {
    const step = stepOf(event);
    const area = this.#drawing.areas[index]!;
    if (step !== undefined) {
      const [x, y] = area.points[corner]!;
      this.#drawing.movePoint(index, corner, [x + step[0], y + step[1]]);
      const [nowX, nowY] = this.#drawing.areas[index]!.points[corner]!;
      this.#moved(`${index}.${corner}`, nowX, nowY);
    } else if (event.key === 'Insert' || event.key === '+') {
      const added = this.#drawing.addPoint(index, corner);
      if (added === undefined) return;
      this.draw(`${index}.${added}`);
      this.#listener.changed(this.#listener.text('zones.pointAdded', { name: area.name }));
    } else if (event.key === 'Delete' || event.key === 'Backspace') this.#removeCorner(index, corner);
    else return;
    take(event);
  }

  #shapeKey(event: PageEvent, index: number): void {
    const step = stepOf(event);
    if (step !== undefined) {
      this.#drawing.move(index, step);
      const [x, y] = this.#drawing.areas[index]!.points[0]!;
      this.#moved(`${index}`, x, y);
    } else if (event.key === 'Delete' || event.key === 'Backspace') {
      const { name } = this.#drawing.areas[index]!;
      this.#drawing.remove(index);
      this.draw(`${this.#drawing.chosen}`);
      this.#listener.changed(this.#listener.text('zones.removed', { name }));
    } else return;
    take(event);
  }

  #moved(handle: string, x: number, y: number): void {
    this.draw(handle);
    const at = { x: Math.round(x * 100), y: Math.round(y * 100) };
    this.#listener.changed(this.#listener.text('zones.at', at));
  }

  #choose(index: number): void {
    if (index === this.#drawing.chosen) return;
    this.#drawing.choose(index);
    this.draw(`${index}`);
    this.#listener.chosen(index);
  }

  /** While the pointer is down on `element`, `move` gets where it was and where it is. */
  #onDrag(element: PageElement, handle: string, move: Move): void {
    element.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      const index = Number(handle.split('.')[0]);
      this.#drawing.choose(index);
      this.#drawing.endStroke();
      this.#listener.chosen(index);
      this.#drag = { pointer: event.pointerId, handle, at: this.#shareOf(event), move };
      // The element is drawn anew while it moves: the board stays, and gets the pointer.
      this.#svg.setPointerCapture(event.pointerId);
      this.draw(handle);
    });
  }

  #listenToPointer(): void {
    this.#svg.addEventListener('pointermove', (event) => {
      if (this.#drag?.pointer !== event.pointerId) return;
      const to = this.#shareOf(event);
      this.#drag.move(this.#drag.at, to);
      this.#drag.at = to;
      this.draw(this.#drag.handle);
      this.#listener.changed();
    });
    for (const end of ['pointerup', 'pointercancel']) {
      this.#svg.addEventListener(end, () => {
        this.#drag = undefined;
        this.#drawing.endStroke();
      });
    }
  }

  #shareOf({ clientX, clientY }: PageEvent): Point {
    const { left, top, width, height } = this.#svg.getBoundingClientRect();
    return [(clientX - left) / width, (clientY - top) / height];
  }
}
