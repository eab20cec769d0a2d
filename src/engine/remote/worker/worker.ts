/** A worker: an engine of this machine that parses what clients put into a queue on Redis. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { type Job, Queue, WaitingError, type Worker } from 'bullmq';
import packageJson from '../../../../package.json' with { type: 'json' };
import { raceSignal } from '../../../async.ts';
import { systemClock, type Timer } from '../../../clock.ts';
import { deserializeError, M2fpError } from '../../../errors.ts';
import { limitsFrom } from '../../../image/limits.ts';
import { acquireEngine, type EngineLease } from '../../registry.ts';
import type { Disconnection, EngineInfo, EngineOptions } from '../../types.ts';
import type { RedisFailure } from '../redis/address.ts';
import { Connection } from '../redis/connection.ts';
import type { WorkerAddress, WorkerFacts } from '../client/transport.ts';
import { answerRequest, describeModel } from './answer.ts';
import { readJobs } from './job-reader.ts';
import { Presence } from './presence.ts';
import { cleanFailed } from '../redis/failed-jobs.ts';
import { deliverPatiently, fetchRequest } from '../redis/mailbox.ts';
import { type Names, namesOf, TIMES, type Times } from '../redis/settings.ts';
import { readWorkers } from '../redis/heartbeat.ts';
import { requestLimit } from '../redis/codec.ts';

/** Characters of a complaint in the log. */
const MAX_WORDS = 500;

/** How often a worker may take a picture that workers before it gave back. */
const MAX_STARTS = 4;

export interface WorkerOptions {
  address: WorkerAddress;
  engine: EngineOptions;
  /** Gets a line whenever something happens that whoever runs it may want to know. */
  log: (line: string) => void;
}

/** What tests replace. */
export interface WorkerInternals {
  times?: Partial<Times>;
  acquire?: (options: EngineOptions) => Promise<EngineLease>;
}

export interface RunningWorker {
  readonly facts: WorkerFacts;
  /** Why it takes no pictures now, whatever its engine says: Redis is lost, or it is closing. */
  readonly trouble: { code: Disconnection['code'] | 'stopping'; message: string } | null;
  /** Resolves when it was closed; rejects where it ended because its engine gave up. */
  readonly ended: Promise<void>;
  /** Takes no more, finishes what runs (for some seconds), and gives its engine back. */
  close(): Promise<void>;
}

/**
 * Resolves when it takes jobs.
 * @throws {M2fpError} `M2FP_ENGINE_UNAVAILABLE` where Redis is not to be had at the address; `M2FP_BAD_OPTION` where the
 *   workers of the queue have another model; what loading the engine throws
 */
export async function startWorker(
  { address, engine, log }: WorkerOptions,
  { times, acquire = acquireEngine }: WorkerInternals = {},
): Promise<RunningWorker> {
  const names = namesOf(address.queue);
  const lease = await acquire(engine);
  try {
    const { maxBytes } = limitsFrom(engine);
    const worker = new QueueWorker(address, lease, log, names, { ...TIMES, ...times }, maxBytes);
    await worker.start();
    return worker;
  } catch (error) {
    lease.release();
    throw error;
  }
}

class QueueWorker implements RunningWorker {
  readonly ended: Promise<void>;
  readonly #address: WorkerAddress;
  readonly #lease: EngineLease;
  readonly #log: (line: string) => void;
  readonly #names: Names;
  readonly #times: Times;
  readonly #id = randomUUID();
  /** By the id of the job; a job that Redis lost and a client sent anew may run twice. */
  readonly #running = new Set<{ id: string; abort: AbortController }>();
  #connection!: Connection;
  #presence!: Presence;
  /** Bytes that a picture may have, and all of a request. */
  readonly #maxBytes: number;
  #requestLimit = 0;
  #bull: Worker | null = null;
  #queue: Queue | null = null;
  #timer: Timer | null = null;
  #unsubscribe: () => void = () => {};
  /** Why it took no pictures when it looked last. */
  #trouble: RedisFailure | null = null;
  #lastComplaint = '';
  #lastEngine = '';
  #closing: Promise<void> | null = null;
  #failure: M2fpError | null = null;
  #end!: () => void;

