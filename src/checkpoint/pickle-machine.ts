/** What a pickle is worked on: its bytes, a stack, a memo, and the few values that it may make. The opcodes are in opcodes.ts. */
import { M2fpError } from '../errors.ts';
import { isAttack } from './attacks.ts';
import { DAMAGED, TAMPERED, quoted } from './file.ts';
import { FUNCTIONS, STORAGE_TYPES } from './globals.ts';
import { isCount } from './tensors.ts';
import { GlobalReference, OpaqueValue, PickledDict, StorageReference, type PickledValue } from './values.ts';

/** A pickle longer than this is none of a model: M2FP's has about 0.2 MB. */
export const MAX_PICKLE_BYTES = 64 * 2 ** 20;

/** M2FP's state dict takes about 40 thousand, three times that with an optimizer. Plain numbers do not count. */
export const MAX_OPERATIONS = 1_000_000;

/** For one dict and for all storages; M2FP has about 1100 tensors. */
const MAX_NAMES = 20_000;

const MAX_GLOBAL_LENGTH = 256;

export interface Unpickled {
  value: PickledValue;
  /** How many bytes the pickle takes, its STOP included. */
  length: number;
  /** Every storage that the pickle refers to, by key. */
  storages: ReadonlyMap<string, StorageReference>;
}

/** The given bytes end before the pickle does. */
export class PickleEndsEarlyError extends M2fpError {}

/** The state of one unpickling; what is public is for the opcodes. */
export class Machine {
  readonly #bytes: Buffer;
  readonly #where: string;
  /** Where the next byte is read, and where the opcode at hand began. */
  #position = 0;
  #opcodeAt = 0;
  readonly #stack: PickledValue[] = [];
  /** The heights of the stack at which a MARK stands. */
  readonly #marks: number[] = [];
  readonly #memo: PickledValue[] = [];
  readonly #storages = new Map<string, StorageReference>();

  constructor(bytes: Buffer, where: string) {
    this.#bytes = bytes;
    this.#where = where;
  }

  /** The next opcode; what the machine refuses is told with its place. */
  next(): number {
    this.#opcodeAt = this.#position;
    return this.uint8();
  }

