/** What the three forms of a checkpoint file have in common once they are opened. */
import type { Checksum } from './checksum.ts';
import type { PickledValue } from './values.ts';

/** How the file is laid out: torch.save's two forms, or safetensors. */
export type CheckpointForm = 'zip' | 'legacy' | 'safetensors';

export interface Container {
  readonly form: CheckpointForm;
  /** What was given to `torch.save`; the tensors by name for safetensors. */
  readonly object: PickledValue;
  /** How many bytes the file holds of the storage `key`; undefined where it holds none. */
  bytesOf(key: string): number | undefined;
  /** The byte of the file at which the storage `key`, one that it holds, begins. */
  locate(key: string): Promise<number>;
  /** What the storage `key`, one that it holds, has to be; undefined where the form does not tell. */
  checksumOf(key: string): Checksum | undefined;
}
