/**
 * The one way in which the nodes take messages: every message ends exactly once, in its result sent on and
 * `done()`, or in `done(error)`. Nothing that a node does can escape as an unhandled rejection.
 */
import type { Node, NodeMessage, NodeMessageInFlow } from 'node-red';
import { raceSignal } from '../../src/async.ts';
import { messageEvents } from '../../src/engine/events.ts';
import { M2fpError } from '../../src/errors.ts';
import { answerUnlessFlowDoes, whenClientGone } from './client.ts';
import { codeOf, httpStatusOf } from './failure.ts';
import type { StatusLine } from './status.ts';

/** What leaves through one output: a message, a sequence, or nothing. */
type Port = NodeMessage | NodeMessage[] | null;

/** What to send where it is not all for the first output. */
export class Outputs {
  readonly ports: Port[];
  readonly fate: 'sent' | 'dropped';

  constructor(ports: Port[], fate: 'sent' | 'dropped' = 'sent') {
    this.ports = ports;
    this.fate = fate;
  }
}

/**
 * What a node does with one message. It returns what to send: one message or a sequence, which may be empty, for
 * the first output, or {@link Outputs}. `signal` aborts, with an M2fpError as its reason, when the node closes, the
 * HTTP client has gone or the message is cancelled; the message ends then, whatever the work still does.
 */
export type Work = (
  msg: NodeMessageInFlow,
  signal: AbortSignal,
) => Promise<NodeMessage | NodeMessage[] | Outputs>;

type Send = (msg: NodeMessage | Port[]) => void;

/** A message that has not ended yet. */
interface Running {
  msg: NodeMessageInFlow;
  abort: AbortController;
  ended: Promise<void>;
}

/** Listens to the node's messages, and ends them all when the node closes; then calls `atClose`. */
export function handleMessages(
  node: Node,
  status: StatusLine,
  work: Work,
  atClose?: () => void,
): MessageHandler {
  return new MessageHandler(node, status, work, atClose);
}

/** The messages of one node that have not ended yet. */
class MessageHandler {
  /** The node's type. */
  readonly #type: string;
  readonly #status: StatusLine;
  readonly #work: Work;
  readonly #running = new Set<Running>();
  #closing: M2fpError | undefined;

  constructor(node: Node, status: StatusLine, work: Work, atClose: () => void = () => {}) {
    this.#type = node.type;
    this.#status = status;
    this.#work = work;
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
        atClose();
        status.close();
        done();
      };
      void close();
    });
  }

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
    const forgetClient = whenClientGone(msg, (error) => abort.abort(error));
    let failure: Error | undefined;
    let fate: Outputs['fate'] = 'sent';
    try {
      abort.signal.throwIfAborted();
      const result = await raceSignal(this.#work(msg, abort.signal), abort.signal);
      if (result instanceof Outputs) fate = result.fate;
      send(whatToSend(result));
    } catch (error) {
      failure = this.#fail(msg, error);
    } finally {
      forgetClient();
    }
    this.#publish(failure, fate);
    done(failure);
    if (this.#closing && failure) answerUnlessFlowDoes(msg, this.#closing);
  }

  /** The one way of every error: the status, the HTTP status for the answer, and the Error for Catch nodes. */
  #fail(msg: NodeMessageInFlow, error: unknown): Error {
    if (!this.#closing) this.#status.error(error);
    msg['statusCode'] = httpStatusOf(error);
    return error instanceof Error ? error : new Error(String(error));
  }

  #publish(failure: Error | undefined, fate: Outputs['fate']): void {
    if (failure === undefined) return messageEvents.publish({ node: this.#type, fate });
    const code = codeOf(failure);
    messageEvents.publish({ node: this.#type, fate: 'failed', ...(code !== undefined && { code }) });
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

function whatToSend(result: NodeMessage | NodeMessage[] | Outputs): NodeMessage | Port[] {
  if (result instanceof Outputs) return result.ports;
  return Array.isArray(result) ? [result] : result;
}
