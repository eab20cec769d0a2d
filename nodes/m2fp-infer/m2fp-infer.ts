import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { ParseOptions } from '../../src/engine/types.ts';
import { humanIndex } from '../../src/parsing/options.ts';
import { summarize } from '../../src/parsing/summary.ts';
import type { Parsing } from '../../src/parsing/types.ts';
import { numberField } from '../common/fields.ts';
import { openInbox } from '../common/input.ts';
import { linkModel } from '../common/model.ts';
import { overridesOf } from '../common/overrides.ts';
import { networkInputOrPicture, type PictureConfig } from '../common/picture.ts';
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
    const inbox = openInbox(
      this,
      status,
      async (msg, signal) => {
        const overrides = overridesOf(msg).parse;
        const image = await networkInputOrPicture(RED, this, msg, config);
        const model = link.model();
        const options: ParseOptions = {
          // Network input has its size already.
          ...(Buffer.isBuffer(image) && model.parseOptions()),
          scoreThreshold: numberField(config.scoreThreshold),
          ...overrides,
        };
        const engine = await model.engine(signal);
        const parsing = await engine.parse({ image, options, signal });
        msg['parsing'] = parsing;
        msg.payload = summarize(parsing);
        status.done(resultText(status, parsing));
        return msg;
      },
      () => link.close(),
    );
    const link = linkModel(RED, this, config.model, {
      engineChanged: (info) => status.engine(info, inbox.size > 0),
      presenceChanged: (presence) => status.presence(presence),
      modelFailed: (error) => status.error(error),
    });
  }
  RED.nodes.registerType('m2fp-infer', createInfer);
}

/** "2 persons · 1.2 s"; for a model of single persons, "12 parts · 1.2 s". */
function resultText(status: StatusLine, { labels, persons, parts, timing }: Parsing): string {
  const seconds = timing.total / 1000;
  const time = seconds.toFixed(seconds < 10 ? 1 : 0);
  const singular = humanIndex(labels) < 0 ? 'part' : 'person';
  const { length } = singular === 'part' ? parts : persons;
  return status.text(`result.${length === 1 ? singular : `${singular}s`}`, { n: length, time });
}
