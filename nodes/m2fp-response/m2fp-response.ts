import type { Node, NodeAPI, NodeDef, NodeMessageInFlow } from 'node-red';
import { asM2fpError, type M2fpError } from '../../src/errors.ts';
import { optionsInFields } from '../../src/parsing/options/option-table.ts';
import { answerOf } from '../../src/service/answer.ts';
import type { AnswerOptions } from '../../src/service/answer-options.ts';
import type { ErrorLike } from '../../src/service/problem.ts';
import { type Answer, problemAnswer } from '../../src/service/problem-answer.ts';
import { answerUnlessFlowDoes, hasAnswer } from '../common/client.ts';
import { codeOf, INTERNAL_ERROR } from '../common/failure.ts';
import { Outputs, type Result } from '../common/hand-over.ts';
import { endJob } from '../common/job.ts';
import { handleMessages } from '../common/message-handler.ts';
import { optionsInMessage } from '../common/option-names.ts';
import { parsingOf } from '../common/parsing.ts';
import { sequentially } from '../common/sequential.ts';
import { StatusLine } from '../common/status.ts';
import { readForm } from '../common/stored-form.ts';
import { acceptOf, optionsInQuery } from './asked.ts';
import { FIELDS, RESPONSE_SETTINGS } from './config.ts';
import { headersFor, toldIn } from './headers.ts';
import { RetryEstimate } from './retry-estimate.ts';

/** Turns a parsing, or an error, into the answer of an HTTP request. */
export default function (RED: NodeAPI): void {
  function createResponse(this: Node, stored: NodeDef): void {
    RED.nodes.createNode(this, stored);
    const form = readForm(RED, this, FIELDS, stored);
    const { config } = form;
    const status = new StatusLine(RED, this);
    const retry = new RetryEstimate();

    const answerTo = async (msg: NodeMessageInFlow): Promise<Answer> => {
      const parsing = await parsingOf(RED, this, msg, config);
      retry.note(parsing.timing);
      const answer = await answerOf(parsing, {
        accept: acceptOf(msg),
        options: { ...optionsInQuery(msg), ...optionsInMessage<AnswerOptions>(msg, 'response') },
        defaults: optionsInFields(RESPONSE_SETTINGS, config),
      });
      const [, type] = /\/([\w.+-]+)/.exec(answer.headers['content-type']!)!;
      status.done(status.text('result.answered', { type: type! }));
      return answer;
    };

    const tell = async (error: ErrorLike, msg: NodeMessageInFlow): Promise<Answer> => {
      status.error(error);
      return problemAnswer(error, toldIn(msg['headers']) ?? (await retry.seconds(codeOf(error))));
    };

    const inTurn = sequentially(RED, async (msg) => give(msg, await answerTo(msg)));
    const answer = form.guard(status, async (msg, signal) => {
      try {
        return await inTurn(msg, signal);
      } catch (error) {
        if (signal.aborted || codeOf(error) === undefined) throw error;
        return give(msg, await tell(error as M2fpError, msg));
      }
    });
    handleMessages(
      RED,
      this,
      status,
      async (msg, signal) => {
        const error = caughtIn(msg);
        if (error === undefined) {
          return answer(msg, signal).catch((failure: unknown) => {
            // A flow without a Catch node must not leave the client waiting.
            if (!signal.aborted)
              answerUnlessFlowDoes(msg, asM2fpError(failure, 'M2FP_NO_PARSING'), problemAnswer({}));
            throw failure;
          });
        }
        // What is wrong with this node is no fault of the client.
        const isOwn = error.source?.id === this.id;
        return give(msg, await tell(isOwn || isAboutSetup(msg, error) ? {} : error, msg));
      },
      { dropsGone: true },
    );
  }
  RED.nodes.registerType('m2fp-response', createResponse);
}

/** What a Catch node says; undefined for a message that comes from elsewhere. */
function caughtIn(msg: NodeMessageInFlow): (ErrorLike & { source?: { id?: string } }) | undefined {
  const { error } = msg as { error?: unknown };
  if (error === undefined || error === null) return undefined;
  return typeof error === 'object' ? error : { message: error };
}

/** Whether the node where it happened has found that it is about what the service's owner has set. */
function isAboutSetup(msg: NodeMessageInFlow, error: ErrorLike): boolean {
  return codeOf(error) === 'M2FP_BAD_OPTION' && msg['statusCode'] === INTERNAL_ERROR;
}

/** Answers over HTTP; the answer to a picture of a job is kept with the job, and nothing is sent; nor is a second answer. */
async function give(msg: NodeMessageInFlow, answer: Answer): Promise<Result> {
  if (await endJob(msg, answer)) return new Outputs([]);
  // By whoever gave the flow up after a deploy: a second answer is an error of the http response node, which comes here again.
  if (hasAnswer(msg)) return new Outputs([], 'dropped');
  const { statusCode, headers, body } = answer;
  msg['headers'] = headersFor(msg['headers'], headers);
  msg['statusCode'] = statusCode;
  msg.payload = body;
  return [msg];
}
