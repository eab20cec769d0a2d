/** The options of `crop`: what each means, and which values are allowed. */
import { type LabelGroup, readGroups } from './groups.ts';
import { badOption, knownOptions, labelIndices, numberIn, oneOf } from './options.ts';
import { type Color, parseColor, type Rgb } from './palette.ts';
import { PICTURE_OPTIONS, type PictureOptions, readPictureOptions } from './picture-options.ts';

const SUBJECTS = ['person-parts', 'persons', 'labels', 'person-groups', 'groups'] as const;
const MODES = ['box', 'cutout'] as const;
const EDGES = ['clamp', 'pad'] as const;
const SCALES = ['none', 'max', 'exact'] as const;

const DEFAULT_MAX = 255;
/** In percent; ten boxes on every side are more than any use has. */
const MAX_SHARE = 1000;
const MAX_REACH = 512;
const MAX_SIDE = 16_384;
/** Of width to height. */
const MAX_ASPECT = 100;
const BLACK: Rgb = [0, 0, 0];

export interface CropOptions extends PictureOptions {
  /**
   * `person-parts` (default): each part of each person, and the parts that belong to nobody. `persons`: each whole
   * person. `labels`: one picture for each label, around all its parts. `person-groups`: each of `groups` of each
   * person, and of nobody. `groups`: one picture for each of `groups`, around all its parts.
   */
  what?: (typeof SUBJECTS)[number];
  /** The labels to crop, for `person-parts` and `labels`; default all but the background and "Human". */
  labels?: readonly string[];
  /**
   * Unions of labels, as text ("upper=UpperClothes+Coat, head") or as an object ({upper: ['UpperClothes', 'Coat']});
   * default those that the label sets know: head, upper-body, lower-body, arms, legs, shoes, things.
   */
  groups?: string | Readonly<Record<string, readonly string[]>>;
  /** `box` (default): a rectangle of the source. `cutout`: only what the mask has. */
  mode?: (typeof MODES)[number];
  /** A cut-out's mask grows by so many pixels, or shrinks where negative; default 0. */
  grow?: number;
  /** Width in pixels over which a cut-out's edge fades, half of it on either side; default 0, a hard edge. */
  feather?: number;
  /** Margin on each side: pixels, or a share of the box's side as "10%"; default 0. */
  padding?: number | string;
  /** Width to height, as "1:1", "3:4" or a number, reached by a larger box and never by distortion; default as it is. */
  aspect?: number | string;
  /**
   * Where the box reaches beyond the picture: `clamp` (default) moves and cuts it to the picture's edge, and the
   * aspect may be missed; `pad` fills what is missing.
   */
  edge?: (typeof EDGES)[number];
  /**
   * A colour or `transparent`: what is shown beyond the picture's edge, beside a picture that `exact` fits in, and
   * around a cut-out. Default transparent for a cut-out, else black.
   */
  fill?: Color;
  /** `none` (default); `max`: made smaller where its longer side is above `maxSide`; `exact`: fitted into `width` x `height`. */
  scale?: (typeof SCALES)[number];
  /** Pixels; default 512. */
  maxSide?: number;
  /** Pixels. Without the one, or where it is 0, it follows from the other in proportion. */
  width?: number;
  height?: number;
  /** Smaller masks are left out: pixels, or a share of the picture as "0.5%"; default 1. */
  minArea?: number | string;
  /** Parts and persons of a lower score are left out; default 0. */
  minScore?: number;
  /** At most so many crops, the first ones in order; default 255. */
  max?: number;
}

export const CROP_OPTIONS = [
  'what',
  'labels',
  'groups',
  'mode',
  'grow',
  'feather',
  'padding',
  'aspect',
  'edge',
  'fill',
  'scale',
  'maxSide',
  'width',
  'height',
  'minArea',
  'minScore',
  'max',
  ...PICTURE_OPTIONS,
] as const satisfies readonly (keyof CropOptions)[];

/** Pixels or a share. */
export type Extent = { pixels: number } | { share: number };

/** How a crop gets its size. */
export type Resize = { maxSide: number } | { width?: number; height?: number } | null;

/** The options with their defaults, checked and read. */
export interface CropPlan {
  what: (typeof SUBJECTS)[number];
  chosen: Set<number> | null;
  groups: LabelGroup[];
  cutout: boolean;
  grow: number;
  feather: number;
  padding: Extent;
  /** Null: as it is. */
  aspect: number | null;
  pads: boolean;
  /** Null: transparent. */
  fill: Rgb | null;
  resize: Resize;
  minArea: Extent;
  minScore: number;
  max: number;
  picture: Required<PictureOptions>;
}

