/** The prediction heads: class logits and mask logits of the queries (architecture section 6). */
import type { GraphBuilder, Value } from '../onnx/graph.ts';
import { concatRows, product, reshaped, transposed } from '../onnx/weight.ts';
import type { HyperParameters } from './hyper-parameters.ts';
import { layerNorm, mapSize, type MapSize } from './layers.ts';
import type { StateDict } from './state-dict.ts';

export interface MaskHead {
  /** Mask logits at the size of a level, [queries, height * width]. */
  atLevel(queries: Value, level: number): Value;
  /** Mask logits at 1/4 of the padded picture, [queries, height / 4, width / 4]. */
  full(queries: Value): Value;
}

/**
 * Mask logits are the product of an embedding and the mask features. Both are linear, so the 1 x 1 convolution
 * `mask_features` moves into the embedding's last layer (one more output for its bias), and the features are
 * resized once per level instead of the masks of every query in every layer.
 * @param finest the pixel decoder's map at 1/4 of the picture, [1, channels, height, width]
 * @param sizes of the levels, coarsest first
 */
export function maskHead(
  g: GraphBuilder,
  finest: Value,
  sizes: readonly MapSize[],
  state: StateDict,
  hyper: HyperParameters,
): MaskHead {
  const { convDim: channels, maskDim } = hyper.pixelDecoder;
  const { hiddenDim: hidden } = hyper.decoder;
  const features = state.at('pixel_decoder.mask_features');
  const convolution = reshaped(features.get('weight', [maskDim, channels, 1, 1]), [maskDim, channels]);
  const offset = reshaped(features.get('bias', [maskDim]), [1, maskDim]);
  // [channels + 1, maskDim]: what one mask embedding makes of a pixel's features, and of their bias.
  const fold = concatRows([transposed(convolution), offset]);

  const predictor = state.at('predictor');
  const mlp = predictor.at('mask_embed.layers');
  const last = {
    weight: product(fold, mlp.get('2.weight', [maskDim, hidden])),
    bias: reshaped(product(fold, reshaped(mlp.get('2.bias', [maskDim]), [maskDim, 1])), [channels + 1]),
  };
  const embed = (queries: Value) => {
    let x = layerNorm(g, queries, predictor.at('decoder_norm'), hidden);
    x = g.relu(g.linear(x, mlp.get('0.weight', [hidden, hidden]), mlp.get('0.bias', [hidden])));
    x = g.relu(g.linear(x, mlp.get('1.weight', [hidden, hidden]), mlp.get('1.bias', [hidden])));
    return g.split(g.linear(x, last.weight, last.bias), [channels, 1], 1) as [Value, Value];
  };
  const logits = (queries: Value, rows: Value) => {
    const [embedding, constant] = embed(queries);
    return g.gemm(embedding, rows, constant);
  };

  const flat = g.reshape(finest, [channels, -1]);
  const resized = g.scope('level_features', () =>
    sizes.map(({ height, width }) =>
      g.reshape(g.resizeBilinear(finest, [1, channels, height, width]), [channels, -1]),
    ),
  );
  return {
    atLevel: (queries, level) => g.scope('mask_embed', () => logits(queries, resized[level]!)),
    full: (queries) =>
      g.scope('mask_embed', () => {
        const { height, width } = mapSize(g, finest);
        return g.reshape(logits(queries, flat), [-1, height, width]);
      }),
  };
}

/** Class logits, the last one for "no object": [queries, classes + 1]. */
export function classHead(g: GraphBuilder, queries: Value, state: StateDict, hyper: HyperParameters): Value {
  const { hiddenDim, classes } = hyper.decoder;
  const predictor = state.at('predictor');
  const x = layerNorm(g, queries, predictor.at('decoder_norm'), hiddenDim);
  return g.linear(
    x,
    predictor.get('class_embed.weight', [classes + 1, hiddenDim]),
    predictor.get('class_embed.bias', [classes + 1]),
  );
}

/**
 * The semantic scores of a single-human model: every query's mask, enlarged to the padded picture, weighted
 * with its class probabilities (architecture section 7): [classes, height, width].
 */
export function semanticHead(
  g: GraphBuilder,
  classLogits: Value,
  masks: Value,
  padded: MapSize,
  hyper: HyperParameters,
): Value {
  const { classes, queries } = hyper.decoder;
  const [probabilities] = g.split(g.softmax(classLogits, -1), [classes, 1], 1) as [Value, Value];
  const { height, width } = padded;
  const quarter = g.reshape(masks, [1, queries, g.dim(masks, 1), g.dim(masks, 2)]);
  const enlarged = g.sigmoid(g.resizeBilinear(quarter, [1, queries, height, width]));
  const scores = g.matmul(g.transpose(probabilities, [1, 0]), g.reshape(enlarged, [queries, -1]));
  return g.reshape(scores, [classes, height, width]);
}
