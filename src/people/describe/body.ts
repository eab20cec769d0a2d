/** What shows of a body: bare limbs, and what the picture's edges cut off. */
import type { Box, Parsing, Part } from '../../parsing/types.ts';
import type { Edge, Seen } from './types.ts';

/** So near to an edge (pixels, and share of the picture's side) a person is cut off by it. */
const NEAR_PIXELS = 1;
const NEAR_SHARE = 0.004;
/** How long a part of an arm or a leg must be to be more than a hand or an ankle, by the height of the head. */
const LONG = { arm: 1.5, leg: 0.8 };
/** Of a whole person, the head's height. */
const HEADS = 7.5;

/** The edges of the picture that a box reaches. */
export function edgesOf({ x, y, width, height }: Box, picture: Pick<Parsing, 'width' | 'height'>): Edge[] {
  const nearX = Math.max(NEAR_PIXELS, NEAR_SHARE * picture.width);
  const nearY = Math.max(NEAR_PIXELS, NEAR_SHARE * picture.height);
  const edges: Edge[] = [];
  if (x <= nearX) edges.push('left');
  if (y <= nearY) edges.push('top');
  if (x + width >= picture.width - nearX) edges.push('right');
  if (y + height >= picture.height - nearY) edges.push('bottom');
  return edges;
}

/**
 * Whether limbs are bare, by how long their skin is; null where none is seen, or nothing tells how large the person is.
 * A hand is less than a head's height long, an arm three times as long.
 */
export function bareness(
  limbs: readonly Part[],
  kind: 'arm' | 'leg',
  head: readonly Part[],
  person: { box: Box; cutOff: readonly Edge[] },
): Seen {
  if (limbs.length === 0) return null;
  const unit = headHeight(head, person);
  if (unit === null) return null;
  return limbs.some(({ box }) => Math.hypot(box.width, box.height) >= LONG[kind] * unit);
}

function headHeight(
  head: readonly Part[],
  { box, cutOff }: { box: Box; cutOff: readonly Edge[] },
): number | null {
  if (head.length > 0 && !cutOff.includes('top')) {
    const top = Math.min(...head.map((part) => part.box.y));
    const bottom = Math.max(...head.map((part) => part.box.y + part.box.height));
    // Long hair hangs lower than the head: it is no longer than wide then.
    const widest = Math.max(...head.map((part) => part.box.width));
    return Math.min(bottom - top, 1.6 * widest);
  }
  return cutOff.length === 0 ? box.height / HEADS : null;
}
