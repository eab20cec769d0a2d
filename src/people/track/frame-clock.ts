/** The times of one topic's frames: they may come in disorder, from a clock that is set, or from a film with a time of its own. */

/** Milliseconds that a frame may lie ahead of the clock: a film that began now may be played faster, and time zones be mistaken. */
const MAX_AHEAD = 24 * 3600 * 1000;
/** Milliseconds by which frames overtake one another at the most, where more than one engine parses them. */
const DISORDER = 10_000;
/** Late frames in a row that say that time goes on there: of those beyond any disorder, and of all. */
const FAR_RUN = 3;
const RUN = 10;

/** What the time of a frame is. */
export interface FrameTime {
  /** Milliseconds since 1970. */
  time: number;
  /** Whether it lay so far ahead that `time` is when it arrived. */
  isAhead: boolean;
  /**
   * `next`: as old as the newest, or newer; `late`: older; `anew`: older as well, but the clock was set back, or the film
   * begins again.
   */
  order: 'next' | 'late' | 'anew';
}

export class FrameClock {
  /** Late frames since the last that was not. */
  #late = 0;
  /** Those at the end of them that are older than disorder makes them. */
  #farLate = 0;

  /**
   * Takes the time of a frame.
   * @param given when it was taken, milliseconds since 1970
   * @param newest of the frames that counted; undefined where nothing is known any more
   * @param now when it arrived
   */
  take(given: number, newest: number | undefined, now: number): FrameTime {
    const isAhead = given > now + MAX_AHEAD;
    const time = isAhead ? now : given;
    if (newest === undefined || time >= newest) {
      this.#late = this.#farLate = 0;
      return { time, isAhead, order: 'next' };
    }
    this.#late++;
    this.#farLate = newest - time > DISORDER ? this.#farLate + 1 : 0;
    if (this.#late < RUN && this.#farLate < FAR_RUN) return { time, isAhead, order: 'late' };
    this.#late = this.#farLate = 0;
    return { time, isAhead, order: 'anew' };
  }
}

/**
 * What the log is told of a frame's time.
 * @param given the time that it had, milliseconds
 * @param warned kinds of what was told of the topic: each is told once, and added
 */
export function warningsOf(
  { isAhead, order }: FrameTime,
  given: number,
  topic: string,
  warned: Set<string>,
): string[] {
  const of = topic === '' ? '' : ` of ${topic}`;
  const told = {
    ahead:
      isAhead &&
      `A picture${of} has a time more than a day ahead of this machine's clock (msg.frame.time: ${given}): ` +
        'the time at which it arrived counts, as for all such ones. Check the clock that it comes from.',
    anew:
      order === 'anew' &&
      `The times of pictures${of} have gone back: a clock was set, or a film begins again. All who were there are gone, and ` +
        'tracking begins anew there, as it will each time.',
  };
  return Object.entries(told).flatMap(([kind, text]) => {
    if (text === false || warned.has(kind)) return [];
    warned.add(kind);
    return [text];
  });
}
