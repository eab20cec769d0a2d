/** Scripts on Redis, each within the time that a caller waits for it; and what their replies hold. */
import { raceSignal } from '../../../async.ts';
import type { Clock } from '../../../clock.ts';
import type { Connection } from '../../../engine/remote/redis/connection.ts';
import { runScript } from '../../../engine/remote/redis/script.ts';
import { M2fpError } from '../../../errors.ts';
import * as scripts from './redis-scripts.ts';

export class RedisCalls {
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #longest: number;
  readonly #keys: [string, ...string[]];
  readonly #prefix: string;
  readonly #channel: string;

  /**
   * @param prefix of the line's keys
   * @param patience what a caller waits for Redis, milliseconds
   */
  constructor(connection: Connection, prefix: string, patience: number, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
    this.#longest = patience;
    this.#keys = scripts.jobKeys(prefix);
    this.#prefix = scripts.jobPrefix(prefix);
    this.#channel = scripts.jobChannel(prefix);
  }

  /** Waits for the reply as long as it takes. @throws {M2fpError} what Redis says, in words */
  async run(script: string, ...args: (string | number | Buffer)[]): Promise<unknown[]> {
    const { commands } = this.#connection;
    try {
      return await runScript(commands, script, this.#keys, this.#prefix, this.#channel, ...args);
    } catch (error) {
      throw this.#connection.explain(error);
    }
  }

  /** Waits no longer than a caller does. @throws {M2fpError} what Redis says, in words; `M2FP_ENGINE_UNAVAILABLE` where it does not answer */
  async ask(script: string, ...args: (string | number | Buffer)[]): Promise<unknown[]> {
    const patience = this.patience();
    return this.inTime(this.run(script, ...args), patience);
  }

  /**
   * What a caller waits for Redis now, milliseconds: while it is lost, no longer than who came when it was.
   * @throws {M2fpError} where that is over: what was given to the connection now would lie there, with its picture, until Redis is back
   */
  patience(): number {
    const left = this.#longest - this.#connection.lostFor;
    if (left > 0 || this.#connection.lost === null) return Math.max(0, left);
    throw this.#connection.lost;
  }

  /** While the connection is lost, commands wait for its return: callers do not, for that long. */
  inTime<T>(result: Promise<T>, patience: number): Promise<T> {
    const abort = new AbortController();
    const timer = this.#clock.after(patience, () => abort.abort(this.#connection.failure ?? tooSlow()));
    return raceSignal(result, abort.signal).finally(() => timer.cancel());
  }
}

export function tooSlow(): M2fpError {
  return new M2fpError('M2FP_ENGINE_UNAVAILABLE', 'Redis, where jobs are kept, does not answer in time.');
}

/** A number in a reply; null where there is none. */
export function numberIn(reply: unknown): number | null {
  const number = Number(textIn(reply) || NaN);
  return Number.isFinite(number) ? number : null;
}

/** A text in a reply; empty where there is none. */
export function textIn(reply: unknown): string {
  return Buffer.isBuffer(reply) || typeof reply === 'number' ? reply.toString() : '';
}
