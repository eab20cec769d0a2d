/** What the nodes that make something of a parsing have in common. */
import type { Node, NodeAPI, NodeDef, NodeMessageInFlow } from 'node-red';
import type { FormFields } from '../../src/parsing/options/option-table.ts';
import type { Parsing } from '../../src/parsing/types.ts';
import type { Config } from './form-fields.ts';
import { handleMessages, type Work } from './message-handler.ts';
import { type PARSING_FIELDS, type ParsingConfig, parsingOf } from './parsing.ts';
import { sequentially } from './sequential.ts';
import { StatusLine } from './status.ts';
import { readForm } from './stored-form.ts';

export interface ParsingNode<Fields extends FormFields> {
  config: Config<Fields>;
  status: StatusLine;
  /** @throws {M2fpError} `M2FP_NO_PARSING` where the message holds none in the property that the form names */
  parsingOf: (msg: NodeMessageInFlow) => Promise<Parsing>;
  /**
   * Takes messages from now on, one after the other.
   * @param atClose called when the node has closed, and all its messages have ended
   */
  handle: (work: Work, atClose?: () => void) => void;
}

/** Makes `node` one that takes messages with a parsing. @param stored its form in the flow, with `fields` */
export function parsingNode<Fields extends FormFields & typeof PARSING_FIELDS>(
  RED: NodeAPI,
  node: Node,
  fields: Fields,
  stored: NodeDef,
): ParsingNode<Fields> {
  RED.nodes.createNode(node, stored);
  const form = readForm(RED, node, fields, stored);
  const { config } = form;
  const status = new StatusLine(RED, node);
  const property: ParsingConfig = config;
  return {
    config,
    status,
    parsingOf: (msg) => parsingOf(RED, node, msg, property),
    handle: (work, atClose) =>
      handleMessages(RED, node, status, form.guard(status, sequentially(RED, work)), {
        input: { value: property.parsing, type: property.parsingType },
        ...(atClose && { atClose }),
      }),
  };
}
