/** The form of the node, as it is stored in flows. */
import type { NodeDef } from 'node-red';
import type { QueuePolicy } from '../../src/engine/types.ts';
import type { ImageConfig } from '../common/picture.ts';
import { withDefaults } from '../common/defaults.ts';
import type { ResultConfig } from '../common/result.ts';

export interface InferConfig extends NodeDef, ImageConfig, Required<ResultConfig> {
  model: string;
  /** The minimum score; blank = that of new nodes. */
  scoreThreshold: number | string;
  flip: boolean;
  policy: QueuePolicy;
  /** Pictures of this node that may wait, for `wait`; blank = as many as the model's queue takes. */
  limit: number | string;
  /** Seconds that a picture may wait; blank or 0 = no limit. */
  maxAge: number | string;
  /** Property of the message, for `latest`: pictures of the same key replace each other. */
  key: string;
  /** With `priorityType`: a property of the message, or a number. */
  priority: string;
  priorityType: string;
}

/** A node that any version, or an API, stored. */
export type StoredConfig = NodeDef & Partial<InferConfig> & { configVersion?: number };

/** The configuration in full. A node of version 1, which had no line of its own, waits in the model's as it did. */
export function completeConfig(stored: StoredConfig): InferConfig {
  const { configVersion } = stored;
  return withDefaults('m2fp-infer', { ...(configVersion === 1 && { limit: '' }), ...stored });
}
