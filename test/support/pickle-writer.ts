/**
 * Writes pickles, and checkpoint files around them, byte by byte: also such as no PyTorch would write.
 * Opcodes: Python's module pickletools. Containers: section "container" of PyTorch's serialization notes.
 */
import { crc32 } from 'node:zlib';

/** Bytes, a single byte, or latin1 text. */
export type Part = Uint8Array | number | string;

export function bytes(...parts: Part[]): Buffer {
  return Buffer.concat(
    parts.map((part) => {
      if (typeof part === 'number') return Buffer.of(part);
      return typeof part === 'string' ? Buffer.from(part, 'latin1') : part;
    }),
  );
}

export function uint16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeUInt16LE(value);
  return buffer;
}

export function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32LE(value);
  return buffer;
}

export function int64(value: bigint): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigInt64LE(value);
  return buffer;
}

export function float32(...values: number[]): Buffer {
  return Buffer.from(new Float32Array(values).buffer);
}

/** A whole pickle of protocol 2 around the opcodes of one value. */
export function pickle(...value: Part[]): Buffer {
  return bytes(0x80, 2, ...value, '.');
}

export const NONE = 'N';
export const TRUE = '\x88';
export const FALSE = '\x89';

export function text(value: string): Buffer {
  const encoded = Buffer.from(value, 'utf8');
  return bytes('X', uint32(encoded.length), encoded);
}

/** BININT where 32 bits suffice, else LONG1. */
export function int(value: number | bigint): Buffer {
  if (Number(value) === (Number(value) | 0)) return bytes('J', int32(Number(value)));
  const digits: number[] = [];
  for (let rest = BigInt(value); digits.length < 16; rest >>= 8n)
    digits.push(Number(BigInt.asUintN(8, rest)));
  return bytes(0x8a, digits.length, ...digits);
}

export function tuple(...items: Part[]): Buffer {
  return bytes('(', ...items, 't');
}

export function list(...items: Part[]): Buffer {
  return bytes('](', ...items, 'e');
}

export function dict(...entries: [key: Part, value: Part][]): Buffer {
  return bytes('}(', ...entries.flat(), 'u');
}

export function global(module: string, name: string): Buffer {
  return bytes(`c${module}\n${name}\n`);
}

/** Calls what `callable` pushed. */
export function call(callable: Part, ...args: Part[]): Buffer {
  return bytes(callable, tuple(...args), 'R');
}

export function orderedDict(): Buffer {
  return call(global('collections', 'OrderedDict'));
}

export interface StorageOptions {
  type?: string;
  key?: string;
  elements?: number | bigint;
  /** The sixth member of a persistent id in the legacy form. */
  view?: Part;
}

export function storage({
  type = 'FloatStorage',
  key = '0',
  elements = 4,
  view,
}: StorageOptions = {}): Buffer {
  const members = [text('storage'), global('torch', type), text(key), text('cpu'), int(elements)];
  return bytes(tuple(...members, ...(view === undefined ? [] : [view])), 'Q');
}

export interface TensorOptions extends StorageOptions {
  offset?: number | bigint;
  shape?: (number | bigint)[];
  strides?: (number | bigint)[];
}

/** A float32 vector of 4 elements on the storage "0" unless told otherwise. */
export function tensor({ offset = 0, shape = [4], strides = [1], ...rest }: TensorOptions = {}): Buffer {
  return call(
    global('torch._utils', '_rebuild_tensor_v2'),
    storage(rest),
    int(offset),
    tuple(...shape.map(int)),
    tuple(...strides.map(int)),
    FALSE,
    orderedDict(),
  );
}

export interface ZipEntry {
  name: string;
  data: Uint8Array;
  /** What the central directory says, where it lies. */
  method?: number;
  flags?: number;
  size?: number;
  /** Where it differs from `size`. */
  uncompressedSize?: number;
  header?: number;
  comment?: string;
}

/**
 * A zip archive as PyTorch writes it: stored entries, local headers without sizes (flag 0x0808) whose extra
 * field pads the data to 64 bytes, data descriptors, a central directory with the sizes.
 */
export function zip(entries: ZipEntry[]): Buffer {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let position = 0;
  for (const {
    name,
    data,
    method = 0,
    flags = 0x0808,
    size = data.length,
    uncompressedSize = size,
    header = position,
    comment = '',
  } of entries) {
    const padding = 64 - ((position + 30 + name.length + 4) % 64);
    const extra = bytes('FB', uint16(padding), 'Z'.repeat(padding));
    const common = bytes(uint16(0), uint16(flags), uint16(method), uint32(0));
    const lengths = bytes(uint16(name.length), uint16(extra.length));
    const crc = uint32(crc32(data));
    const local = bytes('PK\x03\x04', common, uint32(0), uint32(0), uint32(0), lengths, name, extra, data);
    const descriptor = bytes('PK\x07\x08', crc, uint32(data.length), uint32(data.length));
    const sizes = bytes(crc, uint32(size), uint32(uncompressedSize), uint16(name.length));
    const rest = bytes(uint16(0), uint16(comment.length), uint16(0), uint16(0), uint32(0), uint32(header));
    centrals.push(bytes('PK\x01\x02', uint16(0), common, sizes, rest, name, comment));
    locals.push(local, descriptor);
    position += local.length + descriptor.length;
  }
  const directory = bytes(...centrals);
  const count = uint16(entries.length);
  const place = bytes(uint32(directory.length), uint32(position));
  const end = bytes('PK\x05\x06', uint32(0), count, count, place, uint16(0));
  return bytes(...locals, directory, end);
}

/** The same archive as torch saves it without check values: the CRC-32 of every entry is 0. */
export function withoutChecksums(archive: Uint8Array): Buffer {
  const copy = Buffer.from(archive);
  let position = copy.readUInt32LE(copy.length - 6);
  while (copy.readUInt32LE(position) === 0x02014b50) {
    copy.writeUInt32LE(0, position + 16);
    const lengths = [28, 30, 32].map((offset) => copy.readUInt16LE(position + offset));
    position += 46 + lengths.reduce((sum, length) => sum + length, 0);
  }
  return copy;
}

/** The entries of a checkpoint in zip form: its pickle, its storages by key, further files. */
export function checkpointEntries(
  dataPickle: Uint8Array,
  storages: Record<string, Uint8Array> = {},
  others: Record<string, string> = { byteorder: 'little', version: '3\n' },
): ZipEntry[] {
  return [
    { name: 'archive/data.pkl', data: dataPickle },
    ...Object.entries(others).map(([name, content]) => ({
      name: `archive/${name}`,
      data: Buffer.from(content),
    })),
    ...Object.entries(storages).map(([key, data]) => ({ name: `archive/data/${key}`, data })),
  ];
}

export interface LegacyParts {
  magic?: Part;
  version?: Part;
  system?: Part;
  object: Part;
  /** What the list of keys says; by default the keys of `storages`. */
  keys?: Part;
  storages?: { key: string; count: number; data: Uint8Array }[];
}

/** A checkpoint in legacy form. */
export function legacy({
  magic = int(0x1950a86a20f9469cfc6cn),
  version = int(1001),
  system = dict([text('protocol_version'), int(1001)], [text('little_endian'), TRUE]),
  object,
  storages = [],
  keys = list(...storages.map(({ key }) => text(key))),
}: LegacyParts): Buffer {
  return bytes(
    ...[magic, version, system, object, keys].map((part) => pickle(part)),
    ...storages.flatMap(({ count, data }) => [int64(BigInt(count)), data]),
  );
}
