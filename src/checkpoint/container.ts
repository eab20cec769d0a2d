/** What the two forms of a checkpoint file have in common once they are opened. */
import type { PickledValue } from './values.ts';

export interface Container {
  readonly form: 'zip' | 'legacy';
  /** What was given to `torch.save`. */
  readonly object: PickledValue;
  /** How many bytes the file holds of the storage `key`; undefined where it holds none. */
  bytesOf(key: string): number | undefined;
  /** The byte of the file at which the storage `key`, one that it holds, begins. */
  locate(key: string): Promise<number>;
}
