/** TypedInput properties: a value and where it comes from. */
import type { Node, NodeAPI, NodeMessageInFlow } from 'node-red';
import { A_PROMISE, isThenable } from '../../src/async.ts';

/** What a TypedInput and its hidden type field store. */
export interface Property {
  value: string;
  /** `msg`, `flow`, `global`, `str`, `env`, … */
  type: string;
}

/**
 * The value of `property` for this message; undefined where there is none. Rejects where it is a Promise, which nobody
 * waits for: it may never end.
 */
export function evaluate(
  RED: NodeAPI,
  node: Node,
  msg: NodeMessageInFlow,
  property: Property,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    RED.util.evaluateNodeProperty(property.value, property.type, node, msg, (error, value: unknown) => {
      if (error) reject(error);
      else if (isThenable(value)) reject(new Error(`it is ${A_PROMISE}.`));
      else resolve(value);
    });
  });
}
