/** The checkpoint as the network sees it: tensors by key, checked against the shape that the network needs. */
import type { Checkpoint } from '../checkpoint/index.ts';
import { M2fpError } from '../errors.ts';
import type { Weight } from '../onnx/weight.ts';

/** Tensors by the name that they had in Mask2Former's first version. */
const OLD_NAMES: ReadonlyMap<string, string> = new Map([
  ['sem_seg_head.predictor.query_feat.weight', 'sem_seg_head.predictor.static_query.weight'],
]);

/** Keys below a prefix, as `nn.Module` names them. */
export interface StateDict {
  /** The tensors of a sub-module. */
  at(module: string): StateDict;
  /**
   * A tensor of exactly this shape.
   * @throws M2fpError naming the tensor, the shape found and the one expected
   */
  get(key: string, shape: readonly number[]): Weight;
  /**
   * Shape of a tensor that the network cannot do without: `rank` axes, none of them empty.
   * @throws M2fpError naming the tensor
   */
  shape(key: string, rank: number): readonly number[];
}

/** That of a checkpoint. */
export class CheckpointState implements StateDict {
  readonly #checkpoint: Checkpoint;
  readonly #prefix: string;
  /** The checkpoint's names of all tensors that were taken, shared by all prefixes. */
  readonly #taken: Set<string>;

  constructor(checkpoint: Checkpoint, prefix = '', taken = new Set<string>()) {
    this.#checkpoint = checkpoint;
    this.#prefix = prefix;
    this.#taken = taken;
  }

  /** The tensors of a sub-module. */
  at(module: string): CheckpointState {
    return new CheckpointState(this.#checkpoint, `${this.#prefix}${module}.`, this.#taken);
  }

  has(key: string): boolean {
    return this.#checkpoint.tensors.has(this.#nameOf(key));
  }

  /** The first name below the prefix that matches; the pattern sees what follows the prefix. */
  find(pattern: RegExp): string | undefined {
    return this.#names().find((name) => pattern.test(name.slice(this.#prefix.length)));
  }

  /** The names below the prefix of all tensors that {@link get} never gave. */
  untaken(): string[] {
    return this.#names().filter((name) => !this.#taken.has(name));
  }

  /**
   * Shape of a tensor that the network cannot do without: `rank` axes, none of them empty.
   * @throws M2fpError M2FP_CHECKPOINT_INVALID naming the tensor
   */
  shape(key: string, rank: number): readonly number[] {
    const { shape } = this.#info(key);
    if (shape.length !== rank || shape.includes(0)) {
      throw this.fail(
        `the tensor ${this.#nameOf(key)} has shape [${shape.join(', ')}], expected ${rank} axes`,
      );
    }
    return shape;
  }

  /**
   * Number of sub-modules `<module>.0`, `<module>.1`, .. that have a tensor `<key>`.
   * @throws M2fpError M2FP_CHECKPOINT_INVALID where there is none or one is left out
   */
  count(module: string, key: string): number {
    let count = 0;
    while (this.has(`${module}.${count}.${key}`)) count++;
    const prefix = `${this.#prefix}${module}.`;
    const further = this.#names().some(
      (name) => name.startsWith(prefix) && Number.parseInt(name.slice(prefix.length), 10) >= count,
    );
    // Asking for it names the tensor that is missing.
    if (count === 0 || further) this.#info(`${module}.${count}.${key}`);
    return count;
  }

  /**
   * A tensor of exactly this shape.
   * @throws M2fpError M2FP_CHECKPOINT_INVALID naming the tensor, the shape found and the one expected
   */
  get(key: string, shape: readonly number[]): Weight {
    const name = this.#nameOf(key);
    const { shape: found } = this.#info(key);
    if (found.length !== shape.length || found.some((dim, axis) => dim !== shape[axis])) {
      throw this.fail(`the tensor ${name} has shape [${found.join(', ')}], expected [${shape.join(', ')}]`);
    }
    this.#taken.add(name);
    const checkpoint = this.#checkpoint;
    return { shape, load: () => checkpoint.readFloat32(name) };
  }

  /** The error that this checkpoint cannot be converted; `reason` follows the file. */
  fail(reason: string): M2fpError {
    return new M2fpError('M2FP_CHECKPOINT_INVALID', `${this.#checkpoint.file}: ${reason}`);
  }

  #info(key: string): { shape: readonly number[] } {
    const name = this.#nameOf(key);
    const info = this.#checkpoint.tensors.get(name);
    if (info !== undefined) return info;
    const opaque = this.#checkpoint.opaque.get(name);
    if (opaque !== undefined) {
      const made = opaque.length > 80 ? `${opaque.slice(0, 80)}…` : opaque;
      throw this.fail(
        `the tensor ${name} is saved as ${JSON.stringify(made)}, which is not read: save plain float tensors, ` +
          'torch.save(model.state_dict(), file)',
      );
    }
    throw this.fail(`the tensor ${name} is missing, so this is not an M2FP checkpoint, or not a whole one`);
  }

  #nameOf(key: string): string {
    const name = this.#prefix + key;
    const old = OLD_NAMES.get(name);
    const { tensors } = this.#checkpoint;
    return old !== undefined && !tensors.has(name) && tensors.has(old) ? old : name;
  }

  #names(): string[] {
    return [...this.#checkpoint.tensors.keys()].filter((name) => name.startsWith(this.#prefix));
  }
}
