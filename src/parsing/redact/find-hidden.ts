/** What is to be hidden of the people in a parsing, and where it lies in the picture. */
import { M2fpError } from '../../errors.ts';
import { forEachSlice } from '../../image/slices.ts';
import { checkParsing } from '../check.ts';
import { personIndex } from '../options/options.ts';
import { dilate, measureInstances, type InstanceMap, paintInstance } from '../masks/instance-map.ts';
import type { Box, Parsing } from '../types.ts';
import { keptOf } from './keep.ts';
import { readRedactOptions, type RedactOptions, type RedactPlan } from './redact-options.ts';
import { allOf, findUncovered, isMeant, NOBODY, paintUncovered, type Redaction } from './uncovered.ts';

/** The whole picture is so much larger than a face that as few cells would leave nothing of a background. */
const IMAGE_CELLS = 4;

const MIN_GROW = 8;
/** See {@link autoGrow}. */
const MASK_PIXELS = 4;
/** Pixels of the network's input, along a side, per pixel of its masks. */
const MASK_STRIDE = 4;
/** The shorter side that the bundled model sees, where the parsing does not tell. */
const NETWORK_SIDE = 416;

/** Where something is hidden, how, and of whom. */
export interface Hidden {
  /** The options, with `cells` as many as these regions take. */
  plan: RedactPlan;
  /** Whether all of the picture is one region, of nobody. */
  isWholeImage: boolean;
  owners: InstanceMap;
  /** Around each region, null for one that has no pixel. */
  boxes: (Box | null)[];
  /** By its number from 0, the id of the person that each region belongs to; null or absent: nobody's. */
  personOf: (number | null)[];
  /** Pixels that the regions grew by. */
  reach: number;
  /** The others as in `Redacted`. */
  area: number;
  found: boolean;
  persons: number[];
  uncovered: (number | null)[];
  left: number[];
  missing: number[];
  kept: number[];
}

/**
 * Finds what the options hide in `parsing`'s picture, which is not looked at. A pixel is hidden where the mask of a chosen
 * part has it, doubtful ones included, or the label map names it, so that none of them can let something through. Goes in
 * slices between turns of the event loop.
 *
 * @throws {M2fpError} `M2FP_NO_PARSING` where `parsing` is none; `M2FP_BAD_OPTION` naming the option that is wrong.
 */
export async function findHidden(parsing: Parsing, options?: RedactOptions): Promise<Hidden> {
  checkParsing(parsing);
  // Whoever loses it would have people shown of whom the network was not sure.
  if (parsing.doubtful === undefined) {
    throw new M2fpError(
      'M2FP_NO_PARSING',
      'The parsing has lost its "doubtful", which redact hides, too: leave it in the parsing as the infer node set it.',
    );
  }
  const read = readRedactOptions(parsing.labels, options);
  const plan: Redaction = { ...read, kept: read.keep === null ? null : keptOf(parsing, read.keep) };
  const { width, height } = parsing;
  const regions = new Regions();
  const chosen = await chosenPixels(parsing, plan, regions);
  const found = regions.certain || parsing.persons.some(({ score }) => score >= plan.minScore);
  const isAll = !found && plan.all && !plan.inverse;
  const { uncovered, left, covered } = isAll ? NOBODY : await findUncovered(parsing, plan);

  const isWholeImage = isAll || plan.inverse;
  const reach = plan.grow === 'auto' ? autoGrow(parsing) : plan.grow;
  if (plan.inverse && plan.kept !== null) await clearOthers(chosen, parsing, plan.kept);
  const redacted = isAll ? chosen.fill(1) : plan.inverse ? await invert(chosen) : chosen;
  const owners = await dilate(redacted, width, height, reach);
  if (plan.uncovered !== 'pass' && uncovered.length > 0) {
    const extent = plan.uncovered === 'head' && plan.chosen.size === plan.ofHead.size ? 'head' : 'person';
    const numberOf = (region: string): number => regions.numberOf(region);
    await paintUncovered(owners, parsing, uncovered, { extent, reach, numberOf });
  }
  const { boxes, area } = await measureInstances(owners, width, height, isWholeImage ? 1 : regions.count);
  return {
    plan: { ...read, cells: read.cells * (isWholeImage ? IMAGE_CELLS : 1) },
    isWholeImage,
    owners,
    boxes,
    personOf: isWholeImage ? [] : regions.owners(),
    reach,
    area,
    found,
    persons: isWholeImage ? allOf(parsing).persons.map(({ id }) => id) : regions.persons(covered),
    uncovered: uncovered.map(({ id }) => id),
    left: [...left],
    missing: missingPersons(parsing, plan),
    kept: [...(plan.kept ?? [])],
  };
}

