/** A clock on which waiting takes no time, and connections stall when the test says so. */
import type { Clock, Timer } from '../../../src/clock.ts';

/** The stall time of tests: by its length the clock knows what a timer is for. */
export const STALL_TIME = 12_345;

export class FakeClock implements Clock {
  /** Every back-off and poll that was waited for, in milliseconds. */
  readonly slept: number[] = [];
  /** Milliseconds that pass each time somebody looks at the clock. */
  step = 0;
  readonly #stalls = new Set<() => void>();
  readonly #background = new Set<() => void>();
  #now = 0;

  now(): number {
    this.#now += this.step;
    return this.#now;
  }

  after(ms: number, callback: () => void, { background = false } = {}): Timer {
    if (background || ms === STALL_TIME) {
      const timers = background ? this.#background : this.#stalls;
      timers.add(callback);
      return { cancel: () => void timers.delete(callback) };
    }
    const immediate = setImmediate(() => {
      this.#now += ms;
      this.slept.push(ms);
      callback();
    });
    return { cancel: () => clearImmediate(immediate) };
  }

  advance(ms: number): void {
    this.#now += ms;
  }

  /** Lets the stall time pass for whatever waits for bytes. */
  stall(): void {
    fire(this.#stalls);
  }

  /** Lets one heartbeat pass. */
  beat(): void {
    fire(this.#background);
  }
}

function fire(timers: Set<() => void>): void {
  const due = [...timers];
  timers.clear();
  for (const callback of due) callback();
}
