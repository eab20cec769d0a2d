/** How bright a picture was taken: white in the dark is as dark as grey in daylight. */
import type { RawImage } from '../../image/types.ts';
import { forEachSlice } from '../../image/slices.ts';
import { rleToRuns } from '../../parsing/masks/rle.ts';
import type { Runs } from '../../parsing/masks/runs.ts';
import { labelKey } from '../../parsing/options/options.ts';
import type { Parsing } from '../../parsing/types.ts';
import { oklabOf } from './oklab.ts';

/** Of the lightness that is looked at, from the darkest, what stands for the brightest thing of the picture. */
const BRIGHTEST = 0.999;
/** Lightness that the brightest thing would have at full strength; by how much of the difference (a power) it is made brighter. */
const FULL = 1.13;
const TRUST = 0.7;
const MOST = 1.6;
const LEAST = 0.9;
/** Where this share of what is looked at, in the middle, differs by less (a ratio), a plain wall tells nothing of the light. */
const MIDDLE = 0.8;
const PLAIN = 1.05;
/** Pixels of the picture, evenly among all; of these, the share without which nothing is known of the light. */
const SAMPLES = 6000;
const LEAST_SHARE = 0.05;
/** Labels of what is bare: skin is no paint, and in front of a dark wall often the brightest thing. */
const BARE = new Set(['face', 'torso-skin', 'left-arm', 'right-arm', 'left-leg', 'right-leg']);
/** Parts of the longer side: so near to clothes, their colour shows: by JPEG, by scaling, and where masks are off. */
const MARGIN = 1 / 128;
/** Elementary steps of one pixel, of one pixel against a mask, and of one column of a mask that is unpacked. */
const STEPS = 32;

/**
 * By what the lightness of the colours of a picture is to be multiplied before they are named, 0.9 to 1.6. Only what is
 * behind people, and bare skin, tell of the light: a garment is called the same whatever is worn beside it. Where they tell
 * nothing (clothes fill the picture, the wall is plain) the camera is trusted. The light's colour is left as it is: what takes
 * its cast away for a whole picture (grey world and its kin) was wrong more often than the camera (docs/recipes.md has the
 * figures).
 *
 * @param image a copy of the parsing's picture of any size
 */
export async function exposureOf(image: RawImage, parsing: Parsing): Promise<number> {
  const { width, height, channels, data } = image;
  const doubtful = await doubtfulRuns(parsing);
  const tells = tellsOfLight(image, parsing, doubtful);
  const step = Math.max(1, Math.floor((width * height) / SAMPLES));
  const lightness: number[] = [];
  await forEachSlice(Math.ceil((width * height) / step), STEPS + STEPS * doubtful.length, (from, end) => {
    for (let sample = from; sample < end; sample++) {
      const p = sample * step;
      const at = p * channels;
      if ((channels === 4 && data[at + 3]! < 128) || !tells(p % width, Math.floor(p / width))) continue;
      lightness.push(Math.cbrt(luminanceOf(data[at]!, data[at + 1]!, data[at + 2]!)));
    }
  });
  const isEnough = lightness.length * step >= LEAST_SHARE * width * height;
  const brightest = isEnough ? brightestOf(Float64Array.from(lightness).toSorted()) : 1;
  return Math.min(Math.max((FULL / brightest) ** TRUST, LEAST), MOST);
}

/** @param sorted lightness, at least one */
function brightestOf(sorted: Float64Array): number {
  const at = (share: number): number => Math.max(sorted[Math.floor(share * (sorted.length - 1))]!, 0.01);
  const isPlain = at(0.5 + MIDDLE / 2) / at(0.5 - MIDDLE / 2) < PLAIN;
  return isPlain ? 1 : at(BRIGHTEST);
}

/** The masks of those of whom the model is not sure. */
async function doubtfulRuns({ width, ...parsing }: Parsing): Promise<Runs[]> {
  // Absent in what an older version stored.
  const { doubtful }: Partial<Parsing> = parsing;
  const masks = (doubtful?.persons ?? []).map(({ mask }) => mask);
  const runs: Runs[] = [];
  await forEachSlice(masks.length, width * STEPS, (from, end) => {
    runs.push(...masks.slice(from, end).map(rleToRuns));
  });
  return runs;
}

/** Whether the pixel (x, y) of `image` lies behind people or on skin, and well away from what they wear. */
function tellsOfLight(
  { width, height }: RawImage,
  parsing: Parsing,
  doubtful: readonly Runs[],
): (x: number, y: number) => boolean {
  const { labelMap, personMap } = parsing;
  const isBare = parsing.labels.map((label) => BARE.has(labelKey(label)));
  const margin = Math.max(1, Math.round(MARGIN * Math.max(width, height)));
  const offsets = [0, -margin, margin, Math.round(-margin / 2), Math.round(margin / 2)];
  const scaled = (at: number, size: number, full: number): number =>
    Math.floor(((Math.min(Math.max(at, 0), size - 1) + 0.5) * full) / size);
  return (x, y) => {
    for (const dy of offsets) {
      const row = scaled(y + dy, height, parsing.height);
      for (const dx of offsets) {
        const column = scaled(x + dx, width, parsing.width);
        const at = row * parsing.width + column;
        if ((labelMap[at] !== 0 || personMap[at] !== 0) && isBare[labelMap[at]!] !== true) return false;
      }
    }
    const pixel = scaled(x, width, parsing.width) * parsing.height + scaled(y, height, parsing.height);
    return !doubtful.some((runs) => isWithin(pixel, runs));
  };
}

/** Whether one of `runs` holds `pixel`, by its number column by column. */
function isWithin(pixel: number, runs: Runs): boolean {
  let [from, to] = [0, runs.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (runs[middle]! <= pixel) from = middle + 1;
    else to = middle;
  }
  return from % 2 === 1;
}

/** Linear light of each byte of an sRGB channel, 0 to 1: of grey, lightness is its cube root. */
const LINEAR = Float64Array.from({ length: 256 }, (_, byte) => oklabOf(byte, byte, byte)[0] ** 3);

/** Luminance (ITU-R BT.709), 0 to 1. */
function luminanceOf(red: number, green: number, blue: number): number {
  return 0.2126 * LINEAR[red]! + 0.7152 * LINEAR[green]! + 0.0722 * LINEAR[blue]!;
}
