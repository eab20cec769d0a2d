/** A legend next to a picture: colours, what they stand for, and how much of the picture each takes. */
import { nameOf } from './captions.ts';
import { type ColorizePlan, colorOf } from './colorize-options.ts';
import { type Drawing, textWidth } from './drawing.ts';
import { personColor, type Rgb } from '../options/palette.ts';
import type { ShownRegion } from './regions.ts';
import type { Parsing } from '../types.ts';

/** In font sizes. */
const ROW = 1.6;
const PADDING = 1;
const SWATCH = 1.1;
const GAP = 0.5;
const WIDE_GAP = 1.2;

export const PAPER: Rgb = [255, 255, 255];
const INK: Rgb = [32, 32, 32];
const PALE_INK: Rgb = [96, 96, 96];
const BORDER: Rgb = [160, 160, 160];

/** One line: what a colour stands for, and its pixels. */
export interface LegendEntry {
  name: string;
  color: Rgb;
  area: number;
}

/** The colours that are shown, by label index, or by person where persons have hues; nobody last. */
export function legendEntries(
  regions: readonly ShownRegion[],
  { labels }: Parsing,
  plan: ColorizePlan,
): LegendEntry[] {
  const byPerson = plan.by !== 'label';
  const groups = new Map<number, ShownRegion[]>();
  for (const region of regions) {
    const key = byPerson ? region.person || Infinity : region.code;
    groups.set(key, [...(groups.get(key) ?? []), region]);
  }
  return [...groups]
    .toSorted(([a], [b]) => a - b)
    .map(([, group]): LegendEntry => {
      const [first] = group as [ShownRegion];
      const area = group.reduce((sum, region) => sum + region.area, 0);
      if (!byPerson) {
        return { name: nameOf(plan, labels, first), color: colorOf(plan, first.code, 0), area };
      }
      const name = first.person === 0 ? 'nobody' : `#${first.person}`;
      return { name, color: personColor(first.person), area };
    });
}

/** `area` as a share of `pixels`, for a reader: "12.3 %". */
export function shareText(area: number, pixels: number): string {
  const percent = (100 * area) / pixels;
  return percent < 0.1 ? '<0.1 %' : `${percent.toFixed(1)} %`;
}

/** A legend's size next to a picture, pixels, and where its columns begin. */
export interface LegendLayout {
  /** Of picture and legend together. */
  width: number;
  height: number;
  rows: number;
  columnWidth: number;
  nameWidth: number;
  x: number;
  y: number;
}

/** Where `entries` (one at least) go: in as many columns as it takes beside the picture, as fit below it. */
export function layOutLegend(
  entries: readonly LegendEntry[],
  image: { width: number; height: number },
  place: 'beside' | 'below',
  size: number,
): LegendLayout {
  const pixels = image.width * image.height;
  const nameWidth = Math.max(...entries.map(({ name }) => textWidth(name, size)));
  const shareWidth = Math.max(...entries.map(({ area }) => textWidth(shareText(area, pixels), size)));
  const columnWidth = Math.ceil((SWATCH + GAP + WIDE_GAP * 2) * size + nameWidth + shareWidth);
  const rowHeight = ROW * size;
  const margin = 2 * PADDING * size;
  if (place === 'beside') {
    const rows = Math.min(entries.length, Math.max(1, Math.floor((image.height - margin) / rowHeight)));
    const columns = Math.ceil(entries.length / rows);
    return {
      width: image.width + Math.ceil(columns * columnWidth + PADDING * size),
      height: Math.max(image.height, Math.ceil(rowHeight * rows + margin)),
      rows,
      columnWidth,
      nameWidth,
      x: image.width,
      y: 0,
    };
  }
  const columns = Math.max(1, Math.floor((image.width - PADDING * size) / columnWidth));
  const rows = Math.ceil(entries.length / columns);
  return {
    width: Math.max(image.width, Math.ceil(columnWidth + PADDING * size)),
    height: image.height + Math.ceil(rows * rowHeight + margin),
    rows,
    columnWidth,
    nameWidth,
    x: 0,
    y: image.height,
  };
}

/** Draws the legend, on white, at its place. */
export function drawLegend(
  drawing: Drawing,
  entries: readonly LegendEntry[],
  layout: LegendLayout,
  pixels: number,
  size: number,
): void {
  entries.forEach(({ name, color, area }, index) => {
    const x = layout.x + PADDING * size + Math.floor(index / layout.rows) * layout.columnWidth;
    const y = layout.y + PADDING * size + (0.5 + (index % layout.rows)) * ROW * size;
    const swatch = SWATCH * size;
    drawing.rect(
      { x: Math.round(x) + 0.5, y: Math.round(y - swatch / 2) + 0.5, width: swatch, height: swatch },
      { fill: color, radius: 0.15 * size, stroke: BORDER },
    );
    const textX = x + swatch + GAP * size;
    drawing.text(name, textX, y, size, INK);
    drawing.text(shareText(area, pixels), textX + layout.nameWidth + WIDE_GAP * size, y, size, PALE_INK);
  });
}
