/** A picture to the network's input, as ModelScope's pipeline makes it. */
import { M2fpError } from '../errors.ts';
import type { InputRule } from '../m2fp/manifest.ts';
import { decodeImage } from './decode.ts';
import { DEFAULT_LIMITS, MOST_SHORT_SIDE } from './limits.ts';
import { resizeBilinear } from './resize.ts';
import type { AlphaMode, ImageLimits, NetworkInput, RawImage } from './types.ts';

/** Longest side that a rule may ask for, pixels: an input of that size has 200 MB. */
const MAX_RULE_SIDE = 8192;

/** Where a picture of some size ends up: what a {@link NetworkInput} says of itself. */
export type TargetSize = Pick<NetworkInput, 'width' | 'height' | 'crop'>;

function checkInteger(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new M2fpError(
    'M2FP_BAD_OPTION',
    `${name} must be a whole number from ${least} to ${most}, not ${value}.`,
  );
}

function checkRule(rule: InputRule): void {
  if (rule.kind === 'short-side') {
    checkInteger('shortSide', rule.shortSide, 1, MOST_SHORT_SIDE);
    checkInteger('longSide', rule.longSide, 1, MAX_RULE_SIDE);
  } else {
    checkInteger('width', rule.width, 1, MAX_RULE_SIDE);
    checkInteger('height', rule.height, 1, MAX_RULE_SIDE);
    checkInteger('pad', rule.pad, 0, 255);
  }
}

/** Small pictures are enlarged too. The order of the operations decides about the last pixel. */
function shortSideSize(shortSide: number, longSide: number, width: number, height: number): [number, number] {
  const scale = shortSide / Math.min(width, height);
  let newWidth = height < width ? scale * width : shortSide;
  let newHeight = height < width ? shortSide : scale * height;
  const longest = Math.max(newWidth, newHeight);
  if (longest > longSide) {
    newWidth *= longSide / longest;
    newHeight *= longSide / longest;
  }
  return [Math.trunc(newWidth + 0.5), Math.trunc(newHeight + 0.5)];
}

/** The largest size of the same shape that fits; what fits already stays as it is. */
function fittedSize(maxWidth: number, maxHeight: number, width: number, height: number): [number, number] {
  const byHeight: [number, number] = [Math.trunc((maxHeight * width) / height), maxHeight];
  const byWidth: [number, number] = [maxWidth, Math.trunc((maxWidth * height) / width)];
  if (height > maxHeight && width > maxWidth) {
    if (height >= width) return byHeight[0] > maxWidth ? byWidth : byHeight;
    return byWidth[1] > maxHeight ? byHeight : byWidth;
  }
  if (height > maxHeight) return byHeight;
  if (width > maxWidth) return byWidth;
  return [width, height];
}

/**
 * The network input's size for a picture of `width` x `height`, and where the picture lies in it (`crop`, whose
 * size is the one that the picture is resized to).
 *
 * It is ModelScope's arithmetic with all its turns: `short-side` rounds half up, `canvas` rounds down and never
 * enlarges, and a canvas whose left and top margins are both 0 is left away, so that the input may be one pixel
 * smaller than the canvas. Of our own is only that no side becomes 0 (ModelScope fails on such pictures).
 *
 * @throws M2FP_BAD_OPTION a rule whose numbers make no sense
 */
export function targetSize(rule: InputRule, width: number, height: number): TargetSize {
  checkRule(rule);
  const [fullWidth, fullHeight] =
    rule.kind === 'short-side'
      ? shortSideSize(rule.shortSide, rule.longSide, width, height)
      : fittedSize(rule.width, rule.height, width, height);
  const newWidth = Math.max(fullWidth, 1);
  const newHeight = Math.max(fullHeight, 1);
  const whole = {
    width: newWidth,
    height: newHeight,
    crop: { x: 0, y: 0, width: newWidth, height: newHeight },
  };
  if (rule.kind === 'short-side') return whole;
  const x = Math.trunc((rule.width - newWidth) / 2);
  const y = Math.trunc((rule.height - newHeight) / 2);
  if (x === 0 && y === 0) return whole;
  return { width: rule.width, height: rule.height, crop: { ...whole.crop, x, y } };
}

/** The picture on a canvas of one grey. */
function pad(image: RawImage, { width, height, crop }: TargetSize, grey: number): Buffer {
  const canvas = Buffer.alloc(width * height * 3, grey);
  const rowBytes = image.width * 3;
  for (let y = 0; y < image.height; y++) {
    image.data.copy(canvas, ((crop.y + y) * width + crop.x) * 3, y * rowBytes, (y + 1) * rowBytes);
  }
  return canvas;
}

/**
 * The network input of a decoded picture.
 *
 * @param raw 3 channels, upright
 * @param image the same picture encoded, which the input carries along
 * @throws M2FP_BAD_IMAGE `raw` has no 3 channels, or another number of bytes than its size says
 * @throws M2FP_BAD_OPTION a rule whose numbers make no sense
 */
export async function preprocessRaw(raw: RawImage, image: Buffer, rule: InputRule): Promise<NetworkInput> {
  const { width, height, channels, data } = raw;
  if (channels !== 3 || width < 1 || height < 1 || data.length !== width * height * 3) {
    throw new M2fpError(
      'M2FP_BAD_IMAGE',
      `Pixels must be RGB without alpha: ${width} x ${height} with ${channels} channels has ${data.length} bytes.`,
    );
  }
  const target = targetSize(rule, width, height);
  const { crop } = target;
  const resized = await resizeBilinear(raw, crop.width, crop.height);
  const isPadded = crop.width !== target.width || crop.height !== target.height;
  return {
    type: 'm2fp-input',
    width: target.width,
    height: target.height,
    data: isPadded && rule.kind === 'canvas' ? pad(resized, target, rule.pad) : resized.data,
    crop,
    rule: { ...rule },
    source: { image, width, height },
  };
}

/**
 * The network input of an encoded picture, and how long its two steps took.
 *
 * @param alpha what the network sees of a transparent picture: as one sees it on white, or the hidden colours (`drop`)
 * @returns `timing` in milliseconds: `decode` reads the picture, `preprocess` resizes and pads it
 * @throws what {@link decodeImage} and {@link targetSize} throw
 */
export async function preprocess(
  image: Buffer,
  rule: InputRule,
  limits: ImageLimits = DEFAULT_LIMITS,
  alpha: Exclude<AlphaMode, 'keep'> = 'white',
): Promise<{ input: NetworkInput; timing: { decode: number; preprocess: number } }> {
  checkRule(rule);
  const start = performance.now();
  const raw = await decodeImage(image, limits, alpha);
  const decoded = performance.now();
  const input = await preprocessRaw(raw, image, rule);
  return { input, timing: { decode: decoded - start, preprocess: performance.now() - decoded } };
}
