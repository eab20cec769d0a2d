/** A client's side of a queue, from the moment that it is connected: who works, and what has become of its jobs. */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { Queue } from 'bullmq';
import { raceSignal } from '../../../async.ts';
import { systemClock, type Timer } from '../../../clock.ts';
import { M2fpError } from '../../../errors.ts';
import { imageSize } from '../../../image/formats/size.ts';
import type { ChildParsing } from '../../protocol.ts';
import type { ImageSize } from './answer-check.ts';
import { JobEvents, lastEvent } from './job-events.ts';
import { Connection } from '../redis/connection.ts';
import type { RemoteRequest, WorkerAddress, WorkerFacts } from './transport.ts';
import { collect, putRequest } from '../redis/mailbox.ts';
import { cleanFailed, FAILED_KEPT } from '../redis/failed-jobs.ts';
import { type Names, namesOf, type Times } from '../redis/settings.ts';
import { type Presence, readWorkers } from '../redis/heartbeat.ts';
import { answerLimit, packRequest, unpackAnswer } from '../redis/codec.ts';

/** How often a request goes out in all where Redis forgets it. */
const MAX_SENDS = 3;

/** Events that Redis keeps for clients that were away; what is older, a client finds out by looking. */
const KEPT_EVENTS = 1000;

/** Characters of what Redis says of a failed job. */
const MAX_REASON = 300;

/** Milliseconds that saying goodbye may take. */
const GOODBYE = 1000;

/** Milliseconds between two looks that news ask for: whoever floods the channel has no more done than that. */
const NEWS_PAUSE = 100;

/** A request that was put into the queue, or is about to be. */
interface RemoteJob {
  readonly id: string;
  readonly blob: Buffer;
  /** Of its picture; null where it has none that can be read. */
  readonly size: Promise<ImageSize | null>;
  readonly resolve: (parsing: ChildParsing) => void;
  readonly reject: (error: unknown) => void;
  /** How often Redis has taken it. */
  sends: number;
  /** While it is given to Redis, or its state is asked for. */
  busy: Promise<void> | null;
}

export class BullClient {
  readonly #names: Names;
  readonly #times: Times;
  readonly #onChange: () => void;
  readonly #jobs = new Map<string, RemoteJob>();
  /** Cancelled jobs that Redis and the worker are just being told of. */
  readonly #cancelling = new Set<Promise<void>>();
  #connection!: Connection;
  #queue!: Queue;
  #events: JobEvents | null = null;
  #workers: WorkerFacts[] = [];
  /** When one has last told of itself; null where nobody ever has. */
  #heardAt: number | null = null;
  /** Why it cannot be found out who works, although there is a connection. */
  #lookError: M2fpError | null = null;
  /** While workers are looked for; `again` where that is asked for meanwhile. */
  #looking: { again: boolean } | null = null;
  #timer: Timer | null = null;
  #closed = false;

  private constructor(names: Names, times: Times, onChange: () => void) {
    this.#names = names;
    this.#times = times;
    this.#onChange = onChange;
  }

