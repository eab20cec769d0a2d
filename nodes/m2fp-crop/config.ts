/** The form of the node, as it is stored in flows. */
import type { NodeDef } from 'node-red';
import type { CropOptions } from '../../src/parsing/crop.ts';
import { labelsField, numberField, textField } from '../common/fields.ts';
import type { ParsingConfig } from '../common/parsing.ts';
import type { ResultConfig } from '../common/result.ts';

/** How crops leave: a message for each, or one message with all. */
export const OUTPUTS = ['sequence', 'array'] as const;

export interface CropConfig extends NodeDef, Required<ParsingConfig>, Required<ResultConfig> {
  what: NonNullable<CropOptions['what']>;
  /** Names separated by commas; blank = all, `none` = none. */
  labels: string;
  /** "upper=UpperClothes+Coat, head"; blank = those that the label sets know. */
  groups: string;
  mode: NonNullable<CropOptions['mode']>;
  grow: number | string;
  feather: number | string;
  /** Pixels, or a share as "10%". */
  padding: number | string;
  /** "3:4"; blank = as it is. */
  aspect: string;
  edge: NonNullable<CropOptions['edge']>;
  /** A colour or `transparent`; blank = transparent for a cut-out, else black. */
  fill: string;
  /** Not "resize": the editor keeps something else in a node's property of that name. */
  scale: NonNullable<CropOptions['scale']>;
  maxSide: number | string;
  width: number | string;
  height: number | string;
  /** Pixels, or a share as "0.5%". */
  minArea: number | string;
  minScore: number | string;
  max: number | string;
  format: NonNullable<CropOptions['format']>;
  quality: number | string;
  output: (typeof OUTPUTS)[number];
}

/** What version 2 brought; a node from before crops as it did. */
const SINCE_2 = {
  parsing: 'parsing',
  parsingType: 'msg',
  groups: '',
  grow: 0,
  feather: 0,
  aspect: '',
  edge: 'clamp',
  fill: '',
  scale: 'none',
  maxSide: 512,
  width: '',
  height: '',
  result: 'payload',
  resultType: 'msg',
} as const;

/** A node of any version. */
export type StoredConfig = Omit<CropConfig, keyof typeof SINCE_2> & Partial<CropConfig>;

/** The configuration in full, of a node that any version stored. */
export function completeConfig(stored: StoredConfig): CropConfig {
  return { ...SINCE_2, ...stored };
}

/** What a message can change. */
export interface Settings extends CropOptions {
  output?: CropConfig['output'];
}

/** What the form says. */
export function settingsOf(config: CropConfig): Settings {
  return {
    what: config.what,
    labels: labelsField(config.labels),
    groups: textField(config.groups.trim()),
    mode: config.mode,
    grow: numberField(config.grow),
    feather: numberField(config.feather),
    padding: extentField(config.padding),
    aspect: textField(config.aspect.trim()),
    edge: config.edge,
    fill: textField(config.fill.trim()),
    scale: config.scale,
    maxSide: numberField(config.maxSide),
    width: numberField(config.width),
    height: numberField(config.height),
    minArea: extentField(config.minArea),
    minScore: numberField(config.minScore),
    max: numberField(config.max),
    format: config.format,
    quality: numberField(config.quality),
    output: config.output,
  };
}

/** Pixels, or a share such as "10%". */
function extentField(field: number | string): number | string | undefined {
  const text = String(field).trim();
  return text.endsWith('%') ? text : numberField(text);
}
