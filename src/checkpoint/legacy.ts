/**
 * The legacy form of a checkpoint (torch < 1.6, or `_use_new_zipfile_serialization=False`): four pickles in
 * a row (a magic number, a protocol version, facts of the writer's machine, the object), a pickled list of
 * storage keys, then for each key an int64 count of elements and the elements.
 */
import type { Container } from './container.ts';
import { DAMAGED, TAMPERED, type CheckpointFile } from './file.ts';
import { storageBytes } from './tensors.ts';
import { MAX_PICKLE_BYTES, PickleEndsEarlyError, type Unpickled } from './pickle-machine.ts';
import { unpickle } from './unpickle.ts';
import { OpaqueValue, PickledDict, type PickledValue, type StorageReference } from './values.ts';

const MAGIC_NUMBER = 0x1950a86a20f9469cfc6cn;
const PROTOCOL_VERSION = 1001;

/** How much is read for a pickle of unknown length: at first little, for hostile ones up to the limit. */
const WINDOWS = [2 ** 18, 2 ** 22, MAX_PICKLE_BYTES];

const COUNT_BYTES = 8;

/** Reads pickles one after another. */
class PickleReader {
  readonly #file: CheckpointFile;
  /** Where the next pickle begins. */
  position = 0;

  constructor(file: CheckpointFile) {
    this.#file = file;
  }

  async next(name: string): Promise<Unpickled> {
    const rest = this.#file.size - this.position;
    const where = `${this.#file.name}: the pickle of the ${name}, which starts at byte ${this.position},`;
    for (const window of WINDOWS) {
      try {
        const result = unpickle(await this.#file.read(this.position, Math.min(window, rest)), where);
        this.position += result.length;
        return result;
      } catch (error) {
        if (!(error instanceof PickleEndsEarlyError) || window >= rest) throw error;
      }
    }
    throw this.#file.invalid(
      `the pickle of the ${name} is longer than ${MAX_PICKLE_BYTES} bytes. ${TAMPERED}`,
    );
  }
}

/** Under this ending detectron2 publishes backbones as pickled NumPy arrays. */
const MODEL_ZOO_FILE = /\.pkl$/i;

/** True for a dict of NumPy arrays, or a dict with one under `model`, as in detectron2's model zoo. */
function holdsArrays(value: PickledValue): boolean {
  if (!(value instanceof PickledDict)) return false;
  const model = value.get('model');
  const entries = [...(model instanceof PickledDict ? model : value).values()];
  return entries.length > 0 && entries.every((entry) => entry instanceof OpaqueValue);
}

function modelZoo(file: CheckpointFile, cause?: unknown): Error {
  return file.invalid(
    "is a pickle of NumPy arrays, as in detectron2's model zoo, which is not read. If you trust it, load it in " +
      'Python with pickle.load(open(file, "rb"), encoding="latin1") and save its arrays as tensors: ' +
      'torch.save({name: torch.as_tensor(array) for name, array in loaded["model"].items()}, "model_final.pth").',
    { cause },
  );
}

async function assertHeader(file: CheckpointFile, reader: PickleReader): Promise<void> {
  const magic = await reader.next('magic number').catch((error: unknown) => {
    throw MODEL_ZOO_FILE.test(file.name) ? modelZoo(file, error) : error;
  });
  if (magic.value !== MAGIC_NUMBER) {
    if (holdsArrays(magic.value)) throw modelZoo(file);
    throw file.invalid(
      'is a Python pickle, but not one that torch.save wrote (its magic number is missing). ' +
        'Save the weights from PyTorch: torch.save(model.state_dict(), file).',
    );
  }
  const version = await reader.next('protocol version');
  if (version.value !== PROTOCOL_VERSION) {
    throw file.invalid(`has another protocol version than ${PROTOCOL_VERSION}. ${DAMAGED}`);
  }
  const system = await reader.next('system information');
  if (!(system.value instanceof PickledDict) || system.value.get('little_endian') !== true) {
    throw file.invalid(
      'was not written on a little-endian machine; only such checkpoints are read. ' +
        'Save it again on a little-endian machine.',
    );
  }
}

/** Walks over the storages behind the pickles and gives the byte at which the elements of each begin. */
async function locateStorages(
  file: CheckpointFile,
  keys: PickledValue,
  storages: ReadonlyMap<string, StorageReference>,
  begin: number,
): Promise<Map<string, number>> {
  if (!Array.isArray(keys) || keys.length !== storages.size) {
    throw file.invalid(`lists other storages than the ${storages.size} of its tensors. ${DAMAGED}`);
  }
  const starts = new Map<string, number>();
  let position = begin;
  for (const key of keys) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (storage === undefined || starts.has(storage.key)) {
      throw file.invalid(`lists a storage twice or one that no tensor uses. ${DAMAGED}`);
    }
    const count = (await file.read(position, COUNT_BYTES)).readBigInt64LE();
    if (count !== BigInt(storage.elements)) {
      throw file.invalid(
        `storage ${storage.key} at byte ${position} has ${count} elements, not ${storage.elements}. ${DAMAGED}`,
      );
    }
    const start = position + COUNT_BYTES;
    position = start + storageBytes(storage);
    if (position > file.size) {
      throw file.invalid(
        `ends at byte ${file.size}, before the end of storage ${storage.key} at ${position}. ${DAMAGED}`,
      );
    }
    starts.set(storage.key, start);
  }
  return starts;
}

/**
 * Opens a checkpoint in legacy form: reads the pickles and the counts before the storages, no storage.
 * @throws M2FP_CHECKPOINT_INVALID
 */
export async function openLegacy(file: CheckpointFile): Promise<Container> {
  const reader = new PickleReader(file);
  await assertHeader(file, reader);
  const { value: object, storages } = await reader.next('object');
  const { value: keys } = await reader.next('storage keys');
  const starts = await locateStorages(file, keys, storages, reader.position);
  return {
    form: 'legacy',
    object,
    bytesOf: (key) => (starts.has(key) ? storageBytes(storages.get(key)!) : undefined),
    locate: (key) => Promise.resolve(starts.get(key)!),
    checksumOf: () => undefined,
  };
}
