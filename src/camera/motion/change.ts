/** How much of a picture differs from another one. */

/** A small grey picture: one byte for each pixel, row by row. */
export interface GreyImage {
  pixels: Uint8Array;
  width: number;
  height: number;
}

/** Fewer neighbours that changed, of eight, are noise. */
const NEIGHBOURS = 3;

/** A lamp or the camera's exposure changes no more than that; what goes beyond is something else. */
const GAIN = { min: 0.4, max: 2.5 };

/**
 * The share of pixels that changed, from 0 to 1 of those that count. A change of the light as a whole does not: it is worked out as
 * a gain and an offset, and taken away.
 * @param threshold grey levels, of 255, from which a pixel counts as changed
 * @param ignored of the same size: 1 for pixels that do not count
 */
export function changedShare(
  before: GreyImage,
  now: GreyImage,
  threshold: number,
  ignored?: Uint8Array,
): number {
  const { width, height } = before;
  if (now.width !== width || now.height !== height) return 1;
  const { gain, offset } = lightChange(before.pixels, now.pixels, threshold, ignored);
  const changed = new Uint8Array(width * height);
  let counted = 0;
  for (let i = 0; i < changed.length; i++) {
    if (ignored?.[i]) continue;
    counted++;
    if (Math.abs(now.pixels[i]! - clamp(before.pixels[i]! * gain + offset)) >= threshold) changed[i] = 1;
  }
  return counted === 0 ? 0 : countClustered(changed, width, height) / counted;
}

/** The straight line that leads from the grey of one picture to that of the other, without what something moved in. */
function lightChange(
  before: Uint8Array,
  now: Uint8Array,
  threshold: number,
  ignored: Uint8Array | undefined,
): { gain: number; offset: number } {
  let gain = 1;
  let offset = medianDifference(before, now, ignored);
  for (let round = 0; round < 3; round++) {
    let n = 0;
    let sx = 0;
    let sy = 0;
    let sxx = 0;
    let sxy = 0;
    for (let i = 0; i < before.length; i++) {
      const x = before[i]!;
      const y = now[i]!;
      // At the ends of the scale a picture tells nothing of the light.
      if (ignored?.[i] || y < 4 || y > 251) continue;
      if (Math.abs(y - x * gain - offset) >= threshold * 2) continue;
      n++;
      sx += x;
      sy += y;
      sxx += x * x;
      sxy += x * y;
    }
    const spread = n * sxx - sx * sx;
    // Of a surface of one grey, only the offset can be told.
    if (n < before.length / 8 || spread < n * n * 4) break;
    const slope = (n * sxy - sx * sy) / spread;
    if (slope < GAIN.min || slope > GAIN.max) break;
    gain = slope;
    offset = (sy - slope * sx) / n;
  }
  return { gain, offset };
}

function medianDifference(before: Uint8Array, now: Uint8Array, ignored: Uint8Array | undefined): number {
  const counts = new Uint32Array(511);
  let total = 0;
  for (let i = 0; i < before.length; i++) {
    if (ignored?.[i]) continue;
    counts[now[i]! - before[i]! + 255]!++;
    total++;
  }
  let sum = 0;
  for (let i = 0; i < counts.length; i++) {
    sum += counts[i]!;
    if (sum * 2 >= total) return i - 255;
  }
  return 0;
}

const clamp = (value: number): number => Math.max(0, Math.min(255, value));

function countClustered(changed: Uint8Array, width: number, height: number): number {
  let count = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!changed[y * width + x]) continue;
      let neighbours = -1;
      for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++) {
        for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++)
          neighbours += changed[v * width + u]!;
      }
      if (neighbours >= NEIGHBOURS) count++;
    }
  }
  return count;
}
