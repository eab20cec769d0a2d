import type { Node, NodeAPI, NodeDef } from 'node-red';
import { colorize, type ColorizeOptions } from '../../src/parsing/colorize.ts';
import type { Parsing } from '../../src/parsing/types.ts';
import { labelsField, numberField, textField } from '../common/fields.ts';
import { inOrder } from '../common/in-order.ts';
import { openInbox } from '../common/input.ts';
import { StatusLine } from '../common/status.ts';

interface ColorizeConfig extends NodeDef {
  mode: NonNullable<ColorizeOptions['mode']>;
  by: NonNullable<ColorizeOptions['by']>;
  paint: NonNullable<ColorizeOptions['paint']>;
  minScore: number | string;
  background: NonNullable<ColorizeOptions['background']>;
  opacity: number | string;
  contours: number | string;
  contourColor: string;
  /** Names separated by commas; blank = all. */
  labels: string;
  palette: NonNullable<ColorizeOptions['palette']>;
  /** JSON: label name -> colour. */
  colors: string;
  format: NonNullable<ColorizeOptions['format']>;
  quality: number | string;
}

/** Draws the parsing as a coloured picture. */
export default function (RED: NodeAPI): void {
  function createColorize(this: Node, config: ColorizeConfig): void {
    RED.nodes.createNode(this, config);
    const status = new StatusLine(RED, this);
    openInbox(
      this,
      status,
      inOrder(async (msg) => {
        const { image, width, height } = await colorize(msg['parsing'] as Parsing, optionsOf(config));
        msg.payload = image;
        status.done(`${width} × ${height}`);
        return msg;
      }),
    );
  }
  RED.nodes.registerType('m2fp-colorize', createColorize);
}

function optionsOf(config: ColorizeConfig): ColorizeOptions {
  return {
    mode: config.mode,
    by: config.by,
    paint: config.paint,
    minScore: numberField(config.minScore),
    background: config.background,
    opacity: numberField(config.opacity),
    contours: numberField(config.contours),
    contourColor: textField(config.contourColor),
    labels: labelsField(config.labels),
    palette: config.palette,
    colors: textField(config.colors),
    format: config.format,
    quality: numberField(config.quality),
  };
}
