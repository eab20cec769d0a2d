/** What the board of a zone editor draws of an area beside its outline. */
import type { Point } from '../../src/people/zones/areas.ts';
import { type PageElement, svg } from './zone-dom.ts';

/** They keep apart on any picture. */
const COLOURS = ['#ffb000', '#4cc9f0', '#f72585', '#80ed99', '#b388ff', '#ff7b54'];

/** The colour of an area by its place in the list, the same on the picture and below it. */
export function colourOf(index: number): string {
  return COLOURS[index % COLOURS.length]!;
}

/** Inside of the area, or over the middle of a line. */
export function labelPlace(points: readonly Point[]): Point {
  const sum = points.reduce(([x, y], [px, py]) => [x + px, y + py] as const, [0, 0] as Point);
  const [x, y] = [sum[0] / points.length, sum[1] / points.length];
  return points.length === 2 ? [x, y - 14] : [x, y];
}

/** Which way across a line counts as in: to the right of whoever looks from its first end to its second. */
export function arrowOf(points: readonly Point[]): PageElement {
  const [[ax, ay], [bx, by]] = points as [Point, Point];
  const length = Math.hypot(bx - ax, by - ay) || 1;
  const [dx, dy] = [(bx - ax) / length, (by - ay) / length];
  const [x, y] = [(ax + bx) / 2, (ay + by) / 2];
  const at = (along: number, across: number): string =>
    `${x + dx * along - dy * across},${y + dy * along + dx * across}`;
  return svg('path', {
    class: 'm2fp-zones-arrow',
    d: `M${at(0, 0)} L${at(0, 45)} M${at(-12, 30)} L${at(0, 45)} L${at(12, 30)}`,
  });
}
