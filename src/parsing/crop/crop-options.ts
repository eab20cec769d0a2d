/** The options of `crop`: what each means, and which values are allowed. */
import { type Canvas, CANVAS_OPTION, MAX_MARGIN } from './canvas.ts';
import { type LabelGroup, readGroups } from './groups.ts';
import {
  custom,
  type Extent,
  extent,
  type GivenOptions,
  inForm,
  labelNames,
  number,
  oneOf,
  type OptionValues,
  readOptions,
  whole,
} from '../options/option-table.ts';
import { badOption, labelIndices } from '../options/options.ts';
import { type Color, parseColor, type Rgb } from '../options/palette.ts';
import { IMAGE_OPTIONS, type ImageEncoding } from '../options/image-options.ts';

const MAX_REACH = 512;
/** Pixels of the longest side that a crop may be asked to have. */
export const MAX_SIDE = 16_384;
/** Of a margin, by the box's side: ten boxes are more than any use has. */
export const MAX_PADDING_PERCENT = 1000;
/** Of width to height. */
const MAX_ASPECT = 100;
const BLACK: Rgb = [0, 0, 0];

export const CROP_OPTIONS = {
  /**
   * `person-parts`: each part of each person, and the parts that belong to nobody. `persons`: each whole person.
   * `labels`: one picture for each label, around all its parts. `person-groups`: each of `groups` of each person, and
   * of nobody. `groups`: one picture for each of `groups`, around all its parts.
   */
  what: inForm(oneOf(['person-parts', 'persons', 'labels', 'person-groups', 'groups'], 'person-parts'), {
    choices: ['person-parts', 'person-groups', 'persons', 'labels', 'groups'],
  }),
  /** The labels to crop, for `person-parts` and `labels`; default all but the background and the whole person. */
  labels: labelNames(),
  /**
   * Unions of labels, as text ("upper=UpperClothes+Coat, head") or as an object ({upper: ['UpperClothes', 'Coat']});
   * default those that the label sets know: head, upper-body, lower-body, arms, legs, shoes, things.
   */
  groups: custom<unknown, string | Readonly<Record<string, readonly string[]>>>((_name, given) => given, {
    check: ['groups'],
  }),
  /** `box`: a rectangle of the source. `cutout`: only what the mask has. */
  mode: oneOf(['box', 'cutout'], 'box'),
  /** A cut-out's mask grows by so many pixels, or shrinks where negative. */
  grow: number(-MAX_REACH, MAX_REACH, 0),
  /** Width in pixels over which a cut-out's edge fades, half of it on either side; 0 is a hard edge. */
  feather: number(0, MAX_REACH, 0),
  /** Margin on each side: pixels, or a share of the box's side as "10%". */
  padding: extent({ maxPercent: MAX_PADDING_PERCENT, whole: true }, 0),
  /** Width to height, as "1:1", "3:4" or a number, reached by a larger box and never by distortion; null: as it is. */
  aspect: custom<number | null, number | string>(readAspect, { check: ['aspect'] }),
  /**
   * Where the box reaches beyond the picture: `clamp` moves and cuts it to the picture's edge, and the aspect may be
   * missed; `pad` fills what is missing.
   */
  edge: oneOf(['clamp', 'pad'], 'clamp'),
  /**
   * A colour or `transparent`: what is shown beyond the picture's edge, beside a picture that `exact` fits in, and
   * around a cut-out. Default transparent for a cut-out, else black.
   */
  fill: custom<Rgb | 'transparent' | undefined, Color>(readFill, { check: ['fill'] }),
  /**
   * `max`: made smaller where its longer side is above `maxSide`; `exact`: fitted into `width` x `height`; `canvas`: put on
   * `canvas` with a margin around it.
   */
  scale: oneOf(['none', 'max', 'exact', 'canvas'], 'none'),
  /** Pixels. */
  maxSide: whole(1, MAX_SIDE, 512),
  /** Pixels. Without the one, or where it is 0, it follows from the other in proportion. */
  width: inForm(whole(0, MAX_SIDE, 0), { value: '' }),
  height: inForm(whole(0, MAX_SIDE, 0), { value: '' }),
  /** "square", an aspect such as "4:5", or pixels such as "1080x1350". */
  canvas: CANVAS_OPTION,
  /** On each side of the canvas: pixels, or a share of its shorter side. */
  margin: extent({ maxPercent: MAX_MARGIN, whole: true }, 0),
  /** Smaller masks are left out: pixels, or a share of the picture as "0.5%". */
  minArea: extent({ maxPercent: 100, whole: false }, 1),
  /** Parts and persons of a lower score are left out. */
  minScore: number(0, 1, 0),
  /** At most so many crops, the first ones in order. */
  max: inForm(whole(1, Infinity, 255), { check: ['whole', 1, 100_000] }),
  ...IMAGE_OPTIONS,
};

