/** Trying again what a bad network spoilt. */
import { sleep } from '../async.ts';
import type { Clock } from '../clock.ts';
import { M2fpError } from '../errors.ts';

/** Failures in a row, without progress in between, after which it gives up. */
const ATTEMPTS = 6;
const FIRST_DELAY = 1000;
const LONGEST_DELAY = 30_000;
/** A server that asks for more patience than this, in milliseconds, is not waited for. */
const MAX_RETRY_AFTER = 10 * 60_000;

/** A failure that may be gone the next time. */
export class TransientError extends Error {
  /** Milliseconds that the server asks to wait. */
  readonly retryAfter: number;
  /** What the server answered with; null where the connection failed. */
  readonly status: number | null;

  constructor(
    message: string,
    {
      retryAfter = 0,
      status = null,
      ...options
    }: ErrorOptions & { retryAfter?: number; status?: number | null } = {},
  ) {
    super(message, options);
    this.retryAfter = retryAfter;
    this.status = status;
  }
}

/** A pause before the next attempt, for whoever looks on. */
export interface Retry {
  /** What the server answered with; null where the connection failed. */
  status: number | null;
  /** What failed, in words. */
  reason: string;
  /** From the failure to the next attempt, whole seconds. */
  seconds: number;
  /** Which one the next attempt is after the first failure, from 1 on. */
  attempt: number;
  /** After so many it gives up. */
  attempts: number;
}

export interface RetryOptions {
  clock: Clock;
  /** A number from 0 to 1, for the jitter. */
  random: () => number;
  signal: AbortSignal;
  /** Tells how far the work has come: failures count from zero again once it has come further than ever. */
  reached?: () => number;
  /** Told before each pause, and null when it is over. */
  onRetry?: (retry: Retry | null) => void;
}

/**
 * Runs `work` until it succeeds; waits longer and longer between attempts, by chance a little more or less so
 * that many clients do not come back at once.
 * @throws what `work` throws unless it is a {@link TransientError}; M2fpError M2FP_DOWNLOAD_FAILED after the last
 *   attempt; the signal's reason
 */
export async function retry<T>(
  work: () => Promise<T>,
  { clock, random, signal, reached = () => 0, onRetry }: RetryOptions,
): Promise<T> {
  let failures = 0;
  let furthest = reached();
  for (;;) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof TransientError)) throw error;
      const now = reached();
      failures = now > furthest ? 1 : failures + 1;
      furthest = Math.max(furthest, now);
      if (failures === ATTEMPTS || error.retryAfter > MAX_RETRY_AFTER) throw givenUp(error, failures);
      const delay = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** (failures - 1));
      const pause = Math.max(error.retryAfter, delay * (0.5 + random() / 2));
      onRetry?.({
        status: error.status,
        reason: error.message,
        seconds: Math.max(1, Math.round(pause / 1000)),
        attempt: failures,
        attempts: ATTEMPTS - 1,
      });
      await sleep(pause, { clock, signal });
      onRetry?.(null);
    }
  }
}

function givenUp(error: TransientError, failures: number): M2fpError {
  const end =
    error.retryAfter > MAX_RETRY_AFTER
      ? `The server asks to come back in ${Math.ceil(error.retryAfter / 60_000)} minutes.`
      : `Gave up after ${failures} attempts; what has arrived is kept, the next attempt goes on from there.`;
  return new M2fpError('M2FP_DOWNLOAD_FAILED', `${error.message}. ${end}`, { cause: error });
}
