/** The form of the node, as it is stored in flows. */
import type { NodeDef } from 'node-red';
import type { QueuePolicy } from '../../src/engine/types.ts';
import type { PictureConfig } from '../common/picture.ts';
import type { ResultConfig } from '../common/result.ts';

export interface InferConfig extends NodeDef, PictureConfig, ResultConfig {
  model: string;
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

/** What version 2 brought. A node from before waits in the model's line as it did; the form fills in the same. */
const SINCE_2 = {
  flip: false,
  policy: 'wait',
  limit: '',
  maxAge: '',
  key: 'topic',
  priority: '0',
  priorityType: 'num',
} as const;

/** A node of any version. */
export type StoredConfig = Omit<InferConfig, keyof typeof SINCE_2> & Partial<InferConfig>;

/** The configuration in full, of a node that any version stored. */
export function completeConfig(stored: StoredConfig): InferConfig {
  return { ...SINCE_2, ...stored };
}
