/** The first page of a TIFF. */

/** Bytes of a value, by the number of its type. */
const SIZES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];

const STRIP_OFFSETS = 273;
const STRIP_BYTES = 279;
const TILE_OFFSETS = 324;
const TILE_BYTES = 325;

/** Strips and tiles that are looked at: a row each, at the longest side. */
const MAX_STRIPS = 65_536;

/** Entries of a page that are looked at: there are some 20, and hundreds with everything that a camera knows. */
const MAX_ENTRIES = 4096;

export interface FirstPage {
  /** The file with this page alone; what came where it has no other. */
  bytes: Buffer;
  truncated: boolean;
}

/**
 * The TIFF without the pages after its first, all of which the decoder would count (250,000 take it 23 s), and whether
 * the first page's own data ends after the file does.
 *
 * Source: TIFF 6.0, section 2; BigTIFF.
 */
export function firstTiffPage(bytes: Buffer): FirstPage {
  const cut = { bytes, truncated: true };
  if (bytes.length < 8) return cut;
  const little = bytes[0] === 0x49;
  const short = (at: number): number => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));
  const long = (at: number): number => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  const huge = (at: number): number => Number(little ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at));
  const big = short(2) === 43;
  const [countBytes, entryBytes, inline] = big ? [8, 20, 8] : [2, 12, 4];
  const offset = big ? huge : long;
  if (big && bytes.length < 16) return cut;
  const page = offset(big ? 8 : 4);
  if (page + countBytes > bytes.length) return cut;
  const count = big ? huge(page) : short(page);
  const next = page + countBytes + count * entryBytes;
  if (next + inline > bytes.length) return cut;

  const lists = new Map<number, number[]>();
  const entriesEnd = Math.min(next, page + countBytes + MAX_ENTRIES * entryBytes);
  for (let at = page + countBytes; at < entriesEnd; at += entryBytes) {
    const tag = short(at);
    const size = SIZES[short(at + 2)] ?? 0;
    const length = offset(at + 4);
    const isOutside = size * length > inline;
    const values = isOutside ? offset(at + 4 + inline) : at + 4 + inline;
    if (isOutside && values + size * length > bytes.length) return cut;
    if (![STRIP_OFFSETS, STRIP_BYTES, TILE_OFFSETS, TILE_BYTES].includes(tag) || lists.has(tag)) continue;
    const read = size === 2 ? short : size === 4 ? long : size === 8 ? huge : null;
    if (read === null || length > MAX_STRIPS) continue;
    lists.set(
      tag,
      Array.from({ length }, (_, i) => read(values + i * size)),
    );
  }
  const starts = lists.get(STRIP_OFFSETS) ?? lists.get(TILE_OFFSETS) ?? [];
  const sizes = lists.get(STRIP_BYTES) ?? lists.get(TILE_BYTES) ?? [];
  if (starts.some((start, i) => start + (sizes[i] ?? 0) > bytes.length)) return cut;

  if (offset(next) === 0) return { bytes, truncated: false };
  const copy = Buffer.from(bytes);
  copy.fill(0, next, next + inline);
  return { bytes: copy, truncated: false };
}
