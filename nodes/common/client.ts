/** Whether anybody still waits for the answer to an HTTP message, and the answer where the flow gives none. */
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { NodeMessageInFlow } from 'node-red';
import { M2fpError } from '../../src/errors.ts';
import { problemAnswer } from '../../src/service/problem-answer.ts';
import { jobOf, whenJobOver } from './job.ts';
import { SharedListener } from './shared-listener.ts';

/**
 * Calls `onGone`, at most once, when the client of a message from an HTTP In node closes the connection before
 * it has its answer, or the job that a message is about is over; other messages have no client. Returns the function that
 * ends the watch.
 */
export function whenClientGone(msg: NodeMessageInFlow, onGone: (error: M2fpError) => void): () => void {
  const job = jobOf(msg);
  if (job) return whenJobOver(job, onGone);
  const response = responseOf(msg);
  if (response === undefined) return () => {};

  const onClose = (): void => {
    if (response.writableEnded) return;
    onGone(
      new M2fpError('M2FP_CANCELLED', 'The HTTP client closed the connection before the answer was ready.'),
    );
  };
  if (response.destroyed) {
    onClose();
    return () => {};
  }
  return closing.add(response, onClose);
}

/** A message may go to any number of nodes at once. */
const closing = new SharedListener('close');

/** Milliseconds that the flow has to answer a message that a close ended: it may be closed itself. */
const PATIENCE = 2000;

/** Seconds after which the client may try again; a deploy takes less. */
const RETRY_AFTER = 1;

interface OwnAnswer {
  statusCode: number;
  headers: OutgoingHttpHeaders;
  body: Buffer | string;
}

/**
 * Answers the client of a message that ended with `error` because its node was closed or refused it, unless the flow does so
 * before: a full deploy closes the Catch and HTTP Response nodes, too, and the client would wait for its own time limit.
 * The status is that of the code, as a flow that is not closed gives it.
 * Does nothing for other messages.
 */
export function answerUnlessFlowDoes(
  msg: NodeMessageInFlow,
  error: M2fpError,
  answer: OwnAnswer = problemAnswer(error, RETRY_AFTER),
): void {
  const response = responseOf(msg);
  if (response === undefined || isAnswered(response)) return;
  const timer = setTimeout(() => {
    forget();
    write(response, answer);
  }, PATIENCE);
  timer.unref();
  const forget = closing.add(response, () => clearTimeout(timer));
}

/** Answers with the error, unless there is an answer. */
export function answerNow(response: ServerResponse, error: M2fpError): void {
  write(response, problemAnswer(error, RETRY_AFTER));
}

function write(response: ServerResponse, { statusCode, headers, body }: OwnAnswer): void {
  if (isAnswered(response)) return;
  try {
    response.writeHead(statusCode, headers);
    response.end(body);
  } catch {
    // The connection broke at this very moment, or what stands in for a response takes no answer.
  }
}

/** Calls `work` when the response has ended, or its client has gone. */
export function whenAnswered(response: ServerResponse, work: () => void): void {
  closing.add(response, work);
}

/** Whether the client of the message has its answer already, whoever gave it. */
export function hasAnswer(msg: NodeMessageInFlow): boolean {
  return responseOf(msg)?.headersSent === true;
}

function isAnswered({ headersSent, writableEnded, destroyed }: ServerResponse): boolean {
  return headersSent || writableEnded || destroyed;
}

/** True where somebody waits for an answer over HTTP, or of a job, so that the message must not end without one. */
export function hasClient(msg: NodeMessageInFlow): boolean {
  if (jobOf(msg)) return true;
  return typeof msg['res'] === 'object' && msg['res'] !== null;
}

/** The response that the core HTTP In node wraps into `msg.res`. */
export function responseOf(msg: NodeMessageInFlow): ServerResponse | undefined {
  const wrapper = msg['res'];
  if (typeof wrapper !== 'object' || wrapper === null) return undefined;
  try {
    const response = (wrapper as { _res?: Partial<ServerResponse> })._res;
    return typeof response?.once === 'function' ? (response as ServerResponse) : undefined;
  } catch {
    // A flow may put anything there, with getters that throw.
    return undefined;
  }
}
