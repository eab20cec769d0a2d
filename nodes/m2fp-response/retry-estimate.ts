/** When a client that was refused may try again, by what is known of the engines. */
import type { M2fpErrorCode } from '../../src/errors.ts';
import type { Timing } from '../../src/parsing/types.ts';
import { services } from '../common/services.ts';

/** Share of the newest time in the average. */
const NEWEST = 0.3;
/** Milliseconds of a picture before any was seen. */
const AT_FIRST = 1000;
/** Seconds. */
const LONGEST = 300;

export class RetryEstimate {
  /** Milliseconds that a process works on one picture. */
  #perPicture: number | undefined;

  /** Notes how long a picture took. */
  note({ queue, total }: Timing): void {
    const time = Math.max(0, total - queue);
    this.#perPicture =
      this.#perPicture === undefined ? time : NEWEST * time + (1 - NEWEST) * this.#perPicture;
  }

  /** Seconds; undefined where nothing is known. */
  async seconds(code: M2fpErrorCode | undefined): Promise<number | undefined> {
    const isBusy = code === 'M2FP_BUSY';
    if (!isBusy && code !== 'M2FP_ENGINE_UNAVAILABLE' && code !== 'M2FP_ENGINE_CRASHED') return undefined;
    const engines = await services.list();
    const waits = engines.flatMap(({ waiting, running, processes, retryIn }) => {
      if (!isBusy) return retryIn === null ? [] : [retryIn];
      const line = (waiting + running) / Math.max(1, processes.length);
      return [line * (this.#perPicture ?? AT_FIRST)];
    });
    if (waits.length === 0) return undefined;
    return Math.min(LONGEST, Math.max(1, Math.ceil(Math.max(...waits) / 1000)));
  }
}
