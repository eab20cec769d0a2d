import type { Node, NodeAPI, NodeDef, NodeMessageInFlow } from 'node-red';
import { checkHeader } from '../../src/image/decode.ts';
import { DEFAULT_LIMITS, MOST_LIMITS } from '../../src/image/limits.ts';
import { deploysOf } from '../common/deploys.ts';
import { watchFitness } from '../common/fitness.ts';
import { Outputs } from '../common/hand-over.ts';
import { imageOf } from '../common/image.ts';
import { openDesk } from '../common/job.ts';
import { handleMessages } from '../common/message-handler.ts';
import { linkModel, modelNode, type ModelUser } from '../common/model.ts';
import { nameOf, Refusals } from '../common/refusals.ts';
import { ownerOf } from '../common/requester.ts';
import { StatusLine } from '../common/status.ts';
import { readForm } from '../common/stored-form.ts';
import { mayJobsBeAnswered } from '../m2fp-request/wired-from.ts';
import { FIELDS, type JobsCredentials } from './config.ts';
import { showLine } from './figures.ts';
import { accepted, answerTo, requestOf } from './http.ts';
import { onceOf } from './idempotency.ts';
import { keptOf, webhookOf } from './kept-message.ts';
import { openOffice } from './open-office.ts';

/** Said of jobs that come to no end: a node behind was deleted, or a wire. */
const UNANSWERED =
  'jobs that are accepted wait, but what the first output sends comes to no parsing response node: wire it through an ' +
  'infer node to one.';

/** Keeps pictures as jobs, sends them into the flow one after the other, and tells what became of them. */
export default function (RED: NodeAPI): void {
  function createJobs(this: Node<JobsCredentials>, stored: NodeDef): void {
    RED.nodes.createNode(this, stored);
    const form = readForm(RED, this, FIELDS, stored);
    const status = new StatusLine(RED, this);
    const report = reporter(this, status);

    const office = openOffice(RED, this, form.config, status, report);
    const work = form.guard(status, async (msg) => {
      const { value, failure } = office;
      if (!value) throw failure;
      const request = requestOf(msg);
      if (request && !bringsPicture(msg)) await answerTo(msg, request, value);
      else {
        const image = await imageOf(
          RED,
          this,
          msg,
          { picture: 'payload', pictureType: 'msg' },
          limits() ?? DEFAULT_LIMITS,
        );
        await checkHeader(image, limits() ?? MOST_LIMITS);
        const owner = ownerOf(request) ?? null;
        const once = await onceOf(request?.headers?.['idempotency-key'], owner, image, msg);
        const job = { image, message: keptOf(msg), webhook: webhookOf(msg), owner, once };
        accepted(msg, await value.accept(job));
      }
      return new Outputs([null, msg]);
    });
    const limits = () => modelNode(RED, form.config.model)?.limits();
    const refusals = new Refusals(() => ({ node: nameOf(this) }));
    handleMessages(RED, this, status, work, {
      // A job that is asked for is no picture.
      onFailure: (msg, error) => bringsPicture(msg) && refusals.ended(msg, error),
    });
    // For what is told of the health: a model that is not there, or is on its way.
    const link = form.config.model ? linkModel(RED, this, form.config.model, watcher(status)) : undefined;

    // Looked for when all nodes of a deploy are there.
    let isAnswered: boolean | undefined;
    watchFitness(this, async () => {
      const message = await office.value?.folderProblem();
      if (message !== undefined) return { code: 'jobs-folder', message };
      isAnswered ??= mayJobsBeAnswered(RED, this);
      return isAnswered ? undefined : { code: 'node-misconfigured', message: UNANSWERED };
    });
    const start = (): void => {
      isAnswered = undefined;
      void office.value?.start();
    };
    const ignoreDeploys = deploysOf(RED).listen({ started: start });
    const closings = office.value ? [openDesk(this.id, office.value), showLine(this, office.value)] : [];
    this.on('close', (_removed: boolean, done: () => void) => {
      ignoreDeploys();
      for (const end of closings) end();
      link?.close();
      const closed = office.value?.close() ?? Promise.resolve();
      closed.catch(report).finally(done);
    });
  }
  RED.nodes.registerType<Node<JobsCredentials>, NodeDef, object, JobsCredentials>('m2fp-jobs', createJobs, {
    credentials: { webhookSecret: { type: 'password' } },
  });
}

/** Not a request for a job. */
function bringsPicture(msg: NodeMessageInFlow): boolean {
  const { method = 'POST' } = requestOf(msg) ?? {};
  return method === 'POST' || method === 'PUT';
}

/** Shows that the model cannot be had; all else about it is for the nodes that parse. */
function watcher(status: StatusLine): ModelUser {
  return { presenceChanged() {}, modelFailed: (error) => status.error(error) };
}

/** Shows what goes wrong without a message, and says each thing once until it is another. */
function reporter(node: Node, status: StatusLine): (error: unknown) => void {
  let last = '';
  return (error) => {
    status.error(error);
    const text = error instanceof Error ? error.message : String(error);
    if (text !== last) node.warn(text);
    last = text;
  };
}
