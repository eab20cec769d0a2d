/** The form of the node, as it is stored in flows. */
import { flag, oneOf } from '../../src/parsing/options/option-table.ts';
import { MODEL_FIELD } from '../common/form-fields.ts';
import { ACTIONS } from '../common/message-options.ts';

export const FIELDS = {
  ...MODEL_FIELD,
  action: oneOf(ACTIONS, 'load'),
  onStart: flag(false),
};
