import type { Node, NodeAPI, NodeDef, NodeMessage, NodeMessageInFlow } from 'node-red';
import { type Crop, crop, type CropOptions } from '../../src/parsing/crop.ts';
import type { Parsing } from '../../src/parsing/types.ts';
import { labelsField, numberField } from '../common/fields.ts';
import { inOrder } from '../common/in-order.ts';
import { openInbox } from '../common/input.ts';
import { StatusLine } from '../common/status.ts';

interface CropConfig extends NodeDef {
  what: NonNullable<CropOptions['what']>;
  /** Names separated by commas; blank = all. */
  labels: string;
  mode: NonNullable<CropOptions['mode']>;
  /** Pixels, or a share as "10%". */
  padding: number | string;
  minArea: number | string;
  minScore: number | string;
  max: number | string;
  format: NonNullable<CropOptions['format']>;
  quality: number | string;
  /** A message for each crop, or one message with all. */
  output: 'sequence' | 'array';
}

/** Cuts parts or persons out of the picture. */
export default function (RED: NodeAPI): void {
  function createCrop(this: Node, config: CropConfig): void {
    RED.nodes.createNode(this, config);
    const status = new StatusLine(RED, this);
    openInbox(
      this,
      status,
      inOrder(async (msg) => {
        const crops = await crop(msg['parsing'] as Parsing, optionsOf(config));
        status.done(status.text(crops.length === 1 ? 'result.crop' : 'result.crops', { n: crops.length }));
        if (config.output !== 'array') return sequence(msg, crops, RED.util.generateId());
        msg.payload = crops;
        return msg;
      }),
    );
  }
  RED.nodes.registerType('m2fp-crop', createCrop);
}

function optionsOf(config: CropConfig): CropOptions {
  const padding = String(config.padding).trim();
  return {
    what: config.what,
    labels: labelsField(config.labels),
    mode: config.mode,
    padding: padding.endsWith('%') ? padding : numberField(padding),
    minArea: numberField(config.minArea),
    minScore: numberField(config.minScore),
    max: numberField(config.max),
    format: config.format,
    quality: numberField(config.quality),
  };
}

/**
 * A message for each crop, with `msg.parts` as the core split node sets them: a Join node puts them together, and
 * a sequence that the message was part of already is kept inside.
 */
function sequence(msg: NodeMessageInFlow, crops: readonly Crop[], id: string): NodeMessage[] {
  const outer = msg.parts === undefined ? {} : { parts: msg.parts };
  return crops.map(({ image, name, ...facts }, index) => ({
    ...msg,
    payload: image,
    filename: name,
    crop: facts,
    parts: { ...outer, id, type: 'array', len: 1, index, count: crops.length },
  }));
}
