/** Parts and persons as pictures of their own. */
import { encodePicture } from '../image/encode.ts';
import { inSlices } from '../image/slices.ts';
import type { RawImage } from '../image/types.ts';
import { checkParsing } from './check.ts';
import { type Cover, coverOf } from './masks.ts';
import {
  BACKGROUND_INDEX,
  badOption,
  humanIndex,
  knownOptions,
  labelIndices,
  numberIn,
  oneOf,
} from './options.ts';
import { type PictureOptions, PICTURE_OPTIONS, readPictureOptions } from './picture-options.ts';
import { decodeSource } from './source.ts';
import type { Box, Parsing, Person, Rle } from './types.ts';

const SUBJECTS = ['person-parts', 'persons', 'labels'] as const;
const MODES = ['box', 'cutout'] as const;

const DEFAULT_MAX = 255;
/** In percent; ten boxes on every side are more than any use has. */
const MAX_SHARE = 1000;

export interface CropOptions extends PictureOptions {
  /**
   * `person-parts` (default): each part of each person, and the parts that belong to nobody. `persons`: each whole
   * person. `labels`: one picture for each label, around all its parts.
   */
  what?: (typeof SUBJECTS)[number];
  /** The labels to crop, for all but `persons`; default all but the background and "Human". */
  labels?: readonly string[];
  /** `box` (default): a rectangle of the source. `cutout`: transparent outside the mask (png, webp). */
  mode?: (typeof MODES)[number];
  /** Margin on each side, up to the picture's edge: pixels, or a share of the box's side as "10%"; default 0. */
  padding?: number | string;
  /** Smaller masks are left out, pixels; default 1. */
  minArea?: number;
  /** Parts and persons of a lower score are left out; default 0. */
  minScore?: number;
  /** At most so many crops, the first ones in order; default 255. */
  max?: number;
}

export interface Crop {
  /** The encoded picture. */
  image: Buffer;
  width: number;
  height: number;
  /** Where it lies in the source, margin included. */
  box: Box;
  /** Absent for a whole person. */
  label?: string;
  /** Id of the part, where the crop is of a single one. */
  part?: number;
  /** Id of the person; null for a part of nobody and for a label of several parts. */
  person: number | null;
  /** Of a label the highest score of its parts. */
  score: number;
  /** Pixels of the mask. */
  area: number;
  /** A file name, the only one of its kind among the crops: `person-1-hair.png`. */
  name: string;
}

const OPTIONS = [
  'what',
  'labels',
  'mode',
  'padding',
  'minArea',
  'minScore',
  'max',
  ...PICTURE_OPTIONS,
] as const satisfies readonly (keyof CropOptions)[];

/** The options with their defaults, checked and read. */
interface Plan {
  what: (typeof SUBJECTS)[number];
  chosen: Set<number> | null;
  cutout: boolean;
  padding: Padding;
  minArea: number;
  minScore: number;
  max: number;
  picture: Required<PictureOptions>;
}

/** Pixels or a share of the box's side. */
type Padding = { pixels: number } | { share: number };

function readPadding(value: unknown): Padding {
  const range = `a whole number of pixels from 0, or a text from "0%" to "${MAX_SHARE}%"`;
  if (value === undefined) return { pixels: 0 };
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return { pixels: value };
  const percent = typeof value === 'string' ? /^\s*(\d+(?:\.\d+)?)\s*%\s*$/.exec(value)?.[1] : undefined;
  if (percent === undefined || Number(percent) > MAX_SHARE) throw badOption('padding', value, range);
  return { share: Number(percent) / 100 };
}

function readOptions(labels: readonly string[], options: CropOptions | undefined): Plan {
  const given = knownOptions(options, OPTIONS);
  const picture = readPictureOptions(given);
  const cutout = oneOf('mode', given.mode, MODES, 'box') === 'cutout';
  if (cutout && picture.format === 'jpeg') {
    throw badOption('format', picture.format, 'png or webp where "mode" is "cutout"');
  }
  return {
    what: oneOf('what', given.what, SUBJECTS, 'person-parts'),
    chosen: labelIndices('labels', given.labels, labels),
    cutout,
    padding: readPadding(given.padding),
    minArea: numberIn('minArea', given.minArea, { min: 0, max: Infinity }, 1),
    minScore: numberIn('minScore', given.minScore, { min: 0, max: 1 }, 0),
    max: numberIn('max', given.max, { min: 1, max: Infinity, integer: true }, DEFAULT_MAX),
    picture,
  };
}

/**
 * Cuts parts or persons out of the source picture, one after the other: persons by id, within a person and among
 * labels by label index. The source is decoded once; pixel work goes in slices between turns of the event loop, and
 * nothing is written into the parsing. Nothing to crop gives an empty list.
 *
 * A cut-out is (0, 0, 0, 0) outside its mask: no colour of the source is left there.
 *
 * @throws {M2fpError} `M2FP_NO_PARSING` where `parsing` is none, or its picture has another size than it says;
 * `M2FP_BAD_OPTION` naming the option that is wrong.
 */
export async function crop(parsing: Parsing, options?: CropOptions): Promise<Crop[]> {
  checkParsing(parsing);
  const plan = readOptions(parsing.labels, options);
  const regions = regionsOf(parsing, plan);
  if (regions.length === 0) return [];

  const source = await decodeSource(parsing);
  const fileName = fileNames(plan.picture.format);
  const crops: Crop[] = [];
  for (const { label, part, person, score, masks, ...region } of regions) {
    if (crops.length === plan.max) break;
    const box = pad(region.box, plan.padding, parsing);
    const needsCover = plan.cutout || masks.length > 1;
    const cover = needsCover ? await coverOf(masks, box) : null;
    const area = cover?.area ?? region.area;
    if (area < plan.minArea) continue;
    const pixels = await cut(source, box, plan.cutout ? cover : null);
    const image = await encodePicture(pixels, plan.picture);
    const { width, height } = box;
    crops.push({
      image,
      width,
      height,
      box,
      ...(label !== undefined && { label }),
      ...(part !== undefined && { part }),
      person,
      score,
      area,
      name: fileName(person, label),
    });
  }
  return crops;
}

