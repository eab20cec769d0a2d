/**
 * The safetensors form of a checkpoint: the header's length as uint64, a JSON header that maps each name to
 * `{ dtype, shape, data_offsets: [begin, end] }` (and `__metadata__` to texts), then the data, which the
 * tensors fill without gaps. Format: https://huggingface.co/docs/safetensors
 */
import type { Container } from './container.ts';
import { DAMAGED, quoted, type CheckpointFile } from './file.ts';
import { MAX_AXES, checkedLayout, isCount, storageBytes, type DType } from './tensors.ts';
import { PickledDict, StorageReference, TensorReference } from './values.ts';

const LENGTH_BYTES = 8;

/** A header longer than this is none of a model: M2FP's has about 0.1 MB. */
export const MAX_HEADER_BYTES = 8 * 2 ** 20;

/** M2FP has about 1100 tensors. */
const MAX_TENSORS = 20_000;

const METADATA = '__metadata__';

const DTYPES: ReadonlyMap<unknown, DType> = new Map([
  ['F64', 'float64'],
  ['F32', 'float32'],
  ['F16', 'float16'],
  ['BF16', 'bfloat16'],
  ['I64', 'int64'],
  ['I32', 'int32'],
  ['I16', 'int16'],
  ['I8', 'int8'],
  ['U8', 'uint8'],
  ['BOOL', 'bool'],
]);

/** A tensor and the bytes of the data that are its own. */
interface Extent {
  readonly name: string;
  readonly tensor: TensorReference;
  readonly begin: number;
  readonly end: number;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A name that an object of the valid JSON text `json` has twice; JSON.parse would keep the last silently. */
function duplicateName(json: string): string | undefined {
  /** The names seen in the objects that are open; undefined for an open list. */
  const open: (Set<string> | undefined)[] = [];
  let nameNext = false;
  for (let i = 0; i < json.length; i++) {
    const character = json[i];
    if (character === '{' || character === '[') {
      open.push(character === '{' ? new Set() : undefined);
      nameNext = true;
    } else if (character === '}' || character === ']') {
      open.pop();
    } else if (character === ',') {
      nameNext = true;
    } else if (character === '"') {
      const begin = i++;
      while (json[i] !== '"') i += json[i] === '\\' ? 2 : 1;
      const names = open.at(-1);
      if (names !== undefined && nameNext) {
        const name = JSON.parse(json.slice(begin, i + 1)) as string;
        if (names.has(name)) return name;
        names.add(name);
      }
      nameNext = false;
    }
  }
  return undefined;
}

async function readHeader(file: CheckpointFile): Promise<{ header: Record<string, unknown>; begin: number }> {
  const length = (await file.read(0, LENGTH_BYTES)).readBigUInt64LE();
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw file.invalid(
      `has a safetensors header of ${length} bytes, more than the ${MAX_HEADER_BYTES} of any model. ${DAMAGED}`,
    );
  }
  const bytes = await file.read(LENGTH_BYTES, Number(length));
  const fail = (reason: string, cause?: unknown) =>
    file.invalid(
      `the safetensors header, bytes ${LENGTH_BYTES} to ${LENGTH_BYTES + bytes.length}, ${reason}. ${DAMAGED}`,
      { cause },
    );
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    header = JSON.parse(text);
  } catch (error) {
    throw fail('is not valid JSON', error);
  }
  if (!isObject(header)) throw fail('is no JSON object');
  const twice = duplicateName(text);
  if (twice !== undefined) throw fail(`has the name ${quoted(twice)} twice`);
  return { header, begin: LENGTH_BYTES + bytes.length };
}

function readExtent(file: CheckpointFile, name: string, entry: unknown, dataBytes: number): Extent {
  const refuse = (reason: string) => file.invalid(`the tensor ${quoted(name)} ${reason}. ${DAMAGED}`);
  if (!isObject(entry)) throw refuse('has a header entry that is no object');
  const { dtype: named, shape, data_offsets: offsets } = entry;
  const dtype = DTYPES.get(named);
  if (dtype === undefined) {
    const found = typeof named === 'string' ? `the dtype ${quoted(named)}, which is not read` : 'no dtype';
    throw file.invalid(
      `the tensor ${quoted(name)} has ${found}: save it as one of ${[...DTYPES.keys()].join(', ')}.`,
    );
  }
  if (!Array.isArray(shape) || shape.length > MAX_AXES || !shape.every(isCount)) {
    throw refuse(`has a shape that is no list of at most ${MAX_AXES} integers of 0 or more`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    throw refuse('has data_offsets that are no pair of integers of 0 or more');
  }
  const [begin, end] = offsets as [number, number];
  if (begin > end || end > dataBytes) {
    throw refuse(`has the data_offsets ${begin} to ${end}, outside of the ${dataBytes} bytes of data`);
  }
  const elements = shape.reduce((product, size) => product * size, 1);
  const storage = new StorageReference(name, dtype, elements);
  if (storageBytes(storage) !== end - begin) {
    throw refuse(
      `has ${end - begin} bytes of data, its shape [${shape.join(', ')}] and dtype need ${storageBytes(storage)}`,
    );
  }
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  return {
    name,
    tensor: new TensorReference(storage, checkedLayout(storage, 0, shape, strides, refuse)),
    begin,
    end,
  };
}

/** Throws where two tensors share bytes, or bytes belong to none. */
function assertFilled(file: CheckpointFile, extents: readonly Extent[], dataBytes: number): void {
  let filled = 0;
  for (const { name, begin, end } of extents.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== filled) {
      const problem = begin < filled ? 'overlaps the one before' : 'leaves a gap to the one before';
      throw file.invalid(
        `the data of the tensor ${quoted(name)} at byte ${begin} of the data ${problem}, which ends at ${filled}. ${DAMAGED}`,
      );
    }
    filled = end;
  }
  if (filled !== dataBytes) {
    throw file.invalid(`has ${dataBytes} bytes of data, its tensors fill ${filled}. ${DAMAGED}`);
  }
}

/**
 * Opens a checkpoint in safetensors form: reads the header, no tensor.
 * @throws M2FP_CHECKPOINT_INVALID
 */
export async function openSafetensors(file: CheckpointFile): Promise<Container> {
  const { header, begin: dataBegin } = await readHeader(file);
  const dataBytes = file.size - dataBegin;
  const { [METADATA]: metadata = {}, ...entries } = header;
  if (!isObject(metadata)) throw file.invalid(`the entry ${METADATA} of the header is no object. ${DAMAGED}`);
  const names = Object.keys(entries);
  if (names.length > MAX_TENSORS) {
    throw file.invalid(`has ${names.length} tensors, more than the ${MAX_TENSORS} of any model. ${DAMAGED}`);
  }
  const extents = names.map((name) => readExtent(file, name, entries[name], dataBytes));
  assertFilled(file, extents, dataBytes);
  const byName = new Map(extents.map((extent) => [extent.name, extent]));
  return {
    form: 'safetensors',
    object: new PickledDict(extents.map(({ name, tensor }) => [name, tensor])),
    bytesOf(key) {
      const extent = byName.get(key);
      return extent && extent.end - extent.begin;
    },
    locate: (key) => Promise.resolve(dataBegin + byName.get(key)!.begin),
    checksumOf: () => undefined,
  };
}
