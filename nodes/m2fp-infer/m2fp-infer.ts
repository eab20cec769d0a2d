import type { Node, NodeAPI, NodeMessageInFlow } from 'node-red';
import { dropReasonOf } from '../../src/engine/queue/dropped.ts';
import type { DropReason, Engine, EngineInfo, RequestCaller } from '../../src/engine/types.ts';
import type { ParseOptions } from '../../src/parsing/types.ts';
import { M2fpError } from '../../src/errors.ts';
import { DEFAULT_MIN_SCORE } from '../../src/parsing/postprocess/postprocess.ts';
import { summarize } from '../../src/parsing/summary.ts';
import type { Parsing } from '../../src/parsing/types.ts';
import { hasClient } from '../common/client.ts';
import { numberField } from '../common/fields.ts';
import { Outputs } from '../common/hand-over.ts';
import { handleMessages } from '../common/message-handler.ts';
import { linkModel } from '../common/model.ts';
import { overridesOf } from '../common/message-options.ts';
import { networkInputOrImage } from '../common/image.ts';
import { outlined, polygonSettings } from '../common/polygon-settings.ts';
import type { QueueFields } from '../common/queue-fields.ts';
import { nameOf, Refusals } from '../common/refusals.ts';
import { putResult } from '../common/result.ts';
import { StatusLine } from '../common/status.ts';
import { readForm } from '../common/stored-form.ts';
import { ModelWaitQueue } from './model-wait-queue.ts';
import { completeConfig, FIELDS, type StoredConfig } from './config.ts';
import { cameraOf, hasKey, keyOf, queueOf } from './queue-options.ts';

/** Parses a picture, or network input, into parts and persons. */
export default function (RED: NodeAPI): void {
  function createInfer(this: Node, stored: StoredConfig): void {
    RED.nodes.createNode(this, stored);
    const form = readForm(RED, this, FIELDS, completeConfig(stored));
    const { config } = form;
    const status = new StatusLine(RED, this);

    /** Ends what waits and runs for the key of `msg`, or all where it has none. */
    const cancel = (msg: NodeMessageInFlow, overrides: QueueFields): void => {
      const key = keyOf(RED, msg, config, overrides);
      const isMeant = (other: NodeMessageInFlow): boolean =>
        other['cancel'] !== true && (key === '' || hasKey(RED, other, config, key));
      inbox.cancel(
        isMeant,
        new M2fpError('M2FP_CANCELLED', 'A message with msg.cancel cancelled the picture.'),
      );
    };

    const modelQueue = new ModelWaitQueue();

    const callerOf = (msg: NodeMessageInFlow): RequestCaller => {
      const camera = cameraOf(RED, msg, config);
      return { node: nameOf(this), ...(camera !== '' && { camera }) };
    };
    const refusals = new Refusals(callerOf);

    /** Sends on what was given up by the rules of its line; throws every other error on. */
    const dropOrFail = (msg: NodeMessageInFlow, error: unknown, engine: Engine | undefined): Outputs => {
      const reason = dropReasonOf(error);
      if (reason === undefined) throw error;
      refusals.ended(msg, error);
      if (hasClient(msg)) throw refusal(reason);
      status.dropped(engine?.info(), inbox.size > 1);
      msg['dropped'] = reason;
      return new Outputs([null, msg], 'dropped');
    };

    const inbox = handleMessages(
      RED,
      this,
      status,
      form.guard(status, async (msg, signal) => {
        const overrides = overridesOf(msg, 'infer');
        if (msg['cancel'] === true) {
          cancel(msg, overrides.queue);
          return new Outputs([]);
        }
        const outlines = polygonSettings(config, overrides.polygons);
        const model = link.model();
        const image = await networkInputOrImage(RED, this, msg, config, model.limits());
        const queue = await queueOf(RED, this, msg, config, overrides.queue);
        const options: ParseOptions = {
          // Network input has its size already.
          ...(Buffer.isBuffer(image) && model.parseOptions()),
          scoreThreshold: numberField('scoreThreshold', config.scoreThreshold) ?? DEFAULT_MIN_SCORE,
          ...(config.flip && { flip: true }),
          ...overrides.parse,
        };
        let engine: Engine | undefined;
        let parsing: Parsing;
        try {
          const admitted = await modelQueue.enter(model, queue, signal);
          ({ engine } = admitted);
          refusals.handedOver(msg);
          const caller = callerOf(msg);
          const limits = model.requestLimits();
          parsing = await engine.parse({ image, options, queue: admitted.queue, limits, caller, signal });
        } catch (error) {
          return dropOrFail(msg, error, engine);
        }
        parsing = await outlined(parsing, outlines);
        msg['parsing'] = parsing;
        await putResult(RED, this, msg, config, await summarize(parsing));
        status.done(resultText(status, parsing, engine.info()));
        return [msg];
      }),
      {
        input: { value: config.picture, type: config.pictureType },
        // A message that only cancels others brings no picture.
        onFailure: (msg, error) => msg['cancel'] !== true && refusals.ended(msg, error),
        atClose: () => link.close(),
      },
    );
    const link = linkModel(RED, this, config.model, {
      engineChanged: (info) => status.engine(info, inbox.size > 0),
      presenceChanged: (presence) => status.presence(presence),
      modelFailed: (error) => status.error(error),
    });
  }
  RED.nodes.registerType('m2fp-infer', createInfer);
}

/** What a client is told whose picture was given up: it must get an answer. */
function refusal(reason: DropReason): M2fpError {
  return reason === 'replaced'
    ? new M2fpError('M2FP_BUSY', 'A newer picture took the place of this one before it was its turn.')
    : new M2fpError('M2FP_TIMEOUT', 'The picture waited longer than its maximum age: send it again.');
}

/** "2 persons · 1.2 s"; for a model of single persons, "12 parts · 1.2 s". */
function resultText(
  status: StatusLine,
  { persons, parts, timing }: Parsing,
  { manifest }: EngineInfo,
): string {
  const seconds = timing.total / 1000;
  const time = seconds.toFixed(seconds < 10 ? 1 : 0);
  const singular = manifest.humanIndex === null ? 'part' : 'person';
  const { length } = singular === 'part' ? parts : persons;
  return status.text(`result.${length === 1 ? singular : `${singular}s`}`, { n: length, time });
}
