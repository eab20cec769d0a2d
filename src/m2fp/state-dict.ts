/** The checkpoint as the network sees it: tensors by key, checked against the shape that the network needs. */
import type { Checkpoint } from '../checkpoint/index.ts';
import { M2fpError } from '../errors.ts';
import type { Weight } from '../onnx/weight.ts';

/** Keys below a prefix, as `nn.Module` names them. */
export class StateDict {
  readonly #checkpoint: Checkpoint;
  readonly #prefix: string;

  constructor(checkpoint: Checkpoint, prefix = '') {
    this.#checkpoint = checkpoint;
    this.#prefix = prefix;
  }

  /** The checkpoint's file, for messages. */
  get file(): string {
    return this.#checkpoint.file;
  }

  /** The tensors of a sub-module. */
  at(module: string): StateDict {
    return new StateDict(this.#checkpoint, `${this.#prefix}${module}.`);
  }

  has(key: string): boolean {
    return this.#checkpoint.tensors.has(this.#prefix + key);
  }

  /** Shape of a tensor that the network cannot do without. */
  shape(key: string): readonly number[] {
    const name = this.#prefix + key;
    const info = this.#checkpoint.tensors.get(name);
    if (info === undefined) {
      throw new M2fpError(
        'M2FP_CHECKPOINT_INVALID',
        `${this.file}: the tensor ${name} is missing, so this is not an M2FP checkpoint, or not a whole one`,
      );
    }
    return info.shape;
  }

  /** Number of consecutive sub-modules `<module>.0`, `<module>.1`, .. that have a tensor `<key>`. */
  count(module: string, key: string): number {
    let count = 0;
    while (this.has(`${module}.${count}.${key}`)) count++;
    return count;
  }

  /**
   * A tensor of exactly this shape.
   * @throws M2fpError M2FP_CHECKPOINT_INVALID naming the tensor, the shape found and the one expected
   */
  get(key: string, shape: readonly number[]): Weight {
    const found = this.shape(key);
    const name = this.#prefix + key;
    if (found.length !== shape.length || found.some((dim, axis) => dim !== shape[axis])) {
      throw new M2fpError(
        'M2FP_CHECKPOINT_INVALID',
        `${this.file}: the tensor ${name} has shape [${found.join(', ')}], expected [${shape.join(', ')}]`,
      );
    }
    const checkpoint = this.#checkpoint;
    return { shape, load: () => checkpoint.readFloat32(name) };
  }
}
