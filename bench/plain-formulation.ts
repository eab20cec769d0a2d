/**
 * The network's mathematics as the published PyTorch code's own operators export: GridSample, masks of every
 * layer at full resolution, Add before LayerNormalization, no chunks. The peer that our formulation is measured
 * against.
 */
import type { Formulation } from '../src/m2fp/formulation.ts';
import { layerNorm, mapSize, unflatten, type MapSize } from '../src/m2fp/layers.ts';
import type { GraphBuilder, Value } from '../src/onnx/graph.ts';

const POINTS = 4;

/** Centres of a map's pixels, [height * width, 2] as (x, y) from 0 to 1. */
function centres(g: GraphBuilder, { height, width }: MapSize): Value {
  const along = (count: Value) =>
    g.div(g.sub(g.countFromOne(count), g.scalar(0.5)), g.cast(g.squeeze(count, 0), 'float32'));
  const dims = [height, width, 1];
  const x = g.expand(g.reshape(along(width), [1, -1, 1]), dims);
  const y = g.expand(g.reshape(along(height), [-1, 1, 1]), dims);
  return g.reshape(g.concat([x, y], 2), [-1, 2]);
}

const deformableAttention: Formulation['deformableAttention'] = (g, query, content, state, shape) => {
  const { channels, heads, levels, counts } = shape;
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
  const references = g.reshape(
    g.concat(
      levels.map((size) => centres(g, size)),
      0,
    ),
    [-1, 1, 1, 2],
  );

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
};

const maskHead: Formulation['maskHead'] = (g, finest, sizes, state, hyper) => {
  const { convDim, maskDim } = hyper.pixelDecoder;
  const { hiddenDim, queries: count } = hyper.decoder;
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
    atLevel(queries, level) {
      const masks = g.reshape(full(queries), [1, count, height, width]);
      const size = sizes[level]!;
      return g.reshape(g.resizeBilinear(masks, [1, count, size.height, size.width]), [count, -1]);
    },
  };
};

export const PLAIN: Formulation = {
  deformableAttention,
  maskHead,
  residual: (g, x, delta) => g.add(x, delta),
  encoderChunks: 1,
};
