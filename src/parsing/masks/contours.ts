/** The lines along the borders between regions of a picture. */
import { forEachSlice } from '../../image/slices.ts';
import { widenColumns, widenRows } from './morphology.ts';

/**
 * Marks the pixels of the lines along which any of `maps` changes: between two labels, two persons, or something and
 * nothing. The picture's own edge is no border.
 *
 * A line of thickness 1 lies on the left or upper side of its border, one of thickness 2 has a pixel on either side,
 * and an odd one has its extra pixel on the left or upper side.
 *
 * @param maps each width x height bytes, row-major
 * @param thickness pixels, a whole number from 1
 * @returns width x height bytes, row-major: 1 on a line, else 0
 */
export async function findContours(
  maps: readonly Uint8Array[],
  width: number,
  height: number,
  thickness: number,
): Promise<Uint8Array> {
  const borders = await findBorders(maps, width, height);
  if (thickness === 1) return borders;
  const before = Math.ceil(thickness / 2) - 1;
  const after = thickness - 1 - before;
  await widenRows(borders, width, height, before, after);
  return widenColumns(borders, width, height, before, after);
}

/** Marks each pixel that differs from its right or lower neighbour in any of `maps`. */
async function findBorders(maps: readonly Uint8Array[], width: number, height: number): Promise<Uint8Array> {
  const borders = new Uint8Array(width * height);
  for (const map of maps) {
    await forEachSlice(height, 3 * width, (first, end) => {
      for (let y = first; y < end; y++) {
        const row = y * width;
        const below = y + 1 < height ? width : 0;
        for (let p = row; p < row + width - 1; p++) {
          if (map[p] !== map[p + 1] || map[p] !== map[p + below]) borders[p] = 1;
        }
        const last = row + width - 1;
        if (map[last] !== map[last + below]) borders[last] = 1;
      }
    });
  }
  return borders;
}
