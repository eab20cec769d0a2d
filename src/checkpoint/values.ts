/** What a pickle of a state dict can hold, as plain data. */
import type { DType, Layout, Storage } from './tensors.ts';

/** A class or function by name. It is only ever compared, never looked up. */
export class GlobalReference {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** A storage that the pickle refers to; its elements lie elsewhere in the file. */
export class StorageReference implements Storage {
  readonly key: string;
  readonly dtype: DType;
  readonly elements: number;

  constructor(key: string, dtype: DType, elements: number) {
    this.key = key;
    this.dtype = dtype;
    this.elements = elements;
  }
}

/** A tensor: a view on a storage. */
export class TensorReference {
  readonly storage: StorageReference;
  readonly layout: Layout;

  constructor(storage: StorageReference, layout: Layout) {
    this.storage = storage;
    this.layout = layout;
  }
}

/**
 * What is neither weights nor plain data (a counter of a scheduler, a NumPy array, an object of the trainer's): its
 * place is kept, its contents are not.
 */
export class OpaqueValue {
  /** The global that makes it. */
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/**
 * A dict's entries under string keys, in order. Entries under other keys (an optimizer numbers its
 * parameters) are dropped: nothing here reads them.
 */
export class PickledDict extends Map<string, PickledValue> {}

/** Lists and tuples are both arrays. Integers beyond 2^53 are bigints. */
export type PickledValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | PickledValue[]
  | PickledDict
  | GlobalReference
  | StorageReference
  | TensorReference
  | OpaqueValue;