  constructor(
    address: WorkerAddress,
    lease: EngineLease,
    log: (line: string) => void,
    names: Names,
    times: Times,
    maxBytes: number,
  ) {
    this.#maxBytes = maxBytes;
    this.#address = address;
    this.#lease = lease;
    this.#log = log;
    this.#names = names;
    this.#times = times;
    this.ended = new Promise<void>((resolve, reject) => {
      this.#end = () => (this.#failure === null ? resolve() : reject(this.#failure));
    });
    // Whoever does not look at it does not want to know.
    this.ended.catch(() => {});
  }

  get facts(): WorkerFacts {
    const { manifest, provider, fallback, threads, loadSeconds, processes } = this.#lease.engine.info();
    const sizes = processes.map(({ rss }) => rss).filter((rss) => rss !== null);
    return {
      id: this.#id,
      host: hostname(),
      pid: process.pid,
      version: packageJson.version,
      manifest,
      provider,
      fallback,
      threads,
      slots: processes.length,
      loadSeconds,
      rss: sizes.length === 0 ? null : sizes.reduce((sum, rss) => sum + rss, 0),
    };
  }

  get trouble(): RunningWorker['trouble'] {
    if (this.#closing !== null) return { code: 'stopping', message: 'The worker takes no more pictures.' };
    const { failure } = this.#connection;
    return failure === null ? null : { code: failure.reason, message: failure.message };
  }

  async start(): Promise<void> {
    this.#connection = await Connection.open(
      this.#address,
      this.#times,
      [this.#names.cancelled],
      new AbortController().signal,
    );
    this.#presence = new Presence(this.#connection, this.#names, this.#times, () => this.facts);
    this.#connection.listen({
      onChange: () => this.#connectionChanged(),
      onMessage: (_channel, id) => this.#cancel(id),
    });
    this.#requestLimit = requestLimit(this.#lease.engine.info().manifest.input, this.#maxBytes);
    this.#connection.allow(this.#requestLimit);
    try {
      // Before the model is loaded, which takes a while, and after, when another one may have come.
      await this.#checkOthers();
      await this.#lease.engine.load();
      await this.#checkOthers();
      await this.#presence.tell();
      this.#bull = this.#startBull();
      this.#queue = this.#openQueue();
      await this.#bull.waitUntilReady();
    } catch (error) {
      await this.#disconnect();
      throw this.#connection.explain(error);
    }
    this.#unsubscribe = this.#lease.engine.subscribe((info) => this.#engineChanged(info));
    this.#tick();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** @throws {M2fpError} `M2FP_BAD_OPTION` where workers of the queue have another model */
  async #checkOthers(): Promise<void> {
    const { manifest } = this.#lease.engine.info();
    const { workers: others } = await readWorkers(this.#connection.commands, this.#names, this.#times);
    const other = others.find((worker) => worker.manifest.digest !== manifest.digest);
    if (other === undefined) return;
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      `The worker on ${other.host} (process ${other.pid}) serves another model in the queue ${this.#address.queue}: ` +
        `${describeModel(other.manifest)}, not ${describeModel(manifest)}. Choose another --queue, or stop that one.`,
    );
  }

  #startBull(): Worker {
    const { lockDuration, stalled } = this.#times;
    const bull = readJobs(this.#names.jobs, (job: Job, token = '') => this.#work(job, token), {
      connection: this.#connection.commands,
      prefix: this.#names.prefix,
      name: this.#id,
      skipVersionCheck: true,
      concurrency: this.facts.slots,
      lockDuration,
      stalledInterval: stalled,
      maxStalledCount: 1,
      runRetryDelay: 1000,
    });
    bull.on('error', ({ message }) => this.#logComplaint(message));
    return bull;
  }

  /** For the notes of jobs that failed, which stay where no client looks after them. */
  #openQueue(): Queue {
    const { jobs, prefix } = this.#names;
    const queue = new Queue(jobs, {
      connection: this.#connection.commands,
      prefix,
      skipVersionCheck: true,
    });
    // The connection tells of what goes wrong with it; without a listener, BullMQ would print it.
    queue.on('error', () => {});
    return queue;
  }

  /**
   * Rejects only to give a picture back: what goes wrong with a picture is its answer. Only a picture that the engine has not looked at, because it gave up
   * before, is given back, for another worker. A job without a picture has no answer: where somebody still waits, it is sent
   * anew.
   */
  async #work(job: Job, token: string): Promise<void> {
    const { id = '' } = job;
    const runningJob = { id, abort: new AbortController() };
    this.#running.add(runningJob);
    try {
      const { commands } = this.#connection;
      const request = await fetchRequest(commands, this.#names, id, this.#requestLimit);
      if (runningJob.abort.signal.aborted) return;
      if (request === null) return;
      const { signal } = runningJob.abort;
      const { url, queue } = this.#address;
      const mayGiveBack = job.attemptsStarted < MAX_STARTS;
      const answer = await answerRequest(this.#lease.engine, request, { queue, signal, mayGiveBack });
      if (signal.aborted) return;
      if (answer === null) return await this.#giveBack(job, token);
      const mailbox = { redis: commands, url, names: this.#names, times: this.#times };
      await deliverPatiently(mailbox, id, answer, signal);
    } finally {
      this.#running.delete(runningJob);
    }
  }

  async #giveBack(job: Job, token: string): Promise<void> {
    await job.moveToWait(token);
    throw new WaitingError();
  }

  /** What BullMQ complains about, again and again where it lasts. */
  #logComplaint(message: string): void {
    // The connection itself tells when it is lost, and a job whose lock is gone has been taken over by another worker.
    if (this.#connection.failure !== null || /\block\b|Missing key/.test(message)) return;
    const words = message.slice(0, MAX_WORDS);
    if (words !== this.#lastComplaint) this.#log(`Redis at ${this.#address.url}: ${words}`);
    this.#lastComplaint = words;
  }

  #cancel(id: string): void {
    for (const runningJob of this.#running) {
      if (runningJob.id === id) {
        runningJob.abort.abort(new M2fpError('M2FP_CANCELLED', 'The picture is not wanted any more.'));
      }
    }
  }

  #tick(): void {
    this.#timer = systemClock.after(this.#times.heartbeat, () => {
      this.#registerSoon();
      if (this.#queue !== null && this.#connection.failure === null) void cleanFailed(this.#queue);
      this.#tick();
    });
  }

  #registerSoon(): void {
    if (this.#closing !== null || this.#connection.failure !== null) return;
    // Refused today, taken the next time.
    this.#presence
      .tell()
      .catch((error: unknown) => this.#logComplaint(this.#connection.explain(error).message));
  }

  #connectionChanged(): void {
    const { failure } = this.#connection;
    if (failure === null) {
      const isBack = this.#trouble?.trouble === 'lost' ? 'is back' : 'takes changes again';
      this.#log(`Redis at ${this.#address.url} ${isBack}.`);
      this.#presence.forgetTold();
      this.#registerSoon();
    } else if (this.#trouble?.reason !== failure.reason) {
      this.#log(`${failure.message} Trying again.`);
    }
    this.#trouble = failure;
  }

  #engineChanged({ state, failure, loadSeconds, provider }: EngineInfo): void {
    if (state === 'failed' && failure !== null) {
      // Others may have more luck; with this one, every picture would fail at once.
      this.#failure = deserializeError(failure, 'M2FP_ENGINE_CRASHED');
      this.close().catch(() => {});
      return;
    }
    const told = JSON.stringify([loadSeconds, provider]);
    if (told !== this.#lastEngine) this.#registerSoon();
    this.#lastEngine = told;
  }

  async #close(): Promise<void> {
    this.#timer?.cancel();
    this.#unsubscribe();
    // First of all, so that clients hand over no more: what BullMQ has not given out by then waits for other workers.
    await this.#presence.end();
    const running = this.#running.size;
    if (running > 0) this.#log(`Finishing ${running === 1 ? '1 picture' : `${running} pictures`} first.`);
    await this.#finish();
    // What has not finished goes to another worker when it has not been heard of for a while.
    for (const { id } of this.#running) this.#cancel(id);
    await this.#disconnect();
    this.#lease.release();
    this.#end();
  }

  /** Resolves when nothing runs any more, or there is no more time for it. */
  async #finish(): Promise<void> {
    const finished = this.#bull?.close() ?? Promise.resolve();
    // Without a connection, nobody gets to hear of what is finished.
    if (this.#connection.lost !== null) return;
    await raceSignal(finished, AbortSignal.timeout(this.#times.shutdownGrace)).catch(() => {});
  }

  async #disconnect(): Promise<void> {
    await this.#presence.end();
    const closed = this.#queue?.close().catch(() => {});
    this.#connection.end();
    await closed;
    await this.#bull?.close().catch(() => {});
  }
}
