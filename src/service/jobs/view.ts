/** What clients see of a job, as JSON. */
import { problemOf } from '../problem.ts';
import { timeText } from './time-text.ts';
import type { Job, JobResult } from './types.ts';

/** Of what comes of a job, that which is put into its JSON as it is. */
const IS_JSON = /^application\/(?:[\w.-]+\+)?json\b/i;

/** There is no result, and there will be none. */
const GONE = 410;

const HOW: Partial<Record<Job['state'], string>> = {
  failed: 'has failed',
  cancelled: 'was cancelled',
  expired: 'has expired',
};

/** RFC 9457, with the code of what the job came to. */
export interface EndedProblem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
}

/** Plain JSON. */
export interface JobView {
  id: string;
  state: Job['state'];
  place: number | null;
  created: string | null;
  started: string | null;
  ended: string | null;
  expires: string | null;
  attempts: number;
  error: { code: string; message: string; status: number } | null;
  /** Where to get what came of it, as it is; null while there is nothing. */
  resultUrl: string | null;
  resultType: string | null;
}

/** @param path of the job, without a query, relative to the address that was asked for */
export function jobView(job: Job, path: string): JobView {
  const { id, state, place, attempts, failure, result } = job;
  return {
    id,
    state,
    place,
    created: timeText(job.created),
    started: timeText(job.started),
    ended: timeText(job.ended),
    expires: timeText(job.expires),
    attempts,
    error: failure && { code: failure.code, message: failure.message, status: failure.statusCode },
    resultUrl: result && `${path}?result`,
    resultType: result && result.type,
  };
}

/** Whether what came of a job stands in its JSON, under `result`. */
export function isInView({ result }: Job): boolean {
  return result !== null && IS_JSON.test(result.type);
}

/** What is told where only the result is asked for of a job that will have none: why, and nothing to wait for. */
export function problemOfEnded({ state, failure }: Job): EndedProblem {
  const { code, message } = failure!;
  const { type, title } = problemOf({ code });
  return { type, title, status: GONE, detail: `The job ${HOW[state] ?? state}: ${message}`, code };
}

/** The JSON of a job with what came of it, which is JSON, too: it may be large, and is not read for that. */
export function viewWithResult(view: JobView, { body }: JobResult): Buffer {
  const text = JSON.stringify(view);
  return Buffer.concat([Buffer.from(`${text.slice(0, -1)},"result":`), body, Buffer.from('}')]);
}
