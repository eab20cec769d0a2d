/** Parts and persons as pictures of their own. */
import { encodeImage } from '../../image/encode.ts';
import { loadSharp } from '../../image/sharp.ts';
import { forEachSlice } from '../../image/slices.ts';
import type { RawImage } from '../../image/types.ts';
import { M2fpError } from '../../errors.ts';
import { checkParsing } from '../check.ts';
import { type CropOptions, type CropPlan, readCropOptions, type Resize } from './crop-options.ts';
import type { Extent } from '../options/option-table.ts';
import { fileNames, type Region, regionsOf } from './crop-regions.ts';
import { onCanvas, placeOnCanvas } from './canvas.ts';
import { clamp, frameOf } from './crop-box.ts';
import { coverOf } from '../masks/masks.ts';
import { boxOfAlpha, marginOf, softenMask } from '../masks/feather.ts';
import { decodeSource } from '../source.ts';
import type { Rgb } from '../options/palette.ts';
import type { Box, Parsing, Rle } from '../types.ts';

export type { CropOptions } from './crop-options.ts';

export interface Crop {
  /** The encoded picture. */
  image: Buffer;
  /** Of the picture: the box's, unless it was resized. */
  width: number;
  height: number;
  /** Where it lies in the source, margin included; beyond the source's edge where the crop is padded. */
  box: Box;
  /** The label, or the group; absent for a whole person. */
  label?: string;
  /** Id of the part, where the crop is of a single one. */
  part?: number;
  /** Id of the person; null for a part of nobody and for a union over all persons. */
  person: number | null;
  /** Of several parts the highest. */
  score: number;
  /** Pixels of the mask, as it was found. */
  area: number;
  /** Where somebody tells them: the largest share first. */
  colors?: readonly { term: string; shade: string | null; hex: string; share: number }[];
  /** A file name, the only one of its kind among the crops: `person-1-hair.png`. */
  name: string;
}

/** A crop that is larger would take gigabytes; only margins and aspects beyond the picture come there. */
const MAX_PIXELS = 64e6;

/**
 * Cuts parts or persons out of the source picture, one after the other: persons by id, within a person and among
 * labels by label index, groups in the order given. The source is decoded once; pixel work goes in slices between
 * turns of the event loop, and nothing is written into the parsing. Nothing to crop gives an empty list.
 *
 * A cut-out is (0, 0, 0, 0) outside its mask: no colour of the source is left there. What is transparent in the source
 * is so in every crop, laid on `fill` in a cut-out that has one, and on white in a JPEG.
 *
 * @param tell what else is to be told of a crop, by the masks that it shows
 * @throws {M2fpError} `M2FP_NO_PARSING` where `parsing` is none, or its picture has another size than it says;
 * `M2FP_BAD_OPTION` naming the option that is wrong.
 */
export async function crop(
  parsing: Parsing,
  options?: CropOptions,
  tell?: (masks: readonly Rle[]) => Promise<Pick<Crop, 'colors'>>,
): Promise<Crop[]> {
  checkParsing(parsing);
  const plan = readCropOptions(parsing.labels, options);
  const regions = regionsOf(parsing, plan);
  if (regions.length === 0) return [];

  const source = await decodeSource(parsing);
  const fileName = fileNames(plan.encoding.format);
  const minArea = pixelsOf(plan.minArea, parsing.width * parsing.height);
  const crops: Crop[] = [];
  for (const region of regions) {
    if (crops.length === plan.max) break;
    const shape = await shapeOf(region, plan, parsing);
    if (shape === undefined || shape.area < minArea) continue;
    const { box, area } = shape;
    checkSize(box, 'give a smaller "padding", another "aspect", or "edge": "clamp"');
    const pixels = await cut(source, box, plan.cutout ? shape.cover : null, plan.fill);
    const { width, height, ...rest } = await resized(pixels, plan.resize, plan.fill);
    const image = await encodeImage({ width, height, ...rest }, plan.encoding);
    const { label, part, person, score } = region;
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
      ...(await tell?.(region.masks)),
    });
  }
  return crops;
}

function pixelsOf(extent: Extent, whole: number): number {
  return 'share' in extent ? extent.share * whole : extent.pixels;
}

/** @param remedy what to change where it is too large */
function checkSize({ width, height }: { width: number; height: number }, remedy: string): void {
  if (width * height <= MAX_PIXELS) return;
  throw new M2fpError(
    'M2FP_BAD_OPTION',
    `A crop would have ${width} x ${height} pixels, more than ${MAX_PIXELS}: ${remedy}.`,
  );
}

/** How opaque the pixels of a part of the source are. */
interface Opacity {
  box: Box;
  /** 0 to 255, row-major. */
  alpha: Uint8Array;
}

/** What a crop shows: its rectangle, and for a cut-out what of it; undefined where nothing is left. */
async function shapeOf(
  region: Region,
  plan: CropPlan,
  image: { width: number; height: number },
): Promise<{ box: Box; area: number; cover: Opacity | null } | undefined> {
  if (plan.cutout && (plan.grow !== 0 || plan.feather > 0)) return softShape(region, plan, image);
  const box = frameOf(region.box, plan, image);
  if (!plan.cutout && region.masks.length === 1) return { box, area: region.area, cover: null };
  const inside = clamp(box, image);
  const { alpha, area } = await coverOf(region.masks, inside);
  return { box, area, cover: { box: inside, alpha } };
}

