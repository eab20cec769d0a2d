/**
 * Jobs in Redis, so that several Node-REDs see the same ones. Who is at a job holds a lease on it; where that runs out, the job
 * goes back into line. What Redis keeps on its disk is its own affair: without an append-only file, jobs live as long as it.
 */
import { randomUUID } from 'node:crypto';
import { Listeners } from '../../../async.ts';
import { type Clock, systemClock } from '../../../clock.ts';
import { Connection } from '../../../engine/remote/redis/connection.ts';
import { namesOf, TIMES, type Times } from '../../../engine/remote/redis/settings.ts';
import type { WorkerAddress } from '../../../engine/remote/client/transport.ts';
import { isJobId, newJobId, timeOf } from '../ids.ts';
import { cancelled, expired, full, interruptedTooOften, keyReused, noOutcome } from '../outcomes.ts';
import { Leases } from './leases.ts';
import { numberIn, RedisCalls, textIn, tooSlow } from './redis-calls.ts';
import * as scripts from './redis-scripts.ts';
import {
  type AcceptedJob,
  type Claim,
  type Delivery,
  type Job,
  type JobCounts,
  type JobFailure,
  type JobLimits,
  type JobOutcome,
  type JobResult,
  type JobStore,
  type EndState,
  isGivenUp,
  KEPT_PER_JOB,
  type NewJob,
} from '../types.ts';

export interface RedisTimes extends Times {
  /** A lease holds so long; it is renewed three times meanwhile. */
  lease: number;
  /** What a caller waits for Redis, milliseconds. */
  patience: number;
  /** How long a webhook is one process's. */
  hook: number;
}

export const REDIS_TIMES: RedisTimes = { ...TIMES, lease: 30_000, patience: 5000, hook: 60_000 };

/** What an answer of Redis may be under way, milliseconds. */
const REPLY = 500;

/** An outcome without its body. */
interface KeptOutcome {
  state: EndState;
  failure: JobFailure | null;
  result: { statusCode: number; headers: Record<string, string> } | null;
}

export class RedisStore implements JobStore {
  /** What the owner of the flow should know of this Redis; null: nothing. */
  readonly warning: string | null;
  readonly #connection: Connection;
  readonly #limits: JobLimits;
  readonly #times: RedisTimes;
  readonly #clock: Clock;
  readonly #calls: RedisCalls;
  readonly #leases: Leases;
  readonly #changes = new Listeners<void>();
  readonly #accepted = new Listeners<void>();
  readonly #ends = new Listeners<EndState>();

  private constructor(
    connection: Connection,
    prefix: string,
    limits: JobLimits,
    times: RedisTimes,
    warning: string | null,
  ) {
    this.#connection = connection;
    this.#limits = limits;
    this.#times = times;
    this.#clock = systemClock;
    this.#calls = new RedisCalls(connection, prefix, times.patience, this.#clock);
    this.#leases = new Leases(times.lease, this.#clock, (id, token) => this.#renew(id, token));
    this.warning = warning;
    connection.allow(limits.maxBytes);
    connection.listen({
      onChange: () => this.#changes.notify(),
      onMessage: (_channel, id) => {
        this.#leases.abort(id);
        this.#changes.notify();
      },
    });
  }

  /**
   * @param line its name: jobs of one line see nothing of another
   * @throws {M2fpError} `M2FP_BAD_OPTION` for a bad address, `M2FP_ENGINE_UNAVAILABLE` where Redis is not to be had there
   */
  static async open(
    address: WorkerAddress,
    line: string,
    limits: JobLimits,
    signal: AbortSignal,
    times: RedisTimes = REDIS_TIMES,
  ): Promise<RedisStore> {
    const prefix = `${namesOf(address.queue).prefix}:service:${line}`;
    const connection = await Connection.open(address, times, [scripts.jobChannel(prefix)], signal);
    const warning = await warningOf(connection).catch(() => null);
    return new RedisStore(connection, prefix, limits, times, warning);
  }

