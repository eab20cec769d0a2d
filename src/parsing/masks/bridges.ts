/** Polygons without holes, for formats that know none: what is apart is joined by lines that are walked there and back. */
import { turns } from '../../image/slices.ts';
import type { MaskPolygon } from '../types.ts';

/**
 * The region as one ring, each hole joined to it where the two are nearest. Holes run the other way round than the border, so
 * that the ring holds the same pixels by either rule (even-odd, non-zero).
 * @returns x, y, x, y, … of pixel corners
 */
export async function bridged({ outer, holes }: MaskPolygon): Promise<number[]> {
  return spliced([outer, ...holes]);
}

/**
 * All regions as one ring, holes bridged and regions joined where they are nearest: for formats in which an instance is one
 * polygon.
 * @returns x, y, x, y, … of pixel corners; empty where there are no regions
 */
export async function joined(polygons: readonly MaskPolygon[]): Promise<number[]> {
  return spliced(polygons.flatMap(({ outer, holes }) => [outer, ...holes]));
}

async function spliced(rings: readonly number[][]): Promise<number[]> {
  const [first = [], ...rest] = rings;
  const turn = turns();
  let ring = first;
  for (const other of rest) {
    let [from, to, least] = [0, 0, Infinity];
    for (let i = 0; i < ring.length; i += 2) {
      for (let j = 0; j < other.length; j += 2) {
        const distance = (ring[i]! - other[j]!) ** 2 + (ring[i + 1]! - other[j + 1]!) ** 2;
        if (distance < least) [from, to, least] = [i, j, distance];
      }
      await turn();
    }
    ring = [...ring.slice(0, from + 2), ...other.slice(to), ...other.slice(0, to + 2), ...ring.slice(from)];
  }
  return ring;
}
