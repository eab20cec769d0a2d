/**
 * The network's mathematics as `torch.onnx.export` writes the published PyTorch code: the levels' tokens in one
 * tensor, GridSample, every layer's masks at full resolution, a projection for each linear layer with its bias,
 * Add before LayerNormalization. The peer that our formulation is measured against. What costs nothing or what
 * onnxruntime does by itself is shared: folded batch norms, the projections of the 100 queries.
 */
import type { Formulation } from '../src/m2fp/formulation.ts';
import { EPSILON, layerNorm, mapSize, unflatten, NORM_GROUPS, type MapSize } from '../src/m2fp/layers.ts';
import type { StateDict } from '../src/m2fp/state-dict.ts';
import { packedProjections } from '../src/m2fp/transformer-decoder.ts';
import type { GraphBuilder, Value } from '../src/onnx/graph.ts';
import { reshaped, type Weight } from '../src/onnx/weight.ts';

const POINTS = 4;

/** Far below any logit. */
const BLOCKED = -1e30;

/** The exporter's group norm. */
const groupNorm: Formulation['groupNorm'] = (g, x, { weight, bias }) => {
  const [channels] = weight.shape as [number];
  const perGroup = (value: number) => g.floats(Array<number>(NORM_GROUPS).fill(value));
  const shape = g.shape(x);
  const normal = g.operator(
    'InstanceNormalization',
    [g.reshape(x, [1, NORM_GROUPS, -1]), perGroup(1), perGroup(0)],
    { epsilon: { float: EPSILON } },
  );
  const restored = g.operator('Reshape', [normal, shape]);
  const perChannel = (values: Weight) => g.weight(reshaped(values, [1, channels, 1, 1]));
  return g.add(g.mul(restored, perChannel(weight)), perChannel(bias));
};

/** Centres of a map's pixels, [height * width, 2] as (x, y) from 0 to 1. */
function centres(g: GraphBuilder, { height, width }: MapSize): Value {
  const along = (count: Value) =>
    g.div(g.sub(g.countFromOne(count), g.scalar(0.5)), g.cast(g.squeeze(count, 0), 'float32'));
  const dims = [height, width, 1];
  const x = g.expand(g.reshape(along(width), [1, -1, 1]), dims);
  const y = g.expand(g.reshape(along(height), [-1, 1, 1]), dims);
  return g.reshape(g.concat([x, y], 2), [-1, 2]);
}

interface AttentionShape {
  channels: number;
  heads: number;
  levels: readonly MapSize[];
  counts: readonly Value[];
  /** Centres of all tokens, [tokens, 1, 1, 2]. */
  references: Value;
}

function deformableAttention(
  g: GraphBuilder,
  query: Value,
  content: Value,
  state: StateDict,
  { channels, heads, levels, counts, references }: AttentionShape,
): Value {
  const perHead = channels / heads;
  const count = levels.length;
  const linear = (x: Value, module: string, outputs: number) =>
    g.linear(x, state.at(module).get('weight', [outputs, channels]), state.at(module).get('bias', [outputs]));

  const values = g.split(linear(content, 'value_proj', channels), counts, 0);
  const offsets = g.reshape(linear(query, 'sampling_offsets', heads * count * POINTS * 2), [
    -1,
    heads,
    count,
    POINTS * 2,
  ]);
  const logits = g.reshape(linear(query, 'attention_weights', heads * count * POINTS), [
    -1,
    heads,
    count * POINTS,
  ]);
  const weights = g.reshape(g.transpose(g.softmax(logits, -1), [1, 0, 2]), [heads, 1, -1, count * POINTS]);
  const offsetsOf = g.split(
    offsets,
    levels.map(() => 1),
    2,
  );
  const samples = levels.map((size, level) => {
    const rows = g.transpose(values[level]!, [1, 0]);
    const map = g.reshape(unflatten(g, rows, channels, size), [heads, perHead, size.height, size.width]);
    const extent = g.cast(g.concat([size.width, size.height], 0), 'float32');
    const shift = g.div(g.reshape(offsetsOf[level]!, [-1, heads, POINTS, 2]), extent);
    const location = g.transpose(g.add(references, shift), [1, 0, 2, 3]);
    const grid = g.sub(g.mul(location, g.scalar(2)), g.scalar(1));
    return g.operator('GridSample', [map, grid], { mode: 'linear', padding_mode: 'zeros', align_corners: 0 });
  });
  const summed = g.reduceSum(g.mul(g.concat(samples, 3), weights), 3);
  const tokens = g.transpose(g.reshape(summed, [channels, -1]), [1, 0]);
  return linear(tokens, 'output_proj', channels);
}

