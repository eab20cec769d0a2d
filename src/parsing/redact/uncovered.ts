/** Persons who were seen, but of whom the parts that are to be hidden were not found: who they are, and where. */
import { partGroup } from '../../m2fp/labels.ts';
import type { PartGroup } from '../../m2fp/part-groups.ts';
import { forEachSlice } from '../../image/slices.ts';
import { BACKGROUND_INDEX, personIndex } from '../options/options.ts';
import { dilate, type InstanceMap, paintInstance } from '../masks/instance-map.ts';
import type { RedactPlan } from './redact-options.ts';
import { rleToRuns } from '../masks/rle.ts';
import { runsOverlap } from '../masks/runs.ts';
import type { Box, Parsing, Part, Person, Rle } from '../types.ts';

/** A part that scores less is hidden, but does not count as found: it is as likely something else. */
const FOUND_SCORE = 0.2;
/** A head that takes a smaller share of its person is none, but a trace on a hat or a shoe. */
const LEAST_HEAD = 0.01;
/** A part is on the person whose mask has more than this share of it. */
const MOST = 0.5;
/** What tells for sure where the head of a person is. */
const SURE_SCORE = 0.5;
/** Of the height of a person who stands upright, from the top, the share in which the head is for sure. */
const HEAD_HEIGHT = 0.4;
/** Around it, of the person's width. */
const HEAD_MARGIN = 0.15;
/** Around a whole person, of its longer side: the mask of a person whose head was not found may lack it. */
const PERSON_MARGIN = 0.05;

/** Where a person is hidden. */
export interface Uncovered {
  /** Null: the parts that belong to nobody. */
  id: number | null;
  box: Box;
  masks: readonly Rle[];
  person: Person | null;
}

/** The persons and parts of a parsing, the doubtful ones last. */
export function allOf({ persons, parts, doubtful }: Parsing): { persons: Person[]; parts: Part[] } {
  return {
    persons: [...persons, ...doubtful.persons],
    parts: [...parts, ...doubtful.parts],
  };
}

/** How the uncovered are hidden. */
export interface Painting {
  extent: 'person' | 'head';
  /** Pixels that other parts grow by. */
  reach: number;
  /** The region of a name. */
  numberOf: (region: string) => number;
}

/** Of a plan, whom it means. */
type Who = Pick<RedactPlan, 'persons' | 'inverse'> & {
  /** Ids of those who stay as they are; null: nobody was named. */
  kept: ReadonlySet<number> | null;
};

/** A plan, and who of a parsing is kept. */
export type Redaction = RedactPlan & Who;

/** Who is hidden by chosen parts that were found, and who is not. */
export interface Coverage {
  uncovered: readonly Uncovered[];
  left: readonly number[];
  covered: readonly number[];
}

export const NOBODY: Coverage = { uncovered: [], left: [], covered: [] };

/**
 * Those of the persons that `plan` means, doubtful ones included, on whom the chosen parts were not found. Found is a
 * part of a score of 0.2 and of `minScore` that is hidden, and belongs to the person or lies mostly in its mask: of who
 * stands behind another, the parts are the other's. A doubtful part is
 * hidden, but not found: of people who lie or hang upside down, a network takes shoes for hair. Where parts of the head
 * are chosen, it is one of them, and together they are 1 % of the person or more: everybody has a head, and other parts
 * do not stand for it.
 *
 * Where the parsing has no persons at all (models of a single person, or without a label for the whole), all its parts
 * are taken for one person, whose id is null.
 *
 * @returns `uncovered` those of `minScore`; `left` the ids of those of a lower one, who are left as they are; `covered`
 *   the ids of those on whom they were found
 */
export async function findUncovered(parsing: Parsing, plan: Redaction): Promise<Coverage> {
  if (!plan.hides) return NOBODY;
  const all = allOf(parsing);
  const wanted = plan.ofHead.size > 0 ? plan.ofHead : plan.chosen;
  const least = Math.max(FOUND_SCORE, plan.minScore);
  const found = parsing.parts
    .filter(({ index, score, area }) => wanted.has(index) && score >= least && area > 0)
    // Those of others stay as they are, also where they lie in the mask of somebody who is meant.
    .filter(({ person }) => isMeant(plan, person))
    .map((part) => ({ ...part, runs: rleToRuns(part.mask) }));
  if (all.persons.length === 0)
    return { ...NOBODY, uncovered: withoutPersons(all.parts, found.length > 0, plan) };

  // A whole person that is chosen is hidden by its own mask.
  const isHidden = ({ score }: Person): boolean =>
    plan.chosen.has(personIndex(parsing)) && score >= plan.minScore;
  const meant = all.persons.filter(
    (person) => person.area > 0 && isMeant(plan, person.id) && !isHidden(person),
  );
  const missing: Person[] = [];
  await forEachSlice(
    meant.length,
    found.reduce((sum, { runs }) => sum + runs.length, 1),
    (first, end) => {
      for (const person of meant.slice(first, end)) {
        const runs = rleToRuns(person.mask);
        const own = found.filter(
          (part) => part.person === person.id || runsOverlap(part.runs, runs) > MOST * part.area,
        );
        const seen = own.reduce((sum, { area }) => sum + area, 0);
        if (seen === 0 || (plan.ofHead.size > 0 && seen < LEAST_HEAD * person.area)) missing.push(person);
      }
    },
  );
  return {
    uncovered: missing
      .filter(({ score }) => score >= plan.minScore)
      .map((person) => ({ id: person.id, masks: [person.mask], box: person.box, person })),
    left: missing.filter(({ score }) => score < plan.minScore).map(({ id }) => id),
    covered: meant.filter((person) => !missing.includes(person)).map(({ id }) => id),
  };
}

