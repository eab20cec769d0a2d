import type { Node, NodeAPI, NodeDef } from 'node-red';
import { checkParsing } from '../../src/parsing/check.ts';
import { makeMask, type MaskOptions } from '../../src/parsing/make-mask/make-mask.ts';
import { MASK_OPTIONS } from '../../src/parsing/make-mask/mask-options.ts';
import { handleMessages } from '../common/message-handler.ts';
import { optionsInMessage } from '../common/option-names.ts';
import { parsingOf } from '../common/parsing.ts';
import { putResult } from '../common/result.ts';
import { sequentially } from '../common/sequential.ts';
import { StatusLine } from '../common/status.ts';
import { readForm } from '../common/stored-form.ts';
import { FIELDS, forLabels, optionsOf } from './config.ts';

/** Makes masks for try-on and inpainting. */
export default function (RED: NodeAPI): void {
  function createMask(this: Node, stored: NodeDef): void {
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
          const options = { ...optionsOf(config), ...optionsInMessage<MaskOptions>(msg, 'mask') };
          const output = MASK_OPTIONS.output.read('output', options.output);
          const parsing = await parsingOf(RED, this, msg, config);
          checkParsing(parsing);
          const { mask, agnostic, image, ...facts } = await makeMask(
            parsing,
            forLabels(options, parsing.labels),
          );
          msg['masked'] = facts;
          const made = { mask, agnostic, all: { mask, agnostic, image } }[output];
          await putResult(RED, this, msg, config, made);
          const percent = Math.round(100 * facts.share);
          if (facts.missing.length > 0)
            status.warn(status.text('result.missing', { percent, n: facts.missing.length }));
          else status.done(status.text('result.masked', { percent }));
          return [msg];
        }),
      ),
      { input: { value: config.parsing, type: config.parsingType } },
    );
  }
  RED.nodes.registerType('m2fp-mask', createMask);
}
