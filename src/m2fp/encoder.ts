/**
 * The pixel decoder's deformable encoder (docs/m2fp-architecture.md section 5.4), level by level, so that nothing has to be
 * joined and taken apart between its layers.
 *
 * Tokens carry a shift, the same vector added to each of them: the bias of the linear layer whose result is added
 * to them next. The layer norm before adds it together with its own bias, and the other layers that read the
 * tokens take it off in theirs ({@link compensateBias}); so the linear layer itself needs none, which saves a pass
 * over its result. Those linear layers are negated: onnxruntime would fuse Add + LayerNormalization into
 * a kernel that is slower than both, and uses one thread for Sum; Sub it leaves alone.
 */
import type { GraphBuilder, Value } from '../onnx/graph.ts';
import { plus, scaled, type Weight } from '../onnx/weight.ts';
import { deformableAttention, type AttentionShape } from './deformable-attention.ts';
import type { HyperParameters } from './hyper-parameters.ts';
import { affine, EPSILON, compensateBias, type MapSize } from './layers.ts';
import { deformConvSampling } from './sampling/deform-conv.ts';
import type { SamplingOf } from './sampling/types.ts';
import type { StateDict } from './state-dict.ts';

/**
 * Pieces that a level's tokens are worked off in after the attention, coarsest level first: the hidden activation
 * of all tokens of a 640 x 960 picture is 51 MB; in pieces it stays in the cache. In int8 it is small enough.
 */
const CHUNKS = [1, 2, 6];

export interface EncoderLevel {
  /** [height * width, channels]. */
  tokens: Value;
  /** Position and level embedding, of the same shape. */
  embedding: Value;
  size: MapSize;
  /** Pixels of the picture per cell, along one axis; a power of two. */
  stride: number;
}

/**
 * @param levels coarsest first
 * @returns the tokens of each level after the last layer
 */
export function encoder(
  g: GraphBuilder,
  levels: readonly EncoderLevel[],
  state: StateDict,
  hyper: HyperParameters,
  samplingOf: SamplingOf = deformConvSampling,
): Value[] {
  const { convDim: channels, heads, layers, feedForward } = hyper.pixelDecoder;
  const sizes = levels.map(({ size }) => size);
  const strides = levels.map(({ stride }) => stride);
  const sampling = samplingOf(g, { channels, heads, levels: sizes, strides });
  const chunks = sizes.map(({ height, width }, level) =>
    chunkSizes(g, g.mul(height, width), g.pieces('encoder.ffn', CHUNKS[level]!)),
  );
  const shape = { channels, heads, levels: sizes, strides, sampling, feedForward, chunks };

  const shiftBefore = (layer: number) =>
    layer < layers ? state.get(`layers.${layer}.self_attn.output_proj.bias`, [channels]) : undefined;
  const first = g.weight(shiftBefore(0)!);
  let tokens = levels.map((level) => g.add(level.tokens, first));
  for (let layer = 0; layer < layers; layer++) {
    tokens = g.scope(`${layer}`, () => {
      const queries = tokens.map((x, level) => g.add(x, levels[level]!.embedding));
      return encoderLayer(g, tokens, queries, state.at(`layers.${layer}`), shape, shiftBefore(layer + 1));
    });
  }
  return tokens;
}

/** Sizes of `chunks` pieces of `count` tokens; the last takes the rest. */
function chunkSizes(g: GraphBuilder, count: Value, chunks: number): Value[] {
  const size = g.div(count, g.integers([chunks]));
  const rest = g.sub(count, g.mul(size, g.integers([chunks - 1])));
  return [...Array<Value>(chunks - 1).fill(size), rest];
}

interface LayerShape extends AttentionShape {
  feedForward: number;
  /** Sizes of the pieces of each level's tokens. */
  chunks: readonly (readonly Value[])[];
}

/**
 * @param tokens X of each level, which carry the attention's output bias
 * @param queries X + S
 * @param nextShift what the result is to carry
 */
function encoderLayer(
  g: GraphBuilder,
  tokens: readonly Value[],
  queries: readonly Value[],
  state: StateDict,
  shape: LayerShape,
  nextShift: Weight | undefined,
): Value[] {
  const { channels, feedForward, chunks } = shape;
  const attention = state.at('self_attn');
  const shift = attention.get('output_proj.bias', [channels]);
  const output = negated(g, attention.get('output_proj.weight', [channels, channels]));
  const attended = g.scope('self_attn', () =>
    deformableAttention(g, queries, tokens, attention, shape, shift).map((x) =>
      g.part('encoder.attention', () => g.gemm(x, output, undefined, { transA: true, transB: true })),
    ),
  );

  const innerShift = state.get('linear2.bias', [channels]);
  const weight1 = state.get('linear1.weight', [feedForward, channels]);
  const bias1 = compensateBias(state.get('linear1.bias', [feedForward]), weight1, innerShift);
  const linear1 = { weight: g.weight(weight1), bias: g.weight(bias1) };
  const linear2 = negated(g, state.get('linear2.weight', [channels, feedForward]));
  const norm1 = shiftingNorm(g, state.at('norm1'), channels, innerShift);
  const norm2 = shiftingNorm(g, state.at('norm2'), channels, nextShift);
  const chunk = (x: Value, negatedDelta: Value) => {
    const y = norm1(g.sub(x, negatedDelta));
    const delta = g.part('encoder.ffn', () => {
      const hidden = g.gemm(y, linear1.weight, linear1.bias, { transB: true, relu: true });
      return g.gemm(hidden, linear2, undefined, { transB: true });
    });
    return norm2(g.sub(y, delta));
  };

  return tokens.map((x, level) => {
    const pieces = chunks[level]!;
    // The norms' weights have their names from the piece, however many there are.
    if (CHUNKS[level] === 1) return chunk(x, attended[level]!);
    if (pieces.length === 1) return g.scope('chunk.0', () => chunk(x, attended[level]!));
    const residuals = g.split(x, pieces, 0);
    const deltas = g.split(attended[level]!, pieces, 0);
    return g.concat(
      residuals.map((residual, index) => g.scope(`chunk.${index}`, () => chunk(residual, deltas[index]!))),
      0,
    );
  });
}

function negated(g: GraphBuilder, weight: Weight): Value {
  return g.weight(scaled(weight, -1));
}

/** A layer norm whose result carries `shift`. */
function shiftingNorm(g: GraphBuilder, state: StateDict, channels: number, shift: Weight | undefined) {
  const { weight, bias } = affine(state, channels);
  return (x: Value) => g.layerNorm(x, weight, shift ? plus(bias, shift) : bias, EPSILON);
}
