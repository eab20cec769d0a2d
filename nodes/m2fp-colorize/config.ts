/** The form of the node, as it is stored in flows. */
import type { NodeDef } from 'node-red';
import type { ColorizeOptions } from '../../src/parsing/colorize.ts';
import { labelsField, numberField, textField } from '../common/fields.ts';
import { labelsInModel } from '../common/labels.ts';
import type { ParsingConfig } from '../common/parsing.ts';
import type { ResultConfig } from '../common/result.ts';

export interface ColorizeConfig extends NodeDef, Required<ParsingConfig>, Required<ResultConfig> {
  mode: NonNullable<ColorizeOptions['mode']>;
  by: NonNullable<ColorizeOptions['by']>;
  paint: NonNullable<ColorizeOptions['paint']>;
  minScore: number | string;
  background: NonNullable<ColorizeOptions['background']>;
  dim: number | string;
  blurRadius: number | string;
  opacity: number | string;
  contours: number | string;
  contourColor: string;
  /** Names separated by commas; blank = all, `none` = none. */
  labels: string;
  palette: NonNullable<ColorizeOptions['palette']>;
  /** JSON: label name -> colour. */
  colors: string;
  names: boolean;
  scores: boolean;
  legend: NonNullable<ColorizeOptions['legend']>;
  textSize: number | string;
  format: NonNullable<ColorizeOptions['format']>;
  quality: number | string;
}

/** What version 2 brought; a node from before draws as it did. */
const SINCE_2 = {
  parsing: 'parsing',
  parsingType: 'msg',
  dim: 0.6,
  blurRadius: '',
  names: false,
  scores: false,
  legend: 'none',
  textSize: '',
  result: 'payload',
  resultType: 'msg',
} as const;

/** A node of any version. */
export type StoredConfig = Omit<ColorizeConfig, keyof typeof SINCE_2> & Partial<ColorizeConfig>;

/** The configuration in full, of a node that any version stored. */
export function completeConfig(stored: StoredConfig): ColorizeConfig {
  const full = { ...SINCE_2, ...stored };
  // Version 1's name for it.
  return full.background === 'transparent' ? { ...full, background: 'remove' } : full;
}

/** What the form says. */
export function optionsOf(config: ColorizeConfig): ColorizeOptions {
  return {
    mode: config.mode,
    by: config.by,
    paint: config.paint,
    minScore: numberField(config.minScore),
    background: config.background,
    dim: numberField(config.dim),
    blurRadius: numberField(config.blurRadius),
    opacity: numberField(config.opacity),
    contours: numberField(config.contours),
    contourColor: textField(config.contourColor),
    labels: labelsField(config.labels),
    palette: config.palette,
    colors: textField(config.colors),
    names: config.names,
    scores: config.scores,
    legend: config.legend,
    textSize: numberField(config.textSize),
    format: config.format,
    quality: numberField(config.quality),
  };
}

/** The options without the labels and colours that only models of other label sets have. */
export function forLabels(options: ColorizeOptions, labels: readonly string[]): ColorizeOptions {
  return {
    ...options,
    ...(Array.isArray(options.labels) && { labels: labelsInModel(options.labels, labels) }),
    colors: colorsInModel(options.colors, labels),
  };
}

function colorsInModel(
  colors: ColorizeOptions['colors'],
  labels: readonly string[],
): ColorizeOptions['colors'] {
  let given: unknown = colors;
  try {
    if (typeof colors === 'string') given = JSON.parse(colors);
  } catch {
    return colors;
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return colors;
  // With one that the model has: colours for none of its labels are no mistake.
  const names = new Set(labelsInModel([...labels.slice(0, 1), ...Object.keys(given)], labels));
  return Object.fromEntries(
    Object.entries(given as NonNullable<Exclude<typeof colors, string>>).filter(([name]) => names.has(name)),
  );
}
