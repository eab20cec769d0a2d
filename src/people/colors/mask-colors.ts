/** The colours of what masks cover, such as of one garment. */
import type { RawImage } from '../../image/types.ts';
import { rleToRuns } from '../../parsing/masks/rle.ts';
import { runsArea } from '../../parsing/masks/runs.ts';
import { decodeSource } from '../../parsing/source.ts';
import type { Parsing, Rle } from '../../parsing/types.ts';
import { type NamedColor, colorsOf } from './colors.ts';
import { exposureOf } from './exposure.ts';
import { oklabOf } from './oklab.ts';
import { nameColor } from './terms.ts';

/** Pixels that are looked at, evenly among all. */
const SAMPLES = 600;
/** Colours that are told at most, and the least share of each. */
const MOST_COLOURS = 3;
const LEAST_SHARE = 0.1;

/**
 * A function that tells the colours of what some masks of `parsing` cover, named as _describe people_ names them, the one with
 * the largest share first. The picture is decoded once, when it is needed.
 * @throws {M2fpError} `M2FP_NO_PARSING` from the function, where a mask is damaged or the picture has another size
 */
export function maskColors(parsing: Parsing): (masks: readonly Rle[]) => Promise<NamedColor[]> {
  let decoding: Promise<{ image: RawImage; exposure: number }> | undefined;
  const look = async () => {
    const image = await decodeSource(parsing);
    return { image, exposure: await exposureOf(image, parsing) };
  };
  return async (masks) => {
    const { image, exposure } = await (decoding ??= look());
    const samples = samplesOf(masks, image);
    if (samples.length === 0) return [];
    return colorsOf(samples, { max: MOST_COLOURS, minShare: LEAST_SHARE, exposure, name: nameColor });
  };
}

/** Three numbers a pixel, Oklab. What is transparent has no colour. */
function samplesOf(masks: readonly Rle[], { data, channels, width, height }: RawImage): Float32Array {
  const runs = masks.map(rleToRuns);
  const area = runs.reduce((sum, each) => sum + runsArea(each), 0);
  const step = Math.max(1, area / SAMPLES);
  const samples: number[] = [];
  let next = step / 2;
  let passed = 0;
  for (const each of runs) {
    for (let i = 0; i < each.length; i += 2) {
      const end = passed + each[i + 1]! - each[i]!;
      for (; next < end; next += step) {
        const pixel = each[i]! + Math.floor(next - passed);
        const at = ((pixel % height) * width + Math.floor(pixel / height)) * channels;
        if (channels === 4 && data[at + 3]! < 128) continue;
        samples.push(...oklabOf(data[at]!, data[at + 1]!, data[at + 2]!));
      }
      passed = end;
    }
  }
  return Float32Array.from(samples);
}
