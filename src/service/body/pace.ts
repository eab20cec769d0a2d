/**
 * How slowly the body of a request may come: whoever stalls, or sends a byte now and then, holds a place that others wait for.
 * Node.js itself gives a request five minutes, however little comes.
 */
import { setImmediate } from 'node:timers/promises';
import { type Clock, type Timer } from '../../clock.ts';
import { M2fpError } from '../../errors.ts';

const SECOND = 1000;

/** Seconds without a byte. */
const SILENCE = 10;
/** Seconds, in each of which so much comes: what came quickly before pays for no trickle. */
const STRETCH = 20;
/** Bytes a second, as Apache has it (mod_reqtimeout): the slowest phones send several times as many. */
const LEAST_RATE = 500;

/** Watches one body while it comes. */
export class Pace {
  readonly #clock: Clock;
  readonly #onSlow: (error: M2fpError) => void;
  #timer: Timer | undefined;
  /** When the last bytes came, milliseconds. */
  #last: number;
  /** When the current stretch ends, milliseconds, and how many bytes have come in it. */
  #end: number;
  #bytes = 0;
  #isOver = false;

  /** @param onSlow called once, with `M2FP_BODY_TIMEOUT`, when too little has come; nothing is watched any more then */
  constructor(clock: Clock, onSlow: (error: M2fpError) => void) {
    this.#clock = clock;
    this.#onSlow = onSlow;
    this.#last = clock.now();
    this.#end = this.#last + STRETCH * SECOND;
    this.#wait();
  }

  came(bytes: number): void {
    this.#last = this.#clock.now();
    this.#bytes += bytes;
  }

  /** All of it has come, or nobody waits for the rest. */
  stop(): void {
    this.#isOver = true;
    this.#timer?.cancel();
  }

  #wait(): void {
    const due = Math.min(this.#last + SILENCE * SECOND, this.#end);
    this.#timer = this.#clock.after(due - this.#clock.now(), () => void this.#look(), { background: true });
  }

  async #look(): Promise<void> {
    // Where the event loop was held, what came meanwhile has not been read: in the next turn, or in the one after it where the
    // request rests for this one.
    await setImmediate();
    await setImmediate();
    if (this.#isOver) return;
    const now = this.#clock.now();
    if (now - this.#last >= SILENCE * SECOND)
      return this.#giveUp(`nothing more of it for ${SILENCE} seconds`);
    if (now >= this.#end) {
      if (this.#bytes < LEAST_RATE * STRETCH)
        return this.#giveUp(`fewer than ${LEAST_RATE} bytes a second for ${STRETCH} seconds`);
      this.#end = now + STRETCH * SECOND;
      this.#bytes = 0;
    }
    this.#wait();
  }

  #giveUp(what: string): void {
    this.stop();
    this.#onSlow(
      new M2fpError(
        'M2FP_BODY_TIMEOUT',
        `The body of the request came too slowly: ${what}. Send it again, over a better connection, or send a smaller picture.`,
      ),
    );
  }
}
