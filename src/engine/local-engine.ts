/** An engine on this machine: a bounded waiting line in front of a supervised child process. */
import { M2fpError, serializeError } from '../errors.ts';
import type { ModelManifest } from '../m2fp/manifest.ts';
import type { Parsing } from '../parsing/types.ts';
import { entryPoint } from '../paths.ts';
import { systemClock, type Clock } from '../clock.ts';
import { Job } from './job.ts';
import { checkParseOptions } from './options.ts';
import { checkPicture } from './picture.ts';
import { asBuffer, type ChildParsing } from './protocol.ts';
import { DEFAULT_PATIENCE, Supervisor, type Patience } from './supervisor.ts';
import type {
  Engine,
  EngineInfo,
  EngineListener,
  EngineOptions,
  EngineState,
  ParseRequest,
} from './types.ts';

/** What tests replace. */
export interface EngineInternals {
  /** The file that the child process runs. */
  entry?: string;
  clock?: Clock;
  patience?: Partial<Patience>;
}

export class LocalEngine implements Engine {
  readonly #manifest: ModelManifest;
  readonly #options: Required<EngineOptions>;
  readonly #clock: Clock;
  readonly #supervisor: Supervisor;
  readonly #listeners = new Set<EngineListener>();
  /** In the order that they came. Never longer than `maxQueue` plus the one that the free process will take. */
  #waiting: Job[] = [];
  /** What the child works on, even when its caller has given up. */
  #running: Job | null = null;
  /** The start that the waiting jobs depend on. */
  #attempt: Promise<void> | null = null;
  #closed = false;
  #told = '';

