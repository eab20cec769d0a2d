/** The options of `colorize`: what each means, and which values are allowed. */
import { BACKGROUND_INDEX, badOption, flag, knownOptions, labelIndices, numberIn, oneOf } from './options.ts';
import {
  type Color,
  PALETTE_OPTIONS,
  type PaletteOptions,
  parseColor,
  personColor,
  personPartColor,
  resolvePalette,
  type Rgb,
  UNKNOWN_COLOR,
} from './palette.ts';
import { PICTURE_OPTIONS, type PictureOptions, readPictureOptions } from './picture-options.ts';

/** Pictures of colours. */
export const DRAWN_MODES = ['map', 'overlay'] as const;
/** Pictures whose pixels are numbers. */
export const NUMBER_MODES = ['labels', 'indexed', 'persons'] as const;
const MODES = [...DRAWN_MODES, ...NUMBER_MODES] as const;
const SUBJECTS = ['label', 'person', 'person-part'] as const;
const PAINTS = ['parts', 'map'] as const;
const BACKGROUNDS = ['keep', 'dim', 'blur', 'remove', 'transparent'] as const;
const LEGENDS = ['none', 'beside', 'below'] as const;

/** Thicker lines would cover what they outline. */
const MAX_CONTOUR = 64;
const MAX_BLUR = 500;
const TEXT_SIZE = { min: 6, max: 200 };
const DEFAULT_OPACITY = 0.6;
const DEFAULT_MIN_SCORE = 0.3;
const DEFAULT_DIM = 0.6;
const DEFAULT_CONTOUR_COLOR = '#ffffff';

export interface ColorizeOptions extends PaletteOptions, PictureOptions {
  /**
   * `map` (default): colours only. `overlay`: colours over the source. The others are PNGs of numbers, one byte a
   * pixel, without text or lines: `labels` the label indices in grey, as CIHP's Category_ids; `indexed` the same with
   * the palette's colours; `persons` the ids of the persons in grey, as CIHP's Human_ids. 0 is what is not painted,
   * 255 a label index that has no name.
   */
  mode?: (typeof MODES)[number];
  /** How much the colours cover the source in an overlay: 0 not at all, 1 wholly; default 0.6. */
  opacity?: number;
  /** Thickness of the lines between labels and persons, pixels; default 0, none. They are always opaque. */
  contours?: number;
  /** Colour of those lines; default white. */
  contourColor?: Color;
  /** The labels to paint; default all but the background (and "Human", where it goes by label). */
  labels?: readonly string[];
  /**
   * `label` (default): a colour for each label. `person`: a colour for each person, grey where nobody claims a part.
   * `person-part`: a hue for each person, and a shade of it for each label.
   */
  by?: (typeof SUBJECTS)[number];
  /**
   * `parts` (default): the mask of every part, those of higher score over those of lower score; shows all that was
   * found. `map`: the label map, which holds only what passed the model's score threshold, and may be empty.
   */
  paint?: (typeof PAINTS)[number];
  /**
   * Parts and persons below this score stay unpainted where `paint` is `parts`; default 0.3, the threshold of M2FP's
   * own configurations (the list of parts goes down to 0.1, where most are wrong).
   */
  minScore?: number;
  /**
   * What is not painted: `keep` (default) the background's colour or the source. `dim`, `blur`: the source darker or
   * out of focus; in an overlay only, elsewhere as `keep`. `remove` (or `transparent`, its older name): nothing is
   * left of it (png, webp).
   */
  background?: (typeof BACKGROUNDS)[number];
  /** How much darker `dim` makes the background: 0 not at all, 1 black; default 0.6. */
  dim?: number;
  /** Standard deviation of `blur`, pixels; default 0: 1.5 % of the longer side. */
  blurRadius?: number;
  /** Draws the name of each shown part on it, or the number of each person where it goes by person; default false. */
  names?: boolean;
  /** Draws the scores, after the names where there are any; default false. */
  scores?: boolean;
  /** Draws the colours, what they stand for, and how much of the picture each takes, next to the picture; default none. */
  legend?: (typeof LEGENDS)[number];
  /** Font size of names, scores and legend, pixels; default 0: 2 % of the shorter side, 11 at least. */
  textSize?: number;
}

