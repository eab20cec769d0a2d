/**
 * Whether a JPEG's data is all there. The decoder does not tell: it takes a picture of which 40 % are missing where
 * somebody closed it with an end marker, and refuses one that lacks nothing but that marker.
 */
import { type BitReader as Reader, BitReader, type HuffmanTable, huffmanTable } from './jpeg-bits.ts';
import { type Band, blockReader, type Component, type Member, type Run } from './jpeg-blocks.ts';
import { turns } from '../slices.ts';

export interface JpegCheck {
  /**
   * `whole`; `truncated`: data ends before the picture does; `damaged`: it is not what its own tables say; `scans`:
   * more passes over the picture, or more segments, than any program writes; `unknown`: of a kind that only the decoder knows
   * (arithmetic coding, lossless).
   */
  state: 'whole' | 'truncated' | 'damaged' | 'scans' | 'unknown';
  /** Share of the last scan that is there, 0 to 1. */
  share: number;
  /** Where the end marker stands, null where there is none. */
  end: number | null;
  /** True where the decoder keeps all coefficients in memory: progressive, or scans of single components. */
  buffered: boolean;
  /** False where the data of a progressive picture was only measured. */
  known: boolean;
}

/** A progressive picture has some 10 scans, of the finest sort 20; each is a pass over all of its pixels. */
const MAX_SCANS = 64;

/** Segments and stray markers outside of scans: an ICC profile takes up to 255, everything together some hundreds. */
const MAX_MARKERS = 16_384;

/** Left over after a scan, bytes: cameras leave a few, or fill up with zeros; more was meant to be picture. */
const MAX_LEFT_OVER = 16;

interface Frame {
  progressive: boolean;
  components: Component[];
  mcusWide: number;
  mcusHigh: number;
}

/**
 * @param bytes begin with FF D8. Long ones are read in slices.
 * @param options `deep`: read the scans of progressive pictures, too, which takes as long as decoding them, and tells
 *   no more than the decoder's warnings (it reads them all before its first row). Else they are only measured: no
 *   picture has less than a bit for each of its blocks.
 */
export async function checkJpeg(bytes: Buffer, { deep }: { deep: boolean }): Promise<JpegCheck> {
  const walk = new Walk(bytes, deep);
  const state = await walk.run();
  const known = state === 'unknown' || deep || !walk.progressive;
  return { state, share: walk.share, end: walk.end, buffered: walk.buffered, known };
}

class Walk {
  share = 0;
  end: number | null = null;
  buffered = false;
  readonly #bytes: Buffer;
  readonly #deep: boolean;
  readonly #tables = new Map<number, HuffmanTable | null>();
  readonly #steps = new Map<number, number>();
  readonly #seen = new Set<number>();
  #frame: Frame | null = null;
  #restart = 0;
  #scans = 0;
  #markers = 0;
  readonly #turn = turns();

  constructor(bytes: Buffer, deep: boolean) {
    this.#bytes = bytes;
    this.#deep = deep;
  }

  get progressive(): boolean {
    return this.#frame?.progressive ?? false;
  }

  async run(): Promise<JpegCheck['state']> {
    const bytes = this.#bytes;
    let at = 2;
    for (;;) {
      await this.#turn();
      // What stands between two segments is passed over.
      at = bytes.indexOf(0xff, at);
      while (at !== -1 && bytes[at + 1] === 0xff) {
        at++;
        if (at % 4096 === 0) await this.#turn();
      }
      if (++this.#markers > MAX_MARKERS) return 'scans';
      const marker = at === -1 ? undefined : bytes[at + 1];
      if (marker === undefined) return this.#isComplete() ? 'whole' : 'truncated';
      if (marker === 0xd9) {
        this.end = at;
        return this.#isComplete() ? 'whole' : 'truncated';
      }
      at += 2;
      if (marker === 0 || marker === 1 || (marker >= 0xd0 && marker <= 0xd8)) continue;
      if (at + 2 > bytes.length) return this.#isComplete() ? 'whole' : 'truncated';
      const length = bytes.readUInt16BE(at);
      const segment = bytes.subarray(at + 2, at + length);
      if (length < 2) return 'damaged';
      if (at + length > bytes.length) return this.#isComplete() ? 'whole' : 'truncated';
      at += length;
      if (marker === 0xda) {
        const reached = await this.#scan(segment, at);
        if (typeof reached === 'string') return reached;
        at = reached;
      } else if (!this.#define(marker, segment)) return 'unknown';
    }
  }

  /** Every component was there in some scan. */
  #isComplete(): boolean {
    return this.#frame !== null && this.#frame.components.every(({ id }) => this.#seen.has(id));
  }

  /** Reads a segment that is no scan; false for those of which nothing is known here. */
  #define(marker: number, segment: Buffer): boolean {
    if (marker === 0xc4) return this.#defineTables(segment);
    if (marker === 0xdb) this.#defineSteps(segment);
    else if (marker === 0xdd && segment.length >= 2) this.#restart = segment.readUInt16BE(0);
    else if (marker >= 0xc0 && marker <= 0xc2) return this.#defineFrame(segment, marker === 0xc2);
    return marker < 0xc0 || marker > 0xcf || marker === 0xc8;
  }

