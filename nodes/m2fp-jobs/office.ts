/** What the node does with jobs, whoever brings them: keeps them, sends them into the flow when it runs, tells of them. */
import { MemoizedPromise } from '../../src/async.ts';
import { type Clock, systemClock, type Timer } from '../../src/clock.ts';
import type { JobEvent, WebhookEvent } from '../../src/engine/events.ts';
import { M2fpError } from '../../src/errors.ts';
import { cancelled, noJob, noResultYet, unreadable } from '../../src/service/jobs/outcomes.ts';
import { JobRunner } from '../../src/service/jobs/runner.ts';
import type {
  AcceptedJob,
  Claim,
  Job,
  JobCounts,
  JobOutcome,
  JobResult,
  JobStore,
  NewJob,
} from '../../src/service/jobs/types.ts';
import { WebhookSender } from '../../src/service/jobs/webhook/sender.ts';
import { checkWebhook } from '../../src/service/jobs/webhook/targets.ts';
import type { JobSettings } from './config.ts';

export interface OfficeOptions {
  settings: JobSettings;
  /** Opens where jobs are kept. */
  open: (signal: AbortSignal) => Promise<JobStore>;
  send: (claim: Claim, run: number) => void;
  /** Whether the engine is down. */
  isDown: () => Promise<boolean>;
  onError: (error: unknown) => void;
  /** Told how many wait and run. */
  onChange: (queued: number, running: number) => void;
  /** Told of each job that is accepted, and of how it ended where that was here. */
  onJob: (what: JobEvent['what']) => void;
  /** Told of each call of a webhook. */
  onCall: (outcome: WebhookEvent['outcome']) => void;
  clock?: Clock;
}

/** Pause before the store is opened once more, milliseconds. */
const RETRY = 5000;

export class JobOffice {
  readonly #options: OfficeOptions;
  readonly #clock: Clock;
  readonly #store = new MemoizedPromise<JobStore>();
  readonly #closed = new AbortController();
  #runner: JobRunner | undefined;
  #sender: WebhookSender | undefined;
  #timer: Timer | undefined;
  #starting: Promise<void> | undefined;
  #isCounting = false;
  /** Where jobs are kept, or why that could not be opened the last time. */
  #state: { store: JobStore } | { failure: unknown } | undefined;

  constructor(options: OfficeOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** The flow runs: what waits is sent, what was in the flow before is sent once more. Never rejects. */
  start(): Promise<void> {
    if (this.#runner) return this.#runner.restart();
    this.#starting ??= this.#begin().finally(() => (this.#starting = undefined));
    return this.#starting;
  }

  async #begin(): Promise<void> {
    this.#timer?.cancel();
    const { settings, send, isDown, onError, onCall } = this.#options;
    const { targets, key, inFlight, timeout } = settings;
    try {
      const store = await this.#opened();
      if (this.#closed.signal.aborted) return;
      const onChange = (): void => void this.#count(store);
      store.subscribe(onChange);
      const clock = this.#clock;
      this.#runner = new JobRunner({ store, inFlight, timeout, send, isDown, onError, onChange, clock });
      this.#runner.start();
      if (key) {
        this.#sender = new WebhookSender({ store, targets, key, onError, onCall, clock: this.#clock });
        this.#sender.start();
      }
    } catch (error) {
      if (this.#closed.signal.aborted) return;
      onError(error);
      this.#timer = this.#clock.after(RETRY, () => void this.start(), { background: true });
    }
  }

  /** @throws {M2fpError} `M2FP_BAD_OPTION` for a webhook that is not allowed; where the job cannot be kept, why */
  async accept({ webhook, ...job }: Omit<NewJob, 'webhook'> & { webhook: unknown }): Promise<AcceptedJob> {
    const address =
      webhook === undefined || webhook === '' ? null : checkWebhook(webhook, this.#options.settings.targets);
    const store = await this.#opened();
    return store.add({ ...job, webhook: address });
  }

  /**
   * @param asker whose the job must be, unless it is nobody's; undefined where nobody is told apart
   * @throws {M2fpError} `M2FP_JOB_NOT_FOUND`, also for somebody else's; `M2FP_ENGINE_UNAVAILABLE` where nothing can be read
   */
  async look(id: unknown, asker: string | undefined): Promise<Job> {
    const job = typeof id === 'string' ? await this.#reach((store) => store.get(id)) : undefined;
    if (!job || (job.owner !== null && asker !== undefined && job.owner !== asker)) throw noJob();
    return job;
  }

  /** @throws {M2fpError} `M2FP_JOB_NOT_DONE` where there is none yet */
  async result({ id }: Job): Promise<JobResult> {
    const result = await this.#reach((store) => store.result(id));
    if (result) return result;
    throw noResultYet();
  }

  /** @returns the cancelled job; undefined where it had ended, and is forgotten. @throws {M2fpError} as {@link look} */
  async cancel(id: unknown, asker: string | undefined): Promise<Job | undefined> {
    const job = await this.look(id, asker);
    return this.#reach(async (store) => {
      if (await store.end(job.id, cancelled())) return store.get(job.id);
      await store.forget(job.id);
      return undefined;
    });
  }

  /** What keeps jobs from being kept in the folder here; undefined where nothing does. Never rejects. */
  async folderProblem(): Promise<string | undefined> {
    const state = this.#state;
    if (state === undefined) return undefined;
    if ('store' in state) return (await state.store.problem()) ?? undefined;
    const { failure } = state;
    return failure instanceof M2fpError && failure.code === 'M2FP_NOT_KEPT' ? failure.message : undefined;
  }

  async counts(): Promise<JobCounts> {
    return (await this.#opened()).counts();
  }

  async end(id: string, run: number, outcome: JobOutcome): Promise<boolean> {
    return (await this.#runner?.end(id, run, outcome)) ?? false;
  }

  signalOf(id: string, run: number): AbortSignal | undefined {
    return this.#runner?.signalOf(id, run);
  }

  /** What is in the flow goes back into line. */
  async close(): Promise<void> {
    this.#closed.abort(new M2fpError('M2FP_CANCELLED', 'The node was stopped.'));
    this.#timer?.cancel();
    await this.#starting;
    await this.#sender?.stop();
    await this.#runner?.stop();
    await (await this.#store.forget()?.catch(() => undefined))?.close();
  }

  #opened(): Promise<JobStore> {
    const { signal } = this.#closed;
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    return this.#store.get(() => this.#open(signal));
  }

  async #open(signal: AbortSignal): Promise<JobStore> {
    try {
      const { open, onJob } = this.#options;
      const store = await open(signal);
      store.onAccepted(() => onJob('accepted'));
      store.onEnded(onJob);
      this.#state = { store };
      return store;
    } catch (failure) {
      this.#state = { failure };
      throw failure;
    }
  }

  /** What `work` makes of the store, for who does not bring a job. */
  async #reach<T>(work: (store: JobStore) => Promise<T>): Promise<T> {
    try {
      return await work(await this.#opened());
    } catch (error) {
      throw unreadable(error);
    }
  }

  async #count(store: JobStore): Promise<void> {
    if (this.#isCounting) return;
    this.#isCounting = true;
    try {
      const { queued, running } = await store.counts();
      if (!this.#closed.signal.aborted) this.#options.onChange(queued, running);
    } catch {
      // Who asks for a job is told what is wrong.
    } finally {
      this.#isCounting = false;
    }
  }
}
