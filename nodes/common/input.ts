/**
 * The one way in which the nodes take messages: every message ends exactly once, in its result sent on and
 * `done()`, or in `done(error)`. Nothing that a node does can escape as an unhandled rejection.
 */
import type { Node, NodeMessage, NodeMessageInFlow } from 'node-red';
import { M2fpError } from '../../src/errors.ts';
import { whenClientGone } from './client.ts';
import { httpStatusOf } from './failure.ts';
import type { StatusLine } from './status.ts';

/**
 * What a node does with one message. It returns what to send: one message or a sequence, which may be empty.
 * `signal` aborts, with an M2fpError as its reason, when the node closes or the HTTP client has gone; the
 * message ends then, whatever the work still does.
 */
export type Work = (msg: NodeMessageInFlow, signal: AbortSignal) => Promise<NodeMessage | NodeMessage[]>;

type Send = (msg: NodeMessage | Array<NodeMessage[]>) => void;

/** Listens to the node's messages, and ends them all when the node closes; then calls `atClose`. */
export function openInbox(node: Node, status: StatusLine, work: Work, atClose?: () => void): Inbox {
  return new Inbox(node, status, work, atClose);
}

/** The messages of one node that have not ended yet. */
class Inbox {
  readonly #status: StatusLine;
  readonly #work: Work;
  readonly #running = new Map<AbortController, Promise<void>>();
  #closing: M2fpError | undefined;

  constructor(node: Node, status: StatusLine, work: Work, atClose: () => void = () => {}) {
    this.#status = status;
    this.#work = work;
    node.on('input', (msg, send, done) => {
      const abort = new AbortController();
      const ended = this.#take(msg, send, done, abort)
        .catch((error: unknown) => node.error(error))
        .finally(() => this.#running.delete(abort));
      this.#running.set(abort, ended);
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

  async #take(
    msg: NodeMessageInFlow,
    send: Send,
    done: (error?: Error) => void,
    abort: AbortController,
  ): Promise<void> {
    if (this.#closing) abort.abort(this.#closing);
    const forgetClient = whenClientGone(msg, (error) => abort.abort(error));
    let failure: Error | undefined;
    try {
      const result = await untilAborted(abort.signal, () => this.#work(msg, abort.signal));
      send(Array.isArray(result) ? [result] : result);
    } catch (error) {
      failure = this.#fail(msg, error);
    } finally {
      forgetClient();
    }
    done(failure);
  }

  /** The one way of every error: the status, the HTTP status for the answer, and the Error for Catch nodes. */
  #fail(msg: NodeMessageInFlow, error: unknown): Error {
    if (!this.#closing) this.#status.error(error);
    msg['statusCode'] = httpStatusOf(error);
    return error instanceof Error ? error : new Error(String(error));
  }

  async #close(): Promise<void> {
    this.#closing = new M2fpError(
      'M2FP_CANCELLED',
      'The node was stopped or redeployed before the message was done.',
    );
    for (const abort of this.#running.keys()) abort.abort(this.#closing);
    await Promise.all(this.#running.values());
  }
}

/** The result of `work`, or the reason of `signal` as soon as it aborts. */
async function untilAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason as M2fpError);
  });
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([aborted, work()]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