  /**
   * Resolves when it is known who works.
   * @param onChange called after every change of `workers` and `failure`
   * @param signal aborting ends the attempt, and rejects with the signal's reason
   * @throws {M2fpError} as {@link Connection.open}
   */
  static async open(
    address: WorkerAddress,
    times: Times,
    onChange: () => void,
    signal: AbortSignal,
  ): Promise<BullClient> {
    const names = namesOf(address.queue);
    const client = new BullClient(names, times, onChange);
    client.#connection = await Connection.open(address, times, [names.news], signal);
    client.#connection.listen({
      onChange: () => client.#connectionChanged(),
      onMessage: () => client.#lookForWorkers(),
    });
    try {
      await raceSignal(client.#start(), AbortSignal.any([signal, AbortSignal.timeout(times.connect)]));
    } catch (error) {
      await client.close();
      throw client.#connection.explain(error);
    }
    return client;
  }

  get workers(): readonly WorkerFacts[] {
    return this.failure === null ? this.#workers : [];
  }

  get silentFor(): number {
    return this.#heardAt === null ? 0 : systemClock.now() - this.#heardAt;
  }

  get failure(): M2fpError | null {
    return this.#connection.failure ?? this.#lookError;
  }

  /** See {@link WorkerTransport.submit}. */
  async submit(request: RemoteRequest, signal: AbortSignal, maxPixels: number): Promise<ChildParsing> {
    const { promise, ...settle } = Promise.withResolvers<ChildParsing>();
    const job: RemoteJob = {
      ...settle,
      id: randomUUID(),
      blob: packRequest(request),
      // Where it cannot be read, the worker's answer says why.
      size: sizeOf(request.image, maxPixels).catch(() => null),
      sends: 0,
      busy: null,
    };
    this.#jobs.set(job.id, job);
    this.#occupy(job, () => this.#send(job));
    try {
      return await raceSignal(promise, signal);
    } finally {
      // Not settled by anything else: the caller does not want it any more.
      if (this.#settle(job)) this.#cancelRemote(job);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    const jobs = [...this.#jobs.values()];
    for (const job of jobs) {
      this.#settle(job);
      job.reject(
        new M2fpError(
          'M2FP_CANCELLED',
          'The connection to the workers was closed while the picture was with them.',
        ),
      );
    }
    // Where there is no connection, what was sent is looked after no more, and expires.
    if (this.#connection.lost === null) {
      for (const job of jobs) this.#cancelRemote(job);
      await raceSignal(Promise.all(this.#cancelling), AbortSignal.timeout(GOODBYE)).catch(ignore);
    }
    this.#events?.close();
    const end = this.#queue?.close().catch(ignore);
    this.#connection.end();
    await end;
  }

  async #start(): Promise<void> {
    const { commands } = this.#connection;
    // What happens between here and the first look at the events must not be missed.
    const last = await lastEvent(commands, this.#names);
    if (this.#closed) return;
    const listeners = {
      onEnd: (id: string, failure?: string) => this.#ended(id, failure),
      onGap: () => {
        for (const id of this.#jobs.keys()) this.#ended(id);
      },
    };
    this.#events = new JobEvents(this.#connection, this.#names, this.#times, listeners, last);
    this.#queue = new Queue(this.#names.jobs, {
      connection: commands,
      prefix: this.#names.prefix,
      skipVersionCheck: true,
      streams: { events: { maxLen: KEPT_EVENTS } },
    });
    // The connection tells of what goes wrong with it; without a listener, BullMQ would print it.
    this.#queue.on('error', ignore);
    this.#workers = this.#hear(await readWorkers(commands, this.#names, this.#times));
    if (!this.#closed) this.#tick();
  }

  #tick(): void {
    this.#timer = systemClock.after(
      this.#times.check,
      () => {
        this.#look();
        this.#tick();
      },
      { background: true },
    );
  }

  /** Looks after everything that events tell, for those that were lost. */
  #look(): void {
    if (this.#closed || this.#connection.lost !== null) return;
    this.#lookForWorkers();
    for (const job of this.#jobs.values()) this.#occupy(job, () => this.#check(job));
    // BullMQ does so only when the next one fails. The connection may come back before there is a queue.
    if (this.#queue !== undefined) void cleanFailed(this.#queue);
  }

  #connectionChanged(): void {
    this.#onChange();
    this.#look();
  }

  /** However often it is asked for, one look at a time. */
  #lookForWorkers(): void {
    if (this.#closed) return;
    if (this.#looking !== null) {
      this.#looking.again = true;
      return;
    }
    const looking = { again: false };
    this.#looking = looking;
    void this.#readWorkers().finally(() => {
      systemClock.after(
        NEWS_PAUSE,
        () => {
          this.#looking = null;
          if (looking.again) this.#lookForWorkers();
        },
        { background: true },
      );
    });
  }

  #hear({ workers, silentFor }: Presence): WorkerFacts[] {
    if (workers.length > 0) this.#heardAt = systemClock.now() - silentFor;
    return workers;
  }

  /** Never rejects. */
  async #readWorkers(): Promise<void> {
    let workers = this.#workers;
    let lookError: M2fpError | null = null;
    try {
      workers = this.#hear(await readWorkers(this.#connection.commands, this.#names, this.#times));
    } catch (error) {
      // What was known holds until the connection is back.
      if (this.#connection.failure === null) lookError = this.#connection.explain(error);
    }
    const same = isDeepStrictEqual(workers, this.#workers) && lookError?.message === this.#lookError?.message;
    if (this.#closed || same) return;
    this.#workers = workers;
    this.#lookError = lookError;
    this.#onChange();
  }

  /** One thing at a time with each job: `work` is left out where another is under way. */
  #occupy(job: RemoteJob, work: () => Promise<void>): void {
    if (job.busy !== null) return;
    job.busy = work()
      .catch((error: unknown) => this.#failed(job, error))
      .finally(() => (job.busy = null));
  }

  async #send(job: RemoteJob): Promise<void> {
    const { id, blob } = job;
    await putRequest(this.#connection.commands, this.#names, id, blob, this.#times);
    // It may have waited for Redis longer than its caller for it.
    if (!this.#jobs.has(id)) return;
    await this.#queue.add(
      'parse',
      {},
      {
        jobId: id,
        removeOnComplete: true,
        removeOnFail: FAILED_KEPT,
      },
    );
    job.sends++;
  }

  /**
   * A command failed: with the connection that is waited for, else for good. A picture that Redis has may be answered yet,
   * though Redis takes no changes at the moment.
   */
  #failed(job: RemoteJob, error: unknown): void {
    if (this.#connection.commands.status !== 'ready') return;
    if (job.sends > 0 && this.#connection.refuses(error)) return;
    if (!this.#settle(job)) return;
    job.reject(this.#connection.explain(error));
    this.#cancelRemote(job);
  }

  /** BullMQ says that a job has come to an end. */
  #ended(id: string, failure?: string): void {
    const job = this.#jobs.get(id);
    if (job === undefined) return;
    if (failure === undefined) {
      // What it is busy with may have looked a moment too early.
      void (job.busy ?? Promise.resolve()).then(() => this.#occupy(job, () => this.#check(job)));
      return;
    }
    if (!this.#settle(job)) return;
    job.reject(
      failure.includes('stalled')
        ? new M2fpError('M2FP_ENGINE_CRASHED', 'Two workers died over the picture, one after the other.')
        : new M2fpError(
            'M2FP_ENGINE_UNAVAILABLE',
            `The worker could not deliver its answer: ${failure.slice(0, MAX_REASON)}`,
          ),
    );
    this.#cancelRemote(job);
  }

  /** Takes the answer where there is one, and sends the request anew where Redis knows nothing of it any more. */
  async #check(job: RemoteJob): Promise<void> {
    if (!this.#jobs.has(job.id)) return;
    const { id, blob } = job;
    const { commands } = this.#connection;
    const size = await job.size;
    const limit = answerLimit(size);
    this.#connection.allow(limit);
    const { answer, fault, hasRequest, hasJob, failure } = await collect(
      commands,
      this.#names,
      id,
      limit,
      this.#times,
    );
    if (answer !== null) return this.#take(job, answer, size);
    if (fault !== null) return this.#refuse(job, fault);
    if (!this.#jobs.has(id)) return;
    if (failure !== null) return this.#ended(id, failure);
    if (!hasJob) {
      if (job.sends < MAX_SENDS) return this.#send(job);
      throw new M2fpError(
        'M2FP_ENGINE_UNAVAILABLE',
        `Redis forgot the picture ${MAX_SENDS} times: does it have memory enough, and a policy of noeviction?`,
      );
    }
    if (!hasRequest) await putRequest(commands, this.#names, id, blob, this.#times);
  }

  async #take(job: RemoteJob, bytes: Buffer, size: ImageSize | null): Promise<void> {
    const answer = await unpackAnswer(bytes, size).catch((error: unknown) => ({ error }));
    if (!this.#settle(job)) return;
    if ('parsing' in answer) job.resolve(answer.parsing);
    else job.reject(answer.error);
    // A request that went out twice may be with another worker, too.
    if (job.sends > 1) this.#cancelRemote(job);
  }

  #refuse(job: RemoteJob, fault: string): void {
    if (!this.#settle(job)) return;
    job.reject(
      new M2fpError(
        'M2FP_ENGINE_UNAVAILABLE',
        `What the worker answered is no answer to the picture: ${fault}.`,
      ),
    );
    this.#cancelRemote(job);
  }

  /** False where it was settled before. */
  #settle({ id }: RemoteJob): boolean {
    return this.#jobs.delete(id);
  }

  /** Has Redis and the worker forget a request that is settled. While there is no connection, that waits for it. */
  #cancelRemote(job: RemoteJob): void {
    const done = this.#remove(job).finally(() => this.#cancelling.delete(done));
    this.#cancelling.add(done);
  }

  async #remove({ id, busy }: RemoteJob): Promise<void> {
    try {
      await busy;
      const { commands } = this.#connection;
      await commands.del(this.#names.request(id), this.#names.answer(id));
      if ((await this.#queue.remove(id)) === 0) await commands.publish(this.#names.cancelled, id);
    } catch {
      // The connection was closed, or Redis refuses: its request is looked after no more, and expires.
    }
  }
}

/** The size of what comes of a picture. Of network input, that is its source's. */
async function sizeOf(image: RemoteRequest['image'], maxPixels: number): Promise<ImageSize | null> {
  const size = Buffer.isBuffer(image) ? await imageSize(image) : image.source;
  return size === null || size.width * size.height > maxPixels ? null : size;
}

function ignore(): void {}
