/** From the bytes of a PyTorch storage to contiguous float32: element types, offsets, strides. */
import type { CheckpointFile } from './file.ts';

export type DType =
  'float32' | 'float16' | 'bfloat16' | 'float64' | 'int64' | 'int32' | 'int16' | 'int8' | 'uint8' | 'bool';

/** A run of elements of one type that tensors are views of. */
export interface Storage {
  /** The writer's name for it: the file `data/<key>` of a zip, an address in the legacy form. */
  readonly key: string;
  readonly dtype: DType;
  /** How many elements it has. */
  readonly elements: number;
}

/** Where a tensor's elements lie in its storage; offset and strides count elements. */
export interface Layout {
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  /** The product of the shape. */
  readonly elements: number;
  /** How many elements of the storage lie from the first that is used to the last, both counted. */
  readonly span: number;
}

/** PyTorch itself stops at 64 axes. */
export const MAX_AXES = 64;

/** One tensor as float32 then takes 1 GiB; the largest of M2FP has 9.4 million elements. */
const MAX_ELEMENTS = 2 ** 28;

/** An expanded view (stride 0) makes many elements of few bytes; beyond this it is a bomb. */
const MAX_EXPANDED_ELEMENTS = 2 ** 24;

/** Reads the element at an index of the bytes it was opened on. */
type ElementReader = (index: number) => number;

interface ElementType {
  readonly bytes: number;
  readonly open: (raw: ArrayBuffer) => ElementReader;
}

/** An element type whose JavaScript typed array holds the values themselves. */
function plain(
  ArrayType:
    | Float32ArrayConstructor
    | Float64ArrayConstructor
    | Int32ArrayConstructor
    | Int16ArrayConstructor
    | Int8ArrayConstructor
    | Uint8ArrayConstructor,
): ElementType {
  return {
    bytes: ArrayType.BYTES_PER_ELEMENT,
    open(raw) {
      const values = new ArrayType(raw);
      return (index) => values[index]!;
    },
  };
}

const SMALLEST_HALF = 2 ** -24;

/** An element type of 16 bits that `decode` turns into a float, if need be by the bits of a float32. */
function sixteenBits(decode: (bits: number, asFloat32: (bits: number) => number) => number): ElementType {
  return {
    bytes: 2,
    open(raw) {
      const elements = new Uint16Array(raw);
      const word = new Uint32Array(1);
      const value = new Float32Array(word.buffer);
      const asFloat32 = (bits: number): number => {
        word[0] = bits;
        return value[0]!;
      };
      return (index) => decode(elements[index]!, asFloat32);
    },
  };
}

/**
 * PyTorch writes little-endian (others are refused when the container is opened), and so are the typed
 * arrays of every platform that onnxruntime has a binary for.
 */
const ELEMENT_TYPES: Readonly<Record<DType, ElementType>> = {
  float32: plain(Float32Array),
  float64: plain(Float64Array),
  int32: plain(Int32Array),
  int16: plain(Int16Array),
  int8: plain(Int8Array),
  uint8: plain(Uint8Array),
  int64: {
    bytes: 8,
    open(raw) {
      const values = new BigInt64Array(raw);
      return (index) => Number(values[index]);
    },
  },
  // A bfloat16 is the upper half of a float32.
  bfloat16: sixteenBits((bits, asFloat32) => asFloat32(bits << 16)),
  float16: sixteenBits((bits, asFloat32) => {
    const sign = bits & 0x8000;
    const magnitude = bits & 0x7fff;
    if (magnitude < 0x0400) return (sign === 0 ? 1 : -1) * magnitude * SMALLEST_HALF;
    // The fraction grows from 10 to 23 bits, the exponent's bias from 15 to 127; infinity and NaN keep all ones.
    const rebias = magnitude < 0x7c00 ? (127 - 15) << 23 : (255 - 31) << 23;
    return asFloat32((sign << 16) | ((magnitude << 13) + rebias));
  }),
  bool: {
    bytes: 1,
    open(raw) {
      const bytes = new Uint8Array(raw);
      return (index) => (bytes[index] === 0 ? 0 : 1);
    },
  },
};

