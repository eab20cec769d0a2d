/** Where a node puts what it made. */
import type { Node, NodeAPI, NodeMessage } from 'node-red';
import { M2fpError } from '../../src/errors.ts';
import type { Stored } from '../../src/parsing/options/option-table.ts';
import { typedField } from './form-fields.ts';
import { asSetupFault } from './failure.ts';
import { markMade } from './made.ts';

/** The TypedInput of the forms. */
export const RESULT_FIELDS = typedField('result', 'payload');
export type ResultConfig = Stored<typeof RESULT_FIELDS>;

/**
 * Puts `value` into the property of the message, or of the flow's or the global context; the message's payload
 * where nothing is told.
 * @throws {M2fpError} `M2FP_BAD_OPTION` where it cannot lie there, for example below a text
 */
export async function putResult(
  RED: NodeAPI,
  node: Node,
  msg: NodeMessage,
  { result: name, resultType: type }: ResultConfig,
  value: unknown,
): Promise<void> {
  if (Buffer.isBuffer(value)) markMade(value);
  try {
    if (type === 'flow' || type === 'global') await putIntoContext(RED, node, type, name, value);
    else if (!RED.util.setMessageProperty(msg, name, value, true))
      throw new Error('what lies above it is no object');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw asSetupFault(
      new M2fpError(
        'M2FP_BAD_OPTION',
        `The result cannot be put into ${type}.${name}: ${reason}. Choose another property in the form.`,
        { cause: error },
      ),
    );
  }
}

/** A store may lie on a disk: it says when it has the value. */
function putIntoContext(
  RED: NodeAPI,
  node: Node,
  type: 'flow' | 'global',
  name: string,
  value: unknown,
): Promise<void> {
  const { key, store } = RED.util.parseContextStore(name);
  return new Promise((resolve, reject) => {
    node.context()[type].set(key, value, store, (error?: Error | null) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
