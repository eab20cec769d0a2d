/**
 * COCO's compressed run-length encoding, which pycocotools reads and writes.
 *
 * The format (https://github.com/cocodataset/cocoapi, maskApi): pixels are taken column by column; `counts`
 * is the lengths of runs of 0 and 1 in turn, the first one of 0 (and 0 where the first pixel is set). From
 * the fourth on, a length is stored as the difference to the one two before it. Each number is written in
 * groups of five bits, lowest first, one character a group: the five bits, plus 32 where another group
 * follows, plus 48. The last group's highest bit is the sign.
 */
import { M2fpError } from '../../errors.ts';
import { type Runs, RunCollector, runsArea, runsBox, runsOfMask } from './runs.ts';
import type { Box, Rle } from '../types.ts';

/** No picture that the decoder accepts is larger: a mask that claims to be is damaged or hostile. */
const MAX_PIXELS = 0x3fff * 0x3fff;
/** Seven groups hold every number up to 2^34; a longer one is not a length. */
const MAX_GROUPS = 7;
const CHARACTER_ZERO = 48;
const CONTINUES = 0x20;
const SIGN = 0x10;

function invalid(what: string): M2fpError {
  return new M2fpError(
    'M2FP_NO_PARSING',
    `The mask is not COCO run-length encoding: ${what}. Pass on \`mask\` as the infer node made it.`,
  );
}

/** The encoding of runs in a picture of this size. */
export function runsToRle(runs: Runs, width: number, height: number): Rle {
  const pixels = width * height;
  // The boundaries' differences are the counts; a mask that ends before the picture has a last run of 0.
  const open = runs.length === 0 || runs[runs.length - 1]! < pixels;
  const length = runs.length + (open ? 1 : 0);
  const count = (i: number) => (i < runs.length ? runs[i]! : pixels) - (i === 0 ? 0 : runs[i - 1]!);
  const text = Buffer.allocUnsafe(length * MAX_GROUPS);
  let at = 0;
  for (let i = 0; i < length; i++) {
    let value = i > 2 ? count(i) - count(i - 2) : count(i);
    for (let more = true; more;) {
      let group = value & 0x1f;
      value >>= 5;
      more = value !== ((group & SIGN) === 0 ? 0 : -1);
      if (more) group |= CONTINUES;
      text[at++] = group + CHARACTER_ZERO;
    }
  }
  return { size: [height, width], counts: text.toString('latin1', 0, at) };
}

/**
 * The runs that `rle` describes.
 * @throws M2fpError M2FP_NO_PARSING where it is not a valid encoding of a picture of its `size`.
 */
export function rleToRuns(rle: Rle): Runs {
  const { size, counts } = (rle ?? {}) as Partial<Rle>;
  if (
    !Array.isArray(size) ||
    size.length !== 2 ||
    !size.every((side) => Number.isInteger(side) && side > 0)
  ) {
    throw invalid('`size` must be [height, width], both whole numbers above 0');
  }
  if (typeof counts !== 'string') throw invalid('`counts` must be a string (the compressed form)');
  const pixels = size[0] * size[1];
  if (pixels > MAX_PIXELS) throw invalid(`${size[1]} x ${size[0]} pixels are more than any picture has`);
  const collector = new RunCollector();
  let position = 0;
  let isSet = false;
  let previous = 0;
  let beforePrevious = 0;
  let index = 0;
  for (let at = 0; at < counts.length; index++) {
    let value = 0;
    let scale = 1;
    let group = CONTINUES;
    for (let groups = 0; (group & CONTINUES) !== 0; groups++) {
      group = counts.charCodeAt(at++) - CHARACTER_ZERO;
      // Also where the text ended inside a number: the character code is NaN then.
      if (!(group >= 0 && group < 64)) {
        throw invalid(
          at > counts.length ? '`counts` is cut off' : `\`counts\` has a foreign character at ${at - 1}`,
        );
      }
      if (groups === MAX_GROUPS) throw invalid('`counts` holds a number that is too large');
      value += (group & 0x1f) * scale;
      scale *= 32;
    }
    if ((group & SIGN) !== 0) value -= scale;
    const count = index > 2 ? value + beforePrevious : value;
    if (count < 0) throw invalid('`counts` holds a negative length');
    const end = position + count;
    if (end > pixels) throw invalid(`\`counts\` goes beyond ${size[1]} x ${size[0]} pixels`);
    if (isSet && count > 0) collector.add(position, end);
    position = end;
    isSet = !isSet;
    beforePrevious = previous;
    previous = count;
  }
  if (position !== pixels) {
    throw invalid(`\`counts\` describes ${position} of ${size[1]} x ${size[0]} pixels`);
  }
  return collector.take();
}

/** Encodes a row-major mask of width * height bytes; every byte that is not 0 belongs to it. */
export function encodeRle(mask: Uint8Array, width: number, height: number): Rle {
  if (mask.length !== width * height) {
    throw new RangeError(`a mask of ${width} x ${height} has ${width * height} bytes, not ${mask.length}`);
  }
  return runsToRle(runsOfMask(mask, width, height), width, height);
}

/**
 * Decodes to a row-major mask of width * height bytes, 1 inside.
 * @throws M2fpError M2FP_NO_PARSING where `rle` is damaged.
 */
export function decodeRle(rle: Rle): Uint8Array {
  const runs = rleToRuns(rle);
  const [height, width] = rle.size;
  const mask = new Uint8Array(width * height);
  for (let i = 0; i < runs.length; i += 2) {
    let x = Math.floor(runs[i]! / height);
    let y = runs[i]! - x * height;
    for (let left = runs[i + 1]! - runs[i]!; left > 0; x++, y = 0) {
      const bottom = Math.min(height, y + left);
      left -= bottom - y;
      for (let at = y * width + x, end = bottom * width; at < end; at += width) mask[at] = 1;
    }
  }
  return mask;
}

/** Pixels of the mask. @throws M2fpError M2FP_NO_PARSING where `rle` is damaged. */
export function rleArea(rle: Rle): number {
  return runsArea(rleToRuns(rle));
}

/** The smallest box around the mask; all 0 for an empty one. @throws M2fpError M2FP_NO_PARSING where `rle` is damaged. */
export function rleBox(rle: Rle): Box {
  const runs = rleToRuns(rle);
  return runsBox(runs, rle.size[0]);
}
