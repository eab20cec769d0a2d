/**
 * Reads PyTorch and safetensors checkpoints without Python: names, types and shapes of the tensors of a state dict at once,
 * their values one at a time from the disk.
 */
import type { CheckpointForm, Container } from './container.ts';
import { CheckpointFile, DAMAGED, TAMPERED, quoted } from './file.ts';
import { detectForm } from './format.ts';
import { openLegacy } from './legacy.ts';
import { openSafetensors } from './safetensors.ts';
import { readFloat32, storageBytes, type DType } from './tensors.ts';
import { PickledDict, TensorReference, type PickledValue } from './values.ts';
import { openZip } from './zip.ts';

export type { CheckpointForm } from './container.ts';
export type { DType } from './tensors.ts';

export interface TensorInfo {
  name: string;
  /** The type of the elements in the file. */
  dtype: DType;
  shape: number[];
}

/** An open checkpoint file. It holds no values and no memory that grows; close it after use. */
export interface Checkpoint {
  /** The path that it was opened at. */
  file: string;
  /** The file's size in bytes. */
  size: number;
  container: CheckpointForm;
  /** The state dict's tensors by name, in file order. */
  tensors: ReadonlyMap<string, TensorInfo>;
  /**
   * The contiguous row-major float32 values of one tensor, read from disk when asked.
   * @throws M2FP_CHECKPOINT_INVALID where there is no tensor of this name or the file can no longer be read
   */
  readFloat32(name: string): Promise<Float32Array>;
  close(): Promise<void>;
}

/** The entries under which trainers keep the state dict, the first that holds tensors is taken. */
const WRAPPERS = ['model', 'model_state_dict', 'state_dict'];

/** How deep wrappers lie in each other at most: a trainer's around the model's. */
const MAX_WRAPPING = 2;

/** What DataParallel, wrapping modules and torch.compile put before every name. */
const PREFIXES = ['module.', 'model.', 'state_dict.', '_orig_mod.'];

/** How many of them one name can have. */
const MAX_PREFIXES = 4;

function tensorsOf(value: PickledValue | undefined): [string, TensorReference][] {
  if (!(value instanceof PickledDict)) return [];
  return [...value].filter((pair): pair is [string, TensorReference] => pair[1] instanceof TensorReference);
}

/** The tensors of the first wrapper that has any, else of the dict itself. */
function wrappedTensors(value: PickledValue | undefined, depth: number): [string, TensorReference][] {
  if (depth > 0 && value instanceof PickledDict) {
    for (const wrapper of WRAPPERS) {
      const tensors = wrappedTensors(value.get(wrapper), depth - 1);
      if (tensors.length > 0) return tensors;
    }
  }
  return tensorsOf(value);
}

/** The names without the prefixes that all of them have: one that only some have may tell two networks apart. */
function stripPrefixes(tensors: [string, TensorReference][]): [string, TensorReference][] {
  for (let stripped = 0; stripped < MAX_PREFIXES; stripped++) {
    const prefix = PREFIXES.find((candidate) => tensors.every(([name]) => name.startsWith(candidate)));
    if (prefix === undefined) break;
    tensors = tensors.map(([name, tensor]) => [name.slice(prefix.length), tensor]);
  }
  return tensors;
}

/** The state dict in what was given to `torch.save`, prefixes stripped. */
function findStateDict(file: CheckpointFile, object: PickledValue): Map<string, TensorReference> {
  if (!(object instanceof PickledDict)) throw file.invalid(`holds no dict. ${TAMPERED}`);
  const tensors = wrappedTensors(object, MAX_WRAPPING);
  if (tensors.length === 0) {
    const names = [...object.keys()].slice(0, 10).map(quoted).join(', ');
    throw file.invalid(
      `holds no tensors under ${WRAPPERS.map(quoted).join(', ')} or directly; its entries are: ${names || 'none'}. ` +
        'Save the weights: torch.save(model.state_dict(), file).',
    );
  }
  return new Map(stripPrefixes(tensors));
}

const OPEN: Readonly<Record<CheckpointForm, (file: CheckpointFile) => Promise<Container>>> = {
  zip: openZip,
  legacy: openLegacy,
  safetensors: openSafetensors,
};

/** Throws where the file holds less of a tensor's storage than the pickle says. */
function assertStored(
  file: CheckpointFile,
  container: Container,
  name: string,
  { storage }: TensorReference,
): void {
  const bytes = container.bytesOf(storage.key);
  const needed = storageBytes(storage);
  if (bytes !== undefined && bytes >= needed) return;
  const state = bytes === undefined ? 'is missing' : `has ${bytes} bytes where ${needed} are needed`;
  throw file.invalid(`the data ${quoted(storage.key)} of the tensor ${quoted(name)} ${state}. ${DAMAGED}`);
}

/**
 * Opens a checkpoint in safetensors form or one that `torch.save` wrote, in zip or legacy form: a state dict,
 * or a dict with one under `model`, `model_state_dict` or `state_dict`. Reads its directory only. Nothing in
 * the file is run: a pickle that asks for anything but tensors and plain data is refused, save NumPy's scalars
 * and arrays, which are dropped unread.
 * @param file the path of the checkpoint, for example `pytorch_model.pt`
 * @throws M2FP_MODEL_NOT_FOUND where there is no such file; M2FP_CHECKPOINT_INVALID where it is no checkpoint,
 *   damaged, or asks for something that a checkpoint never needs
 */
export async function openCheckpoint(file: string): Promise<Checkpoint> {
  const source = await CheckpointFile.open(file);
  try {
    const form = await detectForm(source);
    const container = await OPEN[form](source);
    const stateDict = findStateDict(source, container.object);
    for (const [name, tensor] of stateDict) assertStored(source, container, name, tensor);
    return new OpenCheckpoint(source, container, stateDict);
  } catch (error) {
    await source.close();
    throw error;
  }
}

class OpenCheckpoint implements Checkpoint {
  readonly file: string;
  readonly size: number;
  readonly container: CheckpointForm;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly #source: CheckpointFile;
  readonly #container: Container;
  readonly #stateDict: ReadonlyMap<string, TensorReference>;

  constructor(source: CheckpointFile, container: Container, stateDict: ReadonlyMap<string, TensorReference>) {
    this.file = source.path;
    this.size = source.size;
    this.container = container.form;
    this.tensors = new Map(
      [...stateDict].map(([name, { storage, layout }]) => [
        name,
        { name, dtype: storage.dtype, shape: [...layout.shape] },
      ]),
    );
    this.#source = source;
    this.#container = container;
    this.#stateDict = stateDict;
  }

  async readFloat32(name: string): Promise<Float32Array> {
    const tensor = this.#stateDict.get(name);
    if (tensor === undefined) throw this.#source.invalid(`has no tensor ${quoted(name)}`);
    const { storage, layout } = tensor;
    const position = await this.#container.locate(storage.key);
    return readFloat32(this.#source, position, storage.dtype, layout);
  }

  async close(): Promise<void> {
    await this.#source.close();
  }
}
