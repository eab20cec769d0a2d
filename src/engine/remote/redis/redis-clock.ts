/** What the clock of a Redis says, which all that use that Redis share. */
export class RedisClock {
  /** Milliseconds that it is ahead of {@link systemClock} at least; null before Redis has told. */
  #ahead: number | null = null;

  /**
   * Redis has told its time.
   * @param asked when it was asked, and `answered` when its answer came, milliseconds of {@link systemClock}
   * @param time milliseconds that it told
   */
  note(asked: number, answered: number, time: number): void {
    const [least, most] = [time - answered, time - asked];
    const isSetBack = this.#ahead !== null && this.#ahead > most;
    this.#ahead = this.#ahead === null || isSetBack ? least : Math.max(this.#ahead, least);
  }

  /** What it says at that moment of {@link systemClock}, or a little before that; null where that is not known. */
  at(moment: number): number | null {
    return this.#ahead === null ? null : moment + this.#ahead;
  }
}