/** The bytes that a storage occupies in the file. */
export function storageBytes({ dtype, elements }: Storage): number {
  return elements * ELEMENT_TYPES[dtype].bytes;
}

/** True for what can be a count, an offset or a length: an integer of 0 or more, held exactly. */
export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/**
 * The layout of a view on `storage`, checked: no element outside of the storage, no size that overflows,
 * nothing that takes more memory than a model's tensor can. The arguments are those that
 * `torch._utils._rebuild_tensor_v2` gets, straight from the pickle.
 * @param refuse makes the error to throw from a reason that continues "a tensor ..."
 */
export function checkedLayout(
  storage: Storage,
  offset: unknown,
  shape: unknown,
  strides: unknown,
  refuse: (reason: string) => Error,
): Layout {
  if (!isCount(offset)) throw refuse('has a storage offset that is no integer of 0 or more');
  if (!Array.isArray(shape) || !Array.isArray(strides))
    throw refuse('has a shape or strides that are no tuple');
  if (shape.length !== strides.length) {
    throw refuse(`has a shape of ${shape.length} axes but ${strides.length} strides`);
  }
  if (shape.length > MAX_AXES) throw refuse(`has ${shape.length} axes, more than ${MAX_AXES}`);
  if (!shape.every(isCount)) throw refuse('has a size that is no integer of 0 or more');
  if (!strides.every(isCount)) throw refuse('has a stride that is no integer of 0 or more');

  const elements = shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1);
  // A product or sum that left the exact range of doubles is still above every limit here.
  const reach = shape.reduce((sum, size, axis) => sum + (size - 1) * strides[axis]!, 1);
  const span = elements === 0 ? 0 : reach;
  if (offset + span > storage.elements) {
    throw refuse(
      `reaches to element ${offset + span} of storage ${storage.key}, which has ${storage.elements} elements`,
    );
  }
  if (elements > Math.max(storage.elements, MAX_EXPANDED_ELEMENTS)) {
    throw refuse(`expands the ${storage.elements} elements of storage ${storage.key} to ${elements}`);
  }
  if (Math.max(elements, span) > MAX_ELEMENTS) {
    throw refuse(
      `has ${elements} elements over a span of ${span}, more than the ${MAX_ELEMENTS} this reader takes`,
    );
  }
  return { offset, shape: [...shape], strides: [...strides], elements, span };
}

/** True where the elements lie in row-major order without gaps. */
function isContiguous({ shape, strides }: Layout): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] === 1) continue;
    if (strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

/** Writes the elements of a strided view to `target`, row-major. */
function gather(read: ElementReader, { shape, strides }: Layout, target: Float32Array): void {
  const index = new Uint32Array(shape.length);
  let source = 0;
  for (let element = 0; element < target.length; element++) {
    target[element] = read(source);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]!++;
      source += strides[axis]!;
      if (index[axis]! < shape[axis]!) break;
      source -= shape[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
}

/**
 * The values of a view as contiguous row-major float32, rounded to nearest where the type is wider.
 * Reads only the span that the view uses; float32 without gaps goes from the disk to its place uncopied.
 * @param position the byte of the file at which the storage begins
 * @param inspect is shown the bytes of the span before they are used
 * @throws M2FP_CHECKPOINT_INVALID where the file ends early or cannot be read
 */
export async function readFloat32(
  file: CheckpointFile,
  position: number,
  dtype: DType,
  layout: Layout,
  inspect: (raw: Uint8Array) => void = () => {},
): Promise<Float32Array> {
  const { bytes, open } = ELEMENT_TYPES[dtype];
  const raw = new ArrayBuffer(layout.span * bytes);
  const view = new Uint8Array(raw);
  await file.readInto(view, position + layout.offset * bytes);
  inspect(view);
  if (dtype === 'float32' && isContiguous(layout)) return new Float32Array(raw);
  const values = new Float32Array(layout.elements);
  const read = open(raw);
  if (isContiguous(layout)) for (let i = 0; i < values.length; i++) values[i] = read(i);
  else gather(read, layout, values);
  return values;
}
