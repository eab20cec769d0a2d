/** Masks with grown, shrunk and faded edges. */
import { forEachSlice } from '../../image/slices.ts';

/**
 * The square of each pixel's distance to the nearest pixel of `mask` whose byte is 0 or not, as `wanted` says:
 * Infinity where there is none. Exact, by the lower envelope of parabolas (Felzenszwalb and Huttenlocher, "Distance
 * Transforms of Sampled Functions", 2012): down the columns, then along the rows.
 */
async function squaredDistances(
  mask: Uint8Array,
  width: number,
  height: number,
  wanted: 'inside' | 'outside',
): Promise<Float64Array> {
  const far = width + height;
  const vertical = new Uint32Array(width * height);
  const isWanted = (p: number): boolean => (mask[p] !== 0) === (wanted === 'inside');
  await forEachSlice(height, 2 * width, (first, end) => {
    for (let p = first * width; p < end * width; p++) {
      vertical[p] = isWanted(p) ? 0 : p < width ? far : Math.min(far, vertical[p - width]! + 1);
    }
  });
  await forEachSlice(height, 2 * width, (first, end) => {
    for (let p = (height - first) * width - 1; p >= (height - end) * width; p--) {
      const below = p + width < vertical.length ? vertical[p + width]! + 1 : far;
      if (below < vertical[p]!) vertical[p] = below;
    }
  });

  const result = new Float64Array(width * height).fill(Infinity);
  const columns = new Int32Array(width);
  const starts = new Float64Array(width);
  await forEachSlice(height, 12 * width, (first, end) => {
    for (let y = first; y < end; y++) {
      const row = y * width;
      let count = 0;
      for (let x = 0; x < width; x++) {
        const height2 = vertical[row + x]! ** 2;
        if (vertical[row + x] === far) continue;
        let start = -Infinity;
        while (count > 0) {
          const other = columns[count - 1]!;
          start = (height2 + x * x - (vertical[row + other]! ** 2 + other * other)) / (2 * (x - other));
          if (start > starts[count - 1]!) break;
          count--;
        }
        columns[count] = x;
        starts[count] = count === 0 ? -Infinity : start;
        count++;
      }
      if (count === 0) continue;
      for (let x = 0, at = 0; x < width; x++) {
        while (at + 1 < count && starts[at + 1]! < x) at++;
        const column = columns[at]!;
        result[row + x] = (x - column) ** 2 + vertical[row + column]! ** 2;
      }
    }
  });
  return result;
}

/** How far beyond the mask its changed edge may reach, whole pixels from 0. */
export function marginOf({ grow, feather }: { grow: number; feather: number }): number {
  return Math.max(0, Math.ceil(grow + Math.max(1, feather) / 2));
}

/**
 * `mask` (width * height bytes, row-major, 0 = outside) with its edge moved outwards by `grow` pixels and faded over
 * `feather` pixels, half of them on either side: an opacity of 0 to 255 for each pixel. What lies beyond the edges
 * of the bytes counts neither as inside nor as outside.
 */
export async function softenMask(
  mask: Uint8Array,
  width: number,
  height: number,
  { grow, feather }: { grow: number; feather: number },
): Promise<Uint8Array> {
  const toInside = await squaredDistances(mask, width, height, 'inside');
  const toOutside = await squaredDistances(mask, width, height, 'outside');
  const ramp = Math.max(1, feather);
  const alpha = new Uint8Array(width * height);
  await forEachSlice(alpha.length, 4, (first, end) => {
    for (let p = first; p < end; p++) {
      // The edge lies half a pixel from the centres of the pixels on its two sides.
      const beyond = mask[p] === 0 ? Math.sqrt(toInside[p]!) - 0.5 : 0.5 - Math.sqrt(toOutside[p]!);
      const share = Math.min(1, Math.max(0, (grow - beyond) / ramp + 0.5));
      alpha[p] = Math.round(255 * share);
    }
  });
  return alpha;
}

/** The smallest box around the bytes that are not 0; undefined where there is none. */
export async function boxOfAlpha(
  alpha: Uint8Array,
  width: number,
  height: number,
): Promise<{ x: number; y: number; width: number; height: number } | undefined> {
  let [left, top, right, bottom] = [width, height, -1, -1];
  await forEachSlice(height, width, (first, end) => {
    for (let y = first; y < end; y++) {
      for (let x = 0, p = y * width; x < width; x++, p++) {
        if (alpha[p] === 0) continue;
        if (x < left) left = x;
        if (x > right) right = x;
        if (y < top) top = y;
        bottom = y;
      }
    }
  });
  return right < 0 ? undefined : { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}
