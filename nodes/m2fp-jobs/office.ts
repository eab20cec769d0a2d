/** What the node does with jobs, whoever brings them: keeps them, sends them into the flow when it runs, tells of them. */
import { MemoizedPromise } from '../../src/async.ts';
import { type Clock, systemClock, type Timer } from '../../src/clock.ts';
import type { JobEvent, WebhookEvent } from '../../src/engine/events.ts';
import { M2fpError } from '../../src/errors.ts';
import { cancelled, noJob, noResult } from '../../src/service/jobs/outcomes.ts';
import { JobRunner } from '../../src/service/jobs/runner.ts';
import type { Claim, Job, JobCounts, JobOutcome, JobResult, JobStore } from '../../src/service/jobs/types.ts';
import { WebhookSender } from '../../src/service/jobs/webhook/sender.ts';
import { checkWebhook } from '../../src/service/jobs/webhook/targets.ts';
import type { JobSettings } from './config.ts';

export interface OfficeOptions {
  settings: JobSettings;
  /** Opens where jobs are kept. */
  open: (signal: AbortSignal) => Promise<JobStore>;
  send: (claim: Claim, run: number) => void;
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
    const { settings, send, onError, onJob, onCall } = this.#options;
    const { targets, key, inFlight, timeout } = settings;
    try {
      const store = await this.#opened();
      if (this.#closed.signal.aborted) return;
      const onChange = (): void => void this.#count(store);
      store.subscribe(onChange);
      store.onEnded(onJob);
      this.#runner = new JobRunner({ store, inFlight, timeout, send, onError, onChange, clock: this.#clock });
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
  async accept(image: Buffer, message: Record<string, unknown>, webhook: unknown): Promise<Job> {
    const address =
      webhook === undefined || webhook === '' ? null : checkWebhook(webhook, this.#options.settings.targets);
    const store = await this.#opened();
    const job = await store.add({ image, message, webhook: address });
    this.#options.onJob('accepted');
    return job;
  }

  /** @throws {M2fpError} `M2FP_JOB_NOT_FOUND` */
  async look(id: unknown): Promise<Job> {
    const job = typeof id === 'string' ? await (await this.#opened()).get(id) : undefined;
    if (job) return job;
    throw noJob();
  }

  /** @throws {M2fpError} `M2FP_JOB_NOT_DONE` where there is none yet */
  async result({ id, state }: Job): Promise<JobResult> {
    const result = await (await this.#opened()).result(id);
    if (result) return result;
    throw noResult(state);
  }

  /** @returns the cancelled job; undefined where it had ended, and is forgotten. @throws {M2fpError} `M2FP_JOB_NOT_FOUND` */
  async cancel(id: unknown): Promise<Job | undefined> {
    const job = await this.look(id);
    const store = await this.#opened();
    if (await store.end(job.id, cancelled())) return store.get(job.id);
    await store.forget(job.id);
    return undefined;
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
    return this.#store.get(() => this.#options.open(signal));
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