export type CropOptions = GivenOptions<typeof CROP_OPTIONS>;
type Values = OptionValues<typeof CROP_OPTIONS>;

/** How a crop gets its size. */
export type Resize =
  | { maxSide: number }
  | { canvas: Canvas }
  | { width?: number | undefined; height?: number | undefined }
  | null;

/** The options with their defaults, checked and read for a model's labels. */
export interface CropPlan {
  what: Values['what'];
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
  encoding: ImageEncoding;
}

function readAspect(name: string, value: unknown): number | null {
  if (value === undefined) return null;
  const sides =
    typeof value === 'string' ? /^\s*(\d+(?:\.\d+)?)(?:\s*[:/x]\s*(\d+(?:\.\d+)?))?\s*$/.exec(value) : null;
  const ratio = sides === null ? value : Number(sides[1]) / Number(sides[2] ?? 1);
  if (typeof ratio === 'number' && ratio >= 1 / MAX_ASPECT && ratio <= MAX_ASPECT) return ratio;
  throw badOption(
    name,
    value,
    `a ratio such as "1:1", "3:4" or 0.75, from 1:${MAX_ASPECT} to ${MAX_ASPECT}:1`,
  );
}

function readFill(name: string, value: unknown): Rgb | 'transparent' | undefined {
  // Blank as in the form.
  if (value === undefined || value === '') return undefined;
  if (typeof value === 'string' && value.trim().toLowerCase() === 'transparent') return 'transparent';
  return parseColor(name, value);
}

function resizeOf({ scale, maxSide, width, height, canvas, margin }: Values): Resize {
  if (scale === 'none') return null;
  if (scale === 'canvas') return { canvas: { size: canvas, margin } };
  if (scale === 'max') return { maxSide };
  if (width === 0 && height === 0) {
    throw badOption(
      'scale',
      scale,
      'exact where "width" or "height" is given, and none, max or canvas elsewhere',
    );
  }
  return { width: width || undefined, height: height || undefined };
}

/** @throws {M2fpError} `M2FP_BAD_OPTION` naming the option that is wrong */
export function readCropOptions(labels: readonly string[], options: CropOptions | undefined): CropPlan {
  const values = readOptions(CROP_OPTIONS, options);
  const { what, mode, grow, feather, padding, aspect, edge, minArea, minScore, max, format, quality } =
    values;
  const cutout = mode === 'cutout';
  const fill = values.fill ?? (cutout ? 'transparent' : BLACK);
  if (fill === 'transparent' && format === 'jpeg') {
    const reason = cutout ? '"mode" is "cutout" without a colour in "fill"' : '"fill" is "transparent"';
    throw badOption('format', format, `png or webp where ${reason}`);
  }
  return {
    what,
    chosen: labelIndices('labels', values.labels, labels),
    groups: readGroups(values.groups, labels),
    cutout,
    grow,
    feather,
    padding,
    aspect,
    pads: edge === 'pad',
    fill: fill === 'transparent' ? null : fill,
    resize: resizeOf(values),
    minArea,
    minScore,
    max,
    encoding: { format, quality },
  };
}
