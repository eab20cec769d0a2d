import type { Node, NodeAPI, NodeDef } from 'node-red';
import { checkParsing } from '../../src/parsing/check.ts';
import { colorize, type ColorizeOptions } from '../../src/parsing/colorize/colorize.ts';
import { isNumberMode } from '../../src/parsing/colorize/colorize-options.ts';
import { sequentially } from '../common/sequential.ts';
import { handleMessages } from '../common/message-handler.ts';
import { optionsInMessage } from '../common/option-names.ts';
import { parsingOf } from '../common/parsing.ts';
import { putResult } from '../common/result.ts';
import { StatusLine } from '../common/status.ts';
import { readForm } from '../common/stored-form.ts';
import { FIELDS, forLabels, optionsOf } from './config.ts';

/** Draws the parsing as a coloured picture. */
export default function (RED: NodeAPI): void {
  function createColorize(this: Node, stored: NodeDef): void {
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
          const inMessage = optionsInMessage<ColorizeOptions>(msg, 'colorize');
          const options = { ...optionsOf(config), ...inMessage };
          // The form hides the format then: what was chosen for pictures of colours does not hold.
          if (isNumberMode(options.mode) && inMessage.format === undefined) options.format = 'png';
          const parsing = await parsingOf(RED, this, msg, config);
          checkParsing(parsing);
          const { image, width, height } = await colorize(parsing, forLabels(options, parsing.labels));
          await putResult(RED, this, msg, config, image);
          status.done(`${width} × ${height}`);
          return [msg];
        }),
      ),
      { input: { value: config.parsing, type: config.parsingType } },
    );
  }
  RED.nodes.registerType('m2fp-colorize', createColorize);
}
