/** The parsing that a message brings. */
import type { Node, NodeAPI, NodeMessageInFlow } from 'node-red';
import { M2fpError } from '../../src/errors.ts';
import type { Parsing } from '../../src/parsing/types.ts';
import { evaluate } from './property.ts';

/** The TypedInput of the forms; nodes from before it was there have none. */
export interface ParsingConfig {
  parsing?: string;
  parsingType?: string;
}

/**
 * What lies in the property; that it is a parsing is checked by whoever uses it.
 * @throws {M2fpError} `M2FP_NO_PARSING` where the property cannot be read
 */
export async function parsingOf(
  RED: NodeAPI,
  node: Node,
  msg: NodeMessageInFlow,
  { parsing: value = 'parsing', parsingType: type = 'msg' }: ParsingConfig,
): Promise<Parsing> {
  try {
    return (await evaluate(RED, node, msg, { value, type })) as Parsing;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new M2fpError('M2FP_NO_PARSING', `There is no parsing in ${type}.${value}: ${reason}`, {
      cause: error,
    });
  }
}
