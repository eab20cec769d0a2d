/**
 * Jobs in Redis, so that several Node-REDs see the same ones. Who is at a job holds a lease on it; where that runs out, the job
 * goes back into line. What Redis keeps on its disk is its own affair: without an append-only file, jobs live as long as it.
 */
import { randomUUID } from 'node:crypto';
import { Listeners, raceSignal } from '../../async.ts';
import { type Clock, systemClock, type Timer } from '../../clock.ts';
import { Connection } from '../../engine/remote/redis/connection.ts';
import { runScript } from '../../engine/remote/redis/script.ts';
import { namesOf, TIMES, type Times } from '../../engine/remote/redis/settings.ts';
import type { WorkerAddress } from '../../engine/remote/client/transport.ts';
import { M2fpError } from '../../errors.ts';
import { isJobId, newJobId, timeOf } from './ids.ts';
import { cancelled, expired, full, interruptedTooOften, keyReused, noOutcome } from './outcomes.ts';
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
} from './types.ts';

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

interface Held {
  token: string;
  abort: AbortController;
  timer: Timer | undefined;
  /** Until when the lease holds for sure, by our own clock. */
  until: number;
}

export class RedisStore implements JobStore {
  /** What the owner of the flow should know of this Redis; null: nothing. */
  readonly warning: string | null;
  readonly #connection: Connection;
  readonly #limits: JobLimits;
  readonly #times: RedisTimes;
  readonly #clock: Clock;
  readonly #keys: [string, ...string[]];
  readonly #prefix: string;
  readonly #channel: string;
  readonly #changes = new Listeners<void>();
  readonly #accepted = new Listeners<void>();
  readonly #ends = new Listeners<EndState>();
  readonly #held = new Map<string, Held>();

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
    this.#keys = scripts.jobKeys(prefix);
    this.#prefix = scripts.jobPrefix(prefix);
    this.#channel = scripts.jobChannel(prefix);
    this.warning = warning;
    connection.allow(limits.maxBytes);
    connection.listen({
      onChange: () => this.#changes.notify(),
      onMessage: (_channel, id) => {
        this.#held.get(id)?.abort.abort(over());
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
    const patience = this.#patience();
    const words = [JSON.stringify(message), webhook ?? '', owner ?? '', once?.key ?? '', once?.digest ?? ''];
    // What is not kept by then is not kept at all: the caller is told so a little later.
    const latest = this.#connection.redisTimeIn(patience - Math.min(REPLY, patience / 2)) ?? '';
    const added = this.#run(scripts.ADD, id, ...bounds, image, ...words, latest);
    const isKept = added.then(([reply]) => {
      if (typeof reply === 'number') this.#accepted.notify();
      return typeof reply === 'number';
    });
    isKept.catch(() => {});
    const [place] = await this.#inTime(added, patience).catch((error: unknown) => {
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
    const [attempts, started, webhook, ended, expires, outcome, owner, bytes, runs, rank] = await this.#ask(
      scripts.LOOK,
      id,
    );
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
    const [outcome, body] = await this.#ask(scripts.RESULT, id);
    const result = outcomeIn(outcome)?.result;
    return result && Buffer.isBuffer(body) ? { ...result, body } : undefined;
  }

  async claim(): Promise<Claim | undefined> {
    const token = randomUUID();
    const from = this.#clock.now();
    const patience = this.#patience();
    const asked = this.#run(scripts.CLAIM, token, this.#times.lease);
    const [id, attempts, image, message, crashed] = await this.#inTime(asked, patience).catch(
      (error: unknown) => {
        // One may be claimed yet, when nobody would be at it.
        const giveBack = async (): Promise<void> => {
          const [late] = await asked;
          if (Buffer.isBuffer(late)) await this.#ask(scripts.RELEASE, late, token, 0);
        };
        giveBack().catch(() => {});
        throw error;
      },
    );
    if (!Buffer.isBuffer(id) || !Buffer.isBuffer(image)) return undefined;
    const name = id.toString();
    const begun = Number(attempts);
    const crashes = numberIn(crashed) ?? 0;
    if (isGivenUp(crashes, begun - 1 - crashes)) {
      await this.end(name, interruptedTooOften(begun - 1));
      return this.claim();
    }
    const held: Held = {
      token,
      abort: new AbortController(),
      timer: undefined,
      until: from + this.#times.lease,
    };
    this.#held.set(name, held);
    this.#renewSoon(name, held);
    return {
      id: name,
      image,
      attempts: begun,
      crashes,
      message: JSON.parse(String(message)) as Record<string, unknown>,
      lost: held.abort.signal,
      release: async (counts) => {
        if (this.#held.get(name) !== held) return;
        this.#letGo(name);
        await this.#ask(scripts.RELEASE, name, token, counts ? 1 : 0);
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
    const [isFirst] = await this.#inTime(
      this.#run(scripts.END, id, randomUUID(), this.#limits.retention, text, body),
      this.#times.lease,
    );
    this.#held.get(id)?.abort.abort(over());
    this.#letGo(id);
    if (isFirst === 1) this.#ends.notify(state);
    return isFirst === 1;
  }

  async forget(id: string): Promise<void> {
    if (isJobId(id)) await this.#ask(scripts.FORGET, id);
  }

  async delivery(): Promise<Delivery | undefined> {
    const [name, calls] = await this.#ask(scripts.HOOK, this.#times.hook);
    if (!Buffer.isBuffer(name)) return undefined;
    const id = name.toString();
    const finish = async (): Promise<void> => void (await this.#ask(scripts.HOOKED, id, ''));
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
        void (await this.#ask(scripts.HOOKED, id, Math.max(0, at - Date.now()), counts ? 1 : 0)),
    };
  }

  async counts(): Promise<JobCounts> {
    const [queued, running, ended, bytes, first] = await this.#ask(scripts.SWEEP);
    return {
      queued: Number(queued),
      running: Number(running),
      ended: Number(ended),
      bytes: Number(bytes),
      oldest: Buffer.isBuffer(first) ? timeOf(first.toString()) : null,
    };
  }

  async sweep(): Promise<void> {
    const [, , , , ...first] = await this.#ask(scripts.SWEEP);
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
    for (const [id, { token }] of this.#held) {
      this.#letGo(id);
      await this.#ask(scripts.RELEASE, id, token, 0).catch(() => {});
    }
    this.#connection.end();
  }

  #renewSoon(id: string, held: Held): void {
    const { lease } = this.#times;
    const renew = async (): Promise<void> => {
      const from = this.#clock.now();
      const [isOurs] = await this.#ask(scripts.RENEW, id, held.token, lease).catch(() => [undefined]);
      if (isOurs === 1) held.until = from + lease;
      if (this.#held.get(id) !== held) return;
      // Where Redis is away, the lease holds until nobody can know any more.
      if (isOurs === 0 || this.#clock.now() > held.until) {
        this.#letGo(id);
        held.abort.abort(over());
      } else this.#renewSoon(id, held);
    };
    held.timer = this.#clock.after(lease / 3, () => void renew(), { background: true });
  }

  #letGo(id: string): void {
    this.#held.get(id)?.timer?.cancel();
    this.#held.delete(id);
  }

  /** @throws {M2fpError} what Redis says, in words */
  async #run(script: string, ...args: (string | number | Buffer)[]): Promise<unknown[]> {
    const { commands } = this.#connection;
    try {
      return await runScript(commands, script, this.#keys, this.#prefix, this.#channel, ...args);
    } catch (error) {
      throw this.#connection.explain(error);
    }
  }

  async #ask(script: string, ...args: (string | number | Buffer)[]): Promise<unknown[]> {
    const patience = this.#patience();
    return this.#inTime(this.#run(script, ...args), patience);
  }

  /**
   * What a caller waits for Redis now: while it is lost, no longer than who came when it was.
   * @throws {M2fpError} where that is over: what was given to the connection now would lie there, with its picture, until Redis is back
   */
  #patience(): number {
    const left = this.#times.patience - this.#connection.lostFor;
    if (left > 0 || this.#connection.lost === null) return Math.max(0, left);
    throw this.#connection.lost;
  }

  /** While the connection is lost, commands wait for its return: callers do not, for that long. */
  #inTime<T>(result: Promise<T>, patience = this.#times.patience): Promise<T> {
    const abort = new AbortController();
    const timer = this.#clock.after(patience, () => abort.abort(this.#connection.failure ?? tooSlow()));
    return raceSignal(result, abort.signal).finally(() => timer.cancel());
  }
}

function tooSlow(): M2fpError {
  return new M2fpError('M2FP_ENGINE_UNAVAILABLE', 'Redis, where jobs are kept, does not answer in time.');
}

function over(): M2fpError {
  return new M2fpError('M2FP_CANCELLED', 'The job has an outcome already, or another process is at it.');
}

function numberIn(reply: unknown): number | null {
  const number = Number(textIn(reply) || NaN);
  return Number.isFinite(number) ? number : null;
}

function textIn(reply: unknown): string {
  return Buffer.isBuffer(reply) || typeof reply === 'number' ? reply.toString() : '';
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
