/** What somebody may have meant. */

/** Typing errors that are forgiven, per letter of the word. */
const FORGIVEN = 0.4;

/** `, did you mean "…"?` with the word that is most like `typed`; empty where none is. */
export function didYouMean(typed: string, words: readonly string[]): string {
  const [best] = words
    .map((word) => ({ word, errors: word.startsWith(typed) && typed !== '' ? 1 : distance(typed, word) }))
    .filter(({ word, errors }) => errors <= Math.max(1, Math.floor(word.length * FORGIVEN)))
    .toSorted((a, b) => a.errors - b.errors);
  return best === undefined ? '' : `, did you mean "${best.word}"?`;
}

/** How many letters must be put in, left out, replaced or swapped with their neighbour: optimal string alignment. */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j]!, rows[i - 2]![j - 2]! + 1);
      }
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
