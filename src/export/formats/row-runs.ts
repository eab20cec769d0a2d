/** Masks as runs row by row, as CVAT and Label Studio count them; COCO counts column by column. */
import { forEachSlice } from '../../image/slices.ts';
import { coverOf } from '../../parsing/masks/masks.ts';
import type { Box, Rle } from '../../parsing/types.ts';

/**
 * The lengths of runs outside and inside `mask` in turn, row by row in `window`; the first one is outside, and 0 where the
 * first pixel is inside.
 * @throws {M2fpError} `M2FP_NO_PARSING` where the mask is damaged
 */
export async function rowRuns(mask: Rle, window: Box): Promise<number[]> {
  const { alpha } = await coverOf([mask], window);
  const runs: number[] = [];
  let inside = 0;
  let start = 0;
  await forEachSlice(alpha.length, 2, (first, end) => {
    for (let p = first; p < end; p++) {
      if (alpha[p] === inside) continue;
      runs.push(p - start);
      inside = alpha[p]!;
      start = p;
    }
  });
  runs.push(alpha.length - start);
  return runs;
}
