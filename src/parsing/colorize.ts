/** A parsing as a coloured picture: the plain map, or drawn over the source. */
import { encodePicture } from '../image/encode.ts';
import { inSlices } from '../image/slices.ts';
import type { RawImage } from '../image/types.ts';
import { type Canvas, paintCanvas } from './canvas.ts';
import { checkParsing } from './check.ts';
import { findContours } from './contours.ts';
import { BACKGROUND_INDEX, badOption, knownOptions, labelIndices, numberIn, oneOf } from './options.ts';
import { MIME_TYPES, PICTURE_OPTIONS, type PictureOptions, readPictureOptions } from './picture-options.ts';
import {
  type Color,
  PALETTE_OPTIONS,
  type PaletteOptions,
  type Rgb,
  UNKNOWN_COLOR,
  parseColor,
  personColor,
  resolvePalette,
} from './palette.ts';
import { decodeSource } from './source.ts';
import type { Parsing } from './types.ts';

const MODES = ['map', 'overlay'] as const;
const SUBJECTS = ['label', 'person'] as const;
const PAINTS = ['parts', 'map'] as const;
const BACKGROUNDS = ['keep', 'transparent'] as const;

/** Thicker lines would cover what they outline. */
const MAX_CONTOUR = 64;
const DEFAULT_OPACITY = 0.6;
const DEFAULT_MIN_SCORE = 0.3;
const DEFAULT_CONTOUR_COLOR = '#ffffff';

export interface ColorizeOptions extends PaletteOptions, PictureOptions {
  /** `map` (default): colours only. `overlay`: colours over the source. */
  mode?: (typeof MODES)[number];
  /** How much the colours cover the source in an overlay: 0 not at all, 1 wholly; default 0.6. */
  opacity?: number;
  /** Thickness of the lines between labels and persons, pixels; default 0, none. They are always opaque. */
  contours?: number;
  /** Colour of those lines; default white. */
  contourColor?: Color;
  /** The labels to paint; default all but the background (and "Human", where it goes by label). */
  labels?: readonly string[];
  /** `label` (default): a colour for each label. `person`: a colour for each person, grey where nobody claims a part. */
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
  /** What is not painted: `keep` (default) the background's colour or the source, or `transparent` (png, webp). */
  background?: (typeof BACKGROUNDS)[number];
}

export interface Colorized {
  /** The encoded picture, of the source's size. */
  image: Buffer;
  width: number;
  height: number;
  mime: string;
}

/** The options with their defaults, checked and read. */
interface Plan {
  overlay: boolean;
  opacity: number;
  contours: number;
  contourColor: Rgb;
  chosen: Set<number> | null;
  by: (typeof SUBJECTS)[number];
  paint: (typeof PAINTS)[number];
  minScore: number;
  transparent: boolean;
  palette: Rgb[];
  picture: Required<PictureOptions>;
}

const OPTIONS = [
  'mode',
  'opacity',
  'contours',
  'contourColor',
  'labels',
  'by',
  'paint',
  'minScore',
  'background',
  ...PALETTE_OPTIONS,
  ...PICTURE_OPTIONS,
] as const satisfies readonly (keyof ColorizeOptions)[];

function readOptions(labels: readonly string[], options: ColorizeOptions | undefined): Plan {
  const given = knownOptions(options, OPTIONS);
  const picture = readPictureOptions(given);
  const transparent = oneOf('background', given.background, BACKGROUNDS, 'keep') === 'transparent';
  if (transparent && picture.format === 'jpeg') {
    throw badOption('format', picture.format, 'png or webp where "background" is "transparent"');
  }
  return {
    overlay: oneOf('mode', given.mode, MODES, 'map') === 'overlay',
    opacity: numberIn('opacity', given.opacity, { min: 0, max: 1 }, DEFAULT_OPACITY),
    contours: numberIn('contours', given.contours, { min: 0, max: MAX_CONTOUR, integer: true }, 0),
    contourColor: parseColor('contourColor', given.contourColor ?? DEFAULT_CONTOUR_COLOR),
    chosen: labelIndices('labels', given.labels, labels),
    by: oneOf('by', given.by, SUBJECTS, 'label'),
    paint: oneOf('paint', given.paint, PAINTS, 'parts'),
    minScore: numberIn('minScore', given.minScore, { min: 0, max: 1 }, DEFAULT_MIN_SCORE),
    transparent,
    palette: resolvePalette(labels, { palette: given.palette, colors: given.colors }),
    picture,
  };
}

