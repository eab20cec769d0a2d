/** That a worker is there, and what it tells of itself: written with every heartbeat. */
import { raceSignal } from '../../../async.ts';
import type { WorkerFacts } from '../client/transport.ts';
import type { Connection } from '../redis/connection.ts';
import { notify, register, unregister } from '../redis/heartbeat.ts';
import type { Names, Times } from '../redis/settings.ts';

/** Milliseconds that saying goodbye may take. */
const GOODBYE = 1000;

export class Presence {
  readonly #connection: Connection;
  readonly #names: Names;
  readonly #times: Times;
  readonly #facts: () => WorkerFacts;
  #lastNotified = '';

  constructor(connection: Connection, names: Names, times: Times, facts: () => WorkerFacts) {
    this.#connection = connection;
    this.#names = names;
    this.#times = times;
    this.#facts = facts;
  }

  /** Tells it to who looks for workers, and, where it has changed, to who listens. @throws what Redis says */
  async tell(): Promise<void> {
    const facts = this.#facts();
    const { commands } = this.#connection;
    await register(commands, this.#names, facts, this.#times);
    // A change of memory alone is not announced.
    const told = JSON.stringify({ ...facts, rss: null });
    if (told === this.#lastNotified) return;
    this.#lastNotified = told;
    await notify(commands, this.#names, facts.id);
  }

  /** Those who listened may have missed what was told. */
  forgetTold(): void {
    this.#lastNotified = '';
  }

  /** Never rejects, and takes no longer than a second. */
  async end(): Promise<void> {
    const { commands, lost } = this.#connection;
    if (lost !== null) return;
    const done = unregister(commands, this.#names, this.#facts().id);
    await raceSignal(done, AbortSignal.timeout(GOODBYE)).catch(() => {});
  }
}
