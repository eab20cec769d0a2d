/** The lines along the borders between regions of a picture. */
import { forEachSlice } from '../../image/slices.ts';

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
  await thickenRows(borders, width, height, before, after);
  return thickenColumns(borders, width, height, before, after);
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

/** Widens, in place, each marked pixel by `before` pixels to the left and `after` to the right. */
async function thickenRows(
  marks: Uint8Array,
  width: number,
  height: number,
  before: number,
  after: number,
): Promise<void> {
  const row = new Uint8Array(width + before + after);
  await forEachSlice(height, 3 * width, (first, end) => {
    for (let y = first; y < end; y++) {
      row.set(marks.subarray(y * width, (y + 1) * width), after);
      let count = 0;
      for (let i = 0; i < before + after; i++) count += row[i]!;
      for (let x = 0; x < width; x++) {
        count += row[x + before + after]!;
        marks[y * width + x] = count > 0 ? 1 : 0;
        count -= row[x]!;
      }
    }
  });
}

/** `marks` with each marked pixel widened by `before` pixels upwards and `after` downwards. */
async function thickenColumns(
  marks: Uint8Array,
  width: number,
  height: number,
  before: number,
  after: number,
): Promise<Uint8Array> {
  const result = new Uint8Array(width * height);
  /** For each column, the marks in the window of the current row: `after` rows above it to `before` below. */
  const counts = new Uint16Array(width);
  const addRow = (y: number, sign: 1 | -1): void => {
    if (y < 0 || y >= height) return;
    for (let x = 0, p = y * width; x < width; x++, p++) counts[x]! += sign * marks[p]!;
  };
  for (let y = 0; y < before; y++) addRow(y, 1);
  await forEachSlice(height, 3 * width, (first, end) => {
    for (let y = first; y < end; y++) {
      addRow(y + before, 1);
      for (let x = 0, p = y * width; x < width; x++, p++) result[p] = counts[x]! > 0 ? 1 : 0;
      addRow(y - after, -1);
    }
  });
  return result;
}
