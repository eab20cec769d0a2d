/** Convex hulls of what lies in a mask. */
import { turns } from '../../image/slices.ts';
import { type Regions, regionsIn, sortByRegion } from './regions.ts';

/** Corners of one side of a hull, from top to bottom. */
interface Side {
  x: number[];
  y: number[];
}

/**
 * `mask` with the convex hull of each of its connected regions, or of all of it: the pixels whose centres lie in the hull of
 * the centres of those inside, its border included.
 * @param mask width * height bytes, row-major, 0 or 1
 */
export async function hullOf(
  mask: Uint8Array,
  width: number,
  height: number,
  of: 'each' | 'all',
): Promise<Uint8Array> {
  let regions = await regionsIn(mask, width, height, { value: 1, diagonal: true });
  if (of === 'all' && regions.areas.length > 0) regions = oneRegion(regions);
  const { from, to } = regions;
  const { starts, runs, rows } = await sortByRegion(regions);

  const result = mask.slice();
  const turn = turns();
  for (let at = 0; at + 1 < starts.length; at++) {
    const [left, right]: [Side, Side] = [
      { x: [], y: [] },
      { x: [], y: [] },
    ];
    for (let i = starts[at]!; i < starts[at + 1]!; i++) {
      const run = runs[i]!;
      push(left, from[run]!, rows[i]!, -1);
      push(right, to[run]! - 1, rows[i]!, 1);
      await turn();
    }
    const last = left.y.length - 1;
    let [l, r] = [0, 0];
    for (let y = left.y[0]!; y <= left.y[last]!; y++) {
      while (l + 1 < left.y.length && left.y[l + 1]! <= y) l++;
      while (r + 1 < right.y.length && right.y[r + 1]! <= y) r++;
      const first = Math.ceil(xAt(left, l, y));
      const end = Math.floor(xAt(right, r, y)) + 1;
      if (first < end) result.fill(1, y * width + first, y * width + end);
      await turn();
    }
  }
  return result;
}

function oneRegion({ areas, region, ...runs }: Regions): Regions {
  return { ...runs, region: new Uint32Array(region.length), areas: [areas.reduce((a, b) => a + b)] };
}

/**
 * Adds a point below or beside the last one, and takes back the corners that it makes hollow.
 * @param outwards -1 on the left side, 1 on the right
 */
function push({ x, y }: Side, px: number, py: number, outwards: -1 | 1): void {
  if (y[y.length - 1] === py) {
    // Another run of the same row.
    if ((px - x[x.length - 1]!) * outwards <= 0) return;
    x.pop();
    y.pop();
  }
  while (x.length >= 2) {
    const [ax, ay, bx, by] = [x[x.length - 2]!, y[y.length - 2]!, x[x.length - 1]!, y[y.length - 1]!];
    // How far the corner b lies outside of the line from a to the new point.
    const out = ((bx - ax) * (py - ay) - (px - ax) * (by - ay)) * outwards;
    if (out > 0) break;
    x.pop();
    y.pop();
  }
  x.push(px);
  y.push(py);
}

function xAt({ x, y }: Side, at: number, row: number): number {
  if (y[at] === row || at + 1 === y.length) return x[at]!;
  const high = y[at + 1]! - y[at]!;
  return (x[at]! * high + (x[at + 1]! - x[at]!) * (row - y[at]!)) / high;
}
