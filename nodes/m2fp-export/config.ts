/** The form of the node, as it is stored in flows. */
import { DATA_SET_OPTIONS, PICTURE_OPTIONS } from '../../src/export/export-options.ts';
import { type GivenOptions, optionsInFields } from '../../src/parsing/options/option-table.ts';
import { type Config, textField, typedField } from '../common/form-fields.ts';
import { PARSING_FIELDS } from '../common/parsing.ts';
import { RESULT_FIELDS } from '../common/result.ts';

/** What only the form says: a folder has one data set, and messages do not choose where files are written. */
export const DATA_SET_SETTINGS = DATA_SET_OPTIONS;

/** What the form and a message can say. */
export const PICTURE_SETTINGS = PICTURE_OPTIONS;

export const FIELDS = {
  ...PARSING_FIELDS,
  folder: textField('dataset'),
  ...DATA_SET_SETTINGS,
  ...typedField('fileName', 'filename', { types: ['msg', 'flow', 'global', 'str'], check: 'optional' }),
  ...PICTURE_SETTINGS,
  ...RESULT_FIELDS,
};
export type ExportConfig = Config<typeof FIELDS>;
export type PictureSettings = GivenOptions<typeof PICTURE_SETTINGS>;

/** What the form says of the data set. */
export function dataSetOf(config: Partial<ExportConfig>): GivenOptions<typeof DATA_SET_SETTINGS> {
  return optionsInFields(DATA_SET_SETTINGS, config);
}

/** What the form says of each picture. */
export function settingsOf(config: Partial<ExportConfig>): PictureSettings {
  return optionsInFields(PICTURE_SETTINGS, config);
}
