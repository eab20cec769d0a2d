/** Average precision over what was found, and the thresholds of its means. */

export interface Found {
  score: number;
  right: boolean;
}

/** IoU thresholds of the "vol" figures: 0.1 to 0.9. */
export const THRESHOLDS = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((tenth) => tenth / 10);
/** Index of 0.5 in {@link THRESHOLDS}. */
export const AT_50 = 4;

/** The mean; null of nothing. */
export function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * The area under the curve of precision over recall, with precision made to fall monotonically from the right
 * (PASCAL VOC's AP since 2010, without its earlier eleven points).
 *
 * @param found in any order; equal scores count in the order given
 * @param total how many there were to find; null is returned where it is 0
 */
export function averagePrecision(found: readonly Found[], total: number): number | null {
  if (total === 0) return null;
  const sorted = found.toSorted((a, b) => b.score - a.score);
  let hits = 0;
  const precisions = sorted.map(({ right }, i) => {
    if (right) hits++;
    return hits / (i + 1);
  });
  let area = 0;
  let best = 0;
  for (let i = sorted.length - 1; i >= 0; i--) {
    best = Math.max(best, precisions[i]!);
    if (sorted[i]!.right) area += best;
  }
  return area / total;
}