const encoder: Formulation['encoder'] = (g, levels, state, hyper) => {
  const { convDim: channels, heads, layers, feedForward } = hyper.pixelDecoder;
  const sizes = levels.map(({ size }) => size);
  const counts = sizes.map(({ height, width }) => g.mul(height, width));
  const placed = sizes.map((size) => centres(g, size));
  const references = g.reshape(g.concat(placed, 0), [-1, 1, 1, 2]);
  const shape = { channels, heads, levels: sizes, counts, references };
  const join = (values: readonly Value[]) => g.concat(values, 0);
  const embedding = join(levels.map((level) => level.embedding));

  let x = join(levels.map((level) => level.tokens));
  for (let layer = 0; layer < layers; layer++) {
    const module = state.at(`layers.${layer}`);
    const linear = (value: Value, name: string, outputs: number, inputs: number) =>
      g.linear(value, module.get(`${name}.weight`, [outputs, inputs]), module.get(`${name}.bias`, [outputs]));
    const attended = deformableAttention(g, g.add(x, embedding), x, module.at('self_attn'), shape);
    x = layerNorm(g, g.add(x, attended), module.at('norm1'), channels);
    const hidden = g.relu(linear(x, 'linear1', feedForward, channels));
    const delta = linear(hidden, 'linear2', channels, feedForward);
    x = layerNorm(g, g.add(x, delta), module.at('norm2'), channels);
  }
  return g.split(x, counts, 0);
};

/** Keys and values token-major and with their biases, as PyTorch's MultiheadAttention computes them. */
const crossAttention: Formulation['crossAttention'] = (g, options, module) => {
  const { input, memory, mask, queryPosition, heads } = options;
  const [, hidden] = queryPosition.shape as [number, number];
  const perHead = hidden / heads;
  const { query, key, value } = packedProjections(module, hidden);
  const embed = g.weight(memory.embed);
  const project = (x: Value, { weight, bias }: typeof query) =>
    g.transpose(g.reshape(g.linear(x, weight, bias), [-1, heads, perHead]), [1, 0, 2]);
  const keys = project(g.add(memory.placed, embed), key);
  const values = project(g.add(memory.content, embed), value);
  const queries = project(g.add(input, g.weight(queryPosition)), query);
  const scaled = g.mul(queries, g.scalar(perHead ** -0.5));
  const logits = g.add(g.matmul(scaled, g.transpose(keys, [0, 2, 1])), mask);
  const result = g.matmul(g.softmax(logits, -1), values);
  return g.linear(
    g.reshape(g.transpose(result, [1, 0, 2]), [-1, hidden]),
    module.get('out_proj.weight', [hidden, hidden]),
    module.get('out_proj.bias', [hidden]),
  );
};

const maskHead: Formulation['maskHead'] = (g, finest, sizes, state, hyper) => {
  const { convDim, maskDim } = hyper.pixelDecoder;
  const { hiddenDim, queries: count, heads } = hyper.decoder;
  const module = state.at('pixel_decoder.mask_features');
  const features = g.conv(finest, {
    weight: module.get('weight', [maskDim, convDim, 1, 1]),
    bias: module.get('bias', [maskDim]),
  });
  const { height, width } = mapSize(g, features);
  const flat = g.reshape(features, [maskDim, -1]);
  const predictor = state.at('predictor');
  const layer = (x: Value, index: number, outputs: number) => {
    const mlp = predictor.at(`mask_embed.layers.${index}`);
    return g.linear(x, mlp.get('weight', [outputs, hiddenDim]), mlp.get('bias', [outputs]));
  };
  const full = (queries: Value) => {
    const x = layerNorm(g, queries, predictor.at('decoder_norm'), hiddenDim);
    const embedding = layer(g.relu(layer(g.relu(layer(x, 0, hiddenDim)), 1, hiddenDim)), 2, maskDim);
    return g.reshape(g.matmul(embedding, flat), [count, height, width]);
  };
  return {
    full,
    attentionMask(queries, level) {
      const masks = g.reshape(full(queries), [1, count, height, width]);
      const size = sizes[level]!;
      const resized = g.reshape(g.resizeBilinear(masks, [1, count, size.height, size.width]), [1, count, -1]);
      // The published code repeats the mask for every head before it opens the rows that are blocked everywhere.
      const blocked = g.less(g.sigmoid(resized), g.scalar(0.5));
      const some = g.less(
        g.operator('ReduceMin', [g.cast(blocked, 'float32'), g.integers([2])], { keepdims: 1 }),
        g.scalar(1),
      );
      const perHead = g.expand(g.and(blocked, some), [heads, 1, 1]);
      return g.operator('Where', [perHead, g.scalar(BLOCKED), g.scalar(0)], {}, 'float32');
    },
  };
};

export const PLAIN: Formulation = {
  groupNorm,
  encoder,
  maskHead,
  crossAttention,
  residual: (g, x, delta) => g.add(x, delta),
};
