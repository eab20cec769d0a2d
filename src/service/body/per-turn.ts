/** Work that comes from many sides at once, spread over turns of the event loop. */
import { setImmediate } from 'node:timers/promises';

/** Of how much there may be in one turn; whoever comes when it is used up waits for a later one, in the order of coming. */
export class PerTurn {
  readonly #most: number;
  #left: number;
  #renewed: Promise<void> | undefined;

  /** @param most in one turn, in whatever it is counted: bytes, pixels */
  constructor(most: number) {
    this.#most = most;
    this.#left = most;
  }

  /**
   * Counts what was done just now.
   * @returns nothing while more may be done in this turn; otherwise what to wait for before more is done
   */
  take(amount: number): Promise<void> | undefined {
    this.#left -= amount;
    this.#renewed ??= this.#renew();
    return this.#left > 0 ? undefined : this.#renewed;
  }

  async #renew(): Promise<void> {
    await setImmediate();
    this.#left = this.#most;
    this.#renewed = undefined;
  }
}
