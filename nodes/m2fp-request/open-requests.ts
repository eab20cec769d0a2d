/**
 * Requests that have come to the node's addresses and have no answer yet. A deploy may lose one on its way between two
 * nodes: its client is told so, and does not wait for its own time limit.
 */
import type { ServerResponse } from 'node:http';
import type { Node, NodeAPI } from 'node-red';
import { M2fpError } from '../../src/errors.ts';
import { answerNow, whenAnswered } from '../common/client.ts';
import { type Deploy, deploysOf } from '../common/deploys.ts';
import { isInHand } from '../common/held-requests.ts';

/** Milliseconds after which nobody answers any more where the whole flow was stopped. */
const PATIENCE = 2000;
/** The same where some nodes stay: one of somebody else's may have the request in hand. */
const LONG_PATIENCE = 10_000;

export class OpenRequests {
  readonly #open = new Set<ServerResponse>();
  readonly #leave: () => void;
  readonly #isAmong: (ids: readonly string[]) => boolean;
  readonly #isInItsFlow: (ids: readonly string[]) => boolean;
  /** A deploy replaces some nodes of the flow. */
  #isDisturbed = false;
  /** Set when the node is closed. */
  #atEnd: (() => void) | undefined;

  constructor(RED: NodeAPI, node: Node & { _alias?: string }) {
    const { id, z } = node;
    this.#isAmong = (ids) => [id, z, node._alias].some((name) => name !== undefined && ids.includes(name));
    this.#isInItsFlow = (ids) => ids.some((other) => RED.nodes.getNode(other)?.z === z);
    this.#leave = deploysOf(RED).listen({
      stopping: (deploy) => this.#stopping(deploy),
      started: () => this.#started(),
    });
  }

  add(response: ServerResponse): void {
    if (this.#open.has(response)) return;
    whenAnswered(response, () => this.#open.delete(response));
    this.#open.add(response);
  }

  /**
   * Where a deploy replaces the node and the http in node stays, requests go on to come before the new node is there.
   * @param stopListening ends what tells of requests
   */
  close(stopListening: () => void): void {
    this.#atEnd = () => {
      stopListening();
      this.#leave();
    };
    if (!this.#isDisturbed) this.#atEnd();
  }

  #stopping({ type, diff }: Deploy): void {
    const { changed = [], removed = [], rewired = [], linked = [], flowChanged = [] } = diff ?? {};
    const isStopped =
      type === 'full' || this.#isAmong([changed, removed, rewired, linked, flowChanged].flat());
    if (type !== 'nodes' && isStopped) this.#answerLater(PATIENCE);
    else this.#isDisturbed = isStopped || this.#isInItsFlow([...changed, ...removed]);
  }

  #started(): void {
    if (this.#isDisturbed) this.#answerLater(LONG_PATIENCE);
    this.#isDisturbed = false;
    this.#atEnd?.();
  }

  /** What no node of ours has had in hand by then is lost. */
  #answerLater(patience: number): void {
    const since = performance.now();
    const open = [...this.#open];
    setTimeout(() => {
      const lost = open.filter((response) => this.#open.has(response) && !isInHand(response, since));
      for (const response of lost) answerNow(response, serviceChanged());
    }, patience).unref();
  }
}

function serviceChanged(): M2fpError {
  return new M2fpError('M2FP_CANCELLED', 'The service was changed while the request was on its way.');
}
