/**
 * Sampling as ONNX's DeformConv: a depth-wise 2 x 2 convolution of all ones whose four taps are the four sampling points,
 * whose offset groups are the heads and whose mask holds the attention weights. One call per pair of query level and value
 * level, so that every attribute is a constant and one session serves every picture size. Nothing that onnxruntime has is
 * faster.
 */
import type { GraphBuilder, Value } from '../../onnx/graph.ts';
import { type MapSize, unflatten } from '../layers.ts';
import { type LevelPair, POINTS, type SamplingOf, type SamplingShape } from './types.ts';

const KERNEL = 2;

export const deformConvSampling: SamplingOf = (g, shape) => {
  const { channels, heads, levels, strides } = shape;
  const ramps = positionRamps(g, shape);
  return {
    coordinates: ['y', 'x'],
    bias: (pair) => tapBias(ratioOf(strides, pair), heads),
    sampler(layer) {
      const ones = layer.floats(Array<number>(channels * POINTS).fill(1), [channels, 1, KERNEL, KERNEL]);
      return (map, pair, offsets, weights) => {
        const size = levels[pair.query]!;
        const ramp = ramps[pair.query]![pair.value];
        if (ramp !== undefined) {
          offsets = layer.add(layer.reshape(offsets, [heads * POINTS, 2, size.height, size.width]), ramp);
          map = padTo(layer, map, levels[pair.value]!, size);
        }
        return layer.deformConv(map, {
          weight: ones,
          offset: layer.reshape(offsets, [1, heads * POINTS * 2, size.height, size.width]),
          mask: unflatten(layer, weights, heads * POINTS, size),
          kernel: [KERNEL, KERNEL],
          pads: [0, 0, 1, 1],
          stride: Math.max(1, ratioOf(strides, pair)),
          groups: channels,
          offsetGroups: heads,
        });
      };
    },
  };
};

/** Cells of the value level per cell of the query level, along one axis. */
function ratioOf(strides: readonly number[], { query, value }: LevelPair): number {
  return strides[query]! / strides[value]!;
}

/**
 * Where the value level is coarser than the query level, DeformConv's grid steps by whole cells while the
 * reference point steps by `ratio`: these ramps, the same in every layer, make up for it.
 * @returns [query level][value level] -> (ratio - 1) * (y, x) as [1, 2, height, width]; only where ratio < 1
 */
function positionRamps(g: GraphBuilder, { levels, strides }: SamplingShape): (Value | undefined)[][] {
  return levels.map((size, query) => {
    const dims = [1, 1, size.height, size.width];
    return levels.map((_, value) => {
      const ratio = ratioOf(strides, { query, value });
      if (ratio >= 1) return undefined;
      const steps = (count: Value) => g.mul(g.sub(g.countFromOne(count), g.scalar(1)), g.scalar(ratio - 1));
      const rows = g.expand(g.reshape(steps(size.height), [1, 1, -1, 1]), dims);
      const columns = g.expand(g.reshape(steps(size.width), [1, 1, 1, -1]), dims);
      return g.concat([rows, columns], 1);
    });
  });
}

/**
 * What turns DeformConv's own tap position (y * stride + ky) into the reference point of docs/m2fp-architecture.md section
 * 5.5, y * ratio + (ratio - 1) / 2; one (y, x) pair for each head and point.
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
