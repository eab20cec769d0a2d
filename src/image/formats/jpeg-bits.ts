/** The entropy-coded bits of a JPEG (ITU-T T.81, annexes F and G), read only to see whether they are all there. */

/** Codes of up to as many bits are looked up at once; they are nearly all. */
const LOOK = 10;

/** A Huffman table as its definition gives it. */
export interface HuffmanTable {
  /** For each start of LOOK bits: length of the code << 8 | symbol; 0 where the code is longer, or none. */
  look: Uint16Array;
  /** The largest code of each length, -1 where there is none. */
  last: Int32Array;
  /** Index of the symbol of each length's first code, less that code. */
  offset: Int32Array;
  symbols: Uint8Array;
}

/**
 * @param counts number of codes of the lengths 1 to 16
 * @returns null where they do not make a code
 */
export function huffmanTable(counts: Uint8Array, symbols: Uint8Array): HuffmanTable | null {
  const look = new Uint16Array(1 << LOOK);
  const last = new Int32Array(17).fill(-1);
  const offset = new Int32Array(17);
  let code = 0;
  let index = 0;
  for (let length = 1; length <= 16; length++) {
    const count = counts[length - 1]!;
    offset[length] = index - code;
    for (let i = 0; i < count; i++, code++, index++) {
      if (code >= 1 << length || index >= symbols.length) return null;
      last[length] = code;
      if (length > LOOK) continue;
      const from = code << (LOOK - length);
      look.fill((length << 8) | symbols[index]!, from, from + (1 << (LOOK - length)));
    }
    code <<= 1;
  }
  return { look, last, offset, symbols };
}

/** Reads the bits of one stretch, from a scan's or restart interval's start to the next marker. */
export class BitReader {
  readonly #bytes: Buffer;
  #at: number;
  #buffer = 0;
  #count = 0;
  /** Bits of `#count` that stand for none in the file. */
  #padded = 0;
  #ended = false;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** True as soon as bits were read that are not there. */
  get exhausted(): boolean {
    return this.#count < this.#padded;
  }

  /** True where fewer bits than the longest code has are left: the last ones are filled up with ones. */
  get ending(): boolean {
    return this.#ended && this.#count - this.#padded < 16;
  }

  /** Where the next marker stands, the end of the bytes where there is none. */
  markerAt(): number {
    let at = this.#at;
    while (!this.#ended) {
      at = this.#bytes.indexOf(0xff, at);
      if (at === -1 || at + 1 >= this.#bytes.length) return this.#bytes.length;
      const next = this.#bytes[at + 1]!;
      if (next !== 0 && next !== 0xff) break;
      at += next === 0 ? 2 : 1;
    }
    return at;
  }

  /** Where the first byte stands of which no bit was read. */
  get position(): number {
    return this.#at - ((this.#count - this.#padded) >> 3);
  }

  #fill(): void {
    const bytes = this.#bytes;
    while (this.#count <= 24) {
      let byte = 0;
      if (this.#ended) {
        this.#padded += 8;
      } else if (this.#at >= bytes.length) {
        this.#ended = true;
        continue;
      } else {
        byte = bytes[this.#at]!;
        if (byte === 0xff) {
          const next = bytes[this.#at + 1];
          if (next === 0xff) {
            this.#at++;
            continue;
          }
          if (next !== 0) {
            this.#ended = true;
            if (next === undefined) this.#at = bytes.length;
            continue;
          }
          this.#at++;
        }
        this.#at++;
      }
      this.#buffer = (this.#buffer << 8) | byte;
      this.#count += 8;
    }
  }

  /** The next symbol, -1 where the bits are no code. */
  symbol(table: HuffmanTable): number {
    if (this.#count < 16) this.#fill();
    const found = table.look[(this.#buffer >>> (this.#count - LOOK)) & ((1 << LOOK) - 1)]!;
    if (found !== 0) {
      this.#count -= found >> 8;
      return found & 0xff;
    }
    for (let length = LOOK + 1; length <= 16; length++) {
      const code = (this.#buffer >>> (this.#count - length)) & ((1 << length) - 1);
      if (code > table.last[length]!) continue;
      this.#count -= length;
      return table.symbols[code + table.offset[length]!] ?? -1;
    }
    return -1;
  }

  /** The next `length` bits (0 to 16) as a number. */
  bits(length: number): number {
    if (length === 0) return 0;
    if (this.#count < length) this.#fill();
    this.#count -= length;
    return (this.#buffer >>> this.#count) & ((1 << length) - 1);
  }
}
