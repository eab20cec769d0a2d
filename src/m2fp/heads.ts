/** The prediction heads: class logits and mask logits of the queries (docs/m2fp-architecture.md section 6). */
import type { GraphBuilder, Value } from '../onnx/graph.ts';
import { concatRows, product, reshaped, transposed } from '../onnx/weight.ts';
import type { HyperParameters } from './hyper-parameters.ts';
import { layerNorm, mapSize, type MapSize } from './layers.ts';
import type { StateDict } from './state-dict.ts';

/** Far below any logit, and finite: an infinite one would make NaN of a row. */
const BLOCKED = -1e30;

export interface MaskHead {
  /**
   * What is added to the logits of the queries' attention to a level, [queries, height * width] or with a first
   * dimension for the heads.
   */
  attentionMask(queries: Value, level: number): Value;
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

  const flat = g.reshape(finest, [channels, -1]);
  const resized = g.scope('level_features', () =>
    sizes.map(({ height, width }) =>
      g.reshape(g.resizeBilinear(finest, [1, channels, height, width]), [channels, -1]),
    ),
  );
  return {
    attentionMask: (queries, level) =>
      g.scope('mask_embed', () => {
        const [embedding, constant] = embed(queries);
        // The constant moves to the other side of the comparison with zero.
        const products = g.matmul(embedding, resized[level]!);
        return attentionMask(g, products, g.sub(g.scalar(0), constant));
      }),
    full: (queries) =>
      g.scope('mask_embed', () => {
        const { height, width } = mapSize(g, finest);
        const [embedding, constant] = embed(queries);
        return g.reshape(g.gemm(embedding, flat, constant), [-1, height, width]);
      }),
  };
}

/**
 * A query looks only where its mask logit reaches `threshold`, unless it does so nowhere.
 * @param logits [queries, n]
 * @param threshold [queries, 1]
 */
function attentionMask(g: GraphBuilder, logits: Value, threshold: Value): Value {
  const somewhere = g.greaterOrEqual(g.reduceMax(logits, 1), threshold);
  const blocked = g.and(g.less(logits, threshold), somewhere);
  // Not Where, for which onnxruntime uses one thread.
  return g.mul(g.cast(blocked, 'float32'), g.scalar(BLOCKED));
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
 * with its class probabilities (docs/m2fp-architecture.md section 7): [classes, height, width].
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
