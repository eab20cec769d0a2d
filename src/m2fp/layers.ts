/** Layers that several parts of the network share: convolutions with their norm, positions. */
import type { GraphBuilder, Value } from '../onnx/graph.ts';
import { computed, elements, plus, product, reshaped, scaled, type Weight } from '../onnx/weight.ts';
import type { StateDict } from './state-dict.ts';

/** Of every batch, group and layer norm in the network. */
export const EPSILON = 1e-5;
export const NORM_GROUPS = 32;

/** weight and bias of a norm over `channels`. */
export function affine(state: StateDict, channels: number): { weight: Weight; bias: Weight } {
  return { weight: state.get('weight', [channels]), bias: state.get('bias', [channels]) };
}

/** Kernel and bias of a convolution with its inference batch norm folded in. */
export function foldBatchNorm(kernel: Weight, norm: StateDict): { weight: Weight; bias: Weight } {
  const channels = kernel.shape[0]!;
  const { weight: gamma, bias: beta } = affine(norm, channels);
  const mean = norm.get('running_mean', [channels]);
  const variance = norm.get('running_var', [channels]);
  const factor = computed([channels], [gamma, variance], (g, v) =>
    g.map((value, c) => value / Math.sqrt(v[c]! + EPSILON)),
  );
  return {
    weight: computed(kernel.shape, [kernel, factor], (values, f) => {
      const size = values.length / channels;
      return values.map((value, index) => value * f[Math.floor(index / size)]!);
    }),
    bias: computed([channels], [beta, mean, factor], (b, m, f) => b.map((value, c) => value - m[c]! * f[c]!)),
  };
}

/**
 * Group normalisation with an affine weight and bias per channel. Written out because onnxruntime's
 * InstanceNormalization uses one thread.
 */
export function groupNorm(
  g: GraphBuilder,
  x: Value,
  { weight, bias }: { weight: Weight; bias: Weight },
  groups = NORM_GROUPS,
): Value {
  const channels = elements(weight.shape);
  const perGroup = [groups, channels / groups];
  const rows = g.reshape(x, [channels, -1]);
  // First over each channel: the sum of a whole group in one go would lose digits.
  const mean = (reduction: 'ReduceSum' | 'ReduceSumSquare') => {
    const sums = g.reduce(reduction, rows, 1);
    const means = g.div(sums, g.cast(g.dim(rows, 1), 'float32'));
    return g.reduce('ReduceMean', g.reshape(means, perGroup), 1);
  };
  const centre = mean('ReduceSum');
  const variance = g.sub(mean('ReduceSumSquare'), g.mul(centre, centre));
  const deviation = g.operator('Sqrt', [g.add(variance, g.scalar(EPSILON))]);
  const scale = g.div(g.weight(reshaped(weight, perGroup)), deviation);
  const offset = g.sub(g.weight(reshaped(bias, perGroup)), g.mul(centre, scale));
  const perChannel = (values: Value) => g.reshape(values, [1, channels, 1, 1]);
  return g.add(g.mul(x, perChannel(scale)), perChannel(offset));
}

export function layerNorm(g: GraphBuilder, x: Value, state: StateDict, channels: number): Value {
  const { weight, bias } = affine(state, channels);
  return g.layerNorm(x, weight, bias, EPSILON);
}

/**
 * The bias with which a linear layer makes of tokens that carry `shift`, a vector added to each of them, what it
 * makes of the tokens without.
 */
export function compensateBias(bias: Weight, weight: Weight, shift: Weight | undefined): Weight {
  if (shift === undefined) return bias;
  const [outputs, inputs] = weight.shape as [number, number];
  const made = product(weight, reshaped(shift, [inputs, 1]));
  return plus(bias, scaled(reshaped(made, [outputs]), -1));
}

/** Height and width of a map, as one-element int64 vectors. */
export interface MapSize {
  height: Value;
  width: Value;
}

/** Size of a map [1, channels, height, width]. */
export function mapSize(g: GraphBuilder, map: Value): MapSize {
  return { height: g.dim(map, 2), width: g.dim(map, 3) };
}

/** [1, channels, height, width] -> [channels, height * width]. */
export function flatten(g: GraphBuilder, map: Value, channels: number): Value {
  return g.reshape(map, [channels, -1]);
}

/** [channels, height * width] -> [1, channels, height, width]. */
export function unflatten(g: GraphBuilder, rows: Value, channels: number, size: MapSize): Value {
  return g.reshape(rows, [1, channels, size.height, size.width]);
}

/**
 * Mask2Former's sine position embedding of a map, [height * width, channels]: the first half of the channels
 * tells the row, the second the column (docs/m2fp-architecture.md section 5.2).
 */
export function positionEmbedding(g: GraphBuilder, size: MapSize, channels: number): Value {
  const half = channels / 2;
  const indices = Array.from({ length: half }, (_, k) => k);
  const frequency = g.floats(indices.map((k) => 10000 ** ((-2 * Math.floor(k / 2)) / half)));
  // cos(x) = sin(x + pi / 2) for the odd channels.
  const phase = g.floats(indices.map((k) => (k % 2 === 0 ? 0 : Math.PI / 2)));
  const encode = (count: Value, dims: [number, number, number]) => {
    const extent = g.add(g.cast(g.squeeze(count, 0), 'float32'), g.scalar(1e-6));
    const share = g.mul(g.div(g.countFromOne(count), extent), g.scalar(2 * Math.PI));
    return g.reshape(g.sin(g.add(g.mul(g.reshape(share, [-1, 1]), frequency), phase)), dims);
  };
  const grid = [size.height, size.width, half];
  const rows = g.expand(encode(size.height, [-1, 1, half]), grid);
  const columns = g.expand(encode(size.width, [1, -1, half]), grid);
  return g.reshape(g.concat([rows, columns], 2), [-1, channels]);
}
