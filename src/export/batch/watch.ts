/** Pictures that come into a folder, each when it is whole. */
import { stat } from 'node:fs/promises';
import { sleep } from '../../async.ts';
import { type Clock, systemClock } from '../../clock.ts';
import type { Source } from './sources.ts';

/** Between two looks, milliseconds. */
const LOOK_EVERY = 2000;
/** Looks in succession after the first at which a picture is the same: a writer may pause. */
const SAME_LOOKS = 2;
/** What has not changed for so long before it is first seen is whole, milliseconds. */
const OLD = 60_000;

export interface WatchOptions {
  /** Ends the watch. */
  signal: AbortSignal;
  clock?: Clock;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/**
 * The pictures that `list` finds, and from then on those that are new or have changed. One that may still be written waits until
 * size and time are the same at three looks, four seconds; one that has not changed for a minute does not wait. Folders are looked
 * through, which works on network drives, too.
 */
export async function* watchPictures(
  list: () => AsyncIterable<Source>,
  { signal, clock = systemClock, now = Date.now }: WatchOptions,
): AsyncIterable<Source> {
  /** How each picture was when it was given out. */
  const given = new Map<string, string>();
  /** Those that wait, and how often each has been the same. */
  let young = new Map<string, { state: string; same: number }>();
  while (!signal.aborted) {
    const stillYoung: typeof young = new Map();
    for await (const source of list()) {
      if (signal.aborted) return;
      // One that cannot be read is told of by whoever reads it, once.
      const stats = await stat(source.path).catch(() => undefined);
      const state = stats === undefined ? 'unreadable' : `${stats.size} ${stats.mtimeMs}`;
      if (given.get(source.file) === state) continue;
      const before = young.get(source.file);
      const same = before?.state === state ? before.same + 1 : 0;
      const isOld = stats === undefined || now() - stats.mtimeMs >= OLD;
      if (!isOld && same < SAME_LOOKS) {
        stillYoung.set(source.file, { state, same });
        continue;
      }
      given.set(source.file, state);
      yield source;
    }
    young = stillYoung;
    await sleep(LOOK_EVERY, { clock, signal }).catch(() => {});
  }
}
