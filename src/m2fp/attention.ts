/**
 * Multi-head attention as PyTorch's checkpoints hold it (packed in_proj rows: queries, keys, values), and
 * the queries' attention to a level of the picture. Token-major for the queries, channel-major for keys and values,
 * so that heads are contiguous without transposing the picture's tokens.
 */
import type { GraphBuilder, Value } from '../onnx/graph.ts';
import { plus, product, reshaped, scaled, sliceRows, transposed, type Weight } from '../onnx/weight.ts';
import type { StateDict } from './state-dict.ts';

export interface Projection {
  weight: Weight;
  bias: Weight;
}

/** Row blocks of a packed in_proj: queries, keys, values. */
export interface Packed {
  query: Projection;
  key: Projection;
  value: Projection;
}

/** What the queries attend to at one level. */
export interface Memory {
  /** [height * width, hidden], without the level embedding. */
  content: Value;
  /** Content with the sine position embedding. */
  positioned: Value;
  /** Level embedding, [1, hidden]. */
  embed: Weight;
}

export interface CrossAttention {
  /** [queries, hidden]. */
  input: Value;
  memory: Memory;
  /** What `MaskHead.attentionMask` gave. */
  mask: Value;
  /** Learned position of the queries, [queries, hidden]. */
  queryPosition: Weight;
  heads: number;
}

/** Row blocks of attention's packed in_proj. */
export function packedProjections(module: StateDict, hidden: number): Packed {
  const weight = module.get('in_proj_weight', [3 * hidden, hidden]);
  const bias = module.get('in_proj_bias', [3 * hidden]);
  const block = (index: number) => ({
    weight: sliceRows(weight, index * hidden, (index + 1) * hidden),
    bias: sliceRows(bias, index * hidden, (index + 1) * hidden),
  });
  return { query: block(0), key: block(1), value: block(2) };
}

/** The projection of x + position, as one of x with a bias of its own for each query. */
export function withPositionEmbedding({ weight, bias }: Projection, position: Weight): Projection {
  return { weight, bias: plus(product(position, transposed(weight)), bias) };
}

/** Attention's 1 / sqrt(d), in the query projection. */
export function scaledFor({ weight, bias }: Projection, perHead: number): Projection {
  return { weight: scaled(weight, perHead ** -0.5), bias: scaled(bias, perHead ** -0.5) };
}

/** [n, hidden] -> [heads, n, hidden / heads]. */
export function splitHeads(g: GraphBuilder, x: Value, heads: number, perHead: number): Value {
  return g.transpose(g.reshape(x, [-1, heads, perHead]), [1, 0, 2]);
}

/** [heads, n, hidden / heads] -> [n, hidden]. */
export function joinHeads(g: GraphBuilder, x: Value, hidden: number): Value {
  return g.reshape(g.transpose(x, [1, 0, 2]), [-1, hidden]);
}

/**
 * The queries' attention to a level, the output projection applied. Keys and values get no bias: one of the keys
 * adds the same to all logits of a query, which the softmax takes out again, and one of the values, whose weights
 * add up to 1, goes through to the output. The level embedding, the same for every token, is such a bias.
 */
export function crossAttention(
  g: GraphBuilder,
  { input, memory, mask, queryPosition, heads }: CrossAttention,
  module: StateDict,
): Value {
  const [, hidden] = queryPosition.shape as [number, number];
  const perHead = hidden / heads;
  const { query, key, value } = packedProjections(module, hidden);
  const { weight, bias } = scaledFor(withPositionEmbedding(query, queryPosition), perHead);
  /** Channel-major, so that heads are contiguous without a transpose. */
  const project = (x: Value, projection: Projection) =>
    g.reshape(
      g.part('keys', () => g.linearTransposed(x, g.weight(projection.weight))),
      [heads, perHead, -1],
    );
  const keys = project(memory.positioned, key);
  const values = project(memory.content, value);

  const logits = g.add(g.matmul(splitHeads(g, g.linear(input, weight, bias), heads, perHead), keys), mask);
  const result = g.matmul(g.softmax(logits, -1), g.transpose(values, [0, 2, 1]));

  const output = module.get('out_proj.weight', [hidden, hidden]);
  const embedded = plus(product(value.weight, transposed(memory.embed)), reshaped(value.bias, [hidden, 1]));
  const constant = reshaped(product(output, embedded), [hidden]);
  return g.linear(
    joinHeads(g, result, hidden),
    output,
    plus(module.get('out_proj.bias', [hidden]), constant),
  );
}
