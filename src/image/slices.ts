/** Long loops of the main thread, cut so that other messages get their turn. */
import { setImmediate } from 'node:timers/promises';

/**
 * Elementary steps (one multiply-add, one byte looked up and stored) in a band. A compiled loop does them in about
 * a millisecond, the first band, not compiled yet, in some ten times that.
 */
const STEPS_PER_SLICE = 500_000;

/** Milliseconds of work of which nothing is known before. */
const SLICE = 8;

/** Turns that are asked for between two looks at the clock. */
const LOOK_EVERY = 64;

/**
 * For loops whose steps differ: the function to call now and then, which lets the event loop turn when 8 ms have gone
 * by. Between two calls must be less than a few microseconds of work.
 */
export function turns(): () => Promise<void> | undefined {
  let end = performance.now() + SLICE;
  let asked = 0;
  const pause = async (): Promise<void> => {
    await setImmediate();
    end = performance.now() + SLICE;
  };
  return () => {
    if (++asked % LOOK_EVERY !== 0 || performance.now() < end) return undefined;
    return pause();
  };
}

/**
 * Runs `work` over the bands that make up 0..`count`, and lets the event loop turn between two bands. A job of a
 * single band never yields.
 *
 * @param count number of items, e.g. rows or pixels
 * @param workPerItem elementary steps that one item takes, as an estimate; it decides how many items make a band
 * @param work handles the items `from` (inclusive) to `end` (exclusive), synchronously; what it throws rejects
 */
export async function forEachSlice(
  count: number,
  workPerItem: number,
  work: (from: number, end: number) => void,
): Promise<void> {
  const band = Math.max(1, Math.floor(STEPS_PER_SLICE / Math.max(workPerItem, 1)));
  for (let from = 0; from < count; from += band) {
    if (from > 0) await setImmediate();
    work(from, Math.min(from + band, count));
  }
}
