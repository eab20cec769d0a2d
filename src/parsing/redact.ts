/** A picture with chosen parts of people made unrecognisable, recoloured or removed. */
import { encodePicture } from '../image/encode.ts';
import { inSlices } from '../image/slices.ts';
import type { RawImage } from '../image/types.ts';
import { checkParsing } from './check.ts';
import { type Method, obscure } from './obscure.ts';
import {
  badOption,
  flag,
  isWhole,
  knownOptions,
  labelIndices,
  labelKey,
  numberIn,
  oneOf,
  personIndex,
} from './options.ts';
import { growOwners, measureOwners, type Owners, paintOwner } from './owners.ts';
import { type Color, parseColor, type Rgb } from './palette.ts';
import { namesOf, readOptions as readTable } from './option-table.ts';
import { MIME_TYPES, PICTURE_OPTIONS, type PictureEncoding, type PictureOptions } from './picture-options.ts';
import { decodeSource } from './source.ts';
import type { Parsing } from './types.ts';

const METHODS = ['blur', 'pixelate', 'fill', 'recolor', 'remove'] as const satisfies readonly Method[];
const WHEN_NOBODY = ['pass', 'all'] as const;

/** What tells who somebody is, by {@link labelKey}: of these, those that the model has are the default. */
const IDENTIFYING = new Set(['face', 'hair', 'head', 'sunglasses', 'eyewear']);

const MAX_GROW = 512;
const DEFAULT_GROW = 8;
const MAX_CELLS = 64;
const DEFAULT_CELLS = 6;
/** The whole picture is so much larger than a face that as few cells would leave nothing of a background. */
const PICTURE_CELLS = 4;

export interface RedactOptions extends PictureOptions {
  /**
   * `blur` (default): smooth, from the mean colours of a few cells. `pixelate`: those cells themselves. `fill`: one
   * colour. `recolor`: another colour that keeps light and shade. `remove`: transparent (png, webp).
   */
  method?: Method;
  /** The labels to redact; default those of face, hair, head and glasses that the model has. */
  labels?: readonly string[];
  /** Ids of the persons to redact; default everybody, and parts that belong to nobody. */
  persons?: readonly number[];
  /** Redacts everything but the chosen parts; default false. */
  inverse?: boolean;
  /** Pixels that the redacted area grows by in each direction; default 8, and 0 for `recolor` and `inverse`. */
  grow?: number;
  /**
   * Strength of blur and pixelate, 1 (strongest) to 64: no more than so many mean colours are kept along the longer
   * side of what is redacted of a person; four times as many along the picture's where it goes by `inverse` or
   * `nobody`. A cell has 8 pixels or more a side. What the cells do not hold is gone, and no sharpening brings it
   * back. Default 6.
   */
  cells?: number;
  /** Of fill (default black) and recolor (default a mid blue). */
  color?: Color;
  /** Parts and persons of a lower score are left as they are; default 0, all that were found. */
  minScore?: number;
  /** Where the parsing has nobody: `pass` (default) the picture on as it is, or redact `all` of it. */
  nobody?: (typeof WHEN_NOBODY)[number];
}

export interface Redacted {
  /** The encoded picture, of the source's size and without the source's metadata. */
  image: Buffer;
  width: number;
  height: number;
  mime: string;
  /** Pixels that were redacted. */
  area: number;
  /** Whether the parsing has a person, or a part that was to be redacted. */
  found: boolean;
}

/** The names of {@link RedactOptions}. */
export const REDACT_OPTIONS = [
  'method',
  'labels',
  'persons',
  'inverse',
  'grow',
  'cells',
  'color',
  'minScore',
  'nobody',
  ...namesOf(PICTURE_OPTIONS),
] as const satisfies readonly (keyof RedactOptions)[];

/** The options with their defaults, checked and read. */
interface Plan {
  method: Method;
  chosen: ReadonlySet<number>;
  persons: ReadonlySet<number> | null;
  inverse: boolean;
  grow: number;
  cells: number;
  color: Rgb;
  minScore: number;
  all: boolean;
  picture: PictureEncoding;
}

function identifying(labels: readonly string[]): Set<number> {
  return new Set(labels.flatMap((label, index) => (IDENTIFYING.has(labelKey(label)) ? [index] : [])));
}

function readPersons(value: unknown): Set<number> | null {
  if (value === undefined) return null;
  const isIds = (ids: unknown): ids is number[] =>
    Array.isArray(ids) && ids.every((id) => isWhole(id, 1, 255));
  if (!isIds(value))
    throw badOption('persons', value, 'a list of ids of msg.parsing.persons, such as [1, 2]');
  return new Set(value);
}

