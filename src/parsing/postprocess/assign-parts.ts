/** Which person a part belongs to. M2FP finds parts and persons side by side; the link is ours. */
import { type Runs, runsArea, runsOverlap } from '../masks/runs.ts';

/** A part belongs to a person who holds more than this share of its pixels: the majority. */
const MIN_SHARE = 0.5;
/**
 * Persons whose share is within this of the largest are equally good. The network may return one person more
 * than once, with slightly different outlines; the parts should then all go to the best of them.
 */
const TOLERANCE = 0.1;

/**
 * For each part the index of its person, or null where nobody holds more than half of its pixels: among the
 * persons whose share of the part (pixels in common / pixels of the part) is at most 0.1 below the largest, the
 * one with the highest score, the earlier one of equals.
 */
export function assignParts(
  parts: readonly { runs: Runs }[],
  persons: readonly { runs: Runs; score: number }[],
): (number | null)[] {
  // Parts of one query share their mask, so each mask is compared once.
  const known = new Map<Runs, number | null>();
  return parts.map(({ runs }) => {
    let owner = known.get(runs);
    if (owner === undefined) known.set(runs, (owner = ownerOf(runs, persons)));
    return owner;
  });
}

function ownerOf(part: Runs, persons: readonly { runs: Runs; score: number }[]): number | null {
  const area = runsArea(part);
  const shares = persons.map((person) => (area === 0 ? 0 : runsOverlap(part, person.runs) / area));
  const largest = Math.max(0, ...shares);
  let owner: number | null = null;
  shares.forEach((share, i) => {
    if (share <= MIN_SHARE || share < largest - TOLERANCE) return;
    if (owner === null || persons[i]!.score > persons[owner]!.score) owner = i;
  });
  return owner;
}
