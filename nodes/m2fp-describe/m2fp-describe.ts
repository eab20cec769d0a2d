import type { Node, NodeAPI, NodeDef } from 'node-red';
import { describe, type DescribeOptions, withDescriptions } from '../../src/people/describe/describe.ts';
import { optionsInMessage } from '../common/option-names.ts';
import { parsingNode } from '../common/parsing-node.ts';
import { putResult } from '../common/result.ts';
import { FIELDS, languageOf, settingsOf } from './config.ts';

/** Tells what the people of a picture wear. */
export default function (RED: NodeAPI): void {
  function createDescribe(this: Node, stored: NodeDef): void {
    const { config, status, parsingOf, handle } = parsingNode(RED, this, FIELDS, stored);
    handle(async (msg) => {
      const parsing = await parsingOf(msg);
      const { language, ...options } = {
        ...settingsOf(config),
        ...optionsInMessage<DescribeOptions>(msg, 'describe'),
      };
      const description = await describe(parsing, { ...options, language: languageOf(language, RED) });
      const n = description.persons.length;
      status.done(n === 0 ? status.text('result.nobody') : status.text('result.described', { n }));
      msg['parsing'] = withDescriptions(parsing, description);
      await putResult(RED, this, msg, config, description);
      return [msg];
    });
  }
  RED.nodes.registerType('m2fp-describe', createDescribe);
}
