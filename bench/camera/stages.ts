/** What follows the model in a flow with cameras, for the load to carry: empty as long as track and describe are measured alone. */
import type { Parsing } from '../../src/parsing/types.ts';

export interface Stage {
  name: string;
  /** One for all cameras; `camera` tells them apart. */
  create: () => (parsing: Parsing, camera: string) => Promise<unknown>;
}

export const STAGES: readonly Stage[] = [];
