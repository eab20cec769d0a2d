/** How fast a topic's own time passes beside the clock: a film may be parsed slower, or faster, than it plays. */

/** What a gap between two frames counts for after one more. */
const FADING = 0.5;

export class FramePace {
  #last: { time: number; at: number } | undefined;
  /** Of the last gaps, milliseconds: by the clock, and by the frames' own time. */
  #byClock = 0;
  #own = 0;

  /**
   * Takes a frame that is not late.
   * @param time when it was taken, milliseconds since 1970
   * @param at when it was done with, milliseconds of the clock
   */
  take(time: number, at: number): void {
    // Where time has gone back, it begins anew.
    const isNext = this.#last !== undefined && time >= this.#last.time;
    this.#byClock = isNext ? FADING * this.#byClock + at - this.#last!.at : 0;
    this.#own = isNext ? FADING * this.#own + time - this.#last!.time : 0;
    this.#last = { time, at };
  }

  /**
   * When the clock will be there, if no frame comes before: own time passes at its pace, but not faster than the clock.
   * @param time of frames, milliseconds since 1970
   * @returns milliseconds of the clock
   */
  momentOf(time: number): number {
    if (this.#last === undefined) return Infinity;
    const pace = this.#own > 0 ? Math.max(1, this.#byClock / this.#own) : 1;
    return this.#last.at + (time - this.#last.time) * pace;
  }
}