/** What becomes one crop. */
type Region = Omit<Crop, 'image' | 'width' | 'height' | 'name'> & { index: number; masks: Rle[] };

/** What to crop, in order. */
function regionsOf(parsing: Parsing, { what, chosen, minScore }: Plan): Region[] {
  const human = humanIndex(parsing.labels);
  const isFound = (found: { score: number; box: Box }): boolean =>
    found.score >= minScore && found.box.width > 0 && found.box.height > 0;
  const wholePersons = (): Region[] =>
    parsing.persons.filter(isFound).map((person) => personRegion(person, human));
  if (what === 'persons') return wholePersons().toSorted(byPerson);

  const isChosen = (index: number): boolean =>
    chosen?.has(index) ?? (index !== BACKGROUND_INDEX && index !== human);
  const regions: Region[] = parsing.parts
    .filter((part) => isFound(part) && isChosen(part.index))
    .map(({ id, mask, ...part }) => ({ ...part, part: id, masks: [mask] }));
  if (isChosen(human)) {
    const label = parsing.labels[human]!;
    regions.push(...wholePersons().map((region) => ({ ...region, label })));
  }
  return what === 'labels' ? unionsByLabel(regions) : regions.toSorted(byPerson);
}

function personRegion({ id, score, box, area, mask }: Person, index: number): Region {
  return { person: id, index, score, box, area, masks: [mask] };
}

/** By person, nobody last; then by label, then as the network's post-processing ordered them. */
function byPerson(a: Region, b: Region): number {
  return (a.person ?? Infinity) - (b.person ?? Infinity) || a.index - b.index;
}

/** One region for each label, around all of `regions` that have it. */
function unionsByLabel(regions: readonly Region[]): Region[] {
  const groups = new Map<number, Region[]>();
  for (const region of regions) groups.set(region.index, [...(groups.get(region.index) ?? []), region]);
  return [...groups]
    .map(([index, group]): Region => {
      const { label, area } = group[0]!;
      const score = Math.max(...group.map((region) => region.score));
      const box = group.map((region) => region.box).reduce(unite);
      return { index, label, person: null, score, box, area, masks: group.flatMap(({ masks }) => masks) };
    })
    .toSorted((a, b) => a.index - b.index);
}

/** The smallest box around both. */
function unite(a: Box, b: Box): Box {
  const x = Math.min(a.x, b.x);
  const y = Math.min(a.y, b.y);
  return {
    x,
    y,
    width: Math.max(a.x + a.width, b.x + b.width) - x,
    height: Math.max(a.y + a.height, b.y + b.height) - y,
  };
}

/** `box` with a margin on each side, as far as the picture goes. */
function pad(box: Box, padding: Padding, picture: { width: number; height: number }): Box {
  const marginOf = (side: number): number =>
    'share' in padding ? Math.round(side * padding.share) : padding.pixels;
  const [dx, dy] = [marginOf(box.width), marginOf(box.height)];
  const x = Math.max(0, box.x - dx);
  const y = Math.max(0, box.y - dy);
  return {
    x,
    y,
    width: Math.min(picture.width, box.x + box.width + dx) - x,
    height: Math.min(picture.height, box.y + box.height + dy) - y,
  };
}

/** The pixels of `box`; with `cover`, only those inside it, and nothing elsewhere. */
async function cut(source: RawImage, box: Box, cover: Cover | null): Promise<RawImage> {
  const { width, height } = box;
  const channels = cover === null ? source.channels : 4;
  const data = Buffer.alloc(width * height * channels);
  await inSlices(height, width * 4, (first, end) => {
    for (let y = first; y < end; y++) {
      const from = ((box.y + y) * source.width + box.x) * source.channels;
      if (cover === null) source.data.copy(data, y * width * channels, from, from + width * channels);
      else cutRow(source, from, data, cover.alpha, y * width, width);
    }
  });
  return { width, height, channels, data };
}

/** Copies the covered ones of `count` pixels from byte `from` of `source` to pixel `first` of `target` (RGBA). */
function cutRow(
  source: RawImage,
  from: number,
  target: Buffer,
  alpha: Uint8Array,
  first: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) {
    if (alpha[first + i] === 0) continue;
    const at = from + i * source.channels;
    const to = (first + i) * 4;
    target[to] = source.data[at]!;
    target[to + 1] = source.data[at + 1]!;
    target[to + 2] = source.data[at + 2]!;
    target[to + 3] = 255;
  }
}

const EXTENSIONS = { png: 'png', jpeg: 'jpg', webp: 'webp' } as const;

/** A maker of file names, each given once: a second "person-1-hair.png" is "person-1-hair-2.png". */
function fileNames(
  format: keyof typeof EXTENSIONS,
): (person: number | null, label: string | undefined) => string {
  const taken = new Set<string>();
  return (person, label) => {
    const words = [person === null ? '' : `person-${person}`, label === undefined ? '' : slug(label)];
    const stem = words.filter((word) => word !== '').join('-') || 'part';
    let name = stem;
    for (let n = 2; taken.has(name); n++) name = `${stem}-${n}`;
    taken.add(name);
    return `${name}.${EXTENSIONS[format]}`;
  };
}

/** A label as part of a file name on any system: letters and digits of any script, lower case, and hyphens. */
function slug(label: string): string {
  return label
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-|-$/g, '');
}
