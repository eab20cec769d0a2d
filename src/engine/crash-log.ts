/** The crashes of an engine's processes: how long to wait before the next start, and when to start no more. */
import { M2fpError } from '../errors.ts';
import type { Clock } from '../clock.ts';
import type { Patience } from './supervisor.ts';

export class CrashLog {
  readonly #clock: Clock;
  readonly #patience: Patience;
  #times: number[] = [];
  #delay: number;
  #notBefore = 0;
  #refusal: M2fpError | null = null;

  constructor(clock: Clock, patience: Patience) {
    this.#clock = clock;
    this.#patience = patience;
    this.#delay = patience.firstDelay;
  }

  /** Why nothing is started any more, until {@link CrashLog.forgive}; null while there is hope. */
  get refusal(): M2fpError | null {
    return this.#refusal;
  }

  /** Milliseconds until the next start may be tried. */
  get pause(): number {
    return Math.max(0, this.#notBefore - this.#clock.now());
  }

  add(error: M2fpError): void {
    const { crashWindow, maxCrashes, maxDelay } = this.#patience;
    const now = this.#clock.now();
    this.#times = [...this.#times.filter((time) => now - time < crashWindow), now];
    this.#notBefore = now + this.#delay;
    this.#delay = Math.min(this.#delay * 2, maxDelay);
    if (this.#times.length < maxCrashes) return;
    this.#refusal = new M2fpError(
      'M2FP_ENGINE_CRASHED',
      `The engine process crashed ${maxCrashes} times within ${crashWindow / 1000} s and stays down until it is told to load again. The last time: ${error.message}`,
      { cause: error },
    );
  }

  /** A picture was parsed: the next crash is a first one again. */
  succeeded(): void {
    this.#delay = this.#patience.firstDelay;
  }

  /** Ends the refusal that repeated crashes led to. */
  forgive(): void {
    if (this.#refusal === null) return;
    this.#refusal = null;
    this.#times = [];
    this.#delay = this.#patience.firstDelay;
    this.#notBefore = 0;
  }
}
