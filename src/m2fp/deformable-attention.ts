/**
 * Multi-scale deformable attention (docs/m2fp-architecture.md section 5.5) as ONNX's DeformConv: a depth-wise 2 x 2
 * convolution of all ones whose four taps are the four sampling points, whose offset groups are the heads and
 * whose mask holds the attention weights. One call per pair of query level and value level, so that every
 * attribute is a constant and one session serves every picture size.
 */
import type { GraphBuilder, Value } from '../onnx/graph.ts';
import { concatRows, literal, plus, selectRows, type Weight } from '../onnx/weight.ts';
import { unflatten, compensateBias, type MapSize } from './layers.ts';
import type { StateDict } from './state-dict.ts';

const KERNEL = 2;
const POINTS = KERNEL * KERNEL;

export interface AttentionShape {
  channels: number;
  heads: number;
  /** Sizes of the levels, coarsest first. */
  levels: readonly MapSize[];
  /** Pixels of the picture per cell of each level; powers of two. */
  strides: readonly number[];
  /** {@link positionRamps} of the levels. */
  ramps: PositionRamps;
}

/** [query level][value level] -> (ratio - 1) * (y, x) as [1, 2, height, width]; only where ratio < 1. */
export type PositionRamps = readonly (readonly (Value | undefined)[])[];

/** Pixels of the value level per pixel of the query level, along one axis. */
function ratioOf(strides: readonly number[], queryLevel: number, valueLevel: number): number {
  return strides[queryLevel]! / strides[valueLevel]!;
}

/**
 * Where the value level is coarser than the query level, DeformConv's grid steps by whole pixels while the
 * reference point steps by `ratio`: these ramps, the same in every layer, make up for it.
 */
export function positionRamps(
  g: GraphBuilder,
  levels: readonly MapSize[],
  strides: readonly number[],
): PositionRamps {
  return levels.map((size, queryLevel) => {
    const dims = [1, 1, size.height, size.width];
    return levels.map((_, valueLevel) => {
      const ratio = ratioOf(strides, queryLevel, valueLevel);
      if (ratio >= 1) return undefined;
      const steps = (count: Value) => g.mul(g.sub(g.countFromOne(count), g.scalar(1)), g.scalar(ratio - 1));
      const rows = g.expand(g.reshape(steps(size.height), [1, 1, -1, 1]), dims);
      const columns = g.expand(g.reshape(steps(size.width), [1, 1, 1, -1]), dims);
      return g.concat([rows, columns], 1);
    });
  });
}

/**
 * @param queries X + S, for each level [tokens, channels]
 * @param contents X
 * @param shift what both of them carry (see {@link compensateBias})
 * @returns for each level [channels, tokens], before the output projection
 */
export function deformableAttention(
  g: GraphBuilder,
  queries: readonly Value[],
  contents: readonly Value[],
  state: StateDict,
  shape: AttentionShape,
  shift: Weight | undefined,
): Value[] {
  const { channels, heads, levels, strides, ramps } = shape;

  const projection = state.at('value_proj');
  const valueWeight = projection.get('weight', [channels, channels]);
  const valueMatrix = g.weight(valueWeight);
  const valueBias = compensateBias(projection.get('bias', [channels]), valueWeight, shift);
  const linear = (x: Value, matrix: Value, bias: Weight) =>
    g.part('encoder.attention', () => g.linearTransposed(x, matrix, bias));
  const maps = contents.map((content, level) =>
    unflatten(g, linear(content, valueMatrix, valueBias), channels, levels[level]!),
  );

  const sample = sampler(g, state, shape, shift);
  const ones = g.floats(Array<number>(channels * POINTS).fill(1), [channels, 1, KERNEL, KERNEL]);

  return queries.map((tokens, queryLevel) => {
    const size = levels[queryLevel]!;
    const { offsets, weights } = sample(tokens, queryLevel);
    const samples = maps.map((map, valueLevel) => {
      const ramp = ramps[queryLevel]![valueLevel];
      const ratio = ratioOf(strides, queryLevel, valueLevel);
      let offset = offsets[valueLevel]!;
      if (ramp !== undefined) {
        offset = g.add(g.reshape(offset, [heads * POINTS, 2, size.height, size.width]), ramp);
        map = padTo(g, map, levels[valueLevel]!, size);
      }
      return g.deformConv(map, {
        weight: ones,
        offset: g.reshape(offset, [1, heads * POINTS * 2, size.height, size.width]),
        mask: unflatten(g, weights[valueLevel]!, heads * POINTS, size),
        kernel: [KERNEL, KERNEL],
        pads: [0, 0, 1, 1],
        stride: Math.max(1, ratio),
        groups: channels,
        offsetGroups: heads,
      });
    });
    return g.reshape(
      samples.reduce((sum, x) => g.add(sum, x)),
      [channels, -1],
    );
  });
}

