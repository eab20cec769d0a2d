/** The parsing that a message brings. */
import type { Node, NodeAPI, NodeMessageInFlow } from 'node-red';
import { M2fpError } from '../../src/errors.ts';
import type { Stored } from '../../src/parsing/options/option-table.ts';
import { reviveParsing } from '../../src/parsing/revive.ts';
import type { Parsing } from '../../src/parsing/types.ts';
import { typedField } from './form-fields.ts';
import { evaluate } from './property.ts';

/** The TypedInput of the forms. */
export const PARSING_FIELDS = typedField('parsing', 'parsing');
export type ParsingConfig = Stored<typeof PARSING_FIELDS>;

/**
 * The parsing in the property, also where it went through JSON (MQTT, a context on disk).
 * @throws {M2fpError} `M2FP_NO_PARSING` where the property cannot be read, or holds none
 */
export async function parsingOf(
  RED: NodeAPI,
  node: Node,
  msg: NodeMessageInFlow,
  { parsing: value, parsingType: type }: ParsingConfig,
): Promise<Parsing> {
  let found: unknown;
  try {
    found = await evaluate(RED, node, msg, { value, type });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new M2fpError('M2FP_NO_PARSING', `There is no parsing in ${type}.${value}: ${reason}`, {
      cause: error,
    });
  }
  return reviveParsing(found);
}
