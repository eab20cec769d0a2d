/** The form of the node, as it is stored in flows. */
import { ANSWER_OPTIONS } from '../../src/service/answer-options.ts';
import type { Config } from '../common/form-fields.ts';
import { PARSING_FIELDS } from '../common/parsing.ts';

/** What a client gets that does not say what it wants. */
export const RESPONSE_SETTINGS = {
  format: ANSWER_OPTIONS.format,
  view: ANSWER_OPTIONS.view,
  masks: ANSWER_OPTIONS.masks,
  picture: ANSWER_OPTIONS.picture,
};

export const FIELDS = { ...PARSING_FIELDS, ...RESPONSE_SETTINGS };
export type ResponseConfig = Config<typeof FIELDS>;
