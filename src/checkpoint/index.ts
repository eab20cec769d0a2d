/**
 * Reads PyTorch and safetensors checkpoints without Python: names, types and shapes of the tensors of a state dict at once,
 * their values one at a time from the disk.
 */
import { crc32 } from 'node:zlib';
import { M2fpError } from '../errors.ts';
import { assertIntact, fileCrc32, isComputed } from './checksum.ts';
import type { CheckpointForm, Container } from './container.ts';
import { CheckpointFile, DAMAGED, TAMPERED, quoted } from './file.ts';
import { detectForm } from './format.ts';
import { openLegacy } from './legacy.ts';
import { openSafetensors } from './safetensors.ts';
import { readFloat32, storageBytes, type DType } from './tensors.ts';
import { OpaqueValue, PickledDict, TensorReference, type PickledValue } from './values.ts';
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
  /** Entries of the state dict that are no tensors that can be read, and the class or function that makes them. */
  opaque: ReadonlyMap<string, string>;
  /** The entry with averaged weights (EMA), where the file has one that is not the state dict taken; else null. */
  averaged: string | null;
  /** True where whoever saved the tensors left out the check values of their data: damage to them is not noticed. */
  unchecked: boolean;
  /**
   * The contiguous row-major float32 values of one tensor, read from disk when asked.
   * @throws M2FP_CHECKPOINT_INVALID where there is no tensor of this name, its data are damaged, or the file can no
   *   longer be read
   */
  readFloat32(name: string): Promise<Float32Array>;
  close(): Promise<void>;
}

/** The entries under which trainers keep the state dict, the first that holds tensors is taken. */
const WRAPPERS = ['model', 'model_state_dict', 'state_dict'];

/** The entries under which trainers keep the running average of the weights. */
const AVERAGES = [
  'ema',
  'model_ema',
  'ema_model',
  'ema_state_dict',
  'model_ema_state_dict',
  'state_dict_ema',
  'ema_state',
];

/** The weights of the last step, or their running average (EMA). */
export type WeightsChoice = 'model' | 'ema';
export const WEIGHTS_CHOICES: readonly WeightsChoice[] = ['model', 'ema'];

/** What `AveragedModel` counts beside the model that it wraps under `module.`. */
const AVERAGED_COUNT = 'n_averaged';

/** How deep wrappers lie in each other at most: a trainer's around the model's. */
const MAX_WRAPPING = 2;

/** What DataParallel, wrapping modules and torch.compile put before every name. */
const PREFIXES = ['module.', 'model.', 'state_dict.', '_orig_mod.'];

/** How many of them one name can have. */
const MAX_PREFIXES = 4;

type Entries = [name: string, value: PickledValue][];

const isTensor = (value: PickledValue | undefined) => value instanceof TensorReference;

/** The entries of a dict that has tensors, with all that could have been one. */
function entriesOf(value: PickledValue | undefined): Entries {
  if (!(value instanceof PickledDict) || ![...value.values()].some(isTensor)) return [];
  return [...value].filter(([, entry]) => isTensor(entry) || entry instanceof OpaqueValue);
}

/** The entries of the first wrapper that has tensors, else of the dict itself. */
function wrappedEntries(value: PickledValue | undefined, depth: number, wrappers = WRAPPERS): Entries {
  if (depth > 0 && value instanceof PickledDict) {
    for (const wrapper of wrappers) {
      const entries = wrappedEntries(value.get(wrapper), depth - 1);
      if (entries.length > 0) return entries;
    }
  }
  return entriesOf(value);
}

/** The averaged weights: under one of their names, or in a wrapper around the model. */
function findAverage(object: PickledDict): { entry: string; entries: Entries } | undefined {
  for (const entry of AVERAGES) {
    const entries = wrappedEntries(object.get(entry), MAX_WRAPPING, [...WRAPPERS, 'module', 'shadow']);
    if (entries.length > 0) return { entry, entries };
  }
  return undefined;
}

/** The names without the prefixes that all of them have: one that only some have may tell two networks apart. */
function stripPrefixes(entries: Entries): Entries {
  const rest = entries.filter(([name]) => name !== AVERAGED_COUNT);
  if (allBegin(rest, 'module.')) entries = rest;
  for (let stripped = 0; stripped < MAX_PREFIXES; stripped++) {
    const prefix = PREFIXES.find((candidate) => allBegin(entries, candidate));
    if (prefix === undefined) break;
    entries = entries.map(([name, value]) => [
      name.startsWith(prefix) ? name.slice(prefix.length) : name,
      value,
    ]);
  }
  return entries;
}

/** True where the names of all tensors do; what else lies between them has no say. */
function allBegin(entries: Entries, prefix: string): boolean {
  const tensors = entries.filter(([, value]) => isTensor(value));
  return tensors.length > 0 && tensors.every(([name]) => name.startsWith(prefix));
}

interface StateDict {
  tensors: Map<string, TensorReference>;
  opaque: Map<string, string>;
  averaged: string | null;
}

