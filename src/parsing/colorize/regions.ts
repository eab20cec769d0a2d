/** The regions that a painted picture shows: how large each is, and where its name may stand. */
import { forEachSlice } from '../../image/slices.ts';
import type { Canvas } from './canvas.ts';

/** All pixels of one code and one person. */
export interface ShownRegion {
  /** As in {@link Canvas}. */
  code: number;
  person: number;
  /** Pixels. */
  area: number;
  /** A pixel of the region, the one nearest to its centre of mass. */
  x: number;
  y: number;
}

const KEYS = 256 * 256;

/** Calls `visit` for each run of equal pixels within a row; `key` is 256 * person + code. Leaves out what is not painted. */
async function eachRun(
  { codes, persons }: Canvas,
  width: number,
  height: number,
  visit: (key: number, y: number, from: number, end: number) => void,
): Promise<void> {
  await forEachSlice(height, 3 * width, (first, last) => {
    for (let y = first; y < last; y++) {
      const row = y * width;
      for (let x = 0; x < width;) {
        const code = codes[row + x]!;
        const person = persons[row + x]!;
        const from = x++;
        while (x < width && codes[row + x] === code && persons[row + x] === person) x++;
        if (code !== 0) visit(256 * person + code, y, from, x);
      }
    }
  });
}

/** The regions of `canvas`, by person and code. */
export async function shownRegions(canvas: Canvas, width: number, height: number): Promise<ShownRegion[]> {
  const areas = new Float64Array(KEYS);
  const sumX = new Float64Array(KEYS);
  const sumY = new Float64Array(KEYS);
  await eachRun(canvas, width, height, (key, y, from, end) => {
    const count = end - from;
    areas[key]! += count;
    sumX[key]! += (count * (from + end - 1)) / 2;
    sumY[key]! += count * y;
  });

  const regions = new Map<number, ShownRegion>();
  const distances = new Float64Array(KEYS).fill(Infinity);
  for (let key = 0; key < KEYS; key++) {
    const area = areas[key]!;
    if (area > 0) regions.set(key, { code: key & 255, person: key >> 8, area, x: 0, y: 0 });
  }
  await eachRun(canvas, width, height, (key, y, from, end) => {
    const centreX = sumX[key]! / areas[key]!;
    const x = Math.min(Math.max(Math.round(centreX), from), end - 1);
    const distance = Math.abs(y - sumY[key]! / areas[key]!) + Math.abs(x - centreX);
    if (distance >= distances[key]!) return;
    distances[key] = distance;
    Object.assign(regions.get(key)!, { x, y });
  });
  return [...regions.values()];
}
