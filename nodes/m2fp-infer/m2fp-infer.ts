import type { Node, NodeAPI, NodeDef } from 'node-red';
import { humanIndex } from '../../src/parsing/options.ts';
import { summarize } from '../../src/parsing/summary.ts';
import type { Parsing } from '../../src/parsing/types.ts';
import { Inbox } from '../common/input.ts';
import { linkModel } from '../common/model.ts';
import { numberField, overridesOf } from '../common/overrides.ts';
import { type PictureConfig, networkInputOrPicture } from '../common/picture.ts';
import { StatusLine } from '../common/status.ts';

interface InferConfig extends NodeDef, PictureConfig {
  model: string;
  scoreThreshold: number | string;
}

/** Parses a picture, or network input, into parts and persons. */
export default function (RED: NodeAPI): void {
  function createInfer(this: Node, config: InferConfig): void {
    RED.nodes.createNode(this, config);
    const status = new StatusLine(RED, this);
    const link = linkModel(RED, this, config.model, {
      engineChanged: (info) => status.engine(info, inbox.size > 0),
      modelFailed: (error) => status.error(error),
    });
    const inbox = new Inbox(
      this,
      status,
      async (msg, signal) => {
        const model = link.model();
        const options = { ...model.parseOptions(), ...formOptions(config), ...overridesOf(msg).parse };
        const image = await networkInputOrPicture(RED, this, msg, config);
        const engine = await model.engine();
        const parsing = await engine.parse({ image, options, signal });
        msg['parsing'] = parsing;
        msg.payload = summarize(parsing);
        status.done(resultText(status, parsing));
        return msg;
      },
      () => link.close(),
    );
  }
  RED.nodes.registerType('m2fp-infer', createInfer);
}