/**
 * The function from the tokens [n, channels] of one query level to what they sample from each value level,
 * channel-major: offsets [heads * points * (y, x), n] in pixels of that level from where DeformConv's own tap
 * lies, and softmaxed attention weights [heads * points, n].
 */
function sampler(
  g: GraphBuilder,
  state: StateDict,
  { channels, heads, levels, strides }: AttentionShape,
  shift: Weight | undefined,
) {
  const count = levels.length;
  const offsetModule = state.at('sampling_offsets');
  const weightModule = state.at('attention_weights');
  const offsetRows = heads * count * POINTS * 2;
  const weightRows = heads * count * POINTS;

  // The checkpoint orders (head, level, point, (x, y)); DeformConv wants (head, point, (y, x)) per level.
  const order: number[] = [];
  for (let level = 0; level < count; level++) {
    for (let head = 0; head < heads; head++) {
      for (let point = 0; point < POINTS; point++) {
        const row = ((head * count + level) * POINTS + point) * 2;
        order.push(row + 1, row);
      }
    }
  }
  const rows = concatRows([
    selectRows(offsetModule.get('weight', [offsetRows, channels]), order),
    weightModule.get('weight', [weightRows, channels]),
  ]);
  const weight = g.weight(rows);
  const offsetBias = selectRows(offsetModule.get('bias', [offsetRows]), order);
  const weightBias = weightModule.get('bias', [weightRows]);

  return (tokens: Value, queryLevel: number) => {
    const taps = levels.flatMap((_, valueLevel) => tapBias(ratioOf(strides, queryLevel, valueLevel), heads));
    const bias = compensateBias(concatRows([plus(offsetBias, literal(taps)), weightBias]), rows, shift);
    const pieces = g.split(
      g.part('encoder.attention', () => g.linearTransposed(tokens, weight, bias)),
      [...levels.map(() => heads * POINTS * 2), weightRows],
      0,
    );

    // A softmax over the (level, point) rows of each head, written out because the axis is not the last.
    const logits = g.reshape(pieces.at(-1)!, [heads, count * POINTS, -1]);
    const exponentials = g.exp(g.sub(logits, g.reduceMax(logits, 1)));
    const normal = g.div(exponentials, g.reduceSum(exponentials, 1));
    const weights = g.split(
      normal,
      levels.map(() => POINTS),
      1,
    );
    return { offsets: pieces.slice(0, -1), weights };
  };
}

/**
 * What turns DeformConv's own tap position (y * stride + ky) into the reference point of section 5.5,
 * y * ratio + (ratio - 1) / 2; one (y, x) pair for each head and point.
 */
function tapBias(ratio: number, heads: number): number[] {
  const centre = (ratio - 1) / 2;
  const pairs: number[] = [];
  for (let head = 0; head < heads; head++) {
    for (let ky = 0; ky < KERNEL; ky++) {
      for (let kx = 0; kx < KERNEL; kx++) pairs.push(centre - ky, centre - kx);
    }
  }
  return pairs;
}

/** Zeros on the right and at the bottom, up to the size `to`. */
function padTo(g: GraphBuilder, map: Value, from: MapSize, to: MapSize): Value {
  return g.pad(map, [0, 0, 0, 0, 0, 0, g.sub(to.height, from.height), g.sub(to.width, from.width)]);
}
