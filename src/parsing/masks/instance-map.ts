/** Which region each pixel belongs to, for what is done to several regions of a picture at once. */
import { forEachSlice } from '../../image/slices.ts';
import { eachColumnRun } from './masks.ts';
import type { Box, Rle } from '../types.ts';

/** width * height numbers, row-major: 0 no region's, n = the n-th region's. */
export type InstanceMap = Uint16Array<ArrayBuffer>;

/** Gives the pixels of `mask` to the region `owner`. @throws {M2fpError} `M2FP_NO_PARSING` where the mask is damaged */
export async function paintInstance(
  owners: InstanceMap,
  width: number,
  mask: Rle,
  owner: number,
): Promise<void> {
  await eachColumnRun(mask, (x, top, bottom) => {
    for (let p = top * width + x; p < bottom * width; p += width) owners[p] = owner;
  });
}

/**
 * Grows all regions by `reach` pixels in each direction, diagonals included (a square, so never less than a disc of
 * that radius). A pixel between two regions goes to one of them.
 */
export async function dilate(
  owners: InstanceMap,
  width: number,
  height: number,
  reach: number,
): Promise<InstanceMap> {
  if (reach === 0) return owners;
  return growColumns(await growRows(owners, width, height, reach), width, height, reach);
}

async function growRows(
  owners: InstanceMap,
  width: number,
  height: number,
  reach: number,
): Promise<InstanceMap> {
  const grown = owners.slice();
  await forEachSlice(height, 2 * width, (first, end) => {
    for (let start = first * width; start < end * width; start += width) {
      spread(owners, grown, start, start + width, 1, reach);
      spread(owners, grown, start + width - 1, start - 1, -1, reach);
    }
  });
  return grown;
}

/** Takes each region along from `from` to `end`, as far as `reach` past its last pixel. */
function spread(
  owners: InstanceMap,
  grown: InstanceMap,
  from: number,
  end: number,
  step: number,
  reach: number,
): void {
  let owner = 0;
  let left = 0;
  for (let p = from; p !== end; p += step) {
    if (owners[p]! > 0) {
      owner = owners[p]!;
      left = reach;
    } else if (left > 0) {
      if (grown[p] === 0) grown[p] = owner;
      left--;
    }
  }
}

/** The same down and up the columns, row by row, because a walk down a column would miss the cache at every step. */
async function growColumns(
  owners: InstanceMap,
  width: number,
  height: number,
  reach: number,
): Promise<InstanceMap> {
  const grown = owners.slice();
  for (const step of [1, -1]) {
    const owner = new Uint16Array(width);
    const left = new Uint16Array(width);
    await forEachSlice(height, 2 * width, (first, end) => {
      for (let row = first; row < end; row++) {
        const start = (step === 1 ? row : height - 1 - row) * width;
        for (let x = 0, p = start; x < width; x++, p++) {
          if (owners[p]! > 0) {
            owner[x] = owners[p]!;
            left[x] = reach;
          } else if (left[x]! > 0) {
            if (grown[p] === 0) grown[p] = owner[x]!;
            left[x]!--;
          }
        }
      }
    });
  }
  return grown;
}

/** The box around each region's pixels, null for a region that has none, and how many pixels have a region. */
export async function measureInstances(
  owners: InstanceMap,
  width: number,
  height: number,
  count: number,
): Promise<{ boxes: (Box | null)[]; area: number }> {
  const left = new Uint32Array(count + 1).fill(width);
  const right = new Uint32Array(count + 1);
  const top = new Uint32Array(count + 1).fill(height);
  const bottom = new Uint32Array(count + 1);
  let area = 0;
  await forEachSlice(height, 3 * width, (first, end) => {
    for (let y = first, p = first * width; y < end; y++) {
      for (let x = 0; x < width; x++, p++) {
        const owner = owners[p]!;
        if (owner === 0) continue;
        area++;
        if (x < left[owner]!) left[owner] = x;
        if (x >= right[owner]!) right[owner] = x + 1;
        if (y < top[owner]!) top[owner] = y;
        bottom[owner] = y + 1;
      }
    }
  });
  const boxes = Array.from({ length: count }, (_, i) => {
    const [x, y] = [left[i + 1]!, top[i + 1]!];
    return right[i + 1] === 0 ? null : { x, y, width: right[i + 1]! - x, height: bottom[i + 1]! - y };
  });
  return { boxes, area };
}
