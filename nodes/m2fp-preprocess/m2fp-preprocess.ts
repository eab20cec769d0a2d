import type { Node, NodeAPI, NodeDef } from 'node-red';
import { ruleFor } from '../../src/engine/input-image.ts';
import { preprocess } from '../../src/image/index.ts';
import { sequentially } from '../common/sequential.ts';
import { handleMessages } from '../common/message-handler.ts';
import { linkModel } from '../common/model.ts';
import { overridesOf } from '../common/message-options.ts';
import { imageOf } from '../common/image.ts';
import { nameOf, Refusals } from '../common/refusals.ts';
import { putResult } from '../common/result.ts';
import { StatusLine } from '../common/status.ts';
import { readForm } from '../common/stored-form.ts';
import { FIELDS } from './config.ts';

/** Makes the network's input of a picture, by the model's rule and without starting its engine. */
export default function (RED: NodeAPI): void {
  function createPreprocess(this: Node, stored: NodeDef): void {
    RED.nodes.createNode(this, stored);
    const form = readForm(RED, this, FIELDS, stored);
    const { config } = form;
    const status = new StatusLine(RED, this);
    const link = linkModel(RED, this, config.model, {
      presenceChanged: (presence) => status.presence(presence),
      modelFailed: (error) => status.error(error),
    });
    const inTurn = sequentially(RED, async (msg) => {
      const overrides = overridesOf(msg, 'preprocess').parse;
      const model = link.model();
      const limits = model.limits();
      const image = await imageOf(RED, this, msg, config, limits);
      const rule = ruleFor((await model.manifest()).input, { ...model.parseOptions(), ...overrides });
      const { input } = await preprocess(image, rule, limits);
      await putResult(RED, this, msg, config, input);
      status.done(`${input.width} × ${input.height}`);
      return [msg];
    });
    const refusals = new Refusals(() => ({ node: nameOf(this) }));
    handleMessages(
      RED,
      this,
      status,
      form.guard(status, async (msg, signal) => {
        // Not in the line: whoever waits for a model that is being pulled is in the model's own.
        await link.model().present(signal);
        return inTurn(msg, signal);
      }),
      {
        input: { value: config.picture, type: config.pictureType },
        onFailure: (msg, error) => refusals.ended(msg, error),
        atClose: () => link.close(),
      },
    );
  }
  RED.nodes.registerType('m2fp-preprocess', createPreprocess);
}
