/** When the next frame of a camera is wanted. */
import type { Clock, Timer } from '../clock.ts';
import type { FrameLine, FrameTurn } from './frame-line.ts';

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
  readonly #lineOf: () => FrameLine | undefined;
  #line: FrameLine | undefined;
  #turn: FrameTurn | undefined;
  #isBusy = false;
  #next = -Infinity;
  #timer: Timer | undefined;

  /**
   * @param rate frames a second at most
   * @param onTurn called when it may have become somebody's turn
   * @param lineOf where it stands in line with other cameras; undefined: nowhere
   */
  constructor(
    pace: Pace,
    rate: number | undefined,
    clock: Clock,
    onTurn: () => void,
    lineOf: () => FrameLine | undefined = () => undefined,
  ) {
    this.#pace = pace;
    this.#interval = rate === undefined ? SHORTEST : 1000 / rate;
    this.#clock = clock;
    this.#onTurn = onTurn;
    this.#lineOf = lineOf;
  }

  /** Whether the rate and the frame before let the next one go; `onTurn` is called later where they do not. */
  get isDue(): boolean {
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

  /** Whether the other cameras let a frame go; `onTurn` is called later where they do not. */
  get hasPlace(): boolean {
    if (this.#pace !== 'flow') return true;
    const line = this.#lineOf();
    if (line !== this.#line) {
      this.#turn?.leave();
      this.#line = line;
      this.#turn = line?.join(this.#onTurn);
    }
    return this.#turn?.isNow ?? true;
  }

  /** A frame was taken: the next one is due an interval later, by the times at which they should have been. */
  taken(): void {
    const now = this.#clock.now();
    const due = this.#next + this.#interval;
    // What is late by more than an interval is not caught up.
    this.#next = due > now - this.#interval ? Math.max(due, now) : now + this.#interval;
  }

  /** @param deliver see {@link CameraOptions.deliver} */
  async send(deliver: (onModel: () => void) => Promise<number>): Promise<void> {
    const turn = this.#pace === 'flow' ? this.#turn : undefined;
    this.#isBusy = this.#pace === 'flow';
    turn?.sent();
    const rest = await deliver(() => turn?.arrived());
    this.#isBusy = false;
    if (rest > 0) this.#next = Math.max(this.#next, this.#clock.now() + rest);
    turn?.leave();
    this.#onTurn();
  }

  /** Nothing goes out for now: the other cameras need not wait for it. */
  giveWay(): void {
    if (!this.#isBusy) this.#turn?.leave();
  }

  stop(): void {
    // Nobody may be left who tells that the last frame is done.
    this.#turn?.leave();
    this.#turn = undefined;
    this.#line = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
