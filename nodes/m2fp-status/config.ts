/** The form of the node, as it is stored in flows. */
import { flag, oneOf } from '../../src/parsing/options/option-table.ts';
import { MODEL_FIELD } from '../common/form-fields.ts';

export const FIELDS = {
  /** Blank: all engines. */
  ...MODEL_FIELD,
  /** `path`: what the end of the HTTP request's path says, so that one node answers all probes. */
  format: oneOf(['json', 'health', 'ready', 'live', 'prometheus', 'path'], 'json'),
  /** Whether the message gets the status code of a readiness probe, which some formats always set. */
  probe: flag(false),
  onChange: flag(false),
};