  /** The result, after STOP. */
  finish(): Unpickled {
    const value = this.pop();
    if (this.#stack.length > 0 || this.#marks.length > 0) throw this.refuse('stops with values left over');
    return { value, length: this.#position, storages: this.#storages };
  }

  /** The error for a pickle that does what a state dict never does. */
  refuse(action: string): M2fpError {
    return new M2fpError(
      'M2FP_CHECKPOINT_INVALID',
      `${this.#where} ${action} at byte ${this.#opcodeAt}, which a model checkpoint never needs. ${TAMPERED}`,
    );
  }

  #endsEarly(): PickleEndsEarlyError {
    return new PickleEndsEarlyError(
      'M2FP_CHECKPOINT_INVALID',
      `${this.#where} ends at byte ${this.#bytes.length}, within the operation that began at byte ` +
        `${this.#opcodeAt}. ${DAMAGED}`,
    );
  }

  take(length: number): Buffer {
    const end = this.#position + length;
    if (end > this.#bytes.length) throw this.#endsEarly();
    const taken = this.#bytes.subarray(this.#position, end);
    this.#position = end;
    return taken;
  }

  uint8(): number {
    return this.take(1).readUInt8();
  }

  uint32(): number {
    return this.take(4).readUInt32LE();
  }

  /** The text up to the next line feed, which is taken too. */
  line(): string {
    const window = this.#bytes.subarray(this.#position, this.#position + MAX_GLOBAL_LENGTH);
    const length = window.indexOf(0x0a);
    if (length >= 0) return this.take(length + 1).toString('utf8', 0, length);
    if (window.length === MAX_GLOBAL_LENGTH) throw this.refuse('names a global of more than 256 bytes');
    throw this.#endsEarly();
  }

  assertProtocol(version: number): void {
    if (version === 2) return;
    throw new M2fpError(
      'M2FP_CHECKPOINT_INVALID',
      `${this.#where} is written in pickle protocol ${version}; only protocol 2 is read, the one that ` +
        'torch.save uses unless told otherwise. Save it again without pickle_protocol.',
    );
  }

  push(value: PickledValue): void {
    this.#stack.push(value);
  }

  /** The topmost value above the last MARK, taken off. */
  pop(): PickledValue {
    return this.popMany(1)[0]!;
  }

  popMany(count: number): PickledValue[] {
    const floor = this.#marks.at(-1) ?? 0;
    if (this.#stack.length - count < floor) throw this.refuse('takes a value from an empty stack');
    return this.#stack.splice(this.#stack.length - count);
  }

  mark(): void {
    this.#marks.push(this.#stack.length);
  }

  popToMark(): PickledValue[] {
    const height = this.#marks.pop();
    if (height === undefined) throw this.refuse('misses a MARK');
    return this.#stack.splice(height);
  }

  /** The topmost value, left where it is. */
  #top(): PickledValue {
    const value = this.pop();
    this.push(value);
    return value;
  }

  append(values: PickledValue[]): void {
    const list = this.#top();
    if (list instanceof OpaqueValue) return;
    if (!Array.isArray(list)) throw this.refuse('appends to something that is no list');
    for (const value of values) list.push(value);
  }

  setItems(pairs: PickledValue[]): void {
    const dict = this.#top();
    if (dict instanceof OpaqueValue) return;
    if (!(dict instanceof PickledDict)) throw this.refuse('sets an item of something that is no dict');
    if (pairs.length % 2 !== 0) throw this.refuse('sets an item without a value');
    for (let i = 0; i < pairs.length; i += 2) {
      const key = pairs[i]!;
      if (typeof key === 'string') dict.set(key, pairs[i + 1]!);
      if (dict.size > MAX_NAMES) throw this.refuse(`fills a dict with more than ${MAX_NAMES} names`);
    }
  }

  /** Python numbers the memo from 0 on, so that an index beyond the number of operations is a lie. */
  put(index: number): void {
    if (index >= MAX_OPERATIONS) throw this.refuse(`stores memo entry ${index}`);
    this.#memo[index] = this.#top();
  }

  get(index: number): void {
    const value = this.#memo[index];
    if (value === undefined) throw this.refuse(`asks for memo entry ${index}, which was never stored,`);
    this.push(value);
  }

  global(module: string, name: string): void {
    const full = `${module}.${name}`;
    if (isAttack(full)) throw this.refuse(`asks for the global ${quoted(full)}`);
    this.push(new GlobalReference(full));
  }

  /**
   * The storage that a persistent id names: ('storage', class, key, location, elements), in the legacy form
   * with a sixth member for views on storages, which PyTorch has written as None since 0.4. One of a class that is not
   * read (complex, quantised) is opaque. The legacy form names classes of modules, too: ('module', class, file, text).
   */
  storage(id: PickledValue): StorageReference | GlobalReference | OpaqueValue {
    if (Array.isArray(id) && id[0] === 'module' && id[1] instanceof GlobalReference) return id[1];
    if (!Array.isArray(id) || id[0] !== 'storage')
      throw this.refuse('has a persistent id that is no storage');
    const [, type, key, , elements, view = null] = id;
    if (!(type instanceof GlobalReference)) throw this.refuse('has a storage of an unknown class');
    const dtype = STORAGE_TYPES.get(type.name);
    if (dtype === undefined) return new OpaqueValue(type.name);
    if (typeof key !== 'string' || !/^[\w.-]{1,64}$/.test(key))
      throw this.refuse('has a storage with an odd key');
    if (!isCount(elements)) throw this.refuse(`has storage ${key} with an odd length`);
    if (view !== null) throw this.refuse(`has storage ${key} as a view on another`);

    const known = this.#storages.get(key);
    if (known !== undefined) {
      if (known.dtype === dtype && known.elements === elements) return known;
      throw this.refuse(`describes storage ${key} in two ways`);
    }
    if (this.#storages.size === MAX_NAMES) throw this.refuse(`has more than ${MAX_NAMES} storages`);
    const storage = new StorageReference(key, dtype, elements);
    this.#storages.set(key, storage);
    return storage;
  }

  /** A call, or the making of an object: none happens, but for the few functions that a state dict needs. */
  reduce(): void {
    const [callable, args] = this.popMany(2);
    // What an opaque value makes is opaque, too.
    const isCallable = callable instanceof GlobalReference || callable instanceof OpaqueValue;
    if (!isCallable || STORAGE_TYPES.has(callable.name)) {
      throw this.refuse('calls something that is no function');
    }
    if (!Array.isArray(args)) throw this.refuse('calls a function without a tuple of arguments');
    const call = callable instanceof GlobalReference ? FUNCTIONS.get(callable.name) : undefined;
    this.push(
      call === undefined ? new OpaqueValue(callable.name) : call(args, (action) => this.refuse(action)),
    );
  }

  /** `state_dict()` hangs `_metadata` on its OrderedDict: of no object's state anything is needed here. */
  build(): void {
    this.pop();
    const target = this.#top();
    if (target instanceof OpaqueValue || target instanceof PickledDict) return;
    throw this.refuse('sets the state of something that is no dict');
  }
}
