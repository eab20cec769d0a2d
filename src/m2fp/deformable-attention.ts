/**
 * Multi-scale deformable attention (docs/m2fp-architecture.md section 5.5). Which operators take the values from between
 * the cells is a choice: {@link Sampling}.
 */
import type { GraphBuilder, Value } from '../onnx/graph.ts';
import { concatRows, literal, plus, selectRows, type Weight } from '../onnx/weight.ts';
import { unflatten, compensateBias } from './layers.ts';
import { POINTS, type Sampling, type SamplingShape } from './sampling/types.ts';
import type { StateDict } from './state-dict.ts';

export interface AttentionShape extends SamplingShape {
  sampling: Sampling;
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
  const { channels, levels, sampling } = shape;

  const projection = state.at('value_proj');
  const valueWeight = projection.get('weight', [channels, channels]);
  const valueMatrix = g.weight(valueWeight);
  const valueBias = compensateBias(projection.get('bias', [channels]), valueWeight, shift);
  const linear = (x: Value, matrix: Value, bias: Weight) =>
    g.part('encoder.attention', () => g.linearTransposed(x, matrix, bias));
  const maps = contents.map((content, level) =>
    unflatten(g, linear(content, valueMatrix, valueBias), channels, levels[level]!),
  );

  const points = samplingPoints(g, state, shape, shift);
  const sample = sampling.sampler(g);

  return queries.map((tokens, query) => {
    const { offsets, weights } = points(tokens, query);
    const samples = maps.map((map, value) => sample(map, { query, value }, offsets[value]!, weights[value]!));
    return g.reshape(
      samples.reduce((sum, x) => g.add(sum, x)),
      [channels, -1],
    );
  });
}

/**
 * The function from the tokens [n, channels] of one query level to what they sample from each value level,
 * channel-major: offsets [heads * points * 2, n] in cells of that level, and softmaxed attention weights
 * [heads, points, n].
 */
function samplingPoints(
  g: GraphBuilder,
  state: StateDict,
  { channels, heads, levels, sampling }: AttentionShape,
  shift: Weight | undefined,
) {
  const count = levels.length;
  const offsetModule = state.at('sampling_offsets');
  const weightModule = state.at('attention_weights');
  const offsetRows = heads * count * POINTS * 2;
  const weightRows = heads * count * POINTS;

  // The checkpoint orders (head, level, point, (x, y)); (head, point, (x, y) or (y, x)) per level is wanted.
  const [first, second] = sampling.coordinates.map((axis) => (axis === 'x' ? 0 : 1)) as [number, number];
  const order: number[] = [];
  for (let level = 0; level < count; level++) {
    for (let head = 0; head < heads; head++) {
      for (let point = 0; point < POINTS; point++) {
        const row = ((head * count + level) * POINTS + point) * 2;
        order.push(row + first, row + second);
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

  return (tokens: Value, query: number) => {
    const own = levels.flatMap((_, value) => sampling.bias?.({ query, value }) ?? []);
    const moved = own.length === 0 ? offsetBias : plus(offsetBias, literal(own));
    const bias = compensateBias(concatRows([moved, weightBias]), rows, shift);
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
