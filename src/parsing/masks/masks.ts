/** Walking over the pixels of run-length masks, in slices between turns of the event loop. */
import { forEachSlice } from '../../image/slices.ts';
import { rleToRuns } from './rle.ts';
import type { Box, Rle } from '../types.ts';

/**
 * Calls `visit` for each piece of a column that lies in `mask`: the pixels (x, top) to (x, bottom - 1).
 * @throws {M2fpError} `M2FP_NO_PARSING` where the mask is damaged
 */
export async function eachColumnRun(
  mask: Rle,
  visit: (x: number, top: number, bottom: number) => void,
): Promise<void> {
  const runs = rleToRuns(mask);
  if (runs.length === 0) return;
  const [height] = mask.size;
  const left = Math.floor(runs[0]! / height);
  const right = Math.floor((runs[runs.length - 1]! - 1) / height);
  let at = 0;
  await forEachSlice(right - left + 1, 4 * height, (first, end) => {
    for (let x = left + first; x < left + end; x++) {
      const start = x * height;
      while (at < runs.length && runs[at + 1]! <= start) at += 2;
      for (let i = at; i < runs.length && runs[i]! < start + height; i += 2) {
        visit(x, Math.max(runs[i]! - start, 0), Math.min(runs[i + 1]! - start, height));
      }
    }
  });
}

/** Pixels of `window` that lie in any of `masks`. */
export interface Cover {
  /** window.width * window.height bytes, row-major: 255 inside, else 0. */
  alpha: Uint8Array;
  /** How many are inside. */
  area: number;
}

/**
 * The union of `masks` inside `window`.
 * @throws {M2fpError} `M2FP_NO_PARSING` where a mask is damaged
 */
export async function coverOf(masks: readonly Rle[], window: Box): Promise<Cover> {
  const alpha = new Uint8Array(window.width * window.height);
  let area = 0;
  for (const mask of masks) {
    await eachColumnRun(mask, (x, top, bottom) => {
      if (x < window.x || x >= window.x + window.width) return;
      const last = Math.min(bottom, window.y + window.height);
      for (let y = Math.max(top, window.y); y < last; y++) {
        const p = (y - window.y) * window.width + (x - window.x);
        if (alpha[p] === 0) area++;
        alpha[p] = 255;
      }
    });
  }
  return { alpha, area };
}