/** Whether parts of the person are hidden; null: those of nobody. */
export function isMeant({ persons, kept, inverse }: Who, person: number | null): boolean {
  const isListed = persons === null || (person !== null && persons.has(person));
  if (kept === null) return isListed;
  return isListed && (person !== null && kept.has(person)) === inverse;
}

/** All parts of a parsing that has no persons, unless a chosen one is among them. */
function withoutPersons(found: readonly Part[], isCovered: boolean, { persons }: Redaction): Uncovered[] {
  const parts = found.filter(({ index, area }) => index !== BACKGROUND_INDEX && area > 0);
  if (isCovered || persons !== null || parts.length === 0) return [];
  return [{ id: null, box: boxAround(parts), masks: parts.map(({ mask }) => mask), person: null }];
}

function boxAround(parts: readonly { box: Box }[]): Box {
  const x = Math.min(...parts.map(({ box }) => box.x));
  const y = Math.min(...parts.map(({ box }) => box.y));
  return {
    x,
    y,
    width: Math.max(...parts.map(({ box }) => box.x + box.width)) - x,
    height: Math.max(...parts.map(({ box }) => box.y + box.height)) - y,
  };
}

/** Gives `owners` what is to be hidden of `uncovered`, with a margin that goes by the person's size. */
export async function paintUncovered(
  owners: InstanceMap,
  parsing: Parsing,
  uncovered: readonly Uncovered[],
  { extent, reach, numberOf }: Painting,
): Promise<InstanceMap> {
  const { width, height } = parsing;
  const layers = new Map<number, InstanceMap>();
  for (const { id, box, masks, person } of uncovered) {
    const number = numberOf(id === null ? 'nobody' : `person ${id}`);
    const head = extent === 'head' && person !== null ? headOf(person, parsing) : null;
    if (head !== null) {
      await paintBox(owners, width, height, head, number);
      continue;
    }
    // Persons of about one size are grown together: each layer takes a walk over the picture.
    const needed = Math.round(PERSON_MARGIN * Math.max(box.width, box.height));
    let margin = reach;
    while (margin < needed) margin = Math.max(1, 2 * margin);
    let layer = layers.get(margin);
    if (layer === undefined) layers.set(margin, (layer = new Uint16Array(width * height)));
    for (const mask of masks) await paintInstance(layer, width, mask, number);
  }
  for (const [margin, layer] of layers) {
    const grown = await dilate(layer, width, height, margin);
    await forEachSlice(owners.length, 2, (first, end) => {
      for (let p = first; p < end; p++) if (owners[p] === 0) owners[p] = grown[p]!;
    });
  }
  return owners;
}

async function paintBox(
  owners: InstanceMap,
  width: number,
  height: number,
  box: Box,
  owner: number,
): Promise<void> {
  const left = Math.max(0, box.x);
  const right = Math.min(width, box.x + box.width);
  const top = Math.max(0, box.y);
  await forEachSlice(Math.max(0, Math.min(height, box.y + box.height) - top), box.width, (first, end) => {
    for (let y = top + first; y < top + end; y++) owners.fill(owner, y * width + left, y * width + right);
  });
}

/**
 * The rectangle that holds the head of a person who stands upright for sure: a sure person, taller than wide, whose sure
 * clothes and limbs lie above one another as they do when one stands. Null for all others: a body that lies, hangs
 * upside down or is cut off has its head elsewhere.
 */
function headOf({ id, score, box }: Person, parsing: Parsing): Box | null {
  const { width, height } = box;
  if (score < SURE_SCORE || height < 1.5 * width) return null;
  const centre = (groups: readonly (PartGroup | undefined)[]): [x: number, y: number] | null => {
    const parts = allOf(parsing).parts.filter(
      (part) => part.person === id && part.score >= SURE_SCORE && groups.includes(partGroup(part.label)),
    );
    const area = parts.reduce((sum, part) => sum + part.area, 0);
    if (area === 0) return null;
    const mean = (middle: (part: Part) => number): number =>
      parts.reduce((sum, part) => sum + (part.area / area) * middle(part), 0);
    return [
      mean((part) => part.box.x + part.box.width / 2),
      mean((part) => part.box.y + part.box.height / 2),
    ];
  };
  const upper = centre(['upperBody', 'arms']);
  const lower = centre(['lowerBody', 'legs', 'shoes']);
  if (upper === null || lower === null) return null;
  const up = lower[1] - upper[1];
  if (up < 0.2 * height || Math.abs(lower[0] - upper[0]) > up / 2) return null;
  const margin = Math.ceil(HEAD_MARGIN * width);
  return {
    x: box.x - margin,
    y: box.y - margin,
    width: width + 2 * margin,
    height: Math.ceil(HEAD_HEIGHT * height) + margin,
  };
}
