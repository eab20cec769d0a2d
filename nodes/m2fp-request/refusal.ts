/** How a request is refused: the flow answers, with what the client is to know beside the error. */
import type { NodeMessageInFlow } from 'node-red';
import { M2fpError } from '../../src/errors.ts';
import { Throttled } from '../../src/service/access.ts';
import { discardRest } from '../../src/service/body/discard.ts';
import { problemAnswer } from '../../src/service/problem-answer.ts';
import { answerUnlessFlowDoes } from '../common/client.ts';
import { isSetupFault } from '../common/failure.ts';
import type { HttpRequest } from './read-request.ts';

/** What a client is to know, whoever writes the body. */
const FOR_CLIENTS: ReadonlySet<string> = new Set(['retry-after', 'www-authenticate', 'connection']);

/** `msg.headers` for the http response node, with or without a parsing response before it. */
export function refusalHeaders(error: unknown): Record<string, string> {
  const { headers } = answerTo(error);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => FOR_CLIENTS.has(name)));
}

function answerTo(error: unknown) {
  return problemAnswer(
    error instanceof Error && !isSetupFault(error) ? error : {},
    error instanceof Throttled ? error.retryAfter : undefined,
  );
}

/** Lets the client go that still sends, and answers it where no Catch node does. */
export function answerLater(msg: NodeMessageInFlow, request: HttpRequest, error: unknown): void {
  discardRest(request);
  if (error instanceof M2fpError && error.code === 'M2FP_CANCELLED') return;
  const failure = error instanceof M2fpError ? error : new M2fpError('M2FP_NO_IMAGE', String(error));
  answerUnlessFlowDoes(msg, failure, answerTo(error));
}
