import type { Node, NodeAPI, NodeDef, NodeMessage, NodeMessageInFlow } from 'node-red';
import { checkParsing } from '../../src/parsing/check.ts';
import { type Crop, crop } from '../../src/parsing/crop/crop.ts';
import { maskColors } from '../../src/people/colors/mask-colors.ts';
import { namesInText } from '../../src/parsing/options/option-table.ts';
import { labelsInModel } from '../common/labels.ts';
import { optionsInMessage } from '../common/option-names.ts';
import { parsingNode } from '../common/parsing-node.ts';
import { putResult } from '../common/result.ts';
import { CROP_SETTINGS, type CropSettings, FIELDS, settingsOf } from './config.ts';

/** Cuts parts or persons out of the picture. */
export default function (RED: NodeAPI): void {
  function createCrop(this: Node, stored: NodeDef): void {
    const { config, status, parsingOf, handle } = parsingNode(RED, this, FIELDS, stored);
    handle(async (msg) => {
      const { output, colors, ...options } = {
        ...settingsOf(config),
        ...optionsInMessage<CropSettings>(msg, 'crop'),
      };
      const shape = CROP_SETTINGS.output.read('output', output);
      const parsing = await parsingOf(msg);
      checkParsing(parsing);
      if (typeof options.labels === 'string') options.labels = namesInText(options.labels);
      if (Array.isArray(options.labels)) options.labels = labelsInModel(options.labels, parsing.labels);
      const colorsOf = CROP_SETTINGS.colors.read('colors', colors) ? maskColors(parsing) : undefined;
      const crops = await crop(
        parsing,
        options,
        colorsOf && (async (masks) => ({ colors: await colorsOf(masks) })),
      );
      if (shape === 'array') await putResult(RED, this, msg, config, crops);
      const messages = shape === 'array' ? [msg] : sequence(msg, crops, RED.util.generateId());
      if (shape !== 'array') {
        for (const [index, message] of messages.entries()) {
          const { result, resultType } = config;
          unshare(RED, message, resultType === 'msg' ? result : '');
          await putResult(RED, this, message, config, crops[index]!.image);
        }
      }
      status.done(status.text(crops.length === 1 ? 'result.crop' : 'result.crops', { n: crops.length }));
      return messages;
    });
  }
  RED.nodes.registerType('m2fp-crop', createCrop);
}

/**
 * A message for each crop, with `msg.parts` as the core split node sets them: a Join node puts them together, and
 * a sequence that the message was part of already is kept inside.
 */
function sequence(msg: NodeMessageInFlow, crops: readonly Crop[], id: string): NodeMessage[] {
  const outer = msg.parts === undefined ? {} : { parts: msg.parts };
  return crops.map(({ image: _image, name, ...facts }, index) => ({
    ...msg,
    filename: name,
    crop: facts,
    parts: { ...outer, id, type: 'array', len: 1, index, count: crops.length },
  }));
}

/**
 * Gives a message of a sequence its own copy of what `property` lies in, such as `result` of `result.image`: it is
 * written to, and the messages have all else in common until Node-RED sends them.
 */
function unshare(RED: NodeAPI, msg: NodeMessage & Record<string, unknown>, property: string): void {
  const top = /^([^.[]+)[.[]/.exec(property)?.[1] ?? '';
  const value = msg[top];
  if (typeof value === 'object' && value !== null) msg[top] = RED.util.cloneMessage(value as NodeMessage);
}
