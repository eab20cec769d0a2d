/** Cancelling as an error of ours, whatever reason the signal was given. */
import { M2fpError } from '../errors.ts';

/** The error for work that `signal` has ended. */
export function cancellation(signal: AbortSignal): M2fpError {
  const reason: unknown = signal.reason;
  if (reason instanceof M2fpError) return reason;
  return new M2fpError('M2FP_CANCELLED', 'The work on the model was cancelled', { cause: reason });
}

/** @throws M2fpError M2FP_CANCELLED, or the signal's reason where that is one of ours */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw cancellation(signal);
}
