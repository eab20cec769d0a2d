/** What the client of a message wants, where no parsing request node has read it. */
import type { NodeMessageInFlow } from 'node-red';
import { ANSWER_OPTIONS, type AnswerOptions } from '../../src/service/answer-options.ts';
import type { OptionTable } from '../../src/parsing/options/option-table.ts';
import { readClientOptions } from '../../src/service/client-options.ts';
import { queryOf } from '../../src/service/request.ts';

interface HttpRequest {
  headers?: { accept?: string };
  originalUrl?: string;
}

const requestOf = (msg: NodeMessageInFlow): HttpRequest | undefined =>
  (msg as { req?: HttpRequest | null }).req ?? undefined;

/** The header; undefined where the message comes from elsewhere. */
export function acceptOf(msg: NodeMessageInFlow): string | undefined {
  return requestOf(msg)?.headers?.accept;
}

/**
 * The options of the answer in the address; none where a parsing request node has put all of them into `msg.m2fp`. Other
 * names are the flow's own.
 * @throws {M2fpError} `M2FP_BAD_OPTION` for a value that is not allowed
 */
export function optionsInQuery(msg: NodeMessageInFlow): AnswerOptions {
  const { m2fp } = msg as { m2fp?: { response?: unknown } };
  if (m2fp?.response !== undefined) return {};
  const known: OptionTable = ANSWER_OPTIONS;
  const texts = queryOf(requestOf(msg)?.originalUrl ?? '').filter(([name]) => Object.hasOwn(known, name));
  return readClientOptions(texts, {}, { tables: {}, plain: 'infer', allowed: new Set() }).response;
}