/** The options with their defaults, checked and read. */
export interface ColorizePlan {
  mode: (typeof MODES)[number];
  opacity: number;
  contours: number;
  contourColor: Rgb;
  chosen: Set<number> | null;
  by: (typeof SUBJECTS)[number];
  paint: (typeof PAINTS)[number];
  minScore: number;
  background: 'keep' | 'dim' | 'blur' | 'remove';
  dim: number;
  blurRadius: number;
  names: boolean;
  scores: boolean;
  legend: (typeof LEGENDS)[number];
  textSize: number;
  palette: Rgb[];
  picture: Required<PictureOptions>;
}

export const COLORIZE_OPTIONS = [
  'mode',
  'opacity',
  'contours',
  'contourColor',
  'labels',
  'by',
  'paint',
  'minScore',
  'background',
  'dim',
  'blurRadius',
  'names',
  'scores',
  'legend',
  'textSize',
  ...PALETTE_OPTIONS,
  ...PICTURE_OPTIONS,
] as const satisfies readonly (keyof ColorizeOptions)[];

/** True for a mode whose pixels are numbers. */
export function isNumberMode(mode: unknown): mode is (typeof NUMBER_MODES)[number] {
  return NUMBER_MODES.some((name) => name === mode);
}

/** @throws {M2fpError} `M2FP_BAD_OPTION` naming the option that is wrong */
export function readColorizeOptions(
  labels: readonly string[],
  options: ColorizeOptions | undefined,
): ColorizePlan {
  const given = knownOptions(options, COLORIZE_OPTIONS);
  const picture = readPictureOptions(given);
  const mode = oneOf('mode', given.mode, MODES, 'map');
  if (isNumberMode(mode) && picture.format !== 'png') {
    throw badOption('format', picture.format, `png where "mode" is "${mode}"`);
  }
  const wanted = oneOf('background', given.background, BACKGROUNDS, 'keep');
  const background = wanted === 'transparent' ? 'remove' : wanted;
  if (background === 'remove' && picture.format === 'jpeg') {
    throw badOption('format', picture.format, `png or webp where "background" is "${wanted}"`);
  }
  const textSize = numberIn('textSize', given.textSize, { min: 0, max: TEXT_SIZE.max }, 0);
  return {
    mode,
    opacity: numberIn('opacity', given.opacity, { min: 0, max: 1 }, DEFAULT_OPACITY),
    contours: numberIn('contours', given.contours, { min: 0, max: MAX_CONTOUR, integer: true }, 0),
    contourColor: parseColor('contourColor', given.contourColor ?? DEFAULT_CONTOUR_COLOR),
    chosen: labelIndices('labels', given.labels, labels),
    by: oneOf('by', given.by, SUBJECTS, 'label'),
    paint: oneOf('paint', given.paint, PAINTS, 'parts'),
    minScore: numberIn('minScore', given.minScore, { min: 0, max: 1 }, DEFAULT_MIN_SCORE),
    background,
    dim: numberIn('dim', given.dim, { min: 0, max: 1 }, DEFAULT_DIM),
    blurRadius: numberIn('blurRadius', given.blurRadius, { min: 0, max: MAX_BLUR }, 0),
    names: flag('names', given.names, false),
    scores: flag('scores', given.scores, false),
    legend: oneOf('legend', given.legend, LEGENDS, 'none'),
    textSize: textSize === 0 ? 0 : Math.max(TEXT_SIZE.min, textSize),
    palette: resolvePalette(labels, { palette: given.palette, colors: given.colors }),
    picture,
  };
}

/** The colour of what shows `code` (see `Canvas`) of the person `person`. */
export function colorOf({ by, palette }: ColorizePlan, code: number, person: number): Rgb {
  if (by === 'person') return personColor(person);
  if (by === 'person-part') return personPartColor(person, code - 1);
  return palette[code - 1] ?? UNKNOWN_COLOR;
}

/** The colour of the background where nothing of the source is shown. */
export function backgroundColor({ palette }: ColorizePlan): Rgb {
  return palette[BACKGROUND_INDEX]!;
}
