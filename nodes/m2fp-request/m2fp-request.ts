import type { Node, NodeAPI, NodeDef } from 'node-red';
import { type Endpoint, takeBrokenEscapes } from '../common/broken-escapes.ts';
import { asSetupFault } from '../common/failure.ts';
import { noteMisfit, watchFitness } from '../common/fitness.ts';
import { deploysOf } from '../common/deploys.ts';
import { handleMessages } from '../common/message-handler.ts';
import { nameOf, Refusals } from '../common/refusals.ts';
import { StatusLine } from '../common/status.ts';
import { readForm } from '../common/stored-form.ts';
import { answerLater, refusalHeaders } from './refusal.ts';
import { usableKeys } from './api-keys.ts';
import { FIELDS, type RequestConfig, type RequestCredentials } from './config.ts';
import { httpRequestOf } from './read-request.ts';
import { OpenRequests } from './open-requests.ts';
import { RequestGate } from './request-gate.ts';
import { leaveUnread } from './unread-bodies.ts';
import { WhatFollows } from './what-follows.ts';
import { endpointsBefore } from './wired-from.ts';

/** Said of requests that come to no end: a node behind was deleted, or a wire. */
const UNANSWERED =
  'requests get no answer, because what comes of them reaches no "http response" node: wire this node through an infer and a ' +
  'parsing response node to one.';

/** Takes the picture and the options out of an HTTP request, from whoever may ask. */
export default function (RED: NodeAPI): void {
  function createRequest(this: Node<RequestCredentials>, stored: NodeDef): void {
    RED.nodes.createNode(this, stored);
    const form = readForm(RED, this, FIELDS, stored);
    const status = new StatusLine(RED, this);

    // Looked for when all nodes of a deploy are there.
    let endpoints: readonly Endpoint[] | undefined;
    const follows = new WhatFollows(RED, this);
    const forget = (): void => {
      endpoints = undefined;
      follows.forget();
    };
    watchFitness(this, async () =>
      follows.isAnswered ? undefined : { code: 'node-misconfigured', message: UNANSWERED },
    );
    const stopForgetting = deploysOf(RED).listen({ started: forget });
    const open = new OpenRequests(RED, this);
    const known = () => (endpoints ??= endpointsBefore(RED, this));
    const stopReading = leaveUnread({ endpoints: known, onRequest: (response) => open.add(response) });
    const stopMending = takeBrokenEscapes(RED, known);
    const stopListening = (): void => {
      stopReading();
      stopMending();
    };

    const refusals = new Refusals(() => ({ node: nameOf(this) }));
    const gate = openGate(RED, this, form.config, status);
    const work = form.guard(status, async (msg) => {
      const order = await gate().take(msg, follows.hasJobs);
      if (!order) return [msg];
      const { picture, options } = order;
      msg.payload = picture;
      const { m2fp: own } = msg as { m2fp?: { response?: object } };
      msg['m2fp'] = { ...options, ...own, response: { ...options.response, ...own?.response } };
      follows.checkAnswer(msg);
      status.done(status.text('result.taken', { kB: Math.ceil(picture.length / 1024) }));
      return [msg];
    });
    handleMessages(
      RED,
      this,
      status,
      (msg, signal) =>
        work(msg, signal).catch((error: unknown) => {
          Object.assign(msg, { headers: refusalHeaders(error), payload: undefined });
          const request = httpRequestOf(msg);
          if (request) answerLater(msg, request, error);
          throw error;
        }),
      {
        onFailure: (msg, error) => refusals.ended(msg, error),
        atClose: () => {
          open.close(stopListening);
          stopForgetting();
        },
      },
    );
  }
  RED.nodes.registerType<Node<RequestCredentials>, NodeDef, object, RequestCredentials>(
    'm2fp-request',
    createRequest,
    { credentials: { keys: { type: 'password' } } },
  );
}

/**
 * What lets requests in; where the form is wrong, nobody is let in, and every request ends in what is wrong. That is said when the
 * flow starts, in the log, too: a flow that answers errors logs none.
 */
function openGate(
  RED: NodeAPI,
  node: Node<RequestCredentials>,
  config: RequestConfig,
  status: StatusLine,
): () => RequestGate {
  try {
    const { keys, warnings } = usableKeys(RED, node);
    const gate = new RequestGate(config, keys);
    for (const warning of warnings) node.warn(warning);
    if (warnings.length > 0) {
      status.warn(status.text('status.keysMissing'));
      // With the other keys, pictures come through.
      watchFitness(node, async () => ({ code: 'keys-missing', message: warnings.join(' ') }));
    }
    return () => gate;
  } catch (error) {
    status.error(error);
    noteMisfit(node, error);
    node.warn(error instanceof Error ? error.message : String(error));
    return () => {
      throw asSetupFault(error);
    };
  }
}
