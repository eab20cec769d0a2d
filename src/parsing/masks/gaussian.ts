/** Masks widened by a Gaussian blur, of which all above a threshold is kept. */
import { forEachSlice } from '../../image/slices.ts';
import { dilateMask, erodeMask } from './morphology.ts';

/**
 * The pixels of `mask` whose value is `least` or more after a Gaussian blur over `size` pixels, with the standard deviation that
 * OpenCV takes for that size. At the edges the mask is mirrored, the outermost pixel once, as OpenCV does.
 * @param mask width * height bytes, row-major, 0 or 1
 * @param size of the kernel: odd, pixels
 * @param least above 0, below 1
 */
export async function blurAbove(
  mask: Uint8Array,
  width: number,
  height: number,
  size: number,
  least: number,
): Promise<Uint8Array> {
  const reach = (size - 1) / 2;
  const kernel = kernelOf(size);
  // All else is 0 or 1, however it is blurred.
  const near = await dilateMask(mask, width, height, reach);
  const deep = await erodeMask(mask, width, height, reach);
  const rows = await blurRows(mask, width, height, kernel);

  const result = deep.slice();
  const sums = new Float64Array(width);
  await forEachSlice(height, 2 * width * size, (first, end) => {
    for (let y = first; y < end; y++) {
      const row = y * width;
      for (let x = 0; x < width;) {
        if (near[row + x] === deep[row + x]) {
          x++;
          continue;
        }
        const from = x;
        while (x < width && near[row + x] !== deep[row + x]) x++;
        sums.fill(0, from, x);
        for (let i = 0; i < size; i++) {
          const other = mirrored(y + i - reach, height) * width;
          const weight = kernel[i]!;
          for (let at = from; at < x; at++) sums[at]! += weight * rows[other + at]!;
        }
        for (let at = from; at < x; at++) result[row + at] = sums[at]! >= least ? 1 : 0;
      }
    }
  });
  return result;
}

/** Of the sum 1. */
function kernelOf(size: number): Float64Array {
  const reach = (size - 1) / 2;
  const deviation = 0.3 * (reach - 1) + 0.8;
  const kernel = Float64Array.from({ length: size }, (_, i) =>
    Math.exp(-((i - reach) ** 2) / (2 * deviation ** 2)),
  );
  const sum = kernel.reduce((a, b) => a + b);
  return kernel.map((weight) => weight / sum);
}

/** The index in 0 to `count` - 1 that stands for `at`. */
function mirrored(at: number, count: number): number {
  if (count === 1) return 0;
  const period = 2 * (count - 1);
  const folded = ((at % period) + period) % period;
  return folded < count ? folded : period - folded;
}

/** Blurs along the rows: of a run of 1 only where it begins and ends matters, so it costs no more for a large kernel. */
async function blurRows(
  mask: Uint8Array,
  width: number,
  height: number,
  kernel: Float64Array,
): Promise<Float32Array> {
  const size = kernel.length;
  const reach = (size - 1) / 2;
  const sums = new Float64Array(size + 1);
  for (let i = 0; i < size; i++) sums[i + 1] = sums[i]! + kernel[i]!;
  const columns = Uint32Array.from({ length: width + 2 * reach }, (_, at) => mirrored(at - reach, width));
  const blurred = new Float32Array(width * height);
  await forEachSlice(height, 8 * width, (first, end) => {
    for (let y = first; y < end; y++) {
      const row = y * width;
      for (let at = 0; at < columns.length;) {
        if (mask[row + columns[at]!] === 0) {
          at++;
          continue;
        }
        const from = at;
        while (at < columns.length && mask[row + columns[at]!] !== 0) at++;
        // The kernel of pixel x lies on x to x + size - 1 of the mirrored row.
        for (let x = Math.max(0, from - size + 1); x < Math.min(width, at); x++) {
          blurred[row + x]! += sums[Math.min(at - x, size)]! - sums[Math.max(from - x, 0)]!;
        }
      }
    }
  });
  return blurred;
}
