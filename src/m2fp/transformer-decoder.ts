/**
 * Mask2Former's masked-attention decoder (architecture section 6). Token-major for the queries,
 * channel-major for keys and values, so that heads are contiguous without transposing the picture's tokens.
 */
import type { GraphBuilder, Value } from '../onnx/graph.ts';
import { plus, product, reshaped, scaled, sliceRows, transposed, type Weight } from '../onnx/weight.ts';
import type { Formulation } from './formulation.ts';
import type { MaskHead } from './heads.ts';
import type { HyperParameters } from './hyper-parameters.ts';
import { layerNorm, positionEmbedding } from './layers.ts';
import type { DecodedLevel } from './pixel-decoder.ts';
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
  placed: Value;
  /** Level embedding, [1, hidden]. */
  embed: Weight;
}

export interface CrossAttention {
  /** [queries, hidden]. */
  input: Value;
  memory: Memory;
  /** What {@link MaskHead.attentionMask} gave. */
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
function placed({ weight, bias }: Projection, position: Weight): Projection {
  return { weight, bias: plus(product(position, transposed(weight)), bias) };
}

/** Attention's 1 / sqrt(d), in the query projection. */
function scaledFor({ weight, bias }: Projection, perHead: number): Projection {
  return { weight: scaled(weight, perHead ** -0.5), bias: scaled(bias, perHead ** -0.5) };
}

/** [n, hidden] -> [heads, n, hidden / heads]. */
function splitHeads(g: GraphBuilder, x: Value, heads: number, perHead: number): Value {
  return g.transpose(g.reshape(x, [-1, heads, perHead]), [1, 0, 2]);
}

/** [heads, n, hidden / heads] -> [n, hidden]. */
function joinHeads(g: GraphBuilder, x: Value, hidden: number): Value {
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
  const { weight, bias } = scaledFor(placed(query, queryPosition), perHead);
  /** Channel-major, so that heads are contiguous without a transpose. */
  const project = (x: Value, projection: Projection) =>
    g.reshape(g.gemm(g.weight(projection.weight), x, undefined, { transB: true }), [heads, perHead, -1]);
  const keys = project(memory.placed, key);
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

/** @returns the queries after the last layer, [queries, hidden] */
export function transformerDecoder(
  g: GraphBuilder,
  levels: readonly DecodedLevel[],
  masks: MaskHead,
  state: StateDict,
  hyper: HyperParameters,
  formulation: Formulation,
): Value {
  const { hiddenDim: hidden, queries, layers, heads, feedForward, preNorm } = hyper.decoder;
  const perHead = hidden / heads;
  const queryPosition = state.get('query_embed.weight', [queries, hidden]);
  const levelEmbed = state.get('level_embed.weight', [levels.length, hidden]);

  const memories = levels.map((level, index): Memory => {
    const { content, position } = g.scope(`memory.${index}`, () => memoryOf(g, level, index, state, hyper));
    const embed = sliceRows(levelEmbed, index, index + 1);
    return { content, placed: g.add(content, position), embed };
  });

  /** What a branch adds to x; the norm goes before the branch or after the sum. */
  const addAndNorm = (x: Value, module: StateDict, branch: (input: Value) => Value) => {
    const norm = (value: Value) => layerNorm(g, value, module.at('norm'), hidden);
    if (preNorm) return formulation.residual(g, x, branch(norm(x)));
    return norm(formulation.residual(g, x, branch(x)));
  };

  const crossAttentionLayer = (x: Value, layer: number) => {
    const module = state.at(`transformer_cross_attention_layers.${layer}`);
    const level = layer % levels.length;
    const mask = masks.attentionMask(x, level);
    return addAndNorm(x, module, (input) =>
      formulation.crossAttention(
        g,
        { input, memory: memories[level]!, mask, queryPosition, heads },
        module.at('multihead_attn'),
      ),
    );
  };

  const selfAttentionLayer = (x: Value, layer: number) => {
    const module = state.at(`transformer_self_attention_layers.${layer}`);
    const attention = module.at('self_attn');
    const { query, key, value } = packedProjections(attention, hidden);
    return addAndNorm(x, module, (input) => {
      const project = ({ weight, bias }: Projection) =>
        splitHeads(g, g.linear(input, weight, bias), heads, perHead);
      const keys = project(placed(key, queryPosition));
      const logits = g.matmul(
        project(scaledFor(placed(query, queryPosition), perHead)),
        g.transpose(keys, [0, 2, 1]),
      );
      const result = joinHeads(g, g.matmul(g.softmax(logits, -1), project(value)), hidden);
      const output = attention.get('out_proj.weight', [hidden, hidden]);
      return g.linear(result, output, attention.get('out_proj.bias', [hidden]));
    });
  };

  const feedForwardLayer = (x: Value, layer: number) => {
    const module = state.at(`transformer_ffn_layers.${layer}`);
    const inner = module.get('linear1.weight', [feedForward, hidden]);
    const outer = module.get('linear2.weight', [hidden, feedForward]);
    return addAndNorm(x, module, (input) => {
      const hiddenLayer = g.relu(g.linear(input, inner, module.get('linear1.bias', [feedForward])));
      return g.linear(hiddenLayer, outer, module.get('linear2.bias', [hidden]));
    });
  };

  let x = g.weight(state.get('query_feat.weight', [queries, hidden]));
  for (let layer = 0; layer < layers; layer++) {
    g.scope(`decoder.${layer}`, () => {
      x = g.scope('cross_attention', () => crossAttentionLayer(x, layer));
      x = g.scope('self_attention', () => selfAttentionLayer(x, layer));
      x = g.scope('ffn', () => feedForwardLayer(x, layer));
    });
  }
  return x;
}

/** A level's tokens and positions in the decoder's width. */
function memoryOf(
  g: GraphBuilder,
  level: DecodedLevel,
  index: number,
  state: StateDict,
  hyper: HyperParameters,
): { content: Value; position: Value } {
  const { convDim } = hyper.pixelDecoder;
  const { hiddenDim, inputProjection } = hyper.decoder;
  if (!inputProjection) return { content: level.tokens, position: level.position };
  const module = state.at(`input_proj.${index}`);
  const weight = reshaped(module.get('weight', [hiddenDim, convDim, 1, 1]), [hiddenDim, convDim]);
  const content = g.linear(level.tokens, weight, module.get('bias', [hiddenDim]));
  const position = hiddenDim === convDim ? level.position : positionEmbedding(g, level.size, hiddenDim);
  return { content, position };
}
