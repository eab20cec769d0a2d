import type { Node, NodeAPI, NodeDef } from 'node-red';
import { describe, type DescribeOptions, withDescriptions } from '../../src/people/describe/describe.ts';
import { handleMessages } from '../common/message-handler.ts';
import { optionsInMessage } from '../common/option-names.ts';
import { parsingOf } from '../common/parsing.ts';
import { putResult } from '../common/result.ts';
import { sequentially } from '../common/sequential.ts';
import { StatusLine } from '../common/status.ts';
import { readForm } from '../common/stored-form.ts';
import { FIELDS, languageOf, settingsOf } from './config.ts';

/** Tells what the people of a picture wear. */
export default function (RED: NodeAPI): void {
  function createDescribe(this: Node, stored: NodeDef): void {
    RED.nodes.createNode(this, stored);
    const form = readForm(RED, this, FIELDS, stored);
    const { config } = form;
    const status = new StatusLine(RED, this);
    handleMessages(
      RED,
      this,
      status,
      form.guard(
        status,
        sequentially(RED, async (msg) => {
          const parsing = await parsingOf(RED, this, msg, config);
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
        }),
      ),
      { input: { value: config.parsing, type: config.parsingType } },
    );
  }
  RED.nodes.registerType('m2fp-describe', createDescribe);
}
