/**
 * Mask2Former's masked-attention decoder (architecture section 6). Token-major for the queries,
 * channel-major for keys and values, so that heads are contiguous without transposing the picture's tokens.
 */
import type { GraphBuilder, Value } from '../onnx/graph.ts';
import {
  concatRows,
  plus,
  product,
  reshaped,
  scaled,
  sliceRows,
  transposed,
  type Weight,
} from '../onnx/weight.ts';
import type { Formulation } from './formulation.ts';
import type { MaskHead } from './heads.ts';
import type { HyperParameters } from './hyper-parameters.ts';
import { layerNorm, positionEmbedding } from './layers.ts';
import type { DecodedLevel } from './pixel-decoder.ts';
import type { StateDict } from './state-dict.ts';

/** Far below any logit, and finite: an infinite one would make NaN of a row. */
const BLOCKED = -1e30;

interface Projection {
  weight: Weight;
  bias: Weight;
}

/** Row blocks of a packed in_proj: queries, keys, values. */
type Packed = { query: Projection; key: Projection; value: Projection };

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

  const packed = (module: StateDict): Packed => {
    const weight = module.get('in_proj_weight', [3 * hidden, hidden]);
    const bias = module.get('in_proj_bias', [3 * hidden]);
    const block = (index: number) => ({
      weight: sliceRows(weight, index * hidden, (index + 1) * hidden),
      bias: sliceRows(bias, index * hidden, (index + 1) * hidden),
    });
    return { query: block(0), key: block(1), value: block(2) };
  };
  /** The projection of x + position, as one of x with a bias of its own for each query. */
  const placed = ({ weight, bias }: Projection): Projection => ({
    weight,
    bias: plus(product(queryPosition, transposed(weight)), bias),
  });
  /** Attention's 1 / sqrt(d), in the query projection. */
  const scale = ({ weight, bias }: Projection): Projection => ({
    weight: scaled(weight, perHead ** -0.5),
    bias: scaled(bias, perHead ** -0.5),
  });
  /** [n, hidden] -> [heads, n, hidden / heads]. */
  const splitHeads = (x: Value) => g.transpose(g.reshape(x, [-1, heads, perHead]), [1, 0, 2]);
  /** [heads, n, hidden / heads] -> [n, hidden]. */
  const joinHeads = (x: Value) => g.reshape(g.transpose(x, [1, 0, 2]), [-1, hidden]);

  const crossModule = (layer: number) => state.at(`transformer_cross_attention_layers.${layer}`);
  const memories = levels.map((level, index) =>
    g.scope(`memory.${index}`, () => {
      const own: Packed[] = [];
      for (let layer = index; layer < layers; layer += levels.length) {
        own.push(packed(crossModule(layer).at('multihead_attn')));
      }
      const embed = transposed(sliceRows(levelEmbed, index, index + 1));
      return keysAndValues(g, memoryOf(g, level, index, state, hyper), own, embed, heads, perHead);
    }),
  );

  /** What a branch adds to x; the norm goes before the branch or after the sum. */
  const addAndNorm = (x: Value, module: StateDict, branch: (input: Value) => Value) => {
    const norm = (value: Value) => layerNorm(g, value, module.at('norm'), hidden);
    if (preNorm) return formulation.residual(g, x, branch(norm(x)));
    return norm(formulation.residual(g, x, branch(x)));
  };

  const crossAttention = (x: Value, layer: number) => {
    const module = crossModule(layer);
    const { keys, values } = memories[layer % levels.length]![Math.floor(layer / levels.length)]!;
    const attention = module.at('multihead_attn');
    const projection = scale(placed(packed(attention).query));
    const mask = attentionMask(g, masks.atLevel(x, layer % levels.length));
    return addAndNorm(x, module, (input) => {
      const query = splitHeads(g.linear(input, projection.weight, projection.bias));
      const logits = g.add(g.matmul(query, keys), mask);
      const result = g.matmul(g.softmax(logits, -1), g.transpose(values, [0, 2, 1]));
      return outProjection(joinHeads(result), attention);
    });
  };

  const selfAttention = (x: Value, layer: number) => {
    const module = state.at(`transformer_self_attention_layers.${layer}`);
    const attention = module.at('self_attn');
    const { query, key, value } = packed(attention);
    return addAndNorm(x, module, (input) => {
      const project = ({ weight, bias }: Projection) => splitHeads(g.linear(input, weight, bias));
      const logits = g.matmul(project(scale(placed(query))), g.transpose(project(placed(key)), [0, 2, 1]));
      const result = g.matmul(g.softmax(logits, -1), project(value));
      return outProjection(joinHeads(result), attention);
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

  const outProjection = (x: Value, attention: StateDict) =>
    g.linear(x, attention.get('out_proj.weight', [hidden, hidden]), attention.get('out_proj.bias', [hidden]));

  let x = g.weight(state.get('query_feat.weight', [queries, hidden]));
  for (let layer = 0; layer < layers; layer++) {
    g.scope(`decoder.${layer}`, () => {
      x = g.scope('cross_attention', () => crossAttention(x, layer));
      x = g.scope('self_attention', () => selfAttention(x, layer));
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

/**
 * Keys and values of all decoder layers that look at one level, each [heads, hidden / heads, n], from one
 * matrix product each. The level embedding, the same for every token, is part of the biases.
 */
function keysAndValues(
  g: GraphBuilder,
  memory: { content: Value; position: Value },
  layers: readonly Packed[],
  levelEmbed: Weight,
  heads: number,
  perHead: number,
): { keys: Value; values: Value }[] {
  if (layers.length === 0) return [];
  const project = (x: Value, projections: readonly Projection[]) => {
    const weight = concatRows(projections.map((projection) => projection.weight));
    const bias = concatRows(projections.map((projection) => projection.bias));
    const shift = reshaped(product(weight, levelEmbed), bias.shape);
    const rows = g.reshape(g.linearTransposed(x, g.weight(weight), plus(bias, shift)), [
      layers.length * heads,
      perHead,
      -1,
    ]);
    return g.split(
      rows,
      layers.map(() => heads),
      0,
    );
  };
  const keys = project(
    g.add(memory.content, memory.position),
    layers.map((layer) => layer.key),
  );
  const values = project(
    memory.content,
    layers.map((layer) => layer.value),
  );
  return keys.map((key, index) => ({ keys: key, values: values[index]! }));
}

/**
 * Mask logits [queries, n] -> what is added to the attention's logits: a query looks only where its own mask
 * is positive, unless it is so nowhere.
 */
function attentionMask(g: GraphBuilder, logits: Value): Value {
  const zero = g.scalar(0);
  const blocked = g.and(g.less(logits, zero), g.greaterOrEqual(g.reduceMax(logits, 1), zero));
  return g.where(blocked, g.scalar(BLOCKED), zero);
}
