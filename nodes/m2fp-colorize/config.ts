/** The form of the node, as it is stored in flows. */
import { COLORIZE_OPTIONS, type ColorizeOptions } from '../../src/parsing/colorize/colorize-options.ts';
import { namesInText, optionsInFields } from '../../src/parsing/options/option-table.ts';
import { entriesWithin } from '../../src/parsing/options/options.ts';
import type { Color } from '../../src/parsing/options/palette.ts';
import { labelsInModel } from '../common/labels.ts';
import type { Config } from '../common/form-fields.ts';
import { PARSING_FIELDS } from '../common/parsing.ts';
import { RESULT_FIELDS } from '../common/result.ts';

export const FIELDS = { ...PARSING_FIELDS, ...COLORIZE_OPTIONS, ...RESULT_FIELDS };
export type ColorizeConfig = Config<typeof FIELDS>;

/** What the form says. */
export function optionsOf(config: Partial<ColorizeConfig>): ColorizeOptions {
  return optionsInFields(COLORIZE_OPTIONS, config);
}

/** The options without the labels and colours that only models of other label sets have. */
export function forLabels(options: ColorizeOptions, labels: readonly string[]): ColorizeOptions {
  const names = typeof options.labels === 'string' ? namesInText(options.labels) : options.labels;
  return {
    ...options,
    ...(Array.isArray(names) && { labels: labelsInModel(names, labels) }),
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
  // One known label is added, so that colours for none of the model's labels are no error.
  const entries = entriesWithin(given as Record<string, Color>);
  if (entries === null) return colors;
  const names = new Set(labelsInModel([...labels.slice(0, 1), ...entries.map(([name]) => name)], labels));
  return Object.fromEntries(entries.filter(([name]) => names.has(name)));
}
