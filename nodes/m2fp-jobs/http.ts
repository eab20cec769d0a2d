/** What an HTTP request wants of jobs, and what it is answered. */
import type { NodeMessageInFlow } from 'node-red';
import { checkCancel, wantsResult } from '../../src/service/job-query.ts';
import type { AcceptedJob } from '../../src/service/jobs/types.ts';
import { isInView, jobView, problemOfEnded, viewWithResult } from '../../src/service/jobs/view.ts';
import { ownerOf } from '../common/requester.ts';
import type { JobOffice } from './office.ts';

/** What a node of "http in" brings. */
interface HttpRequest {
  method?: unknown;
  originalUrl?: unknown;
  params?: Record<string, unknown>;
  headers?: Record<string, unknown>;
}

export function requestOf(msg: NodeMessageInFlow): HttpRequest | undefined {
  const request: unknown = msg['req'];
  return typeof request === 'object' && request !== null ? request : undefined;
}

/** Seconds after which to look again. */
const SOON = '1';

const HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

/** Tells of a job that was accepted, now or before; `Location` leads to it. */
export function accepted(msg: NodeMessageInFlow, job: AcceptedJob): void {
  const request = requestOf(msg);
  const path = request ? below(request, job.id) : job.id;
  const place: Record<string, string> = request ? { location: path, 'retry-after': SOON } : {};
  answer(msg, 202, jobView(job, path), { ...place, ...(job.isAgain && { 'idempotent-replayed': 'true' }) });
}

/**
 * Answers a request for a job: GET tells of it, with `?result` only what came of it; DELETE cancels or forgets it. To all but
 * the one whose job it is, there is none.
 */
export async function answerTo(
  msg: NodeMessageInFlow,
  request: HttpRequest,
  office: JobOffice,
): Promise<void> {
  const id = request.params?.['id'];
  const url = urlOf(request);
  const path = itself(request);
  const asker = ownerOf(request);
  if (request.method === 'DELETE') {
    checkCancel(url);
    const job = await office.cancel(id, asker);
    if (job) answer(msg, 200, jobView(job, path));
    else answer(msg, 204, '');
    return;
  }
  const isAlone = wantsResult(url);
  const job = await office.look(id, asker);
  if (isAlone) {
    if (job.failure !== null) {
      // As bytes: Express adds a charset to what it makes JSON of.
      const body = Buffer.from(JSON.stringify(problemOfEnded(job)));
      answer(msg, 410, body, { 'content-type': 'application/problem+json' });
      return;
    }
    const { statusCode, headers, body } = await office.result(job);
    answer(msg, statusCode, body, headers);
    return;
  }
  const view = jobView(job, path);
  const type = { 'content-type': 'application/json; charset=utf-8' };
  if (isInView(job)) answer(msg, 200, viewWithResult(view, await office.result(job)), type);
  else answer(msg, 200, view, job.ended === null ? { 'retry-after': SOON } : {});
}

const urlOf = ({ originalUrl }: HttpRequest): string => (typeof originalUrl === 'string' ? originalUrl : '');

/** The last piece of the path, and whether a slash follows. */
function endOf(request: HttpRequest): { name: string; hasSlash: boolean } {
  const path = urlOf(request).split(/[?#]/, 1)[0]!;
  const hasSlash = path.endsWith('/');
  return { name: (hasSlash ? path.slice(0, -1) : path).split('/').at(-1)!, hasSlash };
}

/** Where `name` lies below what was asked for, relative to that: a proxy may show the service at another address. */
function below(request: HttpRequest, name: string): string {
  const end = endOf(request);
  return end.hasSlash ? name : `${end.name}/${name}`;
}

/** The same of what was asked for. */
function itself(request: HttpRequest): string {
  const { name, hasSlash } = endOf(request);
  return hasSlash ? `../${name}` : name;
}

function answer(
  msg: NodeMessageInFlow,
  statusCode: number,
  payload: unknown,
  headers: Record<string, string> = {},
): void {
  msg['statusCode'] = statusCode;
  msg['headers'] = { ...HEADERS, ...headers };
  msg.payload = payload;
}
