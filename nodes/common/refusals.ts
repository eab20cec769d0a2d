/** Requests that end before an engine has them count, too: a bad picture, a wrong option, a model that is not there. */
import type { Node, NodeMessageInFlow } from 'node-red';
import { countRefusal } from '../../src/engine/queue/fate.ts';
import type { RequestCaller } from '../../src/engine/types.ts';

/** What metrics call a node: by its name; by its id where it has none. */
export function nameOf({ name, id }: Pick<Node, 'name' | 'id'>): string {
  return name || id;
}

/** Counts the messages of one node that came to no request of an engine's. */
export class Refusals {
  readonly #callerOf: (msg: NodeMessageInFlow) => RequestCaller;
  /** Those that are counted by the engine, or here already. */
  readonly #counted = new WeakSet<NodeMessageInFlow>();

  constructor(callerOf: (msg: NodeMessageInFlow) => RequestCaller) {
    this.#callerOf = callerOf;
  }

  /** An engine has it now, and counts whatever becomes of it. */
  handedOver(msg: NodeMessageInFlow): void {
    this.#counted.add(msg);
  }

  /** To be called for every message that failed, or was dropped. */
  ended(msg: NodeMessageInFlow, error: unknown): void {
    if (this.#counted.has(msg)) return;
    this.#counted.add(msg);
    countRefusal(this.#callerOf(msg), error);
  }
}