/**
 * Draws `parsing` as a coloured picture. Pixel work goes in slices between turns of the event loop; nothing is
 * written into the parsing.
 *
 * A label index that has no name is grey (128, 128, 128).
 *
 * @throws {M2fpError} `M2FP_NO_PARSING` where `parsing` is none, or its picture has another size than it says;
 * `M2FP_BAD_OPTION` naming the option that is wrong.
 */
export async function colorize(parsing: Parsing, options?: ColorizeOptions): Promise<Colorized> {
  checkParsing(parsing);
  const { width, height, labels } = parsing;
  const plan = readOptions(labels, options);
  const canvas = await paintCanvas(parsing, plan);
  const contours =
    plan.contours > 0
      ? await findContours([canvas.codes, canvas.persons], width, height, plan.contours)
      : null;
  const layer: Layer = { ...paintOf(canvas, plan), codes: canvas.codes, contours };
  const drawn = plan.overlay
    ? await drawOverlay(await decodeSource(parsing), layer, plan)
    : await drawMap(width, height, layer, plan);
  const image = await encodePicture(drawn, plan.picture);
  return { image, width, height, mime: MIME_TYPES[plan.picture.format] };
}

/** What to draw: the colour of pixel p is that of `keys[p]` where `codes[p]` is not 0, and a line's where `contours[p]` is 1. */
interface Layer {
  codes: Uint8Array;
  contours: Uint8Array | null;
  keys: Uint8Array;
  /** Red, green and blue of each of 256 keys. */
  colors: Uint8Array;
}

/** The keys by which pixels are coloured, and the keys' colours. */
function paintOf(canvas: Canvas, { by, palette }: Plan): Pick<Layer, 'keys' | 'colors'> {
  const color = (key: number): Rgb =>
    by === 'person' ? personColor(key) : (palette[key - 1] ?? UNKNOWN_COLOR);
  const colors = new Uint8Array(3 * 256);
  for (let key = 0; key < 256; key++) colors.set(color(key), 3 * key);
  return { keys: by === 'person' ? canvas.persons : canvas.codes, colors };
}

/** Colours on the background's colour or on nothing. */
async function drawMap(width: number, height: number, layer: Layer, plan: Plan): Promise<RawImage> {
  const { codes, contours, keys, colors } = layer;
  const channels = plan.transparent ? 4 : 3;
  const data = Buffer.alloc(width * height * channels);
  const background = plan.palette[BACKGROUND_INDEX]!;
  await inSlices(width * height, 4, (first, end) => {
    for (let p = first, to = first * channels; p < end; p++, to += channels) {
      const isLine = contours !== null && contours[p] === 1;
      if (!isLine && codes[p] === 0) {
        if (plan.transparent) continue;
        data[to] = background[0];
        data[to + 1] = background[1];
        data[to + 2] = background[2];
        continue;
      }
      const from = 3 * keys[p]!;
      data[to] = isLine ? plan.contourColor[0] : colors[from]!;
      data[to + 1] = isLine ? plan.contourColor[1] : colors[from + 1]!;
      data[to + 2] = isLine ? plan.contourColor[2] : colors[from + 2]!;
      if (channels === 4) data[to + 3] = 255;
    }
  });
  return { width, height, channels, data };
}

/** Colours over the source's pixels: source + (colour - source) x opacity, rounded. May draw into `source` itself. */
async function drawOverlay(source: RawImage, layer: Layer, plan: Plan): Promise<RawImage> {
  const { codes, contours, keys, colors } = layer;
  const { width, height } = source;
  const channels = plan.transparent ? 4 : source.channels;
  const data = channels === source.channels ? source.data : Buffer.alloc(width * height * channels);
  await inSlices(width * height, 6, (first, end) => {
    for (let p = first; p < end; p++) {
      const isLine = contours !== null && contours[p] === 1;
      if (!isLine && codes[p] === 0) continue;
      const from = p * source.channels;
      const to = p * channels;
      const opacity = isLine ? 1 : plan.opacity;
      for (let channel = 0; channel < 3; channel++) {
        const color = isLine ? plan.contourColor[channel]! : colors[3 * keys[p]! + channel]!;
        const given = source.data[from + channel]!;
        data[to + channel] = Math.round(given + (color - given) * opacity);
      }
      if (channels === 4) data[to + 3] = 255;
    }
  });
  return { width, height, channels, data };
}
