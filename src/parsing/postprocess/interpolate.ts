/**
 * Bilinear resizing as torch.nn.functional.interpolate does it with align_corners=False and no antialiasing,
 * one axis at a time: which input positions make an output position, and with which weights.
 */

/** Output position i = weight0[i] * in[index0[i]] + weight1[i] * in[index1[i]]. */
export interface LinearAxis {
  index0: Int32Array;
  index1: Int32Array;
  weight0: Float32Array;
  weight1: Float32Array;
}

/**
 * Resizing an axis of `inSize` to `outSize`. Positions and weights are float32, as in PyTorch
 * (aten/src/ATen/native/UpSample.h), so that a pixel on the edge of a threshold falls on the same side.
 */
export function linearAxis(inSize: number, outSize: number): LinearAxis {
  const scale = Math.fround(inSize / outSize);
  const axis: LinearAxis = {
    index0: new Int32Array(outSize),
    index1: new Int32Array(outSize),
    weight0: new Float32Array(outSize),
    weight1: new Float32Array(outSize),
  };
  for (let i = 0; i < outSize; i++) {
    const source = Math.max(0, Math.fround(Math.fround(scale * (i + 0.5)) - 0.5));
    const index = Math.min(Math.floor(source), inSize - 1);
    const weight = Math.fround(Math.min(source - index, 1));
    axis.index0[i] = index;
    axis.index1[i] = Math.min(index + 1, inSize - 1);
    axis.weight0[i] = 1 - weight;
    axis.weight1[i] = weight;
  }
  return axis;
}

/** Output position i = sum over k = 0, 1, 2 of weights[3 * i + k] * in[first[i] + k]. `first` never falls. */
export interface TripleAxis {
  inSize: number;
  outSize: number;
  first: Int32Array;
  weights: Float64Array;
}

/**
 * Two resizings in a row as one: an axis of `inSize` enlarged to four times its size, cropped to `cropSize`, and
 * resized to `outSize`. Two neighbours of the enlarged axis come from at most three neighbours of the first.
 *
 * Apart from rounding in the seventh digit this is what the two steps give, without the picture between them.
 * @throws RangeError for an axis shorter than 3 or a crop beyond the enlarged axis.
 */
export function enlargedAxis(inSize: number, cropSize: number, outSize: number): TripleAxis {
  if (inSize < 3) throw new RangeError(`an axis of ${inSize} is too short`);
  if (cropSize > 4 * inSize) throw new RangeError(`a crop of ${cropSize} is beyond 4 x ${inSize}`);
  const inner = linearAxis(inSize, 4 * inSize);
  const outer = linearAxis(cropSize, outSize);
  const first = new Int32Array(outSize);
  const weights = new Float64Array(3 * outSize);
  for (let i = 0; i < outSize; i++) {
    const start = Math.min(inner.index0[outer.index0[i]!]!, inSize - 3);
    first[i] = start;
    const add = (middle: number, weight: number) => {
      weights[3 * i + inner.index0[middle]! - start]! += weight * inner.weight0[middle]!;
      weights[3 * i + inner.index1[middle]! - start]! += weight * inner.weight1[middle]!;
    };
    add(outer.index0[i]!, outer.weight0[i]!);
    add(outer.index1[i]!, outer.weight1[i]!);
  }
  return { inSize, outSize, first, weights };
}

const STEPS = 256;
const LIMIT = 18;
const table = new Float64Array(LIMIT * STEPS + 2);
for (let i = 0; i < table.length; i++) table[i] = 1 / (1 + Math.exp(-i / STEPS));

/**
 * The logistic function of `x` >= 0, from a table: within 2e-7 (about the precision of float32), and several
 * times faster than Math.exp, which matters for millions of pixels.
 */
export function sigmoidOfPositive(x: number): number {
  if (x >= LIMIT) return 1;
  const position = x * STEPS;
  const index = position | 0;
  const low = table[index]!;
  return low + (position - index) * (table[index + 1]! - low);
}
