/**
 * The run lengths of Label Studio's brush: those of thi.ng's rle-pack, over all four channels of a picture. A head: 32 bits, how
 * many values; 5, the bits of a value less 1; 4 times 4, the bits of the four sizes of run, less 1. Then runs: a bit that is 1, 2
 * bits for the size, the run's length less 1, the value.
 */

const SIZES = [3, 4, 8, 16] as const;
const VALUE_BITS = 8;
const CHANNELS = 4;
const INSIDE = 255;

/** Bits to bytes, highest first. */
class BitWriter {
  readonly #bytes: number[] = [];
  #byte = 0;
  #used = 0;

  write(value: number, bits: number): void {
    for (let bit = bits - 1; bit >= 0; bit--) {
      // Not shifted: 32 bits are more than a shift keeps apart.
      this.#byte = this.#byte * 2 + (Math.floor(value / 2 ** bit) % 2);
      if (++this.#used < 8) continue;
      this.#bytes.push(this.#byte);
      this.#byte = 0;
      this.#used = 0;
    }
  }

  take(): number[] {
    if (this.#used > 0) this.write(0, 8 - this.#used);
    return this.#bytes;
  }
}

/**
 * @param runs lengths outside and inside in turn, row by row over the whole picture (`rowRuns`)
 * @returns bytes
 */
export function brushRle(runs: readonly number[]): number[] {
  const bits = new BitWriter();
  bits.write(CHANNELS * runs.reduce((sum, run) => sum + run, 0), 32);
  bits.write(VALUE_BITS - 1, 5);
  for (const size of SIZES) bits.write(size - 1, 4);
  const longest = 2 ** SIZES.at(-1)!;
  for (const [at, run] of runs.entries()) {
    for (let left = CHANNELS * run; left > 0;) {
      const length = Math.min(left, longest);
      const size = SIZES.findIndex((each) => length <= 2 ** each);
      bits.write(1, 1);
      bits.write(size, 2);
      bits.write(length - 1, SIZES[size]!);
      bits.write(at % 2 === 0 ? 0 : INSIDE, VALUE_BITS);
      left -= length;
    }
  }
  return bits.take();
}
