/** Where somebody stands. */
import { partGroup } from '../../m2fp/labels.ts';
import { rleToRuns } from '../../parsing/masks/rle.ts';
import type { Box, Part } from '../../parsing/types.ts';

/** Of the person's height: what ends so near the lowest point stands on the ground, too. */
const SOLE = 0.12;

/** Pixels from the left and from the top. */
export interface Feet {
  x: number;
  y: number;
}

/**
 * The point on the ground between somebody's feet: the lowest part of the shoes, else of legs and socks, or the middle of the
 * box's lower edge where none of them is seen.
 * @param box the person's, without specks that lie apart
 * @param parts the person's own
 * @throws {M2fpError} `M2FP_NO_PARSING` where a mask is damaged
 */
export function feetOf(box: Box, parts: readonly Part[]): Feet {
  const ofGroup = (group: string): Part[] =>
    parts.filter(({ label, area }) => area > 0 && partGroup(label) === group);
  const shoes = ofGroup('shoes');
  const lowest = shoes.length > 0 ? shoes : ofGroup('legs');
  if (lowest.length === 0) return underBox(box);
  // Specks outside of the box are of nobody.
  const right = box.x + box.width - 1;
  const lowestRow = box.y + box.height;
  /** The lowest pixel of each column. */
  const bottoms = new Map<number, number>();
  let y = 0;
  for (const { mask } of lowest) {
    const height = mask.size[0];
    const runs = rleToRuns(mask);
    for (let i = 0; i < runs.length; i += 2) {
      const first = Math.floor(runs[i]! / height);
      const last = Math.floor((runs[i + 1]! - 1) / height);
      for (let column = Math.max(first, box.x); column <= Math.min(last, right); column++) {
        const bottom = column < last ? height : runs[i + 1]! - last * height;
        if (bottom > lowestRow) continue;
        bottoms.set(column, Math.max(bottom, bottoms.get(column) ?? 0));
        y = Math.max(y, bottom);
      }
    }
  }
  if (bottoms.size === 0) return underBox(box);
  const ground = [...bottoms].filter(([, bottom]) => bottom >= y - SOLE * box.height);
  const x = ground.reduce((sum, [column]) => sum + column, 0) / ground.length + 0.5;
  return { x, y };
}

function underBox({ x, y, width, height }: Box): Feet {
  return { x: x + width / 2, y: y + height };
}
