/** Repeating a measurement so that a busy machine disturbs all that take turns in it alike. */

/** How often a round is repeated: until the time is spent, within two limits. */
export interface Rounds {
  atLeast: number;
  atMost: number;
  seconds: number;
}

/** What each round found, in order. @param now milliseconds */
export async function repeat<T>(
  { atLeast, atMost, seconds }: Rounds,
  round: () => Promise<T>,
  now: () => number = () => performance.now(),
): Promise<T[]> {
  const start = now();
  const found: T[] = [];
  while (found.length < atLeast || (found.length < atMost && now() - start < seconds * 1000)) {
    found.push(await round());
  }
  return found;
}

/** Milliseconds that `work` took, and what it gave. */
export async function timed<T>(work: () => Promise<T>): Promise<{ ms: number; value: T }> {
  const start = performance.now();
  const value = await work();
  return { ms: performance.now() - start, value };
}
