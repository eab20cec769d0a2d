/** The first frame of a GIF. */

import { turns } from '../slices.ts';

/** Length of the screen descriptor with the signature in front of it. */
const HEADER = 13;

const TRAILER = Buffer.from([0x3b]);

/** The bytes of a colour table, from the flags that announce it. */
const tableBytes = (flags: number): number => ((flags & 0x80) === 0 ? 0 : 3 << ((flags & 7) + 1));

export interface FirstFrame {
  /** The picture with this frame alone; what came where it has no other. */
  bytes: Buffer;
  state: 'whole' | 'truncated' | 'damaged';
}

/**
 * The GIF without the frames after its first, which the decoder would all go through. A frame whose data ends early is
 * painted with what was there before, without a word: so its codes are counted here.
 *
 * Source: GIF89a specification, appendix F (LZW).
 */
export async function firstGifFrame(bytes: Buffer): Promise<FirstFrame> {
  const cut = { bytes, state: 'truncated' } as const;
  if (bytes.length < HEADER) return cut;
  let at = HEADER + tableBytes(bytes[10]!);
  while (at < bytes.length && bytes[at] === 0x21) {
    const end = blocksEnd(bytes, at + 2);
    if (end === null) return cut;
    at = end;
  }
  if (at + 11 > bytes.length) return cut;
  if (bytes[at] !== 0x2c) return { bytes, state: 'damaged' };
  const pixels = bytes.readUInt16LE(at + 5) * bytes.readUInt16LE(at + 7);
  const data = at + 10 + tableBytes(bytes[at + 9]!);
  const end = blocksEnd(bytes, data + 1);
  // What is left of the last block may hold the whole picture: only the marks of the end are missing then.
  const there = await countPixels(bytes, data, pixels);
  if (there < pixels) return end === null ? cut : { bytes, state: 'damaged' };
  if (end === null || end >= bytes.length - 1) return { bytes, state: 'whole' };
  return { bytes: Buffer.concat([bytes.subarray(0, end), TRAILER]), state: 'whole' };
}

/** Where the row of sub-blocks that begins at `at` ends, null where the bytes end before. */
function blocksEnd(bytes: Buffer, at: number): number | null {
  for (;;) {
    const length = bytes[at];
    if (length === undefined) return null;
    at += length + 1;
    if (length === 0) return at;
  }
}

/** How many of `wanted` pixels the codes from `at` on stand for; fewer where they end, or one is none. */
async function countPixels(bytes: Buffer, at: number, wanted: number): Promise<number> {
  const minimum = bytes[at] ?? 0;
  if (minimum < 1 || minimum > 11) return 0;
  const clear = 1 << minimum;
  // Of each code, as many pixels as it stands for.
  const lengths = new Uint32Array(4096).fill(1, 0, clear);
  let next = clear + 2;
  let size = minimum + 1;
  let previous = 0;
  let total = 0;
  let buffer = 0;
  let count = 0;
  let left = 0;
  const turn = turns();
  for (at++; total < wanted;) {
    while (count < size) {
      if (left === 0) {
        await turn();
        left = bytes[at++] ?? 0;
        if (left === 0) return total;
      }
      const byte = bytes[at++];
      if (byte === undefined) return total;
      left--;
      buffer |= byte << count;
      count += 8;
    }
    const code = buffer & ((1 << size) - 1);
    buffer >>>= size;
    count -= size;
    if (code === clear + 1) return total;
    if (code === clear) {
      next = clear + 2;
      size = minimum + 1;
      previous = 0;
      continue;
    }
    if (code > next || (code === next && previous === 0)) return total;
    if (previous > 0 && next < 4096) lengths[next++] = previous + 1;
    previous = lengths[code]!;
    if (previous === 0) return total;
    total += previous;
    if (next === 1 << size && size < 12) size++;
  }
  return total;
}
