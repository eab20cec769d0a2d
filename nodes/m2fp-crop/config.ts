/** The form of the node, as it is stored in flows. */
import type { NodeDef } from 'node-red';
import { CROP_OPTIONS } from '../../src/parsing/crop/crop-options.ts';
import {
  type GivenOptions,
  oneOf,
  type OptionFields,
  optionsInFields,
} from '../../src/parsing/options/option-table.ts';
import type { ParsingConfig } from '../common/parsing.ts';
import type { ResultConfig } from '../common/result.ts';

/** What the form and a message can say. */
export const CROP_SETTINGS = {
  ...CROP_OPTIONS,
  /** How crops leave: a message for each, or one message with all. */
  output: oneOf(['sequence', 'array'], 'sequence'),
};

export type CropConfig = NodeDef & ParsingConfig & ResultConfig & OptionFields<typeof CROP_SETTINGS>;
export type CropSettings = GivenOptions<typeof CROP_SETTINGS>;

/** What the form says. */
export function settingsOf(config: CropConfig): CropSettings {
  return optionsInFields(CROP_SETTINGS, config);
}
