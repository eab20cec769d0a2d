/** Corners in the forms that formats have for them. */

/** x, y, x, y, … as [x, y], [x, y], … */
export function pointsOf(corners: readonly number[]): number[][] {
  return Array.from({ length: corners.length / 2 }, (_, i) => [corners[2 * i]!, corners[2 * i + 1]!]);
}
