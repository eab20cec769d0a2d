/**
 * The one way in which the nodes take messages: every message ends exactly once, in its result sent on and
 * `done()`, or in `done(error)`. Nothing that a node does can escape as an unhandled rejection.
 */
import type { Node, NodeAPI, NodeMessageInFlow } from 'node-red';
import { raceSignal } from '../../src/async.ts';
import { type MessageEndEvent, messageEvents } from '../../src/engine/events.ts';
import { M2fpError } from '../../src/errors.ts';
import { answerUnlessFlowDoes, hasClient, whenClientGone } from './client.ts';
import { type Deploys, deploysOf } from './deploys.ts';
import { codeOf, httpStatusOf, INTERNAL_ERROR, isRefusal, isSetupFault } from './failure.ts';
import { HandOver, Outputs, type Result, type Send } from './hand-over.ts';
import { takeInHand } from './held-requests.ts';
import { leaveOutMany } from './left-out.ts';
import type { Property } from './property.ts';
import { nameOf } from './refusals.ts';
import type { StatusLine } from './status.ts';

/**
 * What a node does with one message. It returns what to send: one message or a sequence, which may be empty, for
 * the first output, or {@link Outputs}. `signal` aborts, with an M2fpError as its reason, when the node closes, the
 * HTTP client has gone or the message is cancelled; the message ends then, whatever the work still does.
 */
export type Work = (msg: NodeMessageInFlow, signal: AbortSignal) => Promise<Result>;

/** A message that has not ended yet. */
interface Running {
  msg: NodeMessageInFlow;
  abort: AbortController;
  ended: Promise<void>;
}

interface HandlerOptions {
  /** Called when the node has closed, and all its messages have ended. */
  atClose?: () => void;
  /** What the work reads, as the form has it: where that is refused for what it is, much of it is left out of the message. */
  input?: Property;
  /** Told of every message that failed. */
  onFailure?: (msg: NodeMessageInFlow, error: unknown) => void;
  /** Whether a message whose HTTP client has gone is dropped: for a node that only answers, that is no error. */
  dropsGone?: boolean;
}

/** Listens to the node's messages, and ends them all when the node closes. */
export function handleMessages(
  RED: Pick<NodeAPI, 'util' | 'events'>,
  node: Node,
  status: StatusLine,
  work: Work,
  options: HandlerOptions = {},
): MessageHandler {
  return new MessageHandler(RED, node, status, work, options);
}

/** The messages of one node that have not ended yet. */
class MessageHandler {
  readonly #red: Pick<NodeAPI, 'util'>;
  /** For the metrics. */
  readonly #names: Pick<MessageEndEvent, 'type' | 'node'>;
  readonly #handOver: HandOver;
  readonly #deploys: Deploys;
  readonly #input: Property | undefined;
  readonly #dropsGone: boolean;
  readonly #status: StatusLine;
  readonly #work: Work;
  readonly #onFailure: HandlerOptions['onFailure'];
  readonly #running = new Set<Running>();
  #closing: M2fpError | undefined;

  constructor(
    RED: Pick<NodeAPI, 'util' | 'events'>,
    node: Node,
    status: StatusLine,
    work: Work,
    { atClose, input, onFailure, dropsGone = false }: HandlerOptions,
  ) {
    this.#red = RED;
    this.#names = { type: node.type, node: nameOf(node) };
    this.#handOver = new HandOver(RED, node);
    this.#deploys = deploysOf(RED);
    this.#input = input;
    this.#dropsGone = dropsGone;
    this.#status = status;
    this.#work = work;
    this.#onFailure = onFailure;
    node.on('input', (msg, send, done) => {
      const running: Running = { msg, abort: new AbortController(), ended: Promise.resolve() };
      this.#running.add(running);
      running.ended = this.#take(running, send, done)
        .catch((error: unknown) => node.error(error))
        .finally(() => this.#running.delete(running));
    });
    node.on('close', (_removed: boolean, done: () => void) => {
      const close = async (): Promise<void> => {
        await this.#close();
        atClose?.();
        status.close();
        done();
      };
      void close();
    });
  }

  /** Messages that have come and not ended. */
  get size(): number {
    return this.#running.size;
  }

  /** True from the moment when the node begins to close. */
  get closing(): boolean {
    return this.#closing !== undefined;
  }

  /** Ends those messages for which `chosen` holds in `reason`. */
  cancel(chosen: (msg: NodeMessageInFlow) => boolean, reason: M2fpError): void {
    for (const { msg, abort } of this.#running) if (chosen(msg)) abort.abort(reason);
  }

  async #take({ msg, abort }: Running, send: Send, done: (error?: Error) => void): Promise<void> {
    if (this.#closing) abort.abort(this.#closing);
    const letGo = takeInHand(msg);
    let gone: M2fpError | undefined;
    const forgetClient = whenClientGone(msg, (error) => abort.abort((gone = error)));
    let failure: Error | undefined;
    let fate: Outputs['fate'] = 'sent';
    try {
      abort.signal.throwIfAborted();
      const result = await raceSignal(this.#work(msg, abort.signal), abort.signal);
      // What follows may just be replaced: it would not get the message.
      const replaced = this.#deploys.over(abort.signal);
      if (replaced) await replaced;
      if (result instanceof Outputs) fate = result.fate;
      this.#handOver.result(msg, result, send);
    } catch (error) {
      if (this.#dropsGone && gone !== undefined && error === gone) fate = 'dropped';
      else failure = this.#fail(msg, error);
      // So may the node that catches errors.
      const replaced = this.#deploys.over(abort.signal);
      if (replaced) await replaced.catch(() => {});
    } finally {
      forgetClient();
    }
    this.#publish(failure, fate);
    this.#handOver.end(msg, done, failure);
    letGo();
    if (this.#closing && failure) answerUnlessFlowDoes(msg, this.#closing);
  }

  /** The one way of every error: the status, the HTTP status for the answer, and the Error for Catch nodes. */
  #fail(msg: NodeMessageInFlow, error: unknown): Error {
    if (!this.#closing) this.#status.error(error);
    this.#onFailure?.(msg, error);
    msg['statusCode'] = isSetupFault(error) && hasClient(msg) ? INTERNAL_ERROR : httpStatusOf(error);
    if (this.#input?.type === 'msg' && isRefusal(error)) leaveOutMany(this.#red, msg, this.#input.value);
    return error instanceof Error ? error : new Error(String(error));
  }

  #publish(failure: Error | undefined, fate: Outputs['fate']): void {
    if (failure === undefined) return messageEvents.publish({ ...this.#names, fate });
    const code = codeOf(failure);
    messageEvents.publish({ ...this.#names, fate: 'failed', ...(code !== undefined && { code }) });
  }

  async #close(): Promise<void> {
    this.#closing = new M2fpError(
      'M2FP_CANCELLED',
      'The node was stopped or redeployed before the message was done.',
    );
    this.cancel(() => true, this.#closing);
    await Promise.all([...this.#running].map(({ ended }) => ended));
  }
}
