/** The form of the node, as it is stored in flows. */
import { flag, oneOf } from '../../src/parsing/options/option-table.ts';
import { MODEL_FIELD } from '../common/form-fields.ts';

export const FIELDS = {
  /** Blank: all engines. */
  ...MODEL_FIELD,
  format: oneOf(['json', 'health', 'prometheus'], 'json'),
  /** Whether the message gets the status code of a readiness probe. */
  probe: flag(false),
  onChange: flag(false),
};
