/** The legend of a thumbnail: as many lines as lie on nothing else, and how many more there are. */
import type { PreviewNotice } from '../admin.ts';

/** Height of a line, pixels. */
const LINE = 15;
/** From the picture to the first line, and to what stands beside it, pixels. */
const GAP = 4;
/** From a line's left edge to its text, pixels. */
const INDENT = 17;
const SVG = 'http://www.w3.org/2000/svg';

/** Of the canvas, pixels. */
export interface Area {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export interface LegendLine {
  text: string;
  /** Of the swatch; none for what only counts the rest. */
  color?: string;
}

/** Where the lines begin, and which ones are shown. */
export interface Layout {
  left: number;
  top: number;
  lines: LegendLine[];
}

/** What the notice tells, as lines: all of the legend. */
export function legendLines(
  { legend = [], labels = 0 }: Pick<PreviewNotice, 'legend' | 'labels'>,
  nameOf: (label: string) => string,
): { lines: LegendLine[]; rest: number } {
  const lines = legend.map(({ name, color }) => ({ text: nameOf(name), color }));
  return { lines, rest: Math.max(0, labels - lines.length) };
}

/**
 * Below the picture, or beside it where more lines have room there.
 * @param image where the thumbnail lies
 * @param rest how many labels there are beyond `lines`
 * @param widthOf of a text, pixels
 * @param obstacles what the legend must not lie on
 */
export function layOut(
  image: Area,
  { lines, rest }: { lines: readonly LegendLine[]; rest: number },
  more: (count: number) => string,
  widthOf: (text: string) => number,
  obstacles: readonly Area[],
): Layout {
  const wanted = lines.length + (rest > 0 ? 1 : 0);
  const width = INDENT + Math.max(0, ...[...lines.map(({ text }) => text), more(99)].map(widthOf));
  const places = [
    { left: image.left, top: image.bottom + GAP },
    { left: image.right + 2 * GAP, top: image.top },
  ].map((place) => ({ ...place, room: roomFor(wanted, place, width, obstacles) }));
  const { left, top, room } = places.reduce((best, place) => (place.room > best.room ? place : best));
  if (room >= wanted && rest === 0) return { left, top, lines: [...lines] };
  // One line says how many are not shown, and says little alone.
  const shown = Math.min(room - 1, lines.length);
  if (shown < 1) return { left, top, lines: [] };
  const hidden = lines.length - shown + rest;
  return { left, top, lines: [...lines.slice(0, shown), { text: more(hidden) }] };
}

/** How many lines have room before the first obstacle. */
function roomFor(
  wanted: number,
  { left, top }: { left: number; top: number },
  width: number,
  obstacles: readonly Area[],
): number {
  const inWay = obstacles.filter(
    (area) => area.left < left + width && area.right > left && area.bottom > top,
  );
  const space = Math.min(...inWay.map((area) => area.top)) - top;
  return Math.max(0, Math.min(wanted, Math.floor((space - GAP) / LINE)));
}

/** The lines as elements, in a group whose origin is `origin`. */
export function drawLegend({ left, top, lines }: Layout, origin: { left: number; top: number }): Element[] {
  return lines.flatMap(({ text, color }, line) => {
    const x = left - origin.left;
    const y = top - origin.top + line * LINE;
    const label = shape('text', { x: String(x + (color === undefined ? 0 : INDENT)), y: String(y + 10) });
    label.textContent = text;
    if (color === undefined) return [label];
    return [shape('rect', { x: String(x), y: String(y), width: '11', height: '11', fill: color }), label];
  });
}

export function shape(name: string, attributes: Readonly<Record<string, string>>): SVGElement {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
