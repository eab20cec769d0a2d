/** How deformable attention takes values from between the cells of a map: in which operators. */
import type { GraphBuilder, Value } from '../../onnx/graph.ts';
import type { MapSize } from '../layers.ts';

/** Sampling points of a head in a level. */
export const POINTS = 4;

export interface SamplingShape {
  channels: number;
  heads: number;
  /** Sizes of the levels, coarsest first. */
  levels: readonly MapSize[];
  /** Pixels of the picture per cell of each level; powers of two. */
  strides: readonly number[];
}

/** Two levels by their numbers: the one that asks, and the one that values are taken from. */
export interface LevelPair {
  query: number;
  value: number;
}

/**
 * Weighted sums of the values at the sampling points.
 * @param map of the value level, [1, channels, height, width]
 * @param offsets [heads * points * 2, tokens of the query level], in cells of the value level; {@link Sampling.bias} is added
 * @param weights [heads, points, tokens of the query level]
 * @returns the channels of the heads, head by head, for each token of the query level, in any shape
 */
export type Sample = (map: Value, pair: LevelPair, offsets: Value, weights: Value) => Value;

export interface Sampling {
  /** The order of a point's two offsets. */
  readonly coordinates: readonly ['x', 'y'] | readonly ['y', 'x'];
  /** What is to be added to the offsets: two numbers for each head and point; all zeros where absent. */
  bias?(pair: LevelPair): number[];
  /** Called once in each layer. */
  sampler(g: GraphBuilder): Sample;
}

/** Adds what is the same in all layers to the graph. */
export type SamplingOf = (g: GraphBuilder, shape: SamplingShape) => Sampling;