/** The state dict in what was given to `torch.save`, prefixes stripped. */
function findStateDict(file: CheckpointFile, object: PickledValue, weights: WeightsChoice): StateDict {
  if (object instanceof OpaqueValue) throw wholeObject(file, object);
  if (!(object instanceof PickledDict)) throw file.invalid(`holds no dict. ${TAMPERED}`);
  const average = findAverage(object);
  if (weights === 'ema' && average === undefined) {
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      `${file.name} holds no averaged weights (an entry ${AVERAGES.map(quoted).join(', ')}): leave the option out`,
    );
  }
  const usual = weights === 'ema' ? [] : wrappedEntries(object, MAX_WRAPPING);
  const entries = usual.length > 0 ? usual : (average?.entries ?? []);
  if (entries.length === 0) {
    const whole = WRAPPERS.map((name) => object.get(name)).find((value) => value instanceof OpaqueValue);
    if (whole !== undefined) throw wholeObject(file, whole);
    const names = [...object.keys()].slice(0, 10).map(quoted).join(', ');
    throw file.invalid(
      `holds no tensors under ${WRAPPERS.map(quoted).join(', ')} or directly; its entries are: ${names || 'none'}. ` +
        'Save the weights: torch.save(model.state_dict(), file).',
    );
  }
  const state: StateDict = {
    tensors: new Map(),
    opaque: new Map(),
    averaged: usual.length > 0 ? (average?.entry ?? null) : null,
  };
  for (const [name, value] of stripPrefixes(entries)) {
    if (value instanceof TensorReference) state.tensors.set(name, value);
    else if (value instanceof OpaqueValue) state.opaque.set(name, value.name);
  }
  return state;
}

function wholeObject(file: CheckpointFile, { name }: OpaqueValue): M2fpError {
  return file.invalid(
    `holds a whole object, ${quoted(name)}, not its weights; nothing of it was run. Save only the weights: ` +
      'torch.save(model.state_dict(), file).',
  );
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
 * @param weights which ones, where the file has both; the other ones where it has only those
 * @throws M2FP_BAD_OPTION where averaged weights are asked for and there are none; M2FP_MODEL_NOT_FOUND where there is no
 *   such file; M2FP_CHECKPOINT_INVALID where it is no checkpoint,
 *   damaged, or asks for something that a checkpoint never needs
 */
export async function openCheckpoint(file: string, weights: WeightsChoice = 'model'): Promise<Checkpoint> {
  const source = await CheckpointFile.open(file);
  try {
    const form = await detectForm(source);
    const container = await OPEN[form](source);
    const stateDict = findStateDict(source, container.object, weights);
    for (const [name, tensor] of stateDict.tensors) assertStored(source, container, name, tensor);
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
  readonly opaque: ReadonlyMap<string, string>;
  readonly averaged: string | null;
  readonly unchecked: boolean;
  readonly #source: CheckpointFile;
  readonly #container: Container;
  readonly #stateDict: ReadonlyMap<string, TensorReference>;
  /** The storages that are as they were saved. */
  readonly #intact = new Set<string>();

  constructor(source: CheckpointFile, container: Container, { tensors, opaque, averaged }: StateDict) {
    this.file = source.path;
    this.size = source.size;
    this.container = container.form;
    this.tensors = new Map(
      [...tensors].map(([name, { storage, layout }]) => [
        name,
        { name, dtype: storage.dtype, shape: [...layout.shape] },
      ]),
    );
    this.#source = source;
    this.#container = container;
    this.#stateDict = tensors;
    this.opaque = opaque;
    this.averaged = averaged;
    this.unchecked = [...tensors.values()].some(({ storage }) => {
      const checksum = container.checksumOf(storage.key);
      return checksum !== undefined && checksum.bytes > 0 && !isComputed(checksum);
    });
  }

  async readFloat32(name: string): Promise<Float32Array> {
    const tensor = this.#stateDict.get(name);
    if (tensor === undefined) throw this.#source.invalid(`has no tensor ${quoted(name)}`);
    const { storage, layout } = tensor;
    const position = await this.#container.locate(storage.key);
    return readFloat32(
      this.#source,
      position,
      storage.dtype,
      layout,
      await this.#inspector(tensor, position),
    );
  }

  /** Checks a storage once: as it is read where the tensor is all of it, else before. */
  async #inspector(
    { storage, layout }: TensorReference,
    position: number,
  ): Promise<(raw: Uint8Array) => void> {
    const { key } = storage;
    const checksum = this.#intact.has(key) ? undefined : this.#container.checksumOf(key);
    if (checksum === undefined || !isComputed(checksum)) return () => {};
    const accept = (found: number) => {
      assertIntact(this.#source, `data/${key}`, found, checksum);
      this.#intact.add(key);
    };
    const { dtype } = storage;
    if (layout.offset === 0 && storageBytes({ key, dtype, elements: layout.span }) === checksum.bytes)
      return (raw) => accept(crc32(raw));
    accept(await fileCrc32(this.#source, position, checksum.bytes));
    return () => {};
  }

  async close(): Promise<void> {
    await this.#source.close();
  }
}
