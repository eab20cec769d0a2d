/** Pictures that come into a folder, each when it is whole. */
import { stat } from 'node:fs/promises';
import { sleep } from '../../async.ts';
import { type Clock, systemClock } from '../../clock.ts';
import type { Source } from './sources.ts';

/** Between two looks, milliseconds. */
const LOOK_EVERY = 2000;

export interface WatchOptions {
  /** Ends the watch. */
  signal: AbortSignal;
  clock?: Clock;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/**
 * The pictures that `list` finds, and from then on those that are new or have changed. One that may still be written, since it
 * has changed in the last two seconds, waits until it is the same at two looks. Folders are looked through, which works
 * on network drives, too.
 */
export async function* watchPictures(
  list: () => AsyncIterable<Source>,
  { signal, clock = systemClock, now = Date.now }: WatchOptions,
): AsyncIterable<Source> {
  /** How each picture was when it was given out. */
  const given = new Map<string, string>();
  let young = new Map<string, string>();
  while (!signal.aborted) {
    const stillYoung = new Map<string, string>();
    for await (const source of list()) {
      if (signal.aborted) return;
      // One that cannot be read is told of by whoever reads it, once.
      const stats = await stat(source.path).catch(() => undefined);
      const state = stats === undefined ? 'unreadable' : `${stats.size} ${stats.mtimeMs}`;
      if (given.get(source.file) === state) continue;
      const isYoung = stats !== undefined && now() - stats.mtimeMs < LOOK_EVERY;
      if (isYoung && young.get(source.file) !== state) {
        stillYoung.set(source.file, state);
        continue;
      }
      given.set(source.file, state);
      yield source;
    }
    young = stillYoung;
    await sleep(LOOK_EVERY, { clock, signal }).catch(() => {});
  }
}
