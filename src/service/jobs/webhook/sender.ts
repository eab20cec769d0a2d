/**
 * Calls the webhooks of jobs that have ended, and calls again where there was no good answer. How far that has come lies with
 * the job, so it goes on after a restart; it ends with the job's time.
 */
import { type Clock, systemClock, type Timer } from '../../../clock.ts';
import type { WebhookEvent } from '../../../engine/events.ts';
import { M2fpError } from '../../../errors.ts';
import { timeText } from '../time-text.ts';
import type { Delivery, Job, JobStore } from '../types.ts';
import { post, type PostOptions } from './post.ts';
import { signedHeaders } from './sign.ts';
import type { WebhookTargets } from './targets.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Before the second call, the third and so on; there is none after the last. */
const PAUSES = [
  5 * SECOND,
  30 * SECOND,
  2 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  HOUR,
  3 * HOUR,
  6 * HOUR,
  12 * HOUR,
];

/** How often it is looked whether a call is due, milliseconds. */
const POLL = 1000;
/** Calls at the same time. */
const AT_ONCE = 4;

/** The receiver wants no calls any more. */
const GONE = 410;

export interface SenderOptions {
  store: JobStore;
  targets: WebhookTargets;
  key: Buffer;
  /** Told of calls that failed for good, and of what goes wrong with the store. */
  onError: (error: unknown) => void;
  /** Told of each call that was made. */
  onCall?: (outcome: WebhookEvent['outcome']) => void;
  pauses?: readonly number[];
  timeout?: number;
  resolve?: PostOptions['resolve'];
  clock?: Clock;
  /** Milliseconds since 1970. */
  now?: () => number;
}

export class WebhookSender {
  readonly #options: SenderOptions;
  readonly #clock: Clock;
  readonly #now: () => number;
  readonly #calls = new Set<Promise<void>>();
  readonly #stopped = new AbortController();
  #unsubscribe = (): void => {};
  #timer: Timer | undefined;
  #isLooking = false;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#now = options.now ?? Date.now;
  }

  start(): void {
    this.#unsubscribe = this.#options.store.subscribe(() => void this.#look());
    this.#soon();
    void this.#look();
  }

  /** Breaks off what goes on, which begins again with the next start. */
  async stop(): Promise<void> {
    this.#unsubscribe();
    this.#timer?.cancel();
    this.#stopped.abort(new M2fpError('M2FP_CANCELLED', 'The node was stopped.'));
    await Promise.all(this.#calls);
  }

  #soon(): void {
    this.#timer = this.#clock.after(
      POLL,
      () => {
        void this.#look();
        if (!this.#stopped.signal.aborted) this.#soon();
      },
      { background: true },
    );
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      while (!this.#stopped.signal.aborted && this.#calls.size < AT_ONCE) {
        const delivery = await this.#options.store.delivery();
        if (!delivery) break;
        const call = this.#call(delivery)
          .catch(this.#options.onError)
          .finally(() => {
            this.#calls.delete(call);
            void this.#look();
          });
        this.#calls.add(call);
      }
    } catch (error) {
      this.#options.onError(error);
    } finally {
      this.#isLooking = false;
    }
  }

  async #call(delivery: Delivery): Promise<void> {
    const { job, url, attempts } = delivery;
    const { targets, key, timeout, resolve, onError, onCall, pauses = PAUSES } = this.#options;
    const { signal } = this.#stopped;
    let failure: string;
    try {
      signal.throwIfAborted();
      const body = JSON.stringify(eventOf(job));
      const headers = signedHeaders(key, `job_${job.id}`, this.#now(), body);
      const status = await post(url, headers, body, {
        targets,
        signal,
        ...(timeout !== undefined && { timeout }),
        ...(resolve && { resolve }),
      });
      if ((status >= 200 && status < 300) || status === GONE) {
        onCall?.(status === GONE ? 'unwanted' : 'delivered');
        return await delivery.finish();
      }
      failure = `the answer was ${status}`;
    } catch (error) {
      // It was not the receiver's fault, and is not counted as a try.
      if (signal.aborted) return await delivery.retry(this.#now(), false);
      failure = error instanceof Error ? error.message : String(error);
    }
    const pause = pauses[attempts];
    const next = this.#now() + (pause ?? 0);
    if (pause !== undefined && next < (job.expires ?? Infinity)) {
      onCall?.('failed');
      return await delivery.retry(next, true);
    }
    onCall?.('given_up');
    await delivery.finish();
    const { origin } = new URL(url);
    onError(
      new Error(`The webhook at ${origin} was not told of job ${job.id}, and is called no more: ${failure}.`),
    );
  }
}

/** What is told: that a job has ended, and how; the result is fetched by whoever wants it. */
function eventOf(job: Job): object {
  const { id, state, created, started, ended, expires, failure, result } = job;
  return {
    type: `job.${state}`,
    timestamp: timeText(ended),
    data: {
      id,
      state,
      created: timeText(created),
      started: timeText(started),
      ended: timeText(ended),
      expires: timeText(expires),
      result,
      error: failure && { code: failure.code, message: failure.message, status: failure.statusCode },
    },
  };
}
