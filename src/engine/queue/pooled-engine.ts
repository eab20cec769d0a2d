/** Every engine: a bounded, fair line in front of a pool, whatever that is made of. */
import { Listeners } from '../../async.ts';
import { M2fpError, serializeError } from '../../errors.ts';
import { limitsFrom } from '../../image/limits.ts';
import type { ImageLimits } from '../../image/types.ts';
import type { ModelManifest } from '../../m2fp/manifest.ts';
import type { Parsing } from '../../parsing/types.ts';
import type { Clock, Timer } from '../../clock.ts';
import { toParsing } from './to-parsing.ts';
import { keptOf, type KeptResult, ResultCache } from './cache.ts';
import { DroppedRequest } from './dropped.ts';
import { type EngineLabels, type RequestEvent, requestEvents } from '../events.ts';
import { fateOf } from './fate.ts';
import { Job } from './job.ts';
import type { Pool, PoolOwner } from './pool.ts';
import { checkParseOptions, checkRequestLimits, completeQueueOptions } from '../options.ts';
import { clone } from './clone.ts';
import { bytesOf, checkImage, digestOf, variantOf, type InputImage } from '../input-image.ts';
import type { ChildParsing } from '../protocol.ts';
import { FairQueue } from './queue.ts';
import { Stops } from './stops.ts';
import type {
  Engine,
  EngineInfo,
  EngineListener,
  EngineOptions,
  EngineState,
  ParseRequest,
  RequestLimits,
  QueueOptions,
} from '../types.ts';
import type { ParseOptions } from '../../parsing/types.ts';

/** What every engine lets its user choose. */
export type LineOptions = Pick<Required<EngineOptions>, 'maxQueue' | 'cacheSize' | 'idleUnload'> &
  Partial<Pick<ImageLimits, 'maxBytes' | 'maxPixels'>>;

export interface PooledEngineSetup<O> {
  manifest: ModelManifest;
  options: O;
  clock: Clock;
  /** Called once. `options` gives those that hold at the moment. */
  pool: (owner: PoolOwner, options: () => O) => Pool;
}

/** A request whose arguments are in order. */
interface CheckedRequest {
  image: InputImage;
  options: ParseOptions;
  queue: Required<QueueOptions>;
  limits: RequestLimits;
  trial: boolean;
  signal: AbortSignal | undefined;
}

const MEBIBYTE = 2 ** 20;

/** An engine of any pool: checks requests, keeps the line and the cache, and gives the pool one job after the other. */
export class PooledEngine<O extends LineOptions = LineOptions> implements Engine {
  readonly #manifest: ModelManifest;
  readonly #labels: EngineLabels;
  #options: O;
  readonly #clock: Clock;
  readonly #queue: FairQueue<Job>;
  readonly #pool: Pool;
  /** Null where no results are kept beyond those that equal pictures in line wait for. */
  #cache: ResultCache | null = null;
  readonly #listeners = new Listeners<EngineInfo>();
  #idle: Timer | null = null;
  #drained: (() => void)[] = [];
  readonly #stops = new Stops();
  #closed = false;
  #lastNotified = '';