  async add({ image, message, webhook, owner, once }: NewJob): Promise<AcceptedJob> {
    const id = newJobId();
    const { maxJobs, maxBytes } = this.#limits;
    const bounds = [maxJobs, maxJobs * KEPT_PER_JOB, maxBytes, image.length];
    const patience = this.#calls.patience();
    const words = [JSON.stringify(message), webhook ?? '', owner ?? '', once?.key ?? '', once?.digest ?? ''];
    // What is not kept by then is not kept at all: the caller is told so a little later.
    const latest = this.#connection.redisTimeIn(patience - Math.min(REPLY, patience / 2)) ?? '';
    const added = this.#calls.run(scripts.ADD, id, ...bounds, image, ...words, latest);
    const isKept = added.then(([reply]) => {
      if (typeof reply === 'number') this.#accepted.notify();
      return typeof reply === 'number';
    });
    isKept.catch(() => {});
    const [place] = await this.#calls.inTime(added, patience).catch((error: unknown) => {
      // Kept in time, when the answer was lost. Who sends it once more, under the same key, is told of it.
      if (once) throw error;
      const takeBack = async (): Promise<void> => {
        if (!(await isKept)) return;
        await this.end(id, cancelled());
        await this.forget(id);
      };
      takeBack().catch(() => {});
      throw error;
    });
    if (typeof place === 'number') {
      return { ...noOutcome(id), place: place + 1, webhook, owner, isAgain: false };
    }
    const told = textIn(place);
    if (told === 'late') throw tooSlow();
    if (told === 'full') throw full();
    if (told === 'other') throw keyReused();
    const there = await this.get(told);
    // It has expired in this very moment.
    return there ? { ...there, isAgain: true } : this.add({ image, message, webhook, owner, once });
  }

  /** What is wrong with Redis is told of the model, whose workers are found there, too. */
  async problem(): Promise<null> {
    return null;
  }

  async get(id: string): Promise<Job | undefined> {
    if (!isJobId(id)) return undefined;
    const [attempts, started, webhook, ended, expires, outcome, owner, bytes, runs, rank] =
      await this.#calls.ask(scripts.LOOK, id);
    if (attempts === undefined) return undefined;
    const job = {
      ...noOutcome(id),
      attempts: numberIn(attempts) ?? 0,
      started: numberIn(started),
      webhook: textIn(webhook) || null,
      owner: textIn(owner) || null,
    };
    const kept = outcomeIn(outcome);
    if (kept) {
      const { state, failure, result } = kept;
      const type = result?.headers['content-type'] ?? 'application/octet-stream';
      const about = result && { type, bytes: Number(bytes) };
      return { ...job, state, failure, ended: numberIn(ended), expires: numberIn(expires), result: about };
    }
    if (runs === 1) return { ...job, state: 'running' };
    return { ...job, place: (typeof rank === 'number' ? rank : 0) + 1 };
  }

  async result(id: string): Promise<JobResult | undefined> {
    if (!isJobId(id)) return undefined;
    const [outcome, body] = await this.#calls.ask(scripts.RESULT, id);
    const result = outcomeIn(outcome)?.result;
    return result && Buffer.isBuffer(body) ? { ...result, body } : undefined;
  }

  async claim(): Promise<Claim | undefined> {
    const token = randomUUID();
    const from = this.#clock.now();
    const patience = this.#calls.patience();
    const asked = this.#calls.run(scripts.CLAIM, token, this.#times.lease);
    const [id, attempts, image, message, crashed] = await this.#calls
      .inTime(asked, patience)
      .catch((error: unknown) => {
        // One may be claimed yet, when nobody would be at it.
        const giveBack = async (): Promise<void> => {
          const [late] = await asked;
          if (Buffer.isBuffer(late)) await this.#calls.ask(scripts.RELEASE, late, token, 0);
        };
        giveBack().catch(() => {});
        throw error;
      });
    if (!Buffer.isBuffer(id) || !Buffer.isBuffer(image)) return undefined;
    const name = id.toString();
    const begun = Number(attempts);
    const crashes = numberIn(crashed) ?? 0;
    if (isGivenUp(crashes, begun - 1 - crashes)) {
      await this.end(name, interruptedTooOften(begun - 1));
      return this.claim();
    }
    const held = this.#leases.hold(name, token, from);
    return {
      id: name,
      image,
      attempts: begun,
      crashes,
      message: JSON.parse(String(message)) as Record<string, unknown>,
      lost: held.abort.signal,
      release: async (counts) => {
        if (!this.#leases.isHeld(name, held)) return;
        this.#leases.letGo(name);
        await this.#calls.ask(scripts.RELEASE, name, token, counts ? 1 : 0);
      },
    };
  }

  async end(id: string, outcome: JobOutcome): Promise<boolean> {
    if (!isJobId(id)) return false;
    const { state } = outcome;
    const kept: KeptOutcome =
      state === 'done'
        ? { state, failure: null, result: { ...outcome.result, body: undefined } as KeptOutcome['result'] }
        : { state, failure: outcome.failure, result: null };
    const body = state === 'done' ? outcome.result.body : Buffer.alloc(0);
    const text = JSON.stringify(kept);
    // A result is waited for longer: it was work.
    const [isFirst] = await this.#calls.inTime(
      this.#calls.run(scripts.END, id, randomUUID(), this.#limits.retention, text, body),
      this.#times.lease,
    );
    this.#leases.abort(id);
    this.#leases.letGo(id);
    if (isFirst === 1) this.#ends.notify(state);
    return isFirst === 1;
  }

  async forget(id: string): Promise<void> {
    if (isJobId(id)) await this.#calls.ask(scripts.FORGET, id);
  }

  async delivery(): Promise<Delivery | undefined> {
    const [name, calls] = await this.#calls.ask(scripts.HOOK, this.#times.hook);
    if (!Buffer.isBuffer(name)) return undefined;
    const id = name.toString();
    const finish = async (): Promise<void> => void (await this.#calls.ask(scripts.HOOKED, id, ''));
    const job = await this.get(id);
    if (!job || job.webhook === null) {
      await finish();
      return undefined;
    }
    return {
      job,
      url: job.webhook,
      attempts: Number(calls) - 1,
      finish,
      retry: async (at, counts) =>
        void (await this.#calls.ask(scripts.HOOKED, id, Math.max(0, at - Date.now()), counts ? 1 : 0)),
    };
  }

  async counts(): Promise<JobCounts> {
    const [queued, running, ended, bytes, first] = await this.#calls.ask(scripts.SWEEP);
    return {
      queued: Number(queued),
      running: Number(running),
      ended: Number(ended),
      bytes: Number(bytes),
      oldest: Buffer.isBuffer(first) ? timeOf(first.toString()) : null,
    };
  }

  async sweep(): Promise<void> {
    const [, , , , ...first] = await this.#calls.ask(scripts.SWEEP);
    for (const id of first.map(String)) {
      if (timeOf(id) + this.#limits.maxWait <= Date.now()) await this.end(id, expired());
    }
  }

  onAccepted(listener: () => void): () => void {
    return this.#accepted.add(listener);
  }

  onEnded(listener: (state: EndState) => void): () => void {
    return this.#ends.add(listener);
  }

  subscribe(listener: () => void): () => void {
    return this.#changes.add(listener);
  }

  async close(): Promise<void> {
    for (const [id, token] of this.#leases.all()) {
      this.#leases.letGo(id);
      await this.#calls.ask(scripts.RELEASE, id, token, 0).catch(() => {});
    }
    this.#connection.end();
  }

  async #renew(id: string, token: string): Promise<boolean | undefined> {
    const [isOurs] = await this.#calls.ask(scripts.RENEW, id, token, this.#times.lease).catch(() => []);
    return isOurs === undefined ? undefined : isOurs === 1;
  }
}

function outcomeIn(reply: unknown): KeptOutcome | undefined {
  const text = textIn(reply);
  return text === '' ? undefined : (JSON.parse(text) as KeptOutcome);
}

/** Whether what was accepted outlives Redis itself. */
async function warningOf({ commands }: Connection): Promise<string | null> {
  const info = await commands.info('persistence');
  if (/^aof_enabled:1/m.test(info)) return null;
  return (
    'Redis keeps no append-only file (appendonly no): jobs that were accepted are lost when it ends. ' +
    'Turn it on: appendonly yes, and appendfsync always where not even the last second may be lost.'
  );
}
