/** From what was seen of an activation to the range that its 256 levels cover. */
import { roundingOf } from '../onnx/int8-builder.ts';
import { Histogram } from './histogram.ts';

/**
 * `min-max`: all that was seen. `average`: the mean of the pictures' least and largest values. `mse`: the range whose
 * rounding and clipping together change the values least, as the mean square tells.
 */
export const CALIBRATIONS = ['min-max', 'average', 'mse'] as const;
export type Calibration = (typeof CALIBRATIONS)[number];

export interface Range {
  min: number;
  max: number;
}

/** Shares of each end that `mse` tries. */
const STEPS = 32;
const LEAST_SHARE = 0.2;
/** Rounds of trying one end and then the other. */
const ROUNDS = 2;

/** One activation over all pictures. Values that share its name are told one after the other. */
export class ActivationStatistics {
  readonly #histogram = new Histogram();
  #range: Range = { min: Infinity, max: -Infinity };
  #sums: Range = { min: 0, max: 0 };
  #means: Float64Array | undefined;
  #count = 0;

  /** What one run of the network tells of it. */
  add(range: Range, means: Float32Array, sample: Float32Array): void {
    this.#range = { min: Math.min(this.#range.min, range.min), max: Math.max(this.#range.max, range.max) };
    this.#sums = { min: this.#sums.min + range.min, max: this.#sums.max + range.max };
    this.#means ??= new Float64Array(means.length);
    for (let i = 0; i < means.length; i++) this.#means[i]! += means[i]!;
    this.#count++;
    this.#histogram.add(sample);
  }

  get seen(): Range {
    return this.#range;
  }

  /** Of the channels. */
  means(): Float32Array {
    return Float32Array.from(this.#means ?? [], (sum) => sum / this.#count);
  }

  range(calibration: Calibration): Range {
    if (calibration === 'min-max') return this.#range;
    if (calibration === 'average') {
      return { min: this.#sums.min / this.#count, max: this.#sums.max / this.#count };
    }
    return leastSquares(this.#range, this.#histogram.entries());
  }
}

function leastSquares(whole: Range, entries: readonly { value: number; count: number }[]): Range {
  const error = (range: Range) => {
    const { scale } = roundingOf(range);
    let sum = 0;
    for (const { value, count } of entries) {
      const clipped = value - Math.min(range.max, Math.max(range.min, value));
      // What rounding to a level does to values that lie anywhere between two of them; zero is a level.
      sum += count * (value === 0 ? 0 : (scale * scale) / 12 + clipped * clipped);
    }
    return sum;
  };
  let best = { min: Math.min(whole.min, 0), max: Math.max(whole.max, 0) };
  let least = error(best);
  const [{ min, max }] = [best];
  for (let round = 0; round < ROUNDS; round++) {
    for (const end of ['max', 'min'] as const) {
      const bound = end === 'max' ? max : min;
      if (bound === 0) continue;
      for (let step = 0; step < STEPS; step++) {
        const share = 1 - (step / STEPS) * (1 - LEAST_SHARE);
        const range = { ...best, [end]: bound * share };
        const found = error(range);
        if (found < least) [least, best] = [found, range];
      }
    }
  }
  return best;
}
