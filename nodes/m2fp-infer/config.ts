/** The form of the node, as it is stored in flows. */
import type { NodeDef } from 'node-red';
import { DEFAULT_MIN_SCORE } from '../../src/parsing/postprocess/postprocess.ts';
import { flag, number } from '../../src/parsing/options/option-table.ts';
import { type Config, MODEL_FIELD, textField, typedField, withDefaults } from '../common/form-fields.ts';
import { IMAGE_FIELDS } from '../common/image.ts';
import { POLYGON_SETTINGS } from '../common/polygon-settings.ts';
import { QUEUE_SETTINGS } from '../common/queue-fields.ts';
import { RESULT_FIELDS } from '../common/result.ts';

export const FIELDS = {
  ...MODEL_FIELD,
  ...IMAGE_FIELDS,
  /** The minimum score; blank = that of new nodes. */
  scoreThreshold: number(0.1, 1, DEFAULT_MIN_SCORE),
  flip: flag(false),
  ...POLYGON_SETTINGS,
  ...QUEUE_SETTINGS,
  /** Property of the message, for `latest`: pictures of the same key replace each other. */
  key: textField('topic', { input: 'typed', choices: ['msg'], check: ['inMessage'] }),
  /** A property of the message, or a number. */
  ...typedField('priority', '0', { types: ['num', 'msg'], check: 'optional' }),
  /** Property of the message that metrics tell cameras apart by; blank = they do not. */
  camera: textField('', { input: 'typed', choices: ['msg'], check: ['inMessage'] }),
  ...RESULT_FIELDS,
};

export type InferConfig = Config<typeof FIELDS>;

/** A node that any version, or an API, stored. */
export type StoredConfig = NodeDef & Partial<InferConfig> & { configVersion?: number };

/** The configuration in full. A node of version 1, which had no line of its own, waits in the model's as it did. */
export function completeConfig(stored: StoredConfig): InferConfig {
  const { configVersion } = stored;
  return withDefaults(FIELDS, { ...(configVersion === 1 && { limit: '' }), ...stored });
}
