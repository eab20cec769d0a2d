/** What an HTTP client gets that is told of an error. */
import { type ErrorLike, problemOf } from './problem.ts';

/** Status, headers (in lower case) and body of an HTTP response. */
export interface Answer {
  statusCode: number;
  headers: Record<string, string>;
  body: Buffer;
}

/** Nobody keeps what somebody else sent, and an answer depends on what was accepted. */
export const HEADERS = { 'cache-control': 'no-store', vary: 'Accept', 'x-content-type-options': 'nosniff' };

/**
 * The answer that tells a client of an error.
 * @param retryAfter seconds, where more is known than the error's code says
 */
export function problemAnswer(error: ErrorLike, retryAfter?: number): Answer {
  const problem = problemOf(error, retryAfter);
  return {
    statusCode: problem.status,
    headers: {
      ...HEADERS,
      'content-type': 'application/problem+json',
      ...(problem.retryAfter !== undefined && { 'retry-after': String(problem.retryAfter) }),
      // The rest of the body stands between this answer and the next request.
      ...(problem.code === 'M2FP_BODY_TIMEOUT' && { connection: 'close' }),
      ...(problem.code === 'M2FP_UNAUTHORIZED' && { 'www-authenticate': 'Bearer realm="m2fp"' }),
    },
    body: Buffer.from(JSON.stringify(problem)),
  };
}
