/** Outcomes that no flow gives. */
import { M2fpError, type M2fpErrorCode, STATUS_CODES } from '../../errors.ts';
import { timeOf } from './ids.ts';
import type { Job, JobOutcome } from './types.ts';

type Failure = Exclude<JobOutcome, { state: 'done' }>;

/** A job that waits, and was not begun. */
export function noOutcome(id: string): Job {
  return {
    id,
    state: 'queued',
    place: null,
    created: timeOf(id),
    started: null,
    ended: null,
    expires: null,
    attempts: 0,
    failure: null,
    result: null,
    webhook: null,
    owner: null,
  };
}

export function failed(code: M2fpErrorCode, message: string): Failure {
  return { state: 'failed', failure: { code, message, statusCode: STATUS_CODES[code] } };
}

/** Of a job that was begun as often as one may be. @param tries that came to nothing */
export function interruptedTooOften(tries: number): Failure {
  return failed(
    'M2FP_ENGINE_CRASHED',
    `The picture was tried ${tries} times, as often as a job may be, and each time the service or its engine ended or was ` +
      'stopped before there was a result. Send it again, or another one.',
  );
}

/** A failure that says how often its job was begun, where that was not once. */
export function afterTries(outcome: JobOutcome, tries: number): JobOutcome {
  if (outcome.state === 'done' || tries < 2) return outcome;
  const { failure } = outcome;
  return { ...outcome, failure: { ...failure, message: `${failure.message} (After ${tries} tries.)` } };
}

export function cancelled(): Failure {
  const message = 'The job was taken back before it had a result.';
  return {
    state: 'cancelled',
    failure: { code: 'M2FP_CANCELLED', message, statusCode: STATUS_CODES.M2FP_CANCELLED },
  };
}

export function expired(): Failure {
  const message =
    'The job waited for longer than a job may, for others before it or for a service that could not answer: send the picture ' +
    'again.';
  return {
    state: 'expired',
    failure: { code: 'M2FP_TIMEOUT', message, statusCode: STATUS_CODES.M2FP_TIMEOUT },
  };
}

/** What is told where there is no job of the name that is asked for. */
export function noJob(): M2fpError {
  return new M2fpError(
    'M2FP_JOB_NOT_FOUND',
    'There is no such job, or no longer: what came of a job is kept for a while only.',
  );
}

/** What is told of a job that has no result yet. */
export function noResultYet(): M2fpError {
  return new M2fpError('M2FP_JOB_NOT_DONE', 'There is no result of the job yet, which has not ended.');
}

/** What is told where an idempotency key stands for another job. */
export function keyReused(): M2fpError {
  return new M2fpError(
    'M2FP_KEY_REUSED',
    'The Idempotency-Key was sent with another picture, or other options, before: send a new one with each new request.',
  );
}

/** What is told where what is kept cannot be read, or changed. @param error of the file system, or ours */
export function unreadable(error: unknown): unknown {
  // That a job cannot be accepted is no answer to who asks for one.
  if (error instanceof M2fpError && error.code !== 'M2FP_NOT_KEPT') return error;
  const { cause = error } = error as { cause?: unknown };
  const { code } = cause as { code?: unknown };
  // A fault of ours is told as one.
  if (typeof code !== 'string') return error;
  return new M2fpError(
    'M2FP_ENGINE_UNAVAILABLE',
    `What is kept of jobs cannot be read or changed at the moment (${code}).`,
    { cause },
  );
}

/** What is told where no more can be accepted. */
export function full(): M2fpError {
  return new M2fpError(
    'M2FP_BUSY',
    'As many jobs are kept as may be, and the job was not accepted: try again later, or delete jobs that have ended.',
  );
}
