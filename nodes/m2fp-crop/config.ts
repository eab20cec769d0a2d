/** The form of the node, as it is stored in flows. */
import { CROP_OPTIONS } from '../../src/parsing/crop/crop-options.ts';
import { flag, type GivenOptions, oneOf, optionsInFields } from '../../src/parsing/options/option-table.ts';
import type { Config } from '../common/form-fields.ts';
import { PARSING_FIELDS } from '../common/parsing.ts';
import { RESULT_FIELDS } from '../common/result.ts';

/** What the form and a message can say. */
export const CROP_SETTINGS = {
  ...CROP_OPTIONS,
  /** How crops leave: a message for each, or one message with all. */
  output: oneOf(['sequence', 'array'], 'sequence'),
  /** Whether each crop tells its colours. */
  colors: flag(false),
};

export const FIELDS = { ...PARSING_FIELDS, ...CROP_SETTINGS, ...RESULT_FIELDS };
export type CropConfig = Config<typeof FIELDS>;
export type CropSettings = GivenOptions<typeof CROP_SETTINGS>;

/** What the form says. */
export function settingsOf(config: Partial<CropConfig>): CropSettings {
  return optionsInFields(CROP_SETTINGS, config);
}