/** A share such as "12.5%" of at most `max` percent; undefined where `value` is none. */
function shareOf(value: unknown, max: number): number | undefined {
  const percent = typeof value === 'string' ? /^\s*(\d+(?:\.\d+)?)\s*%\s*$/.exec(value)?.[1] : undefined;
  return percent === undefined || Number(percent) > max ? undefined : Number(percent) / 100;
}

function readPadding(value: unknown): Extent {
  const range = `a whole number of pixels from 0, or a text from "0%" to "${MAX_SHARE}%"`;
  if (value === undefined) return { pixels: 0 };
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return { pixels: value };
  const share = shareOf(value, MAX_SHARE);
  if (share === undefined) throw badOption('padding', value, range);
  return { share };
}

function readMinArea(value: unknown): Extent {
  const share = shareOf(value, 100);
  if (share !== undefined) return { share };
  if (typeof value === 'string') {
    throw badOption('minArea', value, 'a number of pixels from 0, or a text from "0%" to "100%"');
  }
  return { pixels: numberIn('minArea', value, { min: 0, max: Infinity }, 1) };
}

function readAspect(value: unknown): number | null {
  if (value === undefined) return null;
  const sides =
    typeof value === 'string' ? /^\s*(\d+(?:\.\d+)?)(?:\s*[:/x]\s*(\d+(?:\.\d+)?))?\s*$/.exec(value) : null;
  const ratio = sides === null ? value : Number(sides[1]) / Number(sides[2] ?? 1);
  if (typeof ratio === 'number' && ratio >= 1 / MAX_ASPECT && ratio <= MAX_ASPECT) return ratio;
  throw badOption(
    'aspect',
    value,
    `a ratio such as "1:1", "3:4" or 0.75, from 1:${MAX_ASPECT} to ${MAX_ASPECT}:1`,
  );
}

function readFill(value: unknown, cutout: boolean): Rgb | null {
  if (value === undefined) return cutout ? null : BLACK;
  if (typeof value === 'string' && value.trim().toLowerCase() === 'transparent') return null;
  return parseColor('fill', value);
}

function readResize(given: Partial<CropOptions>): Resize {
  const side = (name: 'maxSide' | 'width' | 'height', min: number, fallback: number): number =>
    numberIn(name, given[name], { min, max: MAX_SIDE, integer: true }, fallback);
  const maxSide = side('maxSide', 1, 512);
  const width = side('width', 0, 0) || undefined;
  const height = side('height', 0, 0) || undefined;
  const kind = oneOf('scale', given.scale, SCALES, 'none');
  if (kind === 'none') return null;
  if (kind === 'max') return { maxSide };
  if (width === undefined && height === undefined) {
    throw badOption('scale', kind, 'exact where "width" or "height" is given, and none or max elsewhere');
  }
  return { width, height };
}

/** @throws {M2fpError} `M2FP_BAD_OPTION` naming the option that is wrong */
export function readCropOptions(labels: readonly string[], options: CropOptions | undefined): CropPlan {
  const given = knownOptions(options, CROP_OPTIONS);
  const picture = readPictureOptions(given);
  const cutout = oneOf('mode', given.mode, MODES, 'box') === 'cutout';
  const fill = readFill(given.fill, cutout);
  if (fill === null && picture.format === 'jpeg') {
    const reason = cutout ? '"mode" is "cutout" without a colour in "fill"' : '"fill" is "transparent"';
    throw badOption('format', picture.format, `png or webp where ${reason}`);
  }
  return {
    what: oneOf('what', given.what, SUBJECTS, 'person-parts'),
    chosen: labelIndices('labels', given.labels, labels),
    groups: readGroups(given.groups, labels),
    cutout,
    grow: numberIn('grow', given.grow, { min: -MAX_REACH, max: MAX_REACH }, 0),
    feather: numberIn('feather', given.feather, { min: 0, max: MAX_REACH }, 0),
    padding: readPadding(given.padding),
    aspect: readAspect(given.aspect),
    pads: oneOf('edge', given.edge, EDGES, 'clamp') === 'pad',
    fill,
    resize: readResize(given),
    minArea: readMinArea(given.minArea),
    minScore: numberIn('minScore', given.minScore, { min: 0, max: 1 }, 0),
    max: numberIn('max', given.max, { min: 1, max: Infinity, integer: true }, DEFAULT_MAX),
    picture,
  };
}
