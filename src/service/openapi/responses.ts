/** Answers, by status, from the table of error codes. */
import { type M2fpErrorCode, STATUS_CODES } from '../../errors.ts';
import { passes, titleOf } from '../problem.ts';

type Code = M2fpErrorCode | 'INTERNAL';

/** What only a job can fail with, or what is told as `INTERNAL`. */
const NOT_FOR_PICTURES: ReadonlySet<string> = new Set([
  'M2FP_NO_PARSING',
  'M2FP_JOB_NOT_FOUND',
  'M2FP_JOB_NOT_DONE',
  'M2FP_KEY_REUSED',
  'M2FP_NOT_KEPT',
]);

const statusOf = (code: Code): number => (code === 'INTERNAL' ? 500 : STATUS_CODES[code]);

export const ok = (description: string, type: string, schema: object): object => ({
  description,
  content: { [type]: { schema } },
});

/** One response for each status that one of `codes` has. */
export function problemsOf(codes: readonly Code[]): Record<number, object> {
  return Object.fromEntries(
    [...new Set(codes.map(statusOf))].map((status) => [
      status,
      {
        description: codes
          .filter((code) => statusOf(code) === status)
          .map((code) => `\`${code}\`: ${titleOf(code)}`)
          .join('; '),
        ...headersOf(codes.filter((code) => statusOf(code) === status)),
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  );
}

function headersOf(codes: readonly Code[]): { headers?: object } {
  const headers = {
    ...(codes.some(passes) && {
      'Retry-After': { description: 'Seconds after which it may succeed.', schema: { type: 'integer' } },
    }),
    ...(codes.includes('M2FP_UNAUTHORIZED') && {
      'WWW-Authenticate': { description: 'How to send a key.', schema: { type: 'string' } },
    }),
  };
  return Object.keys(headers).length > 0 ? { headers } : {};
}

/** Whatever a request for a picture may fail with. @param without codes that it cannot fail with */
export function failures(without: readonly Code[] = []): Record<number, object> {
  const codes = (Object.keys(STATUS_CODES) as M2fpErrorCode[]).filter(
    (code) => !NOT_FOR_PICTURES.has(code) && !without.includes(code),
  );
  return problemsOf([...codes, 'INTERNAL']);
}
