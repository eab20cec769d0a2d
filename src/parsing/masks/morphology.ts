/** Masks grown and shrunk by squares, as `cv2.dilate` and `cv2.erode` do with a kernel of ones. */
import { forEachSlice } from '../../image/slices.ts';

/**
 * Widens, in place, each pixel of `marks` that is 1 by `before` pixels to the left and `after` to the right.
 * @param marks width * height bytes, row-major, 0 or 1
 */
export async function widenRows(
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

/** `marks` with each pixel that is 1 widened by `before` pixels upwards and `after` downwards. */
export async function widenColumns(
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

/**
 * `mask` grown by a square of 2 * `reach` + 1 pixels a side. What lies beyond the edges counts as outside.
 * @param mask width * height bytes, row-major, 0 or 1
 */
export async function dilateMask(
  mask: Uint8Array,
  width: number,
  height: number,
  reach: number,
): Promise<Uint8Array> {
  const marks = mask.slice();
  if (reach === 0) return marks;
  await widenRows(marks, width, height, reach, reach);
  return widenColumns(marks, width, height, reach, reach);
}

/** `mask` shrunk by the same square. What lies beyond the edges counts as inside. */
export async function erodeMask(
  mask: Uint8Array,
  width: number,
  height: number,
  reach: number,
): Promise<Uint8Array> {
  return not(await dilateMask(await not(mask), width, height, reach));
}

/** The pixels that are not in `mask`. */
export async function not(mask: Uint8Array): Promise<Uint8Array> {
  const result = new Uint8Array(mask.length);
  await forEachSlice(mask.length, 1, (first, end) => {
    for (let p = first; p < end; p++) result[p] = mask[p]! ^ 1;
  });
  return result;
}

/** The pixels of both. */
export async function and(a: Uint8Array, b: Uint8Array): Promise<Uint8Array> {
  const result = new Uint8Array(a.length);
  await forEachSlice(a.length, 1, (first, end) => {
    for (let p = first; p < end; p++) result[p] = a[p]! & b[p]!;
  });
  return result;
}

/** The pixels of either. */
export async function or(a: Uint8Array, b: Uint8Array): Promise<Uint8Array> {
  const result = new Uint8Array(a.length);
  await forEachSlice(a.length, 1, (first, end) => {
    for (let p = first; p < end; p++) result[p] = a[p]! | b[p]!;
  });
  return result;
}

/** The pixels of `a` that are not in `b`. */
export async function without(a: Uint8Array, b: Uint8Array): Promise<Uint8Array> {
  const result = new Uint8Array(a.length);
  await forEachSlice(a.length, 1, (first, end) => {
    for (let p = first; p < end; p++) result[p] = a[p]! & (b[p]! ^ 1);
  });
  return result;
}
