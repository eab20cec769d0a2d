/**
 * A look over MessagePack before it is unpacked. A few bytes may promise an array of 500 million entries, or nest so deep
 * that the reader's stack ends: unpacking that would end the process. This look counts, and allocates nothing.
 */

/** What packed data may have at most. */
export interface PackLimits {
  /** Values in all: lists, maps and their names count, too. */
  entries: number;
  /** Lists and maps inside each other; plain values alone have a depth of 0. */
  depth: number;
  /** Bytes of all texts together. */
  text: number;
}

/** Names of properties are short. */
const MAX_NAME = 64;

/** Bytes of plain values behind their first byte: floats, whole numbers of up to 32 bits. */
const WIDTHS: Readonly<Record<number, number>> = {
  0xc0: 0,
  0xc2: 0,
  0xc3: 0,
  0xca: 4,
  0xcb: 8,
  0xcc: 1,
  0xcd: 2,
  0xce: 4,
  0xd0: 1,
  0xd1: 2,
  0xd2: 4,
};

/** What one value begins with: `size` in bytes for texts and bytes, in values for lists and maps. */
interface Head {
  kind: 'plain' | 'text' | 'bytes' | 'list' | 'map';
  size: number;
  /** Where its content begins. */
  at: number;
}

/**
 * Says what is wrong with `bytes`; null where they are one whole value within `limits`, made of what JSON has and of
 * bytes. Numbers of 64 bits and types of others' invention are refused: nothing here is packed so.
 */
export function packFault(bytes: Buffer, limits: PackLimits): string | null {
  /** Of each open list and map: what is still to come of it, and whether it is a map, whose every second is a name. */
  const open: { left: number; isMap: boolean }[] = [{ left: 1, isMap: false }];
  let { entries, text } = limits;
  let at = 0;
  while (open.length > 0) {
    const inner = open[open.length - 1]!;
    if (inner.left === 0) {
      open.pop();
      continue;
    }
    const isName = inner.isMap && inner.left % 2 === 0;
    inner.left--;
    if (--entries < 0) return `it has more than ${limits.entries} entries`;
    const head = readHead(bytes, at);
    if (typeof head === 'string') return head;
    const { kind, size } = head;
    if (isName && (kind !== 'text' || size > MAX_NAME)) return 'one of its names is none';
    at = head.at;
    if (kind === 'list' || kind === 'map') {
      // The outermost value lies in no list.
      if (open.length > limits.depth) return `it is nested more than ${limits.depth} deep`;
      if (size > bytes.length - at) return 'it ends too early';
      open.push({ left: size, isMap: kind === 'map' });
    } else {
      if (size > bytes.length - at) return 'it ends too early';
      if (kind === 'text' && (text -= size) < 0) return `its texts are longer than ${limits.text} bytes`;
      at += size;
    }
  }
  return at === bytes.length ? null : 'more follows behind its end';
}

/** The head of the value at `at`, or what is wrong there. */
function readHead(bytes: Buffer, at: number): Head | string {
  const first = bytes[at];
  if (first === undefined) return 'it ends too early';
  if (first < 0x80 || first >= 0xe0) return { kind: 'plain', size: 0, at: at + 1 };
  if (first < 0x90) return { kind: 'map', size: 2 * (first & 0x0f), at: at + 1 };
  if (first < 0xa0) return { kind: 'list', size: first & 0x0f, at: at + 1 };
  if (first < 0xc0) return { kind: 'text', size: first & 0x1f, at: at + 1 };
  const width = WIDTHS[first];
  if (width !== undefined) return { kind: 'plain', size: width, at: at + 1 };
  if (first >= 0xc4 && first <= 0xc6) return sized('bytes', bytes, at, 2 ** (first - 0xc4));
  if (first >= 0xd9 && first <= 0xdb) return sized('text', bytes, at, 2 ** (first - 0xd9));
  if (first === 0xdc || first === 0xdd) return sized('list', bytes, at, first === 0xdc ? 2 : 4);
  if (first === 0xde || first === 0xdf) return sized('map', bytes, at, first === 0xde ? 2 : 4);
  return `it holds a value of a kind that is not used (0x${first.toString(16)})`;
}

/** A head whose size stands in the `width` bytes behind the first. */
function sized(kind: Head['kind'], bytes: Buffer, at: number, width: number): Head | string {
  const begin = at + 1;
  if (begin + width > bytes.length) return 'it ends too early';
  const size = bytes.readUIntBE(begin, width);
  return { kind, size: kind === 'map' ? 2 * size : size, at: begin + width };
}
