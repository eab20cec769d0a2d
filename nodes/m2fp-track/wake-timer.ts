/** Wakes a node's topics when something happens in them without a picture: one timer, for what comes first. */
import { type Clock, systemClock, type Timer } from '../../src/clock.ts';
import type { Topics } from '../../src/people/track/topics.ts';
import type { TrackEvent } from '../../src/people/track/types.ts';

/** Milliseconds that setTimeout can wait. */
const MAX_DELAY = 2 ** 31 - 1;

export class WakeTimer {
  readonly #topics: Topics;
  readonly #onEvents: (events: TrackEvent[]) => void;
  readonly #clock: Clock;
  #timer: Timer | undefined;
  #isClosed = false;

  /** @param onEvents told of those who have gone, one or more */
  constructor(topics: Topics, onEvents: (events: TrackEvent[]) => void, clock = systemClock) {
    this.#topics = topics;
    this.#onEvents = onEvents;
    this.#clock = clock;
  }

  /** Sets it anew, after a picture or a reset. */
  set(): void {
    this.#timer?.cancel();
    const wait = this.#isClosed ? undefined : this.#topics.wait();
    const ring = (): void => {
      const events = this.#topics.wake();
      if (events.length > 0) this.#onEvents(events);
      this.set();
    };
    // Upwards: a timer that rings too early would have to be set once more.
    this.#timer =
      wait === undefined
        ? undefined
        : this.#clock.after(Math.min(Math.ceil(wait), MAX_DELAY), ring, { background: true });
  }

  close(): void {
    this.#isClosed = true;
    this.set();
  }
}
