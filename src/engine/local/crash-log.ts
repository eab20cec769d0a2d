/**
 * The crashes of an engine's processes: how long to wait before the next start, and when to let it be for a while. After
 * too many in a row nothing is started for a pause; then one more try is made, and what comes of it decides: a parsed
 * picture ends the trouble, a crash leads to a pause twice as long.
 */
import { M2fpError } from '../../errors.ts';
import type { Clock } from '../../clock.ts';
import type { RestartPolicy } from './restart-policy.ts';

/** Of one engine, for all of its processes. */
export class CrashLog {
  readonly #clock: Clock;
  readonly #policy: RestartPolicy;
  /** Of the crashes since a picture was parsed. */
  #times: number[] = [];
  #delay: number;
  #notBefore = 0;
  /** The next pause. */
  #rest: number;
  /** Why nothing was started during the last pause; null while there is no trouble. */
  #series: { error: M2fpError; count: number; until: number } | null = null;
  #last = -Infinity;

  constructor(clock: Clock, policy: RestartPolicy) {
    this.#clock = clock;
    this.#policy = policy;
    this.#delay = policy.firstDelay;
    this.#rest = policy.firstRest;
  }

  /** Why nothing is started now; null where something may be. It says when it is tried again. */
  get refusal(): M2fpError | null {
    const { retryIn } = this;
    if (this.#series === null || retryIn === null) return null;
    const { error, count } = this.#series;
    const times = count === 1 ? 'again' : `${count} times in a row`;
    return new M2fpError(
      'M2FP_ENGINE_CRASHED',
      `The engine process crashed ${times} and stays down for now: it is tried again in ${Math.ceil(retryIn / 1000)} s, or ` +
        `at once when it is told to load. The last time: ${error.message}`,
      { cause: error },
    );
  }

  /** Milliseconds until the next try after too many crashes; null where nothing stands in its way. */
  get retryIn(): number | null {
    if (this.#series === null) return null;
    const left = this.#series.until - this.#clock.now();
    return left > 0 ? left : null;
  }

  /** Milliseconds until the next start may be tried. */
  get pause(): number {
    return Math.max(0, this.#notBefore - this.#clock.now());
  }

  /** Notes a crash, and with it how long to wait before the next start. */
  add(error: M2fpError): void {
    const { crashWindow, maxCrashes, maxDelay, maxRest, firstRest } = this.#policy;
    const now = this.#clock.now();
    this.#times = [...this.#times.filter((time) => now - time < crashWindow), now];
    this.#notBefore = now + this.#delay;
    this.#delay = Math.min(this.#delay * 2, maxDelay);
    const isCalm = now - this.#last > 2 * maxRest;
    this.#last = now;
    if (this.#series === null && this.#times.length < maxCrashes) return;
    if (isCalm) this.#rest = firstRest;
    this.#series = { error, count: this.#times.length, until: now + this.#rest };
    this.#rest = Math.min(this.#rest * 2, maxRest);
    this.#times = [];
  }

  /** A picture was parsed: the next crash is a first one again. The next pause does not become shorter at once. */
  succeeded(): void {
    this.#delay = this.#policy.firstDelay;
    this.#times = [];
    this.#series = null;
  }

  /** Ends the trouble that repeated crashes led to. */
  reset(): void {
    if (this.#series === null) return;
    this.succeeded();
    this.#rest = this.#policy.firstRest;
    this.#notBefore = 0;
  }
}
