/** Walks over the blocks of a JPEG's scan, as a decoder does, without making pixels of them. */
import type { BitReader, HuffmanTable } from './jpeg-bits.ts';

export interface Component {
  id: number;
  /** Sampling factors. */
  h: number;
  v: number;
  /** Size in blocks as scans of this component alone count them; rows of `stride` blocks where all lie together. */
  blocksWide: number;
  blocksHigh: number;
  stride: number;
  /** Step of the constant coefficients, which tells how large they can be. */
  dcStep: number;
  /** Progressive only: which of a block's coefficients are not 0, 32 each, low and high. */
  low: Uint32Array;
  high: Uint32Array;
}

/** One component's part in a scan. */
export interface Member {
  component: Component;
  dc: HuffmanTable | null;
  ac: HuffmanTable | null;
  /** The last constant coefficient. */
  previous: number;
}

/** Which coefficients a scan brings, from `start` to `end`, in which step of refinement. */
export interface Band {
  progressive: boolean;
  start: number;
  end: number;
  high: number;
}

/** What goes on from block to block. */
export interface Run {
  /** Blocks to come without further coefficients. */
  blank: number;
  /** A constant coefficient was larger than a picture's can be: bits were lost before. */
  astray: boolean;
}

/**
 * The largest constant coefficient: 8 times 128 for samples of 8 bits, and what encoders that overshoot at clipped
 * edges add (mozjpeg: 31 to each sample). Where bits were lost, all constants after them are off by the same amount,
 * and bright or dark places show it.
 */
const LARGEST_DC = 8 * (128 + 31) + 28;

/** Reads block number `index`; false where its bits are no code or coefficients run over its end. */
export type ReadBlock = (reader: BitReader, member: Member, index: number, run: Run) => boolean;

/** What reads the blocks of such a scan, null where its tables are missing. */
export function blockReader(band: Band, members: readonly Member[]): ReadBlock | null {
  const needsDc = band.start === 0 && band.high === 0;
  const needsAc = band.end > 0;
  if (members.some(({ dc, ac }) => (needsDc && dc === null) || (needsAc && ac === null))) return null;
  if (!band.progressive) return readWhole;
  if (band.start === 0) return band.high === 0 ? readConstant : (reader) => reader.bits(1) >= 0;
  return band.high === 0
    ? (reader, member, index, run) => readFirst(reader, member, index, run, band)
    : (reader, member, index, run) => refine(reader, member, index, run, band);
}

/** A number of `size` bits, of which those that begin with 0 are negative. */
function extended(reader: BitReader, size: number): number {
  const value = reader.bits(size);
  return size === 0 || value >= 1 << (size - 1) ? value : value - (1 << size) + 1;
}

function readConstant(reader: BitReader, member: Member, _index: number, run: Run): boolean {
  const size = reader.symbol(member.dc!);
  if (size < 0 || size > 15) return false;
  member.previous += extended(reader, size);
  const { dcStep } = member.component;
  if (Math.abs(member.previous) * dcStep > LARGEST_DC + dcStep) run.astray = true;
  return true;
}

function readWhole(reader: BitReader, member: Member, index: number, run: Run): boolean {
  if (!readConstant(reader, member, index, run)) return false;
  const ac = member.ac!;
  for (let k = 1; k < 64; k++) {
    const symbol = reader.symbol(ac);
    if (symbol < 0) return false;
    const size = symbol & 15;
    if (size === 0) {
      if (symbol !== 0xf0) return true;
      k += 15;
      continue;
    }
    k += symbol >> 4;
    if (k > 63) return false;
    reader.bits(size);
  }
  return true;
}

function mark({ low, high }: Component, index: number, k: number): void {
  if (k < 32) low[index]! |= 1 << k;
  else high[index]! |= 1 << (k - 32);
}

function readFirst(reader: BitReader, member: Member, index: number, run: Run, band: Band): boolean {
  if (run.blank > 0) {
    run.blank--;
    return true;
  }
  for (let k = band.start; k <= band.end; k++) {
    const symbol = reader.symbol(member.ac!);
    if (symbol < 0) return false;
    const zeros = symbol >> 4;
    const size = symbol & 15;
    if (size === 0) {
      if (zeros < 15) {
        run.blank = (1 << zeros) - 1 + reader.bits(zeros);
        return true;
      }
      k += 15;
      continue;
    }
    k += zeros;
    if (k > band.end) return false;
    reader.bits(size);
    mark(member.component, index, k);
  }
  return true;
}

function refine(reader: BitReader, member: Member, index: number, run: Run, band: Band): boolean {
  const { component } = member;
  const isSet = (k: number): boolean =>
    ((k < 32 ? component.low[index]! >>> k : component.high[index]! >>> (k - 32)) & 1) === 1;
  let k = band.start;
  while (run.blank === 0 && k <= band.end) {
    const symbol = reader.symbol(member.ac!);
    if (symbol < 0) return false;
    let zeros = symbol >> 4;
    const isNew = (symbol & 15) !== 0;
    if (isNew) reader.bits(1);
    else if (zeros < 15) {
      run.blank = (1 << zeros) + reader.bits(zeros);
      break;
    }
    for (; k <= band.end; k++) {
      if (isSet(k)) reader.bits(1);
      else if (zeros-- === 0) break;
    }
    if (isNew) {
      if (k > band.end) return false;
      mark(component, index, k);
    }
    k++;
  }
  if (run.blank > 0) {
    for (; k <= band.end; k++) if (isSet(k)) reader.bits(1);
    run.blank--;
  }
  return true;
}
