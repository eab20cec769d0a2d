/** The form of the node, as it is stored in flows. */
import { type GivenOptions, optionsInFields } from '../../src/parsing/options/option-table.ts';
import { TRACK_OPTIONS } from '../../src/people/track/track-options.ts';
import type { Config } from '../common/form-fields.ts';
import { PARSING_FIELDS } from '../common/parsing.ts';

export const FIELDS = { ...PARSING_FIELDS, ...TRACK_OPTIONS };
export type TrackConfig = Config<typeof FIELDS>;
export type TrackSettings = GivenOptions<typeof TRACK_OPTIONS>;

/** What the form says. */
export function settingsOf(config: Partial<TrackConfig>): TrackSettings {
  return optionsInFields(TRACK_OPTIONS, config);
}
