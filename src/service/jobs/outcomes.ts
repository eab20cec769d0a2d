/** Outcomes that no flow gives. */
import { M2fpError, type M2fpErrorCode, STATUS_CODES } from '../../errors.ts';
import { timeOf } from './ids.ts';
import type { Job, JobOutcome, JobState } from './types.ts';

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
  };
}

export function failed(code: M2fpErrorCode, message: string): Failure {
  return { state: 'failed', failure: { code, message, statusCode: STATUS_CODES[code] } };
}

export function cancelled(): Failure {
  const message = 'The job was taken back before it had a result.';
  return {
    state: 'cancelled',
    failure: { code: 'M2FP_CANCELLED', message, statusCode: STATUS_CODES.M2FP_CANCELLED },
  };
}

export function expired(): Failure {
  const message = 'The job waited for longer than a job may: send the picture again when fewer wait.';
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

const HOW = {
  done: 'is done',
  failed: 'failed',
  cancelled: 'was cancelled',
  expired: 'waited for too long',
} as const;

/** What is told of a job that has no result. */
export function noResult(state: JobState): M2fpError {
  const why = state === 'queued' || state === 'running' ? 'has not ended yet' : `has none: it ${HOW[state]}`;
  return new M2fpError('M2FP_JOB_NOT_DONE', `There is no result of the job, which ${why}.`);
}

/** What is told where no more can be accepted. */
export function full(): M2fpError {
  return new M2fpError(
    'M2FP_BUSY',
    'As many jobs are kept as may be, and the job was not accepted: try again later, or delete jobs that have ended.',
  );
}
