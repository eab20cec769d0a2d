import type { Node, NodeAPI, NodeDef } from 'node-red';
import { checkParsing } from '../../src/parsing/check.ts';
import { makeMask, type MaskOptions } from '../../src/parsing/make-mask/make-mask.ts';
import { MASK_OPTIONS } from '../../src/parsing/make-mask/mask-options.ts';
import { optionsInMessage } from '../common/option-names.ts';
import { parsingNode } from '../common/parsing-node.ts';
import { putResult } from '../common/result.ts';
import { FIELDS, forLabels, optionsOf } from './config.ts';

/** Makes masks for try-on and inpainting. */
export default function (RED: NodeAPI): void {
  function createMask(this: Node, stored: NodeDef): void {
    const { config, status, parsingOf, handle } = parsingNode(RED, this, FIELDS, stored);
    handle(async (msg) => {
      const options = { ...optionsOf(config), ...optionsInMessage<MaskOptions>(msg, 'mask') };
      const output = MASK_OPTIONS.output.read('output', options.output);
      const parsing = await parsingOf(msg);
      checkParsing(parsing);
      const { mask, agnostic, image, ...facts } = await makeMask(parsing, forLabels(options, parsing.labels));
      msg['masked'] = facts;
      const made = { mask, agnostic, all: { mask, agnostic, image } }[output];
      await putResult(RED, this, msg, config, made);
      const percent = Math.round(100 * facts.share);
      if (facts.missing.length > 0)
        status.warn(status.text('result.missing', { percent, n: facts.missing.length }));
      else status.done(status.text('result.masked', { percent }));
      return [msg];
    });
  }
  RED.nodes.registerType('m2fp-mask', createMask);
}
