/** When the next frame of a camera is wanted. */
import type { Clock, Timer } from '../clock.ts';

/**
 * `flow`: when what was sent before is done, and no more often than the rate says; `fixed`: by the rate alone; `manual`: only
 * when it is asked for.
 */
export type Pace = 'flow' | 'fixed' | 'manual';

/** Milliseconds between two frames at least, where no rate is given: a still flow would fetch without a pause. */
const SHORTEST = 40;

export class Turns {
  readonly #pace: Pace;
  readonly #interval: number;
  readonly #clock: Clock;
  readonly #onTurn: () => void;
  #isBusy = false;
  #next = -Infinity;
  #timer: Timer | undefined;

  /**
   * @param rate frames a second at most
   * @param onTurn called when it may have become somebody's turn
   */
  constructor(pace: Pace, rate: number | undefined, clock: Clock, onTurn: () => void) {
    this.#pace = pace;
    this.#interval = rate === undefined ? SHORTEST : 1000 / rate;
    this.#clock = clock;
    this.#onTurn = onTurn;
  }

  /** Whether the next frame is wanted now; `onTurn` is called later where it is not. */
  get isNow(): boolean {
    if (this.#pace === 'manual' || this.#isBusy) return false;
    const wait = this.#next - this.#clock.now();
    if (wait <= 0) return true;
    this.#timer ??= this.#clock.after(
      wait,
      () => {
        this.#timer = undefined;
        this.#onTurn();
      },
      { background: true },
    );
    return false;
  }

  /** A frame was taken: the next one is due an interval later, by the times at which they should have been. */
  taken(): void {
    const now = this.#clock.now();
    const due = this.#next + this.#interval;
    // What is late by more than an interval is not caught up.
    this.#next = due > now - this.#interval ? Math.max(due, now) : now + this.#interval;
  }

  /** @param done resolves when the flow is done with the frame; it does not reject */
  sent(done: Promise<void>): void {
    if (this.#pace !== 'flow') return;
    this.#isBusy = true;
    void done.finally(() => {
      this.#isBusy = false;
      this.#onTurn();
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
