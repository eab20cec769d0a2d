/** A parsing as a coloured picture: the plain map, or drawn over the source. */
import { encodeImage } from '../../image/encode.ts';
import { loadSharp } from '../../image/sharp.ts';
import { forEachSlice } from '../../image/slices.ts';
import type { RawImage } from '../../image/types.ts';
import { asM2fpError } from '../../errors.ts';
import { type Canvas, paintCanvas } from './canvas.ts';
import { drawCaptions } from './captions.ts';
import { checkParsing } from '../check.ts';
import {
  type ColorizeOptions,
  type ColorizePlan,
  isNumberMode,
  type NUMBER_MODES,
  readColorizeOptions,
} from './colorize-options.ts';
import { findContours } from '../masks/contours.ts';
import { Drawing } from './drawing.ts';
import { drawLegend, layOutLegend, legendEntries, PAPER } from './legend.ts';
import { drawMap, drawOverlay, layerOf } from './paint.ts';
import { type Rgb, UNKNOWN_COLOR } from '../options/palette.ts';
import { MIME_TYPES } from '../options/image-options.ts';
import { encodeNumbers } from './indexed-png.ts';
import { shownRegions } from './regions.ts';
import { decodeSource } from '../source.ts';
import type { Parsing } from '../types.ts';

export type { ColorizeOptions } from './colorize-options.ts';

export interface Colorized {
  /** The encoded picture. */
  image: Buffer;
  /** The source's, plus what a legend takes. */
  width: number;
  height: number;
  mime: string;
}

/** The number of a label index that has no name, as PASCAL VOC marks what is not to be counted. */
const NO_LABEL = 255;

/**
 * Draws `parsing` as a coloured picture, or as one of numbers. Pixel work goes in slices between turns of the event
 * loop; nothing is written into the parsing.
 *
 * A label index that has no name is grey (128, 128, 128).
 *
 * @throws {M2fpError} `M2FP_NO_PARSING` where `parsing` is none, or its picture has another size than it says;
 * `M2FP_BAD_OPTION` naming the option that is wrong.
 */
export async function colorize(parsing: Parsing, options?: ColorizeOptions): Promise<Colorized> {
  checkParsing(parsing);
  const { labels } = parsing;
  const plan = readColorizeOptions(labels, options);
  const canvas = await paintCanvas(parsing, { ...plan, by: subjectOf(plan) });
  if (isNumberMode(plan.mode)) return asNumbers(parsing, canvas, plan, plan.mode);
  const drawn = await drawCanvas(parsing, canvas, plan);
  const image = await encodeImage(drawn, plan.encoding);
  return { image, width: drawn.width, height: drawn.height, mime: MIME_TYPES[plan.encoding.format] };
}

/**
 * The pixels of a coloured picture. `canvas` is that of `plan`, whose mode is none of numbers.
 * @param decode gives the pixels that an overlay lies on, 3 channels, which are written to
 */
export async function drawCanvas(
  parsing: Parsing,
  canvas: Canvas,
  plan: ColorizePlan,
  decode = (): Promise<RawImage> => decodeSource(parsing),
): Promise<RawImage> {
  const { width, height } = parsing;
  const contours =
    plan.contours > 0
      ? await findContours([canvas.codes, canvas.persons], width, height, plan.contours)
      : null;
  const layer = layerOf(canvas, contours, plan);
  const drawn =
    plan.mode === 'overlay'
      ? await drawOverlay(await decode(), layer, plan)
      : await drawMap(width, height, layer, plan);
  return letter(drawn, canvas, parsing, plan);
}

/** What the canvas tells apart. */
export function subjectOf({ mode, by }: ColorizePlan): 'label' | 'index' | 'person' {
  if (isNumberMode(mode)) return mode === 'persons' ? 'person' : 'index';
  return by === 'person' ? 'person' : 'label';
}

async function asNumbers(
  { width, height, labels }: Parsing,
  { codes, persons }: Canvas,
  plan: ColorizePlan,
  mode: (typeof NUMBER_MODES)[number],
): Promise<Colorized> {
  const numberOf = Uint8Array.from({ length: 256 }, (_, code) =>
    code > labels.length ? NO_LABEL : Math.max(0, code - 1),
  );
  const numbers = mode === 'persons' ? persons : new Uint8Array(codes.length);
  if (mode !== 'persons') {
    await forEachSlice(codes.length, 2, (first, end) => {
      for (let p = first; p < end; p++) numbers[p] = numberOf[codes[p]!]!;
    });
  }
  const colors = Array.from({ length: 256 }, (_, index): Rgb => plan.palette[index] ?? UNKNOWN_COLOR);
  const image = await encodeNumbers(numbers, width, height, mode === 'indexed' ? colors : undefined);
  return { image, width, height, mime: MIME_TYPES.png };
}

/** Adds names, scores and the legend. */
async function letter(
  image: RawImage,
  canvas: Canvas,
  parsing: Parsing,
  plan: ColorizePlan,
): Promise<RawImage> {
  if (!plan.names && !plan.scores && plan.legend === 'none') return image;
  const { width, height } = image;
  const regions = await shownRegions(canvas, width, height);
  const size = plan.textSize || Math.max(11, Math.round(0.02 * Math.min(width, height)));
  const drawing = new Drawing();
  if (plan.names || plan.scores) drawCaptions(drawing, regions, parsing, plan, size);
  let whole = { width, height };
  const entries = plan.legend === 'none' ? [] : legendEntries(regions, parsing, plan);
  if (plan.legend !== 'none' && entries.length > 0) {
    const layout = layOutLegend(entries, whole, plan.legend, size);
    drawLegend(drawing, entries, layout, width * height, size);
    whole = layout;
  }
  return drawing.isEmpty ? image : layOver(image, drawing, whole.width, whole.height);
}

/** `image`, enlarged with paper to `width` x `height`, with `drawing` over it. Off the main thread. */
export async function layOver(
  image: RawImage,
  drawing: Drawing,
  width: number,
  height: number,
): Promise<RawImage> {
  const sharp = await loadSharp();
  const { channels, data } = image;
  const [r, g, b] = PAPER;
  try {
    const whole = sharp(data, {
      raw: { width: image.width, height: image.height, channels },
      limitInputPixels: false,
    })
      .extend({
        right: width - image.width,
        bottom: height - image.height,
        background: { r, g, b, alpha: 1 },
      })
      .composite([{ input: drawing.toSvg(width, height), limitInputPixels: false }]);
    if (channels === 3) whole.removeAlpha();
    return { width, height, channels, data: await whole.raw().toBuffer() };
  } catch (error) {
    throw asM2fpError(
      error,
      'M2FP_BAD_OPTION',
      `Names, scores or a legend cannot be drawn on ${width} x ${height} pixels`,
    );
  }
}