  /** Options in full, as `completeEngineOptions` gives them. Starts nothing. */
  constructor(manifest: ModelManifest, options: Required<EngineOptions>, internals: EngineInternals = {}) {
    this.#manifest = manifest;
    this.#options = options;
    this.#clock = internals.clock ?? systemClock;
    this.#supervisor = new Supervisor({
      entry: internals.entry ?? entryPoint('engine/child'),
      load: { model: options.model, digest: manifest.digest, threads: options.threads },
      clock: this.#clock,
      patience: { ...DEFAULT_PATIENCE, ...internals.patience },
      onChange: () => this.#follow(),
    });
    this.#told = this.#summary();
  }

  async load(): Promise<EngineInfo> {
    this.#checkOpen();
    this.#supervisor.forgive();
    await this.#supervisor.start();
    return this.info();
  }

  async parse({ image, options = {}, signal }: ParseRequest): Promise<Parsing> {
    this.#checkOpen();
    const checked = checkParseOptions(options);
    const picture = checkPicture(image, this.#manifest.input, checked);
    if (signal?.aborted) {
      throw new M2fpError('M2FP_CANCELLED', 'The request was cancelled before it began.', {
        cause: signal.reason,
      });
    }
    if (this.#supervisor.refusal !== null) throw this.#supervisor.refusal;
    const room = this.#options.maxQueue + (this.#running === null ? 1 : 0);
    if (this.#waiting.length >= room) {
      throw new M2fpError(
        'M2FP_BUSY',
        `The engine is busy and its limit of ${this.#options.maxQueue} waiting pictures is reached: send fewer, or raise the limit.`,
      );
    }
    const job = new Job({
      picture,
      options: checked,
      signal,
      since: this.#clock.now(),
      onCancel: (cancelled) => this.#drop(cancelled),
    });
    this.#waiting.push(job);
    this.#pump();
    return job.promise;
  }

  info(): EngineInfo {
    const { facts, failure, pid, restarts } = this.#supervisor;
    const state = this.#state();
    return {
      state,
      manifest: this.#manifest,
      provider: facts?.provider ?? 'cpu',
      loadSeconds: facts?.loadSeconds ?? null,
      waiting: this.#waiting.length,
      threads: this.#options.threads,
      pid,
      restarts,
      failure: state === 'failed' && failure !== null ? serializeError(failure) : null,
    };
  }

  subscribe(listener: EngineListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Waiting requests fail with M2FP_CANCELLED; the running one may finish within the grace time. */
  async unload(): Promise<void> {
    this.#attempt = null;
    this.#failWaiting(new M2fpError('M2FP_CANCELLED', 'The engine was unloaded while the picture waited.'));
    await this.#supervisor.stop();
  }

  /** Unloads for good: whatever is asked of it later fails with M2FP_CANCELLED. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.unload();
  }

  #checkOpen(): void {
    if (this.#closed) throw new M2fpError('M2FP_CANCELLED', 'The engine has been closed.');
  }

  #state(): EngineState {
    if (this.#closed) return 'closed';
    if (this.#running !== null) return 'running';
    if (this.#supervisor.starting) return 'loading';
    if (this.#supervisor.ready) return 'ready';
    return this.#supervisor.failure === null ? 'idle' : 'failed';
  }

  /** Takes up the work in the same step in which the process became ready. */
  #follow(): void {
    if (this.#supervisor.ready) this.#pump();
    else this.#tell();
  }

  /** Gives the child its next picture, or sees to it that there is a child. */
  #pump(): void {
    if (this.#running === null) {
      if (this.#supervisor.ready) void this.#runNext();
      else if (this.#waiting.length > 0) this.#start();
    }
    this.#tell();
  }

  /** All that wait share the fate of one attempt to start; one that `unload` has cancelled is not theirs. */
  #start(): void {
    if (this.#attempt !== null) return;
    const attempt = this.#supervisor.start();
    this.#attempt = attempt;
    const settle = (error: M2fpError | null) => {
      if (this.#attempt !== attempt) return;
      this.#attempt = null;
      if (error === null) this.#pump();
      else this.#failWaiting(error);
    };
    attempt.then(() => settle(null), settle);
  }

  /** Never rejects: whatever happens, the job is told and the next one gets its turn. */
  async #runNext(): Promise<void> {
    const job = this.#waiting.shift();
    if (job === undefined) return;
    this.#running = job;
    const begun = this.#clock.now();
    try {
      const request = { image: job.picture.payload, options: job.options };
      const { parsing } = await this.#supervisor.run(request, this.#options.timeout);
      job.resolve(this.#complete(parsing, job, begun));
    } catch (error) {
      job.reject(error);
    }
    this.#running = null;
    this.#pump();
  }

  #complete(parsing: ChildParsing, job: Job, begun: number): Parsing {
    const { id, digest, precision } = this.#manifest;
    const { width, height, labels, persons, parts } = parsing;
    const { decode, preprocess, inference, postprocess } = parsing.timing;
    return {
      image: job.picture.source,
      width,
      height,
      labels,
      labelMap: asBuffer(parsing.labelMap),
      personMap: asBuffer(parsing.personMap),
      persons,
      parts,
      model: { id, digest, precision, provider: this.info().provider },
      cached: false,
      timing: {
        queue: begun - job.since,
        decode,
        preprocess,
        inference,
        postprocess,
        total: this.#clock.now() - job.since,
      },
    };
  }

  #drop(job: Job): void {
    this.#waiting = this.#waiting.filter((other) => other !== job);
    this.#tell();
  }

  #failWaiting(error: M2fpError): void {
    const failed = this.#waiting;
    this.#waiting = [];
    for (const job of failed) job.reject(error);
    this.#tell();
  }

  /** What subscribers are told the change of. */
  #summary(): string {
    return `${this.#state()} ${this.#waiting.length}`;
  }

  #tell(): void {
    const summary = this.#summary();
    if (summary === this.#told) return;
    this.#told = summary;
    const info = this.info();
    for (const listener of this.#listeners) {
      try {
        listener(info);
      } catch (error) {
        // A listener's fault must not stop the line; thrown later it would end the process.
        process.emitWarning(error instanceof Error ? error : String(error));
      }
    }
  }
}
