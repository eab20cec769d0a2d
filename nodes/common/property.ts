/** TypedInput properties: a value and where it comes from. */
import type { Node, NodeAPI, NodeMessageInFlow } from 'node-red';

/** What a TypedInput and its hidden type field store. */
export interface Property {
  value: string;
  /** `msg`, `flow`, `global`, `str`, `env`, … */
  type: string;
}

/** The value of `property` for this message; undefined where there is none. */
export function evaluate(
  RED: NodeAPI,
  node: Node,
  msg: NodeMessageInFlow,
  property: Property,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    RED.util.evaluateNodeProperty(property.value, property.type, node, msg, (error, value: unknown) => {
      if (error) reject(error);
      else resolve(value);
    });
  });
}
