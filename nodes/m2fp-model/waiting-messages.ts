/** The messages that wait for a model that is not there yet. */
import { raceSignal } from '../../src/async.ts';
import { M2fpError } from '../../src/errors.ts';

export class WaitingMessages {
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /**
   * @param cause what they wait for, the beginning of a sentence
   * @throws {M2fpError} `M2FP_BUSY` where more wait than may
   */
  checkRoom(cause: string, limit: number): void {
    if (this.#count <= limit) return;
    throw new M2fpError(
      'M2FP_BUSY',
      `${cause}, and the limit of ${limit} messages that wait for that is reached: send fewer, or raise the limit.`,
    );
  }

  /** Waits for `result`. Who has given up is told of nothing, and does not count. */
  async until<T>(result: Promise<T>, signal?: AbortSignal): Promise<T> {
    this.#count++;
    let counts = true;
    const leave = (): void => {
      if (counts) this.#count--;
      counts = false;
    };
    // At once, so that whoever counts right after the abort does not count this one.
    signal?.addEventListener('abort', leave, { once: true });
    try {
      return await raceSignal(result, signal);
    } finally {
      signal?.removeEventListener('abort', leave);
      leave();
    }
  }
}
