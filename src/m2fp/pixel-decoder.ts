/** Mask2Former's pixel decoder: a deformable encoder on res3..res5 and one FPN step (docs/m2fp-architecture.md section 5). */
import type { GraphBuilder, Value } from '../onnx/graph.ts';
import { sliceRows, type Weight } from '../onnx/weight.ts';
import { stageChannels, stageStride, type Stage } from './backbone.ts';
import type { Formulation } from './formulations/types.ts';
import type { HyperParameters } from './hyper-parameters.ts';
import { affine, flatten, mapSize, positionEmbedding, unflatten, type MapSize } from './layers.ts';
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
  const { convDim: channels } = hyper.pixelDecoder;
  const projected = LEVELS.map((stage, level) =>
    g.scope(`input_proj.${level}`, () => {
      const weight = state.get(`input_proj.${level}.0.weight`, [channels, stageChannels(hyper, stage), 1, 1]);
      const bias = state.get(`input_proj.${level}.0.bias`, [channels]);
      const x = g.part('projections', () => g.conv(maps[stage], { weight, bias }));
      return formulation.groupNorm(g, x, affine(state.at(`input_proj.${level}.1`), channels));
    }),
  );
  const sizes = projected.map((map) => mapSize(g, map));
  const levelEmbed = state.get('transformer.level_embed', [LEVELS.length, channels]);
  const positions = g.scope('position', () => sizes.map((size) => positionEmbedding(g, size, channels)));

  const encoded = g.scope('encoder', () =>
    formulation.encoder(
      g,
      LEVELS.map((stage, level) => ({
        tokens: g.transpose(flatten(g, projected[level]!, channels), [1, 0]),
        embedding: g.add(positions[level]!, g.weight(sliceRows(levelEmbed, level, level + 1))),
        size: sizes[level]!,
        stride: stageStride(hyper, stage),
      })),
      state.at('transformer.encoder'),
      hyper,
    ),
  );
  const levels = encoded.map((tokens, level) => ({
    tokens,
    size: sizes[level]!,
    position: positions[level]!,
  }));

  const finest = g.scope('fpn', () => fpn(g, maps.res2, levels.at(-1)!, state, hyper, formulation));
  return { levels, finest };
}

/** res2 and the finest encoder level, joined at 1/4 of the picture. */
function fpn(
  g: GraphBuilder,
  res2: Value,
  level: DecodedLevel,
  state: StateDict,
  hyper: HyperParameters,
  { groupNorm }: Formulation,
): Value {
  const { convDim: channels } = hyper.pixelDecoder;
  const adapter = state.get('adapter_1.weight', [channels, stageChannels(hyper, 'res2'), 1, 1]);
  const convolution = (x: Value, weight: Weight) => g.part('fpn', () => g.conv(x, { weight }));
  const lateral = groupNorm(g, convolution(res2, adapter), affine(state.at('adapter_1.norm'), channels));
  const map = unflatten(g, g.transpose(level.tokens, [1, 0]), channels, level.size);
  const { height, width } = mapSize(g, lateral);
  const x = g.add(lateral, g.resizeBilinear(map, [1, channels, height, width]));
  const smooth = convolution(x, state.get('layer_1.weight', [channels, channels, 3, 3]));
  return g.relu(groupNorm(g, smooth, affine(state.at('layer_1.norm'), channels)));
}
