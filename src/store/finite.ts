/** Whether the weights of a checkpoint are numbers: those of a training that diverged are not. */
import type { Checkpoint } from '../checkpoint/index.ts';

/** How many names a warning lists. */
const LISTED = 3;

export interface WatchedCheckpoint extends Checkpoint {
  /** The warning about the tensors read so far that hold NaN or infinite values; null where none does. */
  warning(): string | null;
}

/** The same checkpoint, looking at every value that is read of it. */
export function watchFinite(checkpoint: Checkpoint): WatchedCheckpoint {
  const broken = new Set<string>();
  return {
    file: checkpoint.file,
    size: checkpoint.size,
    container: checkpoint.container,
    tensors: checkpoint.tensors,
    opaque: checkpoint.opaque,
    averaged: checkpoint.averaged,
    unchecked: checkpoint.unchecked,
    async readFloat32(name) {
      const values = await checkpoint.readFloat32(name);
      if (!isFinite(values)) broken.add(name);
      return values;
    },
    close: () => checkpoint.close(),
    warning() {
      if (broken.size === 0) return null;
      const rest = broken.size > LISTED ? ` and ${broken.size - LISTED} more` : '';
      const names = [...broken].slice(0, LISTED).join(', ');
      return (
        `Weights are NaN or infinite (${names}${rest}): the training diverged or the file is damaged, and the model will ` +
        'find nobody or nonsense. Take an earlier checkpoint'
      );
    },
  };
}

/** A sum of squares is finite where every value is, but for values that no weight has: then they are looked at. */
function isFinite(values: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return Number.isFinite(sum) || values.every(Number.isFinite);
}
