/** Which HTTP requests our nodes have in hand at the moment: all others are on their way between nodes, or elsewhere. */
import type { ServerResponse } from 'node:http';
import type { NodeMessageInFlow } from 'node-red';
import { responseOf } from './client.ts';

interface Hands {
  holders: number;
  /** When the last node let go, by performance.now(). */
  moved: number;
}

const hands = new WeakMap<ServerResponse, Hands>();

/** A node works on the message from now on, until the function is called that this returns. */
export function takeInHand(msg: NodeMessageInFlow): () => void {
  const response = responseOf(msg);
  if (response === undefined) return () => {};
  const held = hands.get(response) ?? { holders: 0, moved: 0 };
  hands.set(response, held);
  held.holders++;
  return () => {
    held.holders--;
    held.moved = performance.now();
  };
}

/** Whether a node of ours has it now, or had it after that time. */
export function isInHand(response: ServerResponse, since: number): boolean {
  const held = hands.get(response);
  return held !== undefined && (held.holders > 0 || held.moved > since);
}
