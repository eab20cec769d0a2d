/** What promises lack: to wait no longer than a signal allows, to pause, and to be worked out once for all who ask. */
import { type Clock, systemClock, type Timer } from './clock.ts';

/** What a message brings in place of a value, in words. */
export const A_PROMISE = 'a Promise: await it in the function node, and send what it gives';

/** Whether waiting for `value`, or returning it out of an async function, waits for something else, perhaps for ever. */
export function isThenable(value: unknown): boolean {
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function';
  return isObject && typeof (value as { then?: unknown }).then === 'function';
}

/**
 * What `result` comes to, or the reason of `signal` as soon as it aborts. `result` goes on then, and nobody is told of its
 * end: a rejection that comes later is no unhandled one.
 */
export function raceSignal<T>(result: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return result;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

export interface SleepOptions {
  clock?: Clock;
  /** Rejects with its reason as soon as it aborts. */
  signal?: AbortSignal | undefined;
  /** Whether the pause does not keep the process alive. */
  background?: boolean;
}

/** Resolves after `ms` milliseconds. */
export async function sleep(ms: number, options: SleepOptions = {}): Promise<void> {
  const { clock = systemClock, signal, background = false } = options;
  signal?.throwIfAborted();
  let timer: Timer | undefined;
  const rang = new Promise<void>((resolve) => {
    timer = clock.after(ms, resolve, { background });
  });
  try {
    await raceSignal(rang, signal);
  } finally {
    timer?.cancel();
  }
}

/** A result that is worked out once, for all who ask. */
export class MemoizedPromise<T> {
  #result: Promise<T> | undefined;

  /** The result, of `work` where there is none. A failure is not kept: who asks after it works again. */
  get(work: () => Promise<T>): Promise<T> {
    if (this.#result) return this.#result;
    const result = work();
    this.#result = result;
    result.catch(() => {
      if (this.#result === result) this.#result = undefined;
    });
    return result;
  }

  /** Returns the result that was kept, or is being worked out. */
  forget(): Promise<T> | undefined {
    const result = this.#result;
    this.#result = undefined;
    return result;
  }
}

/** Those who want to be told of something. */
export class Listeners<T> {
  readonly #listeners = new Set<(event: T) => void>();

  get size(): number {
    return this.#listeners.size;
  }

  /** Returns the function that ends the subscription. */
  add(listener: (event: T) => void): () => void {
    // A function of its own: one that is added twice is told twice, and ended one at a time.
    const own = (event: T): void => listener(event);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  notify(event: T): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        // A listener's fault must not stop whoever tells; thrown later it would end the process.
        process.emitWarning(error instanceof Error ? error : String(error));
      }
    }
  }
}
