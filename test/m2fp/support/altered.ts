/** Checkpoints that differ from a real one in the names and shapes of their tensors. */
import type { Checkpoint, TensorInfo } from '../../../src/checkpoint/index.ts';

/** A checkpoint's tensors, to be changed. */
export type Tensors = Map<string, TensorInfo>;

/** The checkpoint without some tensors, or with others in their place. */
export function altered(checkpoint: Checkpoint, change: (tensors: Tensors) => void): Checkpoint {
  const tensors: Tensors = new Map(
    [...checkpoint.tensors].map(([name, info]) => [name, { ...info, shape: [...info.shape] }]),
  );
  change(tensors);
  return {
    ...checkpoint,
    file: checkpoint.file,
    tensors,
    readFloat32: checkpoint.readFloat32.bind(checkpoint),
  };
}
