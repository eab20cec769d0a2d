/** The options of `colorize`: what each means, and which values are allowed. */
import {
  flag,
  type GivenOptions,
  inForm,
  labelNames,
  number,
  oneOf,
  type OptionValues,
  readOptions,
  whole,
} from '../options/option-table.ts';
import { BACKGROUND_INDEX, badOption, labelIndices } from '../options/options.ts';
import {
  colorOption,
  PALETTE_OPTIONS,
  personColor,
  personPartColor,
  resolvePalette,
  type Rgb,
  UNKNOWN_COLOR,
} from '../options/palette.ts';
import { IMAGE_OPTIONS, type ImageEncoding } from '../options/image-options.ts';

/** Pictures of colours. */
export const DRAWN_MODES = ['map', 'overlay'] as const;
/** Pictures whose pixels are numbers. */
export const NUMBER_MODES = ['labels', 'indexed', 'persons'] as const;

const BACKGROUNDS = ['keep', 'dim', 'blur', 'remove'] as const;

const MIN_TEXT_SIZE = 6;

export const COLORIZE_OPTIONS = {
  /**
   * `overlay`: colours over the source. `map`: colours only. The others are PNGs of numbers, one byte a pixel,
   * without text or lines: `labels` the label indices in grey, as CIHP's Category_ids; `indexed` the same with the
   * palette's colours; `persons` the ids of the persons in grey, as CIHP's Human_ids. 0 is what is not painted, 255 a
   * label index that has no name.
   */
  mode: inForm(oneOf([...DRAWN_MODES, ...NUMBER_MODES], 'overlay'), {
    choices: ['overlay', 'map', 'indexed', 'labels', 'persons'],
  }),
  /** How much the colours cover the source in an overlay: 0 not at all, 1 wholly. */
  opacity: number(0, 1, 0.6),
  /** Thickness of the lines between labels and persons, pixels; always opaque. Thicker ones would cover what they outline. */
  contours: whole(0, 64, 0),
  /** Colour of those lines. */
  contourColor: colorOption('#ffffff'),
  /** The labels to paint; default all but the background (and the whole person, where it goes by label). */
  labels: labelNames(),
  /**
   * `label`: a colour for each label. `person`: a colour for each person, grey where nobody claims a part.
   * `person-part`: a hue for each person, and a shade of it for each label.
   */
  by: oneOf(['label', 'person', 'person-part'], 'label'),
  /**
   * `parts`: the mask of every part, those of higher score over those of lower score; shows all that was found.
   * `map`: the label map, which holds only what passed the model's score threshold, and may be empty.
   */
  paint: oneOf(['parts', 'map'], 'parts'),
  /** Parts and persons below this score stay unpainted where `paint` is `parts`. */
  minScore: number(0, 1, 0.3),
  /**
   * What is not painted: `keep` the background's colour or the source. `dim`, `blur`: the source darker or out of
   * focus; in an overlay only, elsewhere as `keep`. `remove` (or `transparent`, its older name): nothing is left of
   * it (png, webp).
   */
  background: inForm(oneOf([...BACKGROUNDS, 'transparent'], 'keep'), {
    choices: BACKGROUNDS,
    formerly: ['transparent'],
  }),
  /** How much darker `dim` makes the background: 0 not at all, 1 black. */
  dim: number(0, 1, 0.6),
  /** Standard deviation of `blur`, pixels; 0: 1.5 % of the longer side. */
  blurRadius: inForm(number(0, 500, 0), { value: '' }),
  /** Draws the name of each shown part on it, or the number of each person where it goes by person. */
  names: flag(false),
  /** Draws the scores, after the names where there are any. */
  scores: flag(false),
  /** Draws the colours, what they stand for, and how much of the picture each takes, next to the picture. */
  legend: oneOf(['none', 'beside', 'below'], 'none'),
  /** Font size of names, scores and legend, pixels; 0: 2 % of the shorter side, 11 at least. */
  textSize: inForm(number(0, 200, 0), { value: '' }),
  ...PALETTE_OPTIONS,
  ...IMAGE_OPTIONS,
};

export type ColorizeOptions = GivenOptions<typeof COLORIZE_OPTIONS>;
type Values = OptionValues<typeof COLORIZE_OPTIONS>;

/** The options with their defaults, checked and read for a model's labels. */
export interface ColorizePlan extends Omit<
  Values,
  'labels' | 'background' | 'palette' | 'colors' | 'format' | 'quality'
> {
  chosen: Set<number> | null;
  background: (typeof BACKGROUNDS)[number];
  palette: Rgb[];
  encoding: ImageEncoding;
}

/** True for a mode whose pixels are numbers. */
export function isNumberMode(mode: unknown): mode is (typeof NUMBER_MODES)[number] {
  return NUMBER_MODES.some((name) => name === mode);
}

/** @throws {M2fpError} `M2FP_BAD_OPTION` naming the option that is wrong */
export function readColorizeOptions(
  labels: readonly string[],
  options: ColorizeOptions | undefined,
): ColorizePlan {
  const values = readOptions(COLORIZE_OPTIONS, options);
  const { labels: names, background: wanted, palette, colors, format, quality, ...rest } = values;
  if (isNumberMode(rest.mode) && format !== 'png') {
    throw badOption('format', format, `png where "mode" is "${rest.mode}"`);
  }
  const background = wanted === 'transparent' ? 'remove' : wanted;
  if (background === 'remove' && format === 'jpeg') {
    throw badOption('format', format, `png or webp where "background" is "${wanted}"`);
  }
  return {
    ...rest,
    chosen: labelIndices('labels', names, labels),
    background,
    textSize: rest.textSize === 0 ? 0 : Math.max(MIN_TEXT_SIZE, rest.textSize),
    palette: resolvePalette(labels, { palette, colors }),
    encoding: { format, quality },
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