  /** Starts nothing. */
  constructor({ manifest, options, clock, pool }: PooledEngineSetup<O>) {
    this.#manifest = manifest;
    this.#labels = { model: manifest.id, digest: manifest.digest.slice(0, 12) };
    this.#options = options;
    this.#clock = clock;
    this.#resizeCache();
    this.#queue = new FairQueue({
      clock,
      isReady: ({ ready }) => ready,
      onDrop: (job, reason) => {
        job.reject(new DroppedRequest(reason));
        this.#pool.pump();
      },
    });
    const waiting = (): number => this.#queue.items().filter(this.#stops.takes).length;
    const owner: PoolOwner = {
      get waiting() {
        return waiting();
      },
      clock,
      labels: this.#labels,
      next: () => this.#next(),
      isWanted: (job) => !job.settled || this.#equalTo(job).length > 0,
      onResult: (job, parsing, queue) => this.#finish(job, parsing, queue),
      onUnavailable: (error) => this.#failWaiting(error),
      onChange: () => this.#changed(),
    };
    this.#pool = pool(owner, () => this.#options);
    this.#lastNotified = this.#summary();
  }

  async load(): Promise<EngineInfo> {
    await this.#stops.loaded(async () => {
      this.#checkOpen();
      await this.#pool.load();
    });
    return this.info();
  }

  /** Parses, and publishes one event on the outcome, unless it is only a trial. */
  async parse(request: ParseRequest): Promise<Parsing> {
    /** Null where it was turned away. */
    let job = null as Job | null;
    const publish = (outcome: Pick<RequestEvent, 'fate' | 'code' | 'cached' | 'queue' | 'timing'>): void => {
      const { caller, trial } = request;
      if (!trial) requestEvents.publish({ engine: this.#labels, ...(caller && { caller }), ...outcome });
    };
    try {
      const parsing = await this.#lineUp(this.#check(request), (queued) => {
        job = queued;
        this.#stops.opened(queued);
      });
      const { cached, timing } = parsing;
      publish({ fate: 'completed', cached, queue: timing.queue, ...(!cached && { timing }) });
      return parsing;
    } catch (error) {
      publish({ ...fateOf(error, job !== null), cached: false, queue: job?.queued ?? 0 });
      throw error;
    } finally {
      if (job !== null) this.#stops.ended(job);
    }
  }

  replaceOlder(queue: QueueOptions): void {
    this.#queue.replaceOlder(completeQueueOptions(queue));
  }

  info(): EngineInfo {
    const { facts, failure, processes, running } = this.#pool;
    const state = this.#state();
    return {
      state,
      manifest: this.#manifest,
      provider: facts.provider,
      fallback: facts.fallback,
      loadSeconds: facts.loadSeconds,
      waiting: this.#queue.size,
      maxQueue: this.#options.maxQueue,
      cache: this.#cache?.info() ?? null,
      running,
      threads: facts.threads,
      processes: this.#closed ? processes.map((one) => ({ ...one, state: 'closed' as const })) : processes,
      pid: processes.find(({ pid }) => pid !== null)?.pid ?? null,
      restarts: processes.reduce((sum, { restarts }) => sum + restarts, 0),
      failure: state === 'failed' && failure !== null ? serializeError(failure) : null,
      disconnected: this.#pool.disconnected,
      retryIn: state === 'failed' ? this.#pool.retryIn : null,
    };
  }

  subscribe(listener: EngineListener): () => void {
    return this.#listeners.add(listener);
  }

  /** Takes over other options: from the next request, run or start on. */
  configure(options: O): void {
    this.#options = options;
    this.#resizeCache();
    this.#changed();
  }

  unload(): Promise<void> {
    return this.#stops.inTurn(() => this.#stop(false));
  }

  restart(): Promise<EngineInfo> {
    return this.#stops.inTurn(async () => {
      await this.#stop(true);
      this.#checkOpen();
      await this.#pool.load();
      return this.info();
    });
  }

  /**
   * Ends it for good: whatever waits, or is asked of it later, fails with M2FP_CANCELLED; the running ones may finish
   * within the grace time.
   */
  async close(): Promise<void> {
    this.#closed = true;
    this.#failWaiting(new M2fpError('M2FP_CANCELLED', 'The engine was closed while the picture waited.'));
    this.#cache?.clear();
    await this.#pool.stop();
  }

  /** Resolves when nothing waits and nothing runs. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#drained.push(resolve);
      this.#changed();
    });
  }

  /** Throws for arguments that no engine could do anything with. */
  #check({
    image,
    options = {},
    queue = {},
    limits = {},
    trial = false,
    signal,
  }: ParseRequest): CheckedRequest {
    const checked = checkParseOptions(options);
    const own = checkRequestLimits(limits);
    return {
      image: checkImage(image, this.#manifest.input, checked, limitsFrom({ ...this.#options, ...own })),
      options: checked,
      queue: completeQueueOptions(queue),
      limits: own,
      trial,
      signal,
    };
  }

  /** Throws at once where the picture has no place in the line; one whose result is kept needs none. */
  #lineUp(
    { image, options, queue, limits, trial, signal }: CheckedRequest,
    onQueued: (job: Job) => void,
  ): Promise<Parsing> {
    this.#checkOpen();
    if (signal?.aborted) {
      throw new M2fpError('M2FP_CANCELLED', 'The request was cancelled before it began.', {
        cause: signal.reason,
      });
    }
    const variant = variantOf(image, options, this.#manifest.input);
    const job = new Job({
      image,
      options,
      variant,
      limits,
      trial,
      signal,
      clock: this.#clock,
      onCancel: (cancelled) => {
        this.#queue.delete(cancelled);
        this.#pool.pump();
      },
    });
    const digest = this.#cache === null ? null : digestOf(bytesOf(image));
    const kept = typeof digest === 'string' ? this.#lookUp(job, digest) : undefined;
    if (kept !== undefined) {
      this.#queue.replaceOlder(queue);
      job.answer(kept);
      return job.promise;
    }
    try {
      this.#pool.check({ image: image.payload, options });
      this.#queue.add(job, queue, { free: this.#pool.free, limit: this.#options.maxQueue });
    } catch (error) {
      job.reject(error);
      return job.promise;
    }
    onQueued(job);
    if (digest !== null && typeof digest !== 'string') void this.#lookUpLater(job, digest);
    this.#pool.pump();
    return job.promise;
  }

  /** What the cache has for it. */
  #lookUp(job: Job, digest: string): KeptResult | undefined {
    job.cacheKey = `${digest} ${job.variant}`;
    return this.#cache?.get(job.cacheKey);
  }

  /** Never rejects. The job has its place in line meanwhile, and whoever comes after it does not overtake it. */
  async #lookUpLater(job: Job, digest: Promise<string>): Promise<void> {
    job.ready = false;
    const found = await digest.catch(() => null);
    job.ready = true;
    const kept = found === null ? undefined : this.#lookUp(job, found);
    if (kept !== undefined && this.#queue.delete(job)) job.answer(kept);
    this.#pool.pump();
  }

  /**
   * Stops the processes when all that was asked before has ended. What comes meanwhile waits, and then starts them again.
   * @param withLoads also waits for loads that are under way
   */
  async #stop(withLoads: boolean): Promise<void> {
    const working = this.#stops.worked(withLoads);
    if (working !== null) {
      await working;
      if (this.#closed) return;
    }
    this.#cache?.clear();
    const stopped = this.#pool.stop();
    this.#stops.resume();
    this.#pool.pump();
    await stopped;
  }

  /** The next one that has to be parsed; those before it get what an equal picture has come to. */
  #next(): Job | undefined {
    for (;;) {
      const job = this.#queue.take(this.#stops.takes);
      if (job === undefined || job.kept === null) return job;
      job.answer(clone(job.kept));
    }
  }

  /** The result is kept for equal pictures until they have had their turn, and beyond that where there is a cache. */
  #finish(job: Job, parsing: ChildParsing, queue: number): void {
    const { provider } = this.#pool.facts;
    const facts = { manifest: this.#manifest, provider, queue, now: this.#clock.now() };
    const complete = toParsing(parsing, job, facts);
    const equal = this.#equalTo(job);
    const kept = equal.length > 0 ? keptOf(complete) : null;
    for (const other of equal) other.kept = kept;
    if (job.cacheKey !== null) this.#cache?.set(job.cacheKey, complete);
    if (!job.settled) job.resolve(complete);
  }

  /** Those in line with an equal picture. */
  #equalTo(job: Job): Job[] {
    return this.#queue.items().filter((other) => other.equals(job));
  }

  #resizeCache(): void {
    const limit = this.#options.cacheSize * MEBIBYTE;
    if (limit === 0) this.#cache = null;
    else if (this.#cache === null) this.#cache = new ResultCache(limit);
    else this.#cache.resize(limit);
  }

  #checkOpen(): void {
    if (this.#closed) throw new M2fpError('M2FP_CANCELLED', 'The engine has been closed.');
  }

  #state(): EngineState {
    return this.#closed ? 'closed' : this.#pool.state;
  }

  #failWaiting(error: M2fpError): void {
    for (const job of this.#queue.clear()) job.reject(error);
    this.#pool.pump();
  }

  #changed(): void {
    this.#watchIdleness();
    if (this.#queue.size === 0 && this.#pool.running === 0) {
      for (const tell of this.#drained.splice(0)) tell();
    }
    const summary = this.#summary();
    if (summary === this.#lastNotified) return;
    this.#lastNotified = summary;
    this.#listeners.notify(this.info());
  }

  /** Unloads when nothing has been asked for long enough. */
  #watchIdleness(): void {
    this.#idle?.cancel();
    this.#idle = null;
    const { idleUnload } = this.#options;
    if (idleUnload === 0 || this.#state() !== 'ready' || this.#queue.size > 0) return;
    this.#idle = this.#clock.after(idleUnload, () => void this.unload(), { background: true });
  }

  /** What subscribers are told the change of. */
  #summary(): string {
    return `${this.#state()} ${this.#queue.size} ${this.#pool.disconnected?.code}`;
  }
}
