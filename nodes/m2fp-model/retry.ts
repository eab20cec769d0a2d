/** Trying again, after a while, what failed. */
import type { Clock, Timer } from '../../src/clock.ts';

/** Milliseconds between the end of a failed try and the next one. */
const PAUSE = 5000;

export class Retry {
  readonly #clock: Clock;
  #timer: Timer | undefined;
  #due = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds until the next try; undefined where none is planned. */
  get remaining(): number | undefined {
    return this.#timer && Math.max(0, this.#due - this.#clock.now());
  }

  /** Calls `work` once after the pause, milliseconds; where that is planned already, nothing changes. */
  plan(work: () => void, pause = PAUSE): void {
    if (this.#timer !== undefined) return;
    this.#due = this.#clock.now() + pause;
    this.#timer = this.#clock.after(
      pause,
      () => {
        this.#timer = undefined;
        work();
      },
      { background: true },
    );
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
