/** Work that several callers wait for: done once, given up when the last of them has gone. */
import { cancellation, throwIfCancelled } from './cancel.ts';

interface Job<T, P> {
  result: Promise<T>;
  controller: AbortController;
  listeners: Set<(progress: P) => void>;
  callers: number;
  /** The last progress, for who comes later. */
  last: P | undefined;
}

export type Work<T, P> = (signal: AbortSignal, tell: (progress: P) => void) => Promise<T>;

export class SingleFlight<T, P> {
  readonly #jobs = new Map<string, Job<T, P>>();

  /**
   * The result of the work of that key: of the one that is under way, else of `work`. Where `signal` aborts, the
   * caller leaves; the last one to leave ends the work, and waits for its end.
   * @throws what the work throws; M2fpError M2FP_CANCELLED
   */
  async join(
    key: string,
    work: Work<T, P>,
    { signal, onProgress = () => {} }: { signal?: AbortSignal; onProgress?: (progress: P) => void },
  ): Promise<T> {
    throwIfCancelled(signal);
    const job = this.#jobs.get(key) ?? this.#begin(key, work);
    // Its own function each time: a caller may come twice with the same one.
    const listener = (progress: P) => onProgress(progress);
    job.listeners.add(listener);
    job.callers++;
    if (job.last !== undefined) listener(job.last);
    try {
      return await this.#outcome(key, job, signal);
    } finally {
      job.listeners.delete(listener);
    }
  }

  #begin(key: string, work: Work<T, P>): Job<T, P> {
    const controller = new AbortController();
    const listeners = new Set<(progress: P) => void>();
    const job: Job<T, P> = {
      controller,
      listeners,
      callers: 0,
      last: undefined,
      result: work(controller.signal, (progress) => {
        job.last = progress;
        for (const listener of listeners) listener(progress);
      }).finally(() => this.#forget(key, job)),
    };
    this.#jobs.set(key, job);
    return job;
  }

  #outcome(key: string, job: Job<T, P>, signal: AbortSignal | undefined): Promise<T> {
    if (signal === undefined) return job.result;
    return new Promise((resolve, reject) => {
      const leave = () => {
        job.callers--;
        if (job.callers > 0) {
          reject(cancellation(signal));
          return;
        }
        // Who asks from now on begins anew.
        this.#forget(key, job);
        job.controller.abort(cancellation(signal));
      };
      signal.addEventListener('abort', leave, { once: true });
      job.result.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
    });
  }

  #forget(key: string, job: Job<T, P>): void {
    if (this.#jobs.get(key) === job) this.#jobs.delete(key);
  }
}
