/** How often which values occur, in little memory however many come and however far they lie. */

/** Enough to tell which end of a range is worth its share of 256 levels. */
const BINS = 2048;
/** What is closer to zero is as good as zero. */
const LEAST_EXTENT = 1e-30;

export class Histogram {
  /** Of the bins from `#first` on: bin i holds the values from i * width to (i + 1) * width. */
  readonly #counts = new Float64Array(BINS);
  #first = 0;
  #width = 0;
  #zeros = 0;

  /** Values without NaN and infinities. */
  add(values: Float32Array): void {
    let min = Infinity;
    let max = -Infinity;
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (value === 0) continue;
      if (value < min) min = value;
      if (value > max) max = value;
    }
    if (min <= max) this.#cover(min, max);
    const [counts, first, width] = [this.#counts, this.#first, this.#width];
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (value === 0) this.#zeros++;
      else counts[Math.floor(value / width) - first]!++;
    }
  }

  /** Centres of the bins that hold values, and how many; zeros, of which a Relu makes many, have an entry of their own. */
  entries(): { value: number; count: number }[] {
    const entries = [{ value: 0, count: this.#zeros }];
    this.#counts.forEach((count, bin) =>
      entries.push({ value: (this.#first + bin + 0.5) * this.#width, count }),
    );
    return entries.filter(({ count }) => count > 0);
  }

  /** Makes room for values from `min` to `max`: doubles the bins' width as often as it takes. */
  #cover(min: number, max: number): void {
    if (this.#width === 0) {
      // A power of two: the bins' bounds and their halves are exact.
      const extent = Math.max(max - min, Math.abs(max), Math.abs(min), LEAST_EXTENT);
      this.#width = 2 ** Math.ceil(Math.log2(extent / BINS));
      this.#first = Math.floor(min / this.#width);
    }
    let [low, high] = this.#used();
    const bin = (value: number) => Math.floor(value / this.#width);
    low = Math.min(low, bin(min));
    high = Math.max(high, bin(max));
    while (high - low >= BINS) {
      this.#halve();
      [low, high] = [Math.floor(low / 2), Math.floor(high / 2)];
    }
    this.#moveTo(low);
  }

  /** The first and last bin that hold values. */
  #used(): [low: number, high: number] {
    const low = this.#counts.findIndex((count) => count > 0);
    if (low < 0) return [Infinity, -Infinity];
    return [this.#first + low, this.#first + this.#counts.findLastIndex((count) => count > 0)];
  }

  #halve(): void {
    const counts = this.#counts.slice();
    const first = Math.floor(this.#first / 2);
    this.#counts.fill(0);
    counts.forEach((count, bin) => {
      if (count > 0) this.#counts[Math.floor((this.#first + bin) / 2) - first]! += count;
    });
    this.#first = first;
    this.#width *= 2;
  }

  #moveTo(first: number): void {
    if (first === this.#first) return;
    const counts = this.#counts.slice();
    const shift = this.#first - first;
    this.#counts.fill(0);
    counts.forEach((count, bin) => {
      if (count > 0) this.#counts[bin + shift]! += count;
    });
    this.#first = first;
  }
}
