/**
 * Sampling as ONNX's GridSample, which more engines know than DeformConv: the four points of a head are four rows of a
 * grid, and what it gives is weighted and added up.
 */
import type { GraphBuilder, Value } from '../../onnx/graph.ts';
import type { MapSize } from '../layers.ts';
import { POINTS, type SamplingOf } from './types.ts';

export const gridSampleSampling: SamplingOf = (g, { channels, heads, levels }) => {
  const perHead = channels / heads;
  const centres = levels.map((size) => centresOf(g, size));
  const units = levels.map(({ height, width }) =>
    g.div(g.scalar(2), g.cast(g.concat([width, height], 0), 'float32')),
  );
  return {
    coordinates: ['x', 'y'],
    sampler: (layer) => (map, pair, offsets, weights) => {
      const { height, width } = levels[pair.value]!;
      const points = layer.transpose(layer.reshape(offsets, [heads * POINTS, 2, -1]), [0, 2, 1]);
      const moved = layer.add(layer.mul(points, units[pair.value]!), centres[pair.query]!);
      const grid = layer.reshape(moved, [heads, POINTS, -1, 2]);
      const values = layer.gridSample(layer.reshape(map, [heads, perHead, height, width]), grid);
      const weighted = layer.mul(values, layer.reshape(weights, [heads, 1, POINTS, -1]));
      return layer.reduceSum(weighted, 2);
    },
  };
};

/**
 * The middles of a level's cells as (x, y), [height * width, 2], in GridSample's units: -1 and 1 are the edges of the map,
 * whichever level's, as they all show the same picture.
 */
function centresOf(g: GraphBuilder, { height, width }: MapSize): Value {
  const along = (count: Value, dims: readonly number[]) => {
    const steps = g.sub(g.mul(g.countFromOne(count), g.scalar(2)), g.scalar(1));
    const middles = g.sub(g.div(steps, g.cast(count, 'float32')), g.scalar(1));
    return g.expand(g.reshape(middles, dims), [height, width, 1]);
  };
  return g.reshape(g.concat([along(width, [1, -1, 1]), along(height, [-1, 1, 1])], 2), [-1, 2]);
}
