/** The borders of a mask's regions and holes, traced along the edges of its pixels. */
import { turns } from '../../image/slices.ts';

/** A closed border. */
export interface Ring {
  /** x, y, x, y, …: clockwise around a region, the other way round a hole. */
  corners: number[];
  /** The ring around the region that it is a hole of; itself where it is no hole. */
  owner: Ring;
  /** The ring that it was made of; itself for a traced one. */
  origin: Ring;
}

/** What is walked towards: right, down, left, up. */
const DX = [1, 0, -1, 0] as const;
const DY = [0, 1, 0, -1] as const;
/** The pixels ahead, by direction, from the corner where one stands: on the right hand, and on the left. */
const RIGHT = [
  [0, 0],
  [-1, 0],
  [-1, -1],
  [0, -1],
] as const;
const LEFT = [
  [0, -1],
  [0, 0],
  [-1, 0],
  [-1, -1],
] as const;
const DOWN = 1;
const UP = 3;

/**
 * All borders, with a corner wherever one turns. Pixels that touch at a corner only are of different regions.
 * @param mask width * height bytes, row-major, not 0 inside
 */
export async function traceRings(mask: Uint8Array, width: number, height: number): Promise<Ring[]> {
  const turn = turns();
  const isInside = (x: number, y: number): boolean =>
    x >= 0 && y >= 0 && x < width && y < height && mask[y * width + x] !== 0;
  /** For each pixel whose left edge was walked along: the number of the ring, from 1. */
  const ringAt = new Int32Array(width * height);
  const rings: Ring[] = [];
  /** Of each ring, the pixel to the left of its leftmost edge downwards: for a hole, one of the region around it. */
  const beside: { x: number; y: number }[] = [];

  const trace = async (startX: number, startY: number): Promise<void> => {
    const corners: number[] = [];
    let [x, y, direction] = [startX, startY + 1, UP];
    let doubled = 0;
    let left = { x: Infinity, y: 0 };
    do {
      if (direction === UP) ringAt[(y - 1) * width + x] = rings.length + 1;
      else if (direction === DOWN && x - 1 < left.x) left = { x: x - 1, y };
      x += DX[direction]!;
      y += DY[direction]!;
      doubled += x * DY[direction]! - y * DX[direction]!;
      const [rx, ry] = RIGHT[direction]!;
      const [lx, ly] = LEFT[direction]!;
      const before = direction;
      if (!isInside(x + rx, y + ry)) direction = (direction + 1) & 3;
      else if (isInside(x + lx, y + ly)) direction = (direction + 3) & 3;
      if (direction !== before) corners.push(x, y);
      await turn();
    } while (x !== startX || y !== startY + 1 || direction !== UP);
    const ring = { corners } as Ring;
    ring.origin = ring;
    if (doubled > 0) ring.owner = ring;
    rings.push(ring);
    beside.push(left);
  };

  for (let y = 0; y < height; y++) {
    for (let x = 0, p = y * width; x < width; x++, p++) {
      if (mask[p] !== 0 && ringAt[p] === 0 && (x === 0 || mask[p - 1] === 0)) await trace(x, y);
    }
    await turn();
  }
  for (let at = 0; at < rings.length; at++) ownerOf(at);
  return rings;

  /** To the left of a hole lies its region, up to that region's own border or that of another of its holes. */
  function ownerOf(at: number): Ring {
    const chain = [rings[at]!];
    let number = at;
    while (rings[number]!.owner === undefined) {
      let { x } = beside[number]!;
      const { y } = beside[number]!;
      while (isInside(x - 1, y)) x--;
      number = ringAt[y * width + x]! - 1;
      chain.push(rings[number]!);
    }
    const { owner } = rings[number]!;
    for (const ring of chain) ring.owner = owner;
    return owner;
  }
}

/**
 * The rings without the corners that lie nearer than `tolerance` pixels to the line without them (Douglas and Peucker);
 * what is left with less than three corners is left out, and the holes of a region that is.
 */
export async function simplify(rings: readonly Ring[], tolerance: number): Promise<Ring[]> {
  const made = new Map<Ring, Ring>();
  for (const ring of rings) {
    const corners = await withFewer(ring.corners, tolerance);
    if (corners.length >= 6) made.set(ring, { corners, owner: ring.owner, origin: ring });
  }
  for (const ring of made.values()) ring.owner = made.get(ring.owner) ?? ring.owner;
  return [...made.values()].filter(({ owner }) => made.has(owner.origin));
}

async function withFewer(corners: readonly number[], tolerance: number): Promise<number[]> {
  const turn = turns();
  const count = corners.length / 2;
  const farthest = (from: number, to: number, distance: (x: number, y: number) => number) => {
    let [at, most] = [-1, 0];
    for (let i = from + 1; i < to; i++) {
      const far = distance(corners[2 * i]!, corners[2 * i + 1]!);
      if (far > most) [at, most] = [i, far];
    }
    return { at, most };
  };
  const [x0, y0] = [corners[0]!, corners[1]!];
  const opposite = farthest(0, count, (x, y) => Math.hypot(x - x0, y - y0)).at;
  if (opposite < 0) return [];
  const keep = new Uint8Array(count + 1);
  keep[0] = 1;
  keep[opposite] = 1;
  const open: [number, number][] = [
    [0, opposite],
    [opposite, count],
  ];
  for (let span = open.pop(); span !== undefined; span = open.pop()) {
    const [from, to] = span;
    const [ax, ay] = [corners[2 * from]!, corners[2 * from + 1]!];
    const [bx, by] = [corners[2 * (to % count)]!, corners[2 * (to % count) + 1]!];
    const length = Math.hypot(bx - ax, by - ay) || 1;
    const { at, most } = farthest(
      from,
      to,
      (x, y) => Math.abs((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / length,
    );
    if (most > tolerance) {
      keep[at] = 1;
      open.push([from, at], [at, to]);
    }
    await turn();
  }
  return corners.filter((_, i) => keep[i >> 1] === 1);
}