  #defineTables(segment: Buffer): boolean {
    for (let at = 0; at + 17 <= segment.length;) {
      const counts = segment.subarray(at + 1, at + 17);
      const total = counts.reduce((sum, count) => sum + count, 0);
      const symbols = segment.subarray(at + 17, at + 17 + total);
      this.#tables.set(segment[at]!, huffmanTable(counts, symbols));
      at += 17 + total;
    }
    return true;
  }

  #defineSteps(segment: Buffer): void {
    for (let at = 0; at + 65 <= segment.length;) {
      const wide = segment[at]! >> 4 !== 0;
      this.#steps.set(segment[at]! & 15, wide ? segment.readUInt16BE(at + 1) : segment[at + 1]!);
      at += wide ? 129 : 65;
    }
  }

  #defineFrame(segment: Buffer, progressive: boolean): boolean {
    const count = segment[5] ?? 0;
    if (
      this.#frame !== null ||
      segment[0] !== 8 ||
      count < 1 ||
      count > 4 ||
      segment.length < 6 + 3 * count
    ) {
      return false;
    }
    const height = segment.readUInt16BE(1);
    const width = segment.readUInt16BE(3);
    const factors = Array.from({ length: count }, (_, i) => segment[7 + 3 * i]!);
    if (
      width === 0 ||
      height === 0 ||
      factors.some((f) => f >> 4 < 1 || f >> 4 > 4 || (f & 15) < 1 || (f & 15) > 4)
    )
      return false;
    const hMost = Math.max(...factors.map((f) => f >> 4));
    const vMost = Math.max(...factors.map((f) => f & 15));
    const mcusWide = Math.ceil(width / (8 * hMost));
    const mcusHigh = Math.ceil(height / (8 * vMost));
    const components = factors.map((factor, i) => {
      const [h, v] = [factor >> 4, factor & 15];
      const blocks = progressive && this.#deep ? mcusWide * h * mcusHigh * v : 0;
      return {
        id: segment[6 + 3 * i]!,
        h,
        v,
        blocksWide: Math.ceil(Math.ceil((width * h) / hMost) / 8),
        blocksHigh: Math.ceil(Math.ceil((height * v) / vMost) / 8),
        stride: mcusWide * h,
        dcStep: this.#steps.get(segment[8 + 3 * i]!) ?? 1,
        low: new Uint32Array(blocks),
        high: new Uint32Array(blocks),
      };
    });
    this.#frame = { progressive, components, mcusWide, mcusHigh };
    this.buffered = progressive;
    return true;
  }

  /** Where the scan's data ends, or what is wrong with it. */
  async #scan(header: Buffer, at: number): Promise<number | JpegCheck['state']> {
    const frame = this.#frame;
    const count = header[0] ?? 0;
    if (frame === null || count < 1 || count > 4 || header.length < 4 + 2 * count) return 'unknown';
    if (++this.#scans > MAX_SCANS) return 'scans';
    if (count < frame.components.length) this.buffered = true;
    const members: Member[] = [];
    for (let i = 0; i < count; i++) {
      const component = frame.components.find(({ id }) => id === header[1 + 2 * i]);
      const tables = header[2 + 2 * i]!;
      if (component === undefined) return 'unknown';
      this.#seen.add(component.id);
      const dc = this.#tables.get(tables >> 4) ?? null;
      members.push({ component, dc, ac: this.#tables.get(0x10 | (tables & 15)) ?? null, previous: 0 });
    }
    const [start, end, steps] = header.subarray(1 + 2 * count);
    const band = frame.progressive
      ? { progressive: true, start: start!, end: end!, high: steps! >> 4 }
      : { progressive: false, start: 0, end: 63, high: 0 };
    // Abbreviated streams, as cameras' MJPEG, leave the standard tables out: the decoder knows those.
    if (band.end > 63 || band.start > band.end || (band.start > 0 && count > 1)) return 'unknown';
    return this.#walk(frame, members, band, at);
  }

  async #walk(
    frame: Frame,
    members: Member[],
    band: Band,
    from: number,
  ): Promise<number | JpegCheck['state']> {
    const read = blockReader(band, members);
    if (read === null) return 'unknown';
    const [first] = members;
    const alone = members.length === 1;
    const wide = alone ? first!.component.blocksWide : frame.mcusWide;
    const total = wide * (alone ? first!.component.blocksHigh : frame.mcusHigh);
    if (frame.progressive && !this.#deep) return this.#measure(members, band, total, from);
    const run: Run = { blank: 0, astray: false };
    let reader: Reader = new BitReader(this.#bytes, from);
    let restarts = 0;
    for (let mcu = 0; mcu < total; mcu++) {
      if (this.#restart > 0 && mcu > 0 && mcu % this.#restart === 0) {
        const marker = reader.markerAt();
        this.share = mcu / total;
        if (this.#bytes[marker + 1] !== 0xd0 + (restarts++ & 7))
          return this.#isEnd(marker) ? 'truncated' : 'damaged';
        reader = new BitReader(this.#bytes, marker + 2);
        run.blank = 0;
        for (const member of members) member.previous = 0;
      }
      const x = mcu % wide;
      const y = (mcu - x) / wide;
      let good = true;
      if (alone) good = read(reader, first!, y * first!.component.stride + x, run);
      else {
        for (const member of members) {
          const { h, v, stride } = member.component;
          for (let row = 0; row < v && good; row++) {
            for (let column = 0; column < h && good; column++) {
              good = read(reader, member, (y * v + row) * stride + x * h + column, run);
            }
          }
        }
      }
      if (!good || reader.exhausted) {
        this.share = mcu / total;
        const isCut = (reader.exhausted || reader.ending) && !run.astray && this.#isEnd(reader.markerAt());
        return isCut ? 'truncated' : 'damaged';
      }
      const pause = this.#turn();
      if (pause !== undefined) await pause;
    }
    this.share = 1;
    const marker = reader.markerAt();
    const isWrong = run.astray || isLost(this.#bytes.subarray(reader.position, marker));
    return isWrong ? 'damaged' : marker;
  }

  /** Where the scan's data ends; or whether it is too short for its blocks. */
  async #measure(
    members: Member[],
    band: Band,
    total: number,
    from: number,
  ): Promise<number | JpegCheck['state']> {
    let marker = new BitReader(this.#bytes, from).markerAt();
    for (let restarts = 0; ((this.#bytes[marker + 1] ?? 0) & 0xf8) === 0xd0; restarts++) {
      if (restarts > total) return 'damaged';
      await this.#turn();
      marker = new BitReader(this.#bytes, marker + 2).markerAt();
    }
    const each = members.length === 1 ? 1 : members.reduce((sum, { component: { h, v } }) => sum + h * v, 0);
    const least = band.start === 0 ? (total * each) / 8 : 0;
    if (marker - from >= Math.floor(least)) return marker;
    this.share = (marker - from) / least;
    return this.#isEnd(marker) ? 'truncated' : 'damaged';
  }

  /** Where the file ends, with or without a marker that says so. */
  #isEnd(marker: number): boolean {
    return marker >= this.#bytes.length || this.#bytes[marker + 1] === 0xd9;
  }
}

/** Whether what is left after the last block was part of the picture: more than strays, and no filling. */
function isLost(rest: Buffer): boolean {
  return rest.length > MAX_LEFT_OVER && new Set(rest.subarray(0, 1024)).size > 4;
}
