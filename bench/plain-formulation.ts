/**
 * The network's mathematics as `torch.onnx.export` writes the published PyTorch code: the levels' tokens in one
 * tensor, GridSample, every layer's masks at full resolution, a projection for each linear layer with its bias,
 * Add before LayerNormalization. The peer that our formulation is measured against. What costs nothing or what
 * onnxruntime does by itself is shared: folded batch norms, the projections of the 100 queries.
 */
import { FAST } from '../src/m2fp/formulations/fast.ts';
import type { Formulation } from '../src/m2fp/formulations/types.ts';
import { EPSILON, layerNorm, NORM_GROUPS } from '../src/m2fp/layers.ts';
import type { StateDict } from '../src/m2fp/state-dict.ts';
import { packedProjections } from '../src/m2fp/attention.ts';
import type { GraphBuilder, Value } from '../src/onnx/graph.ts';
import { reshaped, transposed, type Weight } from '../src/onnx/weight.ts';

const POINTS = 4;
/** Pixels of the picture per cell of the mask features and of the decoder's first level. */
const MASK_STRIDE = 4;
const COARSEST_STRIDE = 32;

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

interface FixedSize {
  height: number;
  width: number;
}

const multipleOf32 = (length: number) => Math.ceil(length / 32) * 32;

const reduced = ({ height, width }: FixedSize, stride: number): FixedSize => ({
  height: height / stride,
  width: width / stride,
});

/** Centres of a map's pixels as (x, y) from 0 to 1, row by row. */
function centres({ height, width }: FixedSize): number[] {
  return Array.from({ length: height * width }, (_, i) => [
    ((i % width) + 0.5) / width,
    (Math.floor(i / width) + 0.5) / height,
  ]).flat();
}

interface AttentionShape {
  channels: number;
  heads: number;
  levels: readonly FixedSize[];
  /** Tokens of each level, and of all. */
  counts: readonly number[];
  tokens: number;
  /** Centres of all tokens, [tokens, 1, 1, 1, 2]. */
  references: Value;
  /** Width and height of the levels, [levels, 1, 2]. */
  extents: Value;
}

/** PyTorch's Linear of a batch [1, tokens, inputs], which the exporter writes as a product and a sum. */
function linear(g: GraphBuilder, x: Value, module: StateDict, outputs: number, inputs: number): Value {
  const product = g.matmul(x, g.weight(transposed(module.get('weight', [outputs, inputs]))));
  return g.add(g.weight(module.get('bias', [outputs])), product);
}

function deformableAttention(
  g: GraphBuilder,
  query: Value,
  content: Value,
  state: StateDict,
  { channels, heads, levels, counts, tokens, references, extents }: AttentionShape,
): Value {
  const perHead = channels / heads;
  const count = levels.length;
  const samplesPerHead = count * POINTS;
  const project = (x: Value, module: string, outputs: number) =>
    linear(g, x, state.at(module), outputs, channels);

  const values = g.split(project(content, 'value_proj', channels), counts, 1);
  const offsets = project(query, 'sampling_offsets', heads * samplesPerHead * 2);
  const logits = project(query, 'attention_weights', heads * samplesPerHead);
  const shares = g.softmax(g.reshape(logits, [tokens, heads, samplesPerHead]), -1);
  const weights = g.reshape(g.transpose(shares, [1, 0, 2]), [heads, 1, tokens, samplesPerHead]);
  const shifts = g.div(g.reshape(offsets, [tokens, heads, count, POINTS, 2]), extents);
  const grids = g.sub(g.mul(g.add(references, shifts), g.scalar(2)), g.scalar(1));
  const gridsOf = g.split(
    grids,
    levels.map(() => 1),
    2,
  );
  const samples = levels.map((size, level) => {
    const rows = g.transpose(values[level]!, [0, 2, 1]);
    const map = g.reshape(rows, [heads, perHead, size.height, size.width]);
    const grid = g.transpose(g.squeeze(gridsOf[level]!, 2), [1, 0, 2, 3]);
    return g.gridSample(map, grid);
  });
  const summed = g.reduceSum(g.mul(g.concat(samples, 3), weights), 3);
  const joined = g.transpose(g.reshape(summed, [1, channels, tokens]), [0, 2, 1]);
  return project(joined, 'output_proj', channels);
}