function readOptions(labels: readonly string[], options: RedactOptions | undefined): Plan {
  const given = knownOptions(options, REDACT_OPTIONS);
  const picture = readTable(PICTURE_OPTIONS, { format: given.format, quality: given.quality });
  const method = oneOf('method', given.method, METHODS, 'blur');
  if (method === 'remove' && picture.format === 'jpeg') {
    throw badOption('format', picture.format, 'png or webp where "method" is "remove"');
  }
  const inverse = flag('inverse', given.inverse, false);
  const grow = inverse || method === 'recolor' ? 0 : DEFAULT_GROW;
  return {
    method,
    chosen: labelIndices('labels', given.labels, labels) ?? identifying(labels),
    persons: readPersons(given.persons),
    inverse,
    grow: numberIn('grow', given.grow, { min: 0, max: MAX_GROW, integer: true }, grow),
    cells: numberIn('cells', given.cells, { min: 1, max: MAX_CELLS, integer: true }, DEFAULT_CELLS),
    color: parseColor('color', given.color ?? (method === 'recolor' ? '#2f6db5' : '#000000')),
    minScore: numberIn('minScore', given.minScore, { min: 0, max: 1 }, 0),
    all: oneOf('nobody', given.nobody, WHEN_NOBODY, 'pass') === 'all',
    picture,
  };
}

/**
 * Redacts `parsing`'s picture. Pixel work goes in slices between turns of the event loop; nothing is written into
 * the parsing. A pixel is redacted where the mask of a chosen part has it or the label map names it, so that none of
 * the two can let something through.
 *
 * @throws {M2fpError} `M2FP_NO_PARSING` where `parsing` is none, or its picture has another size than it says;
 * `M2FP_BAD_OPTION` naming the option that is wrong.
 */
export async function redact(parsing: Parsing, options?: RedactOptions): Promise<Redacted> {
  checkParsing(parsing);
  const plan = readOptions(parsing.labels, options);
  const { width, height } = parsing;
  const { owners: chosen, count } = await chosenPixels(parsing, plan);
  const found = count > 0 || parsing.persons.some(({ score }) => score >= plan.minScore);
  const isWholePicture = plan.inverse || (!found && plan.all);
  const regions = isWholePicture ? 1 : count;
  const redacted = isWholePicture ? await invert(chosen) : chosen;
  const owners = await growOwners(redacted, width, height, plan.grow);
  const { boxes, area } = await measureOwners(owners, width, height, regions);

  const source = await decodeSource(parsing);
  const drawn = plan.method === 'remove' ? await withAlpha(source) : source;
  const cells = plan.cells * (isWholePicture ? PICTURE_CELLS : 1);
  await obscure(drawn, { owners, boxes }, { ...plan, cells });
  const image = await encodePicture(drawn, plan.picture);
  return { image, width, height, mime: MIME_TYPES[plan.picture.format], area, found };
}

/** The pixels of the chosen parts; what is chosen of one person, and each part of nobody, is a region of its own. */
async function chosenPixels(parsing: Parsing, plan: Plan): Promise<{ owners: Owners; count: number }> {
  const { width, height } = parsing;
  const owners: Owners = new Uint16Array(width * height);
  const human = personIndex(parsing);
  const numbers = new Map<string, number>();
  const numberOf = (region: string): number => {
    if (!numbers.has(region)) numbers.set(region, numbers.size + 1);
    return numbers.get(region)!;
  };
  const isMeant = (person: number | null): boolean =>
    plan.persons === null || (person !== null && plan.persons.has(person));

  const isChosen = Uint8Array.from({ length: 256 }, (_, index) => (plan.chosen.has(index) ? 1 : 0));
  const isPerson = Uint8Array.from({ length: 256 }, (_, id) => (isMeant(id || null) ? 1 : 0));
  const { labelMap, personMap } = parsing;
  await inSlices(labelMap.length, 3, (first, end) => {
    for (let p = first; p < end; p++) {
      const id = personMap[p]!;
      if (isChosen[labelMap[p]!] === 1 && isPerson[id] === 1) {
        owners[p] = numberOf(id > 0 ? `person ${id}` : 'nobody');
      }
    }
  });
  const masks = [
    ...parsing.parts
      .filter(({ index, person }) => plan.chosen.has(index) && isMeant(person))
      .map(({ id, person, ...part }) => ({
        ...part,
        region: person === null ? `part ${id}` : `person ${person}`,
      })),
    ...parsing.persons
      .filter(({ id }) => plan.chosen.has(human) && isMeant(id))
      .map(({ id, ...person }) => ({ ...person, region: `person ${id}` })),
  ];
  for (const { score, area, mask, region } of masks) {
    if (score >= plan.minScore && area > 0) await paintOwner(owners, width, mask, numberOf(region));
  }
  return { owners, count: numbers.size };
}

/** One region where there was none, and none where there was one. */
async function invert(owners: Owners): Promise<Owners> {
  const inverted: Owners = new Uint16Array(owners.length);
  await inSlices(owners.length, 2, (first, end) => {
    for (let p = first; p < end; p++) inverted[p] = owners[p] === 0 ? 1 : 0;
  });
  return inverted;
}

async function withAlpha({ width, height, channels, data }: RawImage): Promise<RawImage> {
  if (channels === 4) return { width, height, channels, data };
  const rgba = Buffer.alloc(width * height * 4);
  await inSlices(width * height, 4, (first, end) => {
    for (let p = first; p < end; p++) {
      rgba[4 * p] = data[3 * p]!;
      rgba[4 * p + 1] = data[3 * p + 1]!;
      rgba[4 * p + 2] = data[3 * p + 2]!;
      rgba[4 * p + 3] = 255;
    }
  });
  return { width, height, channels: 4, data: rgba };
}
