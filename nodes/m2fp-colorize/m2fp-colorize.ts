import type { Node, NodeAPI, NodeDef } from 'node-red';
import { checkParsing } from '../../src/parsing/check.ts';
import { colorize, type ColorizeOptions } from '../../src/parsing/colorize/colorize.ts';
import { isNumberMode } from '../../src/parsing/colorize/colorize-options.ts';
import { optionsInMessage } from '../common/option-names.ts';
import { parsingNode } from '../common/parsing-node.ts';
import { putResult } from '../common/result.ts';
import { FIELDS, forLabels, optionsOf } from './config.ts';

/** Draws the parsing as a coloured picture. */
export default function (RED: NodeAPI): void {
  function createColorize(this: Node, stored: NodeDef): void {
    const { config, status, parsingOf, handle } = parsingNode(RED, this, FIELDS, stored);
    handle(async (msg) => {
      const inMessage = optionsInMessage<ColorizeOptions>(msg, 'colorize');
      const options = { ...optionsOf(config), ...inMessage };
      // The form hides the format then: what was chosen for pictures of colours does not hold.
      if (isNumberMode(options.mode) && inMessage.format === undefined) options.format = 'png';
      const parsing = await parsingOf(msg);
      checkParsing(parsing);
      const { image, width, height } = await colorize(parsing, forLabels(options, parsing.labels));
      await putResult(RED, this, msg, config, image);
      status.done(`${width} × ${height}`);
      return [msg];
    });
  }
  RED.nodes.registerType('m2fp-colorize', createColorize);
}
