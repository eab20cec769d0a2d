/** Whether the weights of a checkpoint can be weights: those of a training that diverged are no numbers, damaged ones all zero. */
import type { Checkpoint } from '../checkpoint/index.ts';

/** How many names a warning lists. */
const LISTED = 3;

export interface WatchedCheckpoint extends Checkpoint {
  /** The warning about the tensors read so far that hold NaN or infinite values, or nothing but zeros; null where they are weights. */
  warning(): string | null;
}

/** The same checkpoint, looking at every value that is read of it. */
export function watchFinite(checkpoint: Checkpoint): WatchedCheckpoint {
  const broken = new Set<string>();
  let zeros = 0;
  let others = 0;
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
      const sum = sumOfSquares(values);
      if (!Number.isFinite(sum) && !values.every(Number.isFinite)) broken.add(name);
      if (sum === 0) zeros++;
      else others++;
      return values;
    },
    close: () => checkpoint.close(),
    warning() {
      if (zeros > 0 && others === 0) {
        return 'All weights are zero: the file is damaged or was never trained, and the model will find nobody. Take another checkpoint';
      }
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

/** Finite where every value is, but for values that no weight has; 0 where every value is. */
function sumOfSquares(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return sum;
}