async function softShape(
  { box, masks }: Region,
  plan: CropPlan,
  image: { width: number; height: number },
): Promise<{ box: Box; area: number; cover: Opacity } | undefined> {
  // One pixel more, so that a mask that fills its box has an outside.
  const reach = marginOf(plan) + 1;
  const window = clamp(
    { x: box.x - reach, y: box.y - reach, width: box.width + 2 * reach, height: box.height + 2 * reach },
    image,
  );
  const { alpha: mask, area } = await coverOf(masks, window);
  const alpha = await softenMask(mask, window.width, window.height, plan);
  const left = await boxOfAlpha(alpha, window.width, window.height);
  if (left === undefined) return undefined;
  const shape = { ...left, x: left.x + window.x, y: left.y + window.y };
  return { box: frameOf(shape, plan, image), area, cover: { box: window, alpha } };
}

/** The pixels of `box`, with `cover` as opaque as it says, on `fill` (null: on nothing). */
async function cut(source: RawImage, box: Box, cover: Opacity | null, fill: Rgb | null): Promise<RawImage> {
  const { width, height } = box;
  const inside = clamp(box, source);
  const isWhole = inside.width === width && inside.height === height;
  const channels = fill === null && (cover !== null || !isWhole) ? 4 : cover !== null ? 3 : source.channels;
  const data = Buffer.alloc(width * height * channels);
  if (fill !== null && (cover !== null || !isWhole)) {
    await forEachSlice(width * height, 4, (first, end) => {
      for (let at = first * channels; at < end * channels; at += channels) {
        data[at] = fill[0];
        data[at + 1] = fill[1];
        data[at + 2] = fill[2];
        if (channels === 4) data[at + 3] = 255;
      }
    });
  }
  const target: RawImage = { width, height, channels, data };
  await forEachSlice(Math.max(0, inside.height), Math.max(1, width) * 8, (first, end) => {
    for (let y = inside.y + first; y < inside.y + end; y++) {
      const from = (y * source.width + inside.x) * source.channels;
      const to = (y - box.y) * width + (inside.x - box.x);
      if (cover !== null) blendRow(source, target, cover, y, inside, to, fill === null);
      else if (channels === source.channels) {
        source.data.copy(data, to * channels, from, from + inside.width * channels);
      } else copyRow(source, from, target, to, inside.width);
    }
  });
  return target;
}

/** Copies `count` opaque pixels from byte `from` to pixel `first` of `target` (RGBA). */
function copyRow(source: RawImage, from: number, target: RawImage, first: number, count: number): void {
  for (let i = 0, at = from, to = first * 4; i < count; i++, at += source.channels, to += 4) {
    target.data[to] = source.data[at]!;
    target.data[to + 1] = source.data[at + 1]!;
    target.data[to + 2] = source.data[at + 2]!;
    target.data[to + 3] = source.channels === 4 ? source.data[at + 3]! : 255;
  }
}

/** Lays the covered pixels of the source's row `y` over the pixels from `first` on of `target`. */
function blendRow(
  source: RawImage,
  target: RawImage,
  cover: Opacity,
  y: number,
  inside: Box,
  first: number,
  isClear: boolean,
): void {
  const row = y - cover.box.y;
  if (row < 0 || row >= cover.box.height) return;
  const left = Math.max(inside.x, cover.box.x);
  const right = Math.min(inside.x + inside.width, cover.box.x + cover.box.width);
  for (let x = left; x < right; x++) {
    const from = (y * source.width + x) * source.channels;
    const own = source.channels === 4 ? source.data[from + 3]! : 255;
    const alpha = Math.round((cover.alpha[row * cover.box.width + (x - cover.box.x)]! * own) / 255);
    if (alpha === 0) continue;
    const to = (first + x - inside.x) * target.channels;
    for (let channel = 0; channel < 3; channel++) {
      const ground = target.data[to + channel]!;
      const color = source.data[from + channel]!;
      target.data[to + channel] = isClear ? color : Math.round(ground + ((color - ground) * alpha) / 255);
    }
    if (isClear) target.data[to + 3] = alpha;
  }
}

/** Off the main thread. */
async function resized(image: RawImage, resize: Resize, fill: Rgb | null): Promise<RawImage> {
  if (resize === null) return image;
  const { width, height, channels, data } = image;
  if ('maxSide' in resize && Math.max(width, height) <= resize.maxSide) return image;
  if ('canvas' in resize) {
    const place = placeOnCanvas(image, resize.canvas);
    checkSize(place, 'give a smaller "canvas" or "margin"');
    return onCanvas(image, place, fill);
  }
  if (!('maxSide' in resize)) {
    const scale = Math.max((resize.width ?? 0) / width, (resize.height ?? 0) / height);
    const size = {
      width: resize.width ?? Math.round(width * scale),
      height: resize.height ?? Math.round(height * scale),
    };
    checkSize(size, 'give a smaller "width" and "height"');
  }
  const sharp = await loadSharp();
  const [r, g, b] = fill ?? [0, 0, 0];
  const changed = sharp(data, { raw: { width, height, channels }, limitInputPixels: false }).resize(
    'maxSide' in resize
      ? { width: resize.maxSide, height: resize.maxSide, fit: 'inside' }
      : { ...resize, fit: 'contain', background: { r, g, b, alpha: fill === null ? 0 : 1 } },
  );
  if (fill === null) changed.ensureAlpha();
  else if (channels === 3) changed.removeAlpha();
  const result = await changed.raw().toBuffer({ resolveWithObject: true });
  return {
    width: result.info.width,
    height: result.info.height,
    channels: result.info.channels as RawImage['channels'],
    data: result.data,
  };
}
