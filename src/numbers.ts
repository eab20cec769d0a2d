/** Sums over a few numbers. */

/** The middle one, and the mean of the two in the middle where there is none; NaN of nothing. */
export function median(values: readonly number[]): number {
  const ordered = values.toSorted((a, b) => a - b);
  const middle = (ordered.length - 1) / 2;
  return (ordered[Math.floor(middle)]! + ordered[Math.ceil(middle)]!) / 2;
}
