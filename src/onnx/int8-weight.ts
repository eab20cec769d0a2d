/**
 * Weights as whole numbers with one scale for each row (output channel), symmetric around zero, and the biases that go
 * with them: recipes, like all weights.
 */
import type { IntegerWeight } from './types.ts';
import { computed, elements, type Weight } from './weight.ts';

/** Bits of a weight. Sums of two products of 7 bits never overflow where a processor adds them up in 16 bits. */
export type WeightBits = 7 | 8;
/** More are no better where a processor without VNNI adds up two products in 16 bits (docs/performance.md). */
export const DEFAULT_WEIGHT_BITS: WeightBits = 7;

/** How a bias is held: as a multiple of the input's scale times the row's, in 32 bits with room to spare. */
const MOST_BIAS = 2 ** 30;

/** The largest whole number that a weight becomes. */
export function largestWeight(bits: WeightBits): number {
  return 2 ** (bits - 1) - 1;
}

/** The largest magnitude of each row. */
function rowPeaks(values: Float32Array, rows: number): Float32Array {
  const size = values.length / rows;
  const peaks = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    let peak = 0;
    for (let i = row * size; i < (row + 1) * size; i++) {
      const magnitude = Math.abs(values[i]!);
      if (magnitude > peak) peak = magnitude;
    }
    peaks[row] = peak;
  }
  return peaks;
}

/**
 * The scale of each row of `weight`: large enough for its weights, and for its bias in 32 bits.
 * @param inputScale of the activation that the weight is applied to
 */
export function rowScales(
  weight: Weight,
  bias: Weight | undefined,
  inputScale: number,
  bits: WeightBits,
): Weight {
  const rows = weight.shape[0]!;
  const scales = (values: Float32Array, biases?: Float32Array) =>
    rowPeaks(values, rows).map((peak, row) => {
      const forBias = Math.abs(biases?.[row] ?? 0) / (inputScale * MOST_BIAS);
      // A row of zeros needs a scale, too.
      return Math.max(peak / largestWeight(bits), forBias) || 1;
    });
  return bias === undefined
    ? computed([rows], [weight], (values) => scales(values))
    : computed([rows], [weight, bias], scales);
}

/** `weight` in multiples of its rows' scales. */
export function int8Rows(weight: Weight, scales: Weight, bits: WeightBits): IntegerWeight {
  return {
    shape: weight.shape,
    async load() {
      return roundRows(await weight.load(), await scales.load(), largestWeight(bits));
    },
  };
}

function roundRows(values: Float32Array, scales: Float32Array, largest: number): Int8Array {
  const size = values.length / scales.length;
  const whole = new Int8Array(values.length);
  for (let row = 0; row < scales.length; row++) {
    const scale = scales[row]!;
    for (let i = row * size; i < (row + 1) * size; i++) {
      const rounded = Math.round(values[i]! / scale);
      whole[i] = Math.min(largest, Math.max(-largest, rounded));
    }
  }
  return whole;
}

/** `inputScale` times each row's scale: the scale of a bias. */
export function biasScales(scales: Weight, inputScale: number): Weight {
  return computed(scales.shape, [scales], (values) => values.map((value) => value * inputScale));
}

/** `bias` in multiples of its scales. */
export function int32Bias(bias: Weight, scales: Weight): IntegerWeight {
  const count = elements(bias.shape);
  return {
    shape: [count],
    async load() {
      const values = await bias.load();
      const units = await scales.load();
      // A weight that has several biases has the scales that its first one needs.
      const most = 2 ** 31 - 1;
      return Int32Array.from({ length: count }, (_, i) =>
        Math.min(most, Math.max(-most, Math.round(values[i]! / units[i]!))),
      );
    },
  };
}

/**
 * The bias that makes up for what rounding a weight does to the means of its outputs.
 * @param means of the input's channels
 * @param bias without one: zeros
 */
export function correctedBias(
  {
    weight,
    bias,
    scales,
    means,
  }: { weight: Weight; bias: Weight | undefined; scales: Weight; means: Float32Array },
  bits: WeightBits,
): Weight {
  const rows = weight.shape[0]!;
  const perRow = weight.shape[1]!;
  const inputs = [weight, scales, ...(bias ? [bias] : [])];
  return computed([rows], inputs, (...loaded) => {
    const [values, units, biases] = loaded as [Float32Array, Float32Array, Float32Array | undefined];
    const whole = roundRows(values, units, largestWeight(bits));
    const [rowSize, taps] = [values.length / rows, values.length / (rows * perRow)];
    const groupRows = rows / (means.length / perRow);
    return Float32Array.from(units, (unit, row) => {
      const firstMean = Math.floor(row / groupRows) * perRow;
      let error = 0;
      for (let i = 0; i < rowSize; i++) {
        const at = row * rowSize + i;
        error += (whole[at]! * unit - values[at]!) * means[firstMean + Math.floor(i / taps)]!;
      }
      return (biases?.[row] ?? 0) - error;
    });
  });
}