/** Nothing stays of who is not kept, nor of what is nobody's, also where the mask of somebody who is kept has it, too. */
async function clearOthers(owners: InstanceMap, parsing: Parsing, kept: ReadonlySet<number>): Promise<void> {
  const { persons, parts } = allOf(parsing);
  const others = [
    ...persons.filter(({ id }) => !kept.has(id)),
    // Parts may reach beyond the mask of their person.
    ...parts.filter(({ person }) => person === null || !kept.has(person)),
  ];
  for (const { area, mask } of others) if (area > 0) await paintInstance(owners, parsing.width, mask, 0);
}

function missingPersons(parsing: Parsing, { persons }: RedactPlan): number[] {
  const known = new Set(allOf(parsing).persons.map(({ id }) => id));
  return [...(persons ?? [])].filter((id) => !known.has(id));
}

/**
 * How far a part may reach beyond its mask, pixels of the picture: four pixels of the mask, which has one for 4 x 4 of the
 * network's input; 8 at least. On the drawn scenes 0.02 % of the face pixels of people who were found stay visible, at any
 * size of picture.
 */
function autoGrow({ width, height, network }: Parsing): number {
  const scale = network
    ? Math.max(width / network.width, height / network.height)
    : Math.min(width, height) / NETWORK_SIDE;
  return Math.max(MIN_GROW, Math.ceil(MASK_PIXELS * MASK_STRIDE * scale));
}

/** What is chosen of one person, and each part of nobody, is a region of its own. Regions count from 1. */
class Regions {
  readonly #numbers = new Map<string, number>();
  /** Whether there is one that is not of doubtful parts alone. */
  certain = false;

  get count(): number {
    return this.#numbers.size;
  }

  numberOf(region: string): number {
    if (!this.#numbers.has(region)) this.#numbers.set(region, this.count + 1);
    return this.#numbers.get(region)!;
  }

  /** By its number from 0, the id of the person that each belongs to; null: nobody's. */
  owners(): (number | null)[] {
    return [...this.#numbers.keys()].map((name) =>
      name.startsWith('person ') ? Number(name.slice('person '.length)) : null,
    );
  }

  /**
   * The ids of the persons that have one, and of others.
   * @param covered who stands behind others, and is hidden by regions of theirs
   */
  persons(covered: readonly number[]): number[] {
    const own = this.owners().filter((id) => id !== null);
    return [...new Set([...own, ...covered])].toSorted((a, b) => a - b);
  }
}

/** The pixels of the chosen parts. Doubtful ones are left out where everything else is redacted. */
async function chosenPixels(parsing: Parsing, plan: Redaction, regions: Regions): Promise<InstanceMap> {
  const { width, height, labelMap, personMap } = parsing;
  const owners: InstanceMap = new Uint16Array(width * height);
  const human = personIndex(parsing);
  const isChosen = Uint8Array.from({ length: 256 }, (_, index) => (plan.chosen.has(index) ? 1 : 0));
  const isPerson = Uint8Array.from({ length: 256 }, (_, id) => (isMeant(plan, id || null) ? 1 : 0));
  await forEachSlice(labelMap.length, 3, (first, end) => {
    for (let p = first; p < end; p++) {
      const id = personMap[p]!;
      if (isChosen[labelMap[p]!] === 1 && isPerson[id] === 1) {
        owners[p] = regions.numberOf(id > 0 ? `person ${id}` : 'nobody');
      }
    }
  });
  const paint = async ({ persons, parts }: Pick<Parsing, 'persons' | 'parts'>): Promise<void> => {
    const masks = [
      ...parts
        .filter(({ index, person }) => plan.chosen.has(index) && isMeant(plan, person))
        .map(({ id, person, ...part }) => ({
          ...part,
          region: person === null ? `part ${id}` : `person ${person}`,
        })),
      ...persons
        .filter(({ id }) => plan.chosen.has(human) && isMeant(plan, id))
        .map(({ id, ...person }) => ({ ...person, region: `person ${id}` })),
    ];
    for (const { score, area, mask, region } of masks) {
      if (score >= plan.minScore && area > 0)
        await paintInstance(owners, width, mask, regions.numberOf(region));
    }
  };
  await paint(parsing);
  regions.certain = regions.count > 0;
  if (!plan.inverse) await paint(parsing.doubtful);
  return owners;
}

/** One region where there was none, and none where there was one. */
async function invert(owners: InstanceMap): Promise<InstanceMap> {
  const inverted: InstanceMap = new Uint16Array(owners.length);
  await forEachSlice(owners.length, 2, (first, end) => {
    for (let p = first; p < end; p++) inverted[p] = owners[p] === 0 ? 1 : 0;
  });
  return inverted;
}
