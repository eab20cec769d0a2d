/** The form of the node, as it is stored in flows. */
import { MASK_OPTIONS, type MaskOptions } from '../../src/parsing/make-mask/mask-options.ts';
import { namesInText, optionsInFields } from '../../src/parsing/options/option-table.ts';
import type { Config } from '../common/form-fields.ts';
import { labelsInModel } from '../common/labels.ts';
import { PARSING_FIELDS } from '../common/parsing.ts';
import { RESULT_FIELDS } from '../common/result.ts';

export const FIELDS = { ...PARSING_FIELDS, ...MASK_OPTIONS, ...RESULT_FIELDS };
export type MaskConfig = Config<typeof FIELDS>;

/** What the form says. */
export function optionsOf(config: Partial<MaskConfig>): MaskOptions {
  return optionsInFields(MASK_OPTIONS, config);
}

/** The options without the labels that only models of other label sets have. */
export function forLabels(options: MaskOptions, labels: readonly string[]): MaskOptions {
  const names = typeof options.labels === 'string' ? namesInText(options.labels) : options.labels;
  return Array.isArray(names) ? { ...options, labels: labelsInModel(names, labels) } : options;
}
