/** Mask2Former's pixel decoder: a deformable encoder on res3..res5 and one FPN step (architecture section 5). */
import type { GraphBuilder, Value } from '../onnx/graph.ts';
import { sliceRows } from '../onnx/weight.ts';
import { stageChannels, stageStride, type Stage } from './backbone.ts';
import { positionRamps, type AttentionShape } from './deformable-attention.ts';
import type { Formulation } from './formulation.ts';
import type { HyperParameters } from './hyper-parameters.ts';
import {
  affine,
  groupNorm,
  layerNorm,
  mapSize,
  positionEmbedding,
  unflatten,
  type MapSize,
} from './layers.ts';
import type { StateDict } from './state-dict.ts';

/** Coarsest first, as the checkpoint numbers them. */
const LEVELS: readonly Stage[] = ['res5', 'res4', 'res3'];

export interface DecodedLevel {
  /** [height * width, channels]. */
  tokens: Value;
  size: MapSize;
  /** Sine position embedding, [height * width, channels]. */
  position: Value;
}

export interface PixelDecoderOutput {
  /** The three levels of the encoder, coarsest first. */
  levels: DecodedLevel[];
  /** What `mask_features` is applied to: [1, channels, height / 4, width / 4]. */
  finest: Value;
}

export function pixelDecoder(
  g: GraphBuilder,
  maps: Record<Stage, Value>,
  state: StateDict,
  hyper: HyperParameters,
  formulation: Formulation,
): PixelDecoderOutput {
  const { convDim: channels, layers, heads, feedForward } = hyper.pixelDecoder;
  const projected = LEVELS.map((stage, level) =>
    g.scope(`input_proj.${level}`, () => {
      const weight = state.get(`input_proj.${level}.0.weight`, [channels, stageChannels(hyper, stage), 1, 1]);
      const bias = state.get(`input_proj.${level}.0.bias`, [channels]);
      const x = g.conv(maps[stage], { weight, bias });
      return groupNorm(g, x, affine(state.at(`input_proj.${level}.1`), channels));
    }),
  );
  const sizes = projected.map((map) => mapSize(g, map));
  const counts = sizes.map(({ height, width }) => g.mul(height, width));
  const tokensOf = (map: Value) => g.transpose(g.reshape(map, [channels, -1]), [1, 0]);

  const { positions, placed } = g.scope('position', () => {
    const embed = state.get('transformer.level_embed', [LEVELS.length, channels]);
    const embeddings = sizes.map((size) => positionEmbedding(g, size, channels));
    const withLevel = embeddings.map((position, level) =>
      g.add(position, g.weight(sliceRows(embed, level, level + 1))),
    );
    return { positions: embeddings, placed: g.concat(withLevel, 0) };
  });

  const strides = LEVELS.map((stage) => stageStride(hyper, stage));
  const ramps = positionRamps(g, sizes, strides);
  const shape: AttentionShape = { channels, heads, levels: sizes, strides, counts, ramps };
  const chunks = chunkSizes(
    g,
    counts.reduce((sum, n) => g.add(sum, n)),
    formulation.encoderChunks,
  );
  let x = g.concat(projected.map(tokensOf), 0);
  for (let layer = 0; layer < layers; layer++) {
    const layerState = state.at(`transformer.encoder.layers.${layer}`);
    x = g.scope(`encoder.${layer}`, () =>
      encoderLayer(g, x, placed, layerState, { shape, chunks, feedForward, formulation }),
    );
  }
  const levels = g
    .split(x, counts, 0)
    .map((tokens, level) => ({ tokens, size: sizes[level]!, position: positions[level]! }));

  const finest = g.scope('fpn', () =>
    fpn(g, maps.res2, levels.at(-1)!, state, channels, stageChannels(hyper, 'res2')),
  );
  return { levels, finest };
}

/** Sizes of `chunks` pieces of `count` tokens; the last takes the rest, and none is empty (there are 21 at least). */
function chunkSizes(g: GraphBuilder, count: Value, chunks: number): Value[] {
  const size = g.div(count, g.integers([chunks]));
  const rest = g.sub(count, g.mul(size, g.integers([chunks - 1])));
  return [...Array<Value>(chunks - 1).fill(size), rest];
}

interface EncoderSizes {
  shape: AttentionShape;
  chunks: readonly Value[];
  feedForward: number;
  formulation: Formulation;
}

function encoderLayer(
  g: GraphBuilder,
  x: Value,
  placed: Value,
  state: StateDict,
  { shape, chunks, feedForward, formulation }: EncoderSizes,
): Value {
  const { channels } = shape;
  const attended = g.scope('self_attn', () =>
    formulation.deformableAttention(g, g.add(x, placed), x, state.at('self_attn'), shape),
  );
  const inner = state.get('linear1.weight', [feedForward, channels]);
  const outer = state.get('linear2.weight', [channels, feedForward]);
  // One stored copy serves all chunks.
  const linear1 = { weight: g.weight(inner), bias: g.weight(state.get('linear1.bias', [feedForward])) };
  const linear2 = { weight: g.weight(outer), bias: g.weight(state.get('linear2.bias', [channels])) };

  const chunk = (residual: Value, attention: Value) => {
    const y = layerNorm(g, formulation.residual(g, residual, attention), state.at('norm1'), channels);
    const hidden = g.relu(g.gemm(y, linear1.weight, linear1.bias, { transB: true }));
    const delta = g.gemm(hidden, linear2.weight, linear2.bias, { transB: true });
    return layerNorm(g, formulation.residual(g, y, delta), state.at('norm2'), channels);
  };
  const residuals = g.split(x, chunks, 0);
  const attentions = g.split(attended, chunks, 0);
  return g.concat(
    residuals.map((residual, index) => g.scope(`chunk.${index}`, () => chunk(residual, attentions[index]!))),
    0,
  );
}

/** res2 and the finest encoder level, joined at 1/4 of the picture. */
function fpn(
  g: GraphBuilder,
  res2: Value,
  level: DecodedLevel,
  state: StateDict,
  channels: number,
  res2Channels: number,
): Value {
  const lateral = groupNorm(
    g,
    g.conv(res2, { weight: state.get('adapter_1.weight', [channels, res2Channels, 1, 1]) }),
    affine(state.at('adapter_1.norm'), channels),
  );
  const map = unflatten(g, g.transpose(level.tokens, [1, 0]), channels, level.size);
  const { height, width } = mapSize(g, lateral);
  const x = g.add(lateral, g.resizeBilinear(map, [1, channels, height, width]));
  const smooth = g.conv(x, { weight: state.get('layer_1.weight', [channels, channels, 3, 3]) });
  return g.relu(groupNorm(g, smooth, affine(state.at('layer_1.norm'), channels)));
}
