/** What is drawn in a zone editor, with what can be undone: no page in it, so that it can be tested by itself. */
import {
  type Area,
  type AreaKind,
  MAX_AREAS,
  MAX_NAME,
  MAX_POINTS,
  type Point,
} from '../../src/people/zones/areas.ts';

/** Steps that can be undone. */
const MAX_STEPS = 100;

/** A share with three digits: a thousandth of a picture is a pixel or two. */
const round = (share: number): number => Math.round(Math.min(Math.max(share, 0), 1) * 1000) / 1000;

/** The areas of a zone editor and the one that is chosen. Every change but moves within one stroke can be undone. */
export class Drawing {
  #areas: readonly Area[];
  #chosen: number;
  readonly #past: (readonly Area[])[] = [];
  readonly #future: (readonly Area[])[] = [];
  /** What the last change moved: moves of the same in a row are one step. */
  #stroke: string | undefined;

  constructor(areas: readonly Area[] = []) {
    this.#areas = areas;
    this.#chosen = areas.length > 0 ? 0 : -1;
  }

  get areas(): readonly Area[] {
    return this.#areas;
  }

  /** Index of the chosen area, -1 for none. */
  get chosen(): number {
    return this.#chosen;
  }

  get canUndo(): boolean {
    return this.#past.length > 0;
  }

  get canRedo(): boolean {
    return this.#future.length > 0;
  }

  choose(index: number): void {
    if (index >= -1 && index < this.#areas.length) this.#chosen = index;
  }

  /**
   * Adds an area in the middle, each new one a little aside, and chooses it.
   * @param word what it is called, with the first free number behind
   * @returns whether there was room for one more
   */
  add(kind: AreaKind, word: string): boolean {
    if (this.#areas.length >= MAX_AREAS) return false;
    const shift = (this.#areas.length % 6) * 0.03;
    const points: Point[] =
      kind === 'line'
        ? [
            [0.2, 0.5],
            [0.8, 0.5],
          ]
        : [
            [0.3, 0.4],
            [0.7, 0.4],
            [0.7, 0.8],
            [0.3, 0.8],
          ];
    const moved = points.map(([x, y]): Point => [round(x + shift), round(y + shift)]);
    this.#change([...this.#areas, { name: this.#freeName(word), kind, points: moved }]);
    this.#chosen = this.#areas.length - 1;
    return true;
  }

  remove(index: number): void {
    this.#change(this.#areas.filter((_, at) => at !== index));
    this.#chosen = Math.min(index, this.#areas.length - 1);
  }

  /** @returns whether the name was taken: not blank, and no other area's */
  rename(index: number, name: string): boolean {
    const called = name.trim().slice(0, MAX_NAME).trimEnd();
    const isFree = this.#areas.every((area, at) => at === index || area.name !== called);
    if (called === '' || !isFree) return false;
    if (this.#areas[index]!.name !== called) this.#replace(index, { name: called }, `name ${index}`);
    return true;
  }

  /** Turns the direction of a line round. */
  flip(index: number): void {
    this.#replace(index, { points: this.#areas[index]!.points.toReversed() });
  }

  movePoint(index: number, corner: number, to: Point): void {
    const points = this.#areas[index]!.points.map((point, at): Point =>
      at === corner ? [round(to[0]), round(to[1])] : point,
    );
    this.#replace(index, { points }, `point ${index} ${corner}`);
  }

  /** Moves a whole area, as far as all of it stays in the picture. */
  move(index: number, by: Point): void {
    const { points } = this.#areas[index]!;
    const [dx, dy] = [0, 1].map((axis) => {
      const values = points.map((point) => point[axis]!);
      return Math.min(Math.max(by[axis]!, -Math.min(...values)), 1 - Math.max(...values));
    });
    const moved = points.map(([x, y]): Point => [round(x + dx!), round(y + dy!)]);
    this.#replace(index, { points: moved }, `area ${index}`);
  }

  /**
   * Puts a corner in the middle of the edge behind `corner`, or at `at`.
   * @returns its index, undefined where an area takes none: lines have two ends
   */
  addPoint(index: number, corner: number, at?: Point): number | undefined {
    const { kind, points } = this.#areas[index]!;
    if (kind === 'line' || points.length >= MAX_POINTS) return undefined;
    const [ax, ay] = points[corner]!;
    const [bx, by] = points[(corner + 1) % points.length]!;
    const [x, y] = at ?? [(ax + bx) / 2, (ay + by) / 2];
    this.#replace(index, { points: points.toSpliced(corner + 1, 0, [round(x), round(y)]) });
    return corner + 1;
  }

  /** @returns whether the area has enough without it */
  removePoint(index: number, corner: number): boolean {
    const { kind, points } = this.#areas[index]!;
    if (kind === 'line' || points.length <= 3) return false;
    this.#replace(index, { points: points.toSpliced(corner, 1) });
    return true;
  }

  /** Ends a stroke: what is moved next is a step of its own. */
  endStroke(): void {
    this.#stroke = undefined;
  }

  undo(): void {
    this.#travel(this.#past, this.#future);
  }

  redo(): void {
    this.#travel(this.#future, this.#past);
  }

  #travel(from: (readonly Area[])[], to: (readonly Area[])[]): void {
    const areas = from.pop();
    if (areas === undefined) return;
    to.push(this.#areas);
    this.#areas = areas;
    this.#stroke = undefined;
    this.#chosen = Math.min(Math.max(this.#chosen, 0), areas.length - 1);
  }

  #replace(index: number, change: Partial<Area>, stroke?: string): void {
    this.#change(
      this.#areas.map((area, at) => (at === index ? { ...area, ...change } : area)),
      stroke,
    );
  }

  #change(areas: readonly Area[], stroke?: string): void {
    if (stroke === undefined || stroke !== this.#stroke) this.#past.push(this.#areas);
    if (this.#past.length > MAX_STEPS) this.#past.shift();
    this.#future.length = 0;
    this.#stroke = stroke;
    this.#areas = areas;
  }

  #freeName(word: string): string {
    const names = new Set(this.#areas.map(({ name }) => name));
    for (let number = 1; ; number++) {
      const name = `${word} ${number}`;
      if (!names.has(name)) return name;
    }
  }
}