const encoder =
  (image: FixedSize): Formulation['encoder'] =>
  (g, levels, state, hyper) => {
    const { convDim: channels, heads, layers, feedForward } = hyper.pixelDecoder;
    const sizes = levels.map(({ stride }) => reduced(image, stride));
    const counts = sizes.map(({ height, width }) => height * width);
    const tokens = counts.reduce((a, b) => a + b);
    const references = g.floats(sizes.flatMap(centres), [tokens, 1, 1, 1, 2]);
    const sides = sizes.flatMap(({ height, width }) => [width, height]);
    const extents = g.floats(sides, [sizes.length, 1, 2]);
    const shape = { channels, heads, levels: sizes, counts, tokens, references, extents };
    /** With the batch's axis: onnxruntime fuses Add + LayerNormalization of such values only. */
    const join = (values: readonly Value[]) => g.reshape(g.concat(values, 0), [1, tokens, channels]);
    const embedding = join(levels.map((level) => level.embedding));

    let x = join(levels.map((level) => level.tokens));
    for (let layer = 0; layer < layers; layer++) {
      const module = state.at(`layers.${layer}`);
      const attended = deformableAttention(g, g.add(x, embedding), x, module.at('self_attn'), shape);
      x = layerNorm(g, g.add(x, attended), module.at('norm1'), channels);
      const hidden = g.relu(linear(g, x, module.at('linear1'), feedForward, channels));
      const delta = linear(g, hidden, module.at('linear2'), channels, feedForward);
      x = layerNorm(g, g.add(x, delta), module.at('norm2'), channels);
    }
    return g.split(g.reshape(x, [tokens, channels]), counts, 0);
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
  const keys = project(g.add(memory.positioned, embed), key);
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

const maskHead =
  (image: FixedSize): Formulation['maskHead'] =>
  (g, finest, _sizes, state, hyper) => {
    const { convDim, maskDim } = hyper.pixelDecoder;
    const { hiddenDim, queries: count, heads } = hyper.decoder;
    const module = state.at('pixel_decoder.mask_features');
    const features = g.conv(finest, {
      weight: module.get('weight', [maskDim, convDim, 1, 1]),
      bias: module.get('bias', [maskDim]),
    });
    const { height, width } = reduced(image, MASK_STRIDE);
    const predictor = state.at('predictor');
    const layer = (x: Value, index: number, outputs: number) => {
      const mlp = predictor.at(`mask_embed.layers.${index}`);
      return g.linear(x, mlp.get('weight', [outputs, hiddenDim]), mlp.get('bias', [outputs]));
    };
    const full = (queries: Value) => {
      const x = layerNorm(g, queries, predictor.at('decoder_norm'), hiddenDim);
      const embedding = layer(g.relu(layer(g.relu(layer(x, 0, hiddenDim)), 1, hiddenDim)), 2, maskDim);
      const batch = g.reshape(embedding, [1, count, maskDim]);
      const masks = g.operator('Einsum', [batch, features], { equation: 'bqc,bchw->bqhw' });
      return g.reshape(masks, [count, height, width]);
    };
    return {
      full,
      attentionMask(queries, level) {
        const masks = g.reshape(full(queries), [1, count, height, width]);
        const size = reduced(image, COARSEST_STRIDE / 2 ** level);
        const resized = g.reshape(g.resizeBilinear(masks, [1, count, size.height, size.width]), [
          1,
          count,
          -1,
        ]);
        // The published code repeats the mask for every head before it compares, and counts what is blocked in
        // 64-bit numbers to open the rows that are blocked everywhere.
        const repeated = g.operator('Tile', [g.sigmoid(resized), g.integers([heads, 1, 1])]);
        const blocked = g.less(repeated, g.scalar(0.5));
        const number = g.operator('ReduceSum', [g.cast(blocked, 'int64'), g.integers([2])], { keepdims: 1 });
        const everywhere = g.operator('Equal', [number, g.dim(blocked, 2)], {}, 'bool');
        const open = g.and(blocked, g.operator('Not', [everywhere]));
        return g.operator('Where', [open, g.scalar(BLOCKED), g.scalar(0)], {}, 'float32');
      },
    };
  };

/** For pictures of one size: that is what the exporter writes down. */
export function plain(height: number, width: number): Formulation {
  const image = { height: multipleOf32(height), width: multipleOf32(width) };
  return {
    opset: FAST.opset,
    planes: FAST.planes,
    groupNorm,
    encoder: encoder(image),
    maskHead: maskHead(image),
    crossAttention,
    residual: (g, x, delta) => g.add(x, delta),
  };
}
