/** How long the editor waits for workers, which may be far away, or not there. */
import { M2fpError } from '../../src/errors.ts';

/** A signal that aborts with `M2FP_ENGINE_UNAVAILABLE` after `ms`; it does not keep the process alive. */
export function workerTimeout(ms: number): AbortSignal {
  const abort = new AbortController();
  const message = `No worker told of itself within ${ms / 1000} s: is the address right, and does one run?`;
  setTimeout(() => abort.abort(new M2fpError('M2FP_ENGINE_UNAVAILABLE', message)), ms).unref();
  return abort.signal;
}
