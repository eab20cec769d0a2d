/** Names and scores on a picture's parts, each where it covers no other. */
import type { ColorizePlan } from './colorize-options.ts';
import { colorOf } from './colorize-options.ts';
import { type Drawing, inkOn, textWidth } from './drawing.ts';
import { firstOfName } from '../options/options.ts';
import { readableLabel } from './label-text.ts';
import type { ShownRegion } from './regions.ts';
import type { Box, Parsing } from '../types.ts';

/** In font sizes. */
const LINE_HEIGHT = 1.35;
const SIDE = 0.35;
const RADIUS = 0.25;
/** What lies below shows through a little. */
const OPACITY = 0.85;
/** Places that a caption tries, in its own heights away from where it belongs: farther away it would name another. */
const SHIFTS = [0, -1, 1];

/** What a region shows: the label's name or the person's number, `#1`; '' for what belongs to nobody, by person. */
export function nameOf({ by }: ColorizePlan, labels: readonly string[], region: ShownRegion): string {
  if (by === 'person') return region.person === 0 ? '' : `#${region.person}`;
  return readableLabel(labels[region.code - 1] ?? '?');
}

/** The best score of what a region shows; undefined where nothing found belongs to it. */
function scoreOf(plan: ColorizePlan, parsing: Parsing, { code, person }: ShownRegion): number | undefined {
  const ofPerson = parsing.persons.filter(({ id }) => id === person);
  const firsts = firstOfName(parsing.labels);
  const ofPart = parsing.parts.filter(
    ({ index, person: owner }) => (firsts[index] ?? index) === code - 1 && (owner ?? 0) === person,
  );
  const found = plan.by === 'person' || ofPart.length === 0 ? ofPerson : ofPart;
  return found.length === 0 ? undefined : Math.max(...found.map(({ score }) => score));
}

function captionOf(plan: ColorizePlan, parsing: Parsing, region: ShownRegion): string {
  const name = nameOf(plan, parsing.labels, region);
  if (name === '') return '';
  const score = plan.scores ? scoreOf(plan, parsing, region) : undefined;
  return [plan.names ? name : '', score === undefined ? '' : score.toFixed(2)].filter(Boolean).join(' ');
}

function overlap(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

/** The regions that one caption names: by person, all that a person shows. */
function captioned({ by }: ColorizePlan, regions: readonly ShownRegion[]): ShownRegion[] {
  if (by !== 'person') return [...regions];
  const largest = new Map<number, ShownRegion>();
  for (const region of regions) {
    if (region.area > (largest.get(region.person)?.area ?? 0)) largest.set(region.person, region);
  }
  return [...largest.values()];
}

/**
 * Draws the captions, those of larger regions first. One for which there is no room, inside the picture and beside
 * the others, is left out.
 * @param size font size, pixels
 */
export function drawCaptions(
  drawing: Drawing,
  regions: readonly ShownRegion[],
  parsing: Parsing,
  plan: ColorizePlan,
  size: number,
): void {
  const taken: Box[] = [];
  const height = LINE_HEIGHT * size;
  for (const region of captioned(plan, regions).toSorted((a, b) => b.area - a.area)) {
    const caption = captionOf(plan, parsing, region);
    const width = textWidth(caption, size) + 2 * SIDE * size;
    if (caption === '' || width > parsing.width || height > parsing.height) continue;
    const x = Math.min(Math.max(region.x - width / 2, 0), parsing.width - width);
    const box = SHIFTS.map((shift): Box => {
      const y = region.y + (shift - 0.5) * height;
      return { x, y: Math.min(Math.max(y, 0), parsing.height - height), width, height };
    }).find((place) => !taken.some((other) => overlap(place, other)));
    if (box === undefined) continue;
    taken.push(box);
    const fill = colorOf(plan, region.code, region.person);
    drawing.rect(box, { fill, radius: RADIUS * size, opacity: OPACITY });
    drawing.text(caption, box.x + SIDE * size, box.y + height / 2, size, inkOn(fill));
  }
}
