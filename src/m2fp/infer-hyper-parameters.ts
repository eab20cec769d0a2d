/** Hyper-parameters from the tensors, completed and checked by `configuration.json` (docs/m2fp-architecture.md section 9). */
import type { Checkpoint } from '../checkpoint/index.ts';
import { ConfigurationReader } from './configuration-reader.ts';
import type { ModelConfiguration } from './configuration.ts';
import type { HyperParameters } from './hyper-parameters.ts';
import type { Origins } from './origin.ts';
import { CheckpointState } from './state-dict.ts';
import { assertComputable, assertSupported } from './supported.ts';

/** Fixed in M2FP's code. */
const LEVELS = 3;
const POINTS = 4;

/** Of every published M2FP model. */
const USUAL_HEADS = 8;

export interface InferredNetwork {
  hyper: HyperParameters;
  /** Where the configuration says something else than the tensors, which are right; what was assumed. */
  warnings: string[];
  /** Where each hyper-parameter comes from, by its path: `decoder.heads`. */
  origins: Origins;
}

/**
 * @param configuration of the model folder, if it has one: it decides what no tensor tells
 * @throws M2fpError M2FP_CHECKPOINT_INVALID naming what is missing or not supported
 */
export function inferHyperParameters(
  checkpoint: Checkpoint,
  configuration?: ModelConfiguration,
): InferredNetwork {
  const state = new CheckpointState(checkpoint);
  const reader = new ConfigurationReader(configuration, (reason) => state.fail(reason));
  assertSupported(state, configuration);

  const hyper: HyperParameters = {
    backbone: backboneOf(state.at('backbone'), reader),
    pixelDecoder: pixelDecoderOf(state.at('sem_seg_head.pixel_decoder'), reader),
    decoder: decoderOf(state.at('sem_seg_head.predictor'), reader),
  };
  compareAll(hyper, reader);
  assertComputable(state, hyper);

  const origins: Origins = {};
  for (const [section, values] of Object.entries(hyper)) {
    for (const name of Object.keys(values)) origins[`${section}.${name}`] = 'tensors';
  }
  Object.assign(origins, reader.origins, { 'pixelDecoder.points': 'default' });
  return { hyper, warnings: reader.warnings, origins };
}

type BackboneSizes = HyperParameters['backbone'];

function backboneOf(state: CheckpointState, reader: ConfigurationReader): BackboneSizes {
  const blocks = ['res2', 'res3', 'res4', 'res5'].map((stage) => state.count(stage, 'conv1.weight'));
  const bottleneckChannels = state.shape('res2.0.conv1.weight', 4)[0]!;
  const read = reader.section('backbone');
  return {
    blocks: blocks as BackboneSizes['blocks'],
    stemChannels: state.shape('stem.conv3.weight', 4)[0]!,
    res2Channels: state.shape('res2.0.conv3.weight', 4)[0]!,
    bottleneckChannels,
    groups: bottleneckChannels / state.shape('res2.0.conv2.weight', 4)[1]!,
    strideIn1x1: read('strideIn1x1', 'stride_in_1x1', false),
    res4Dilation: read('res4Dilation', 'res4_dilation', 1),
    res5Dilation: read('res5Dilation', 'res5_dilation', 1),
    res5MultiGrid: read('res5MultiGrid', 'res5_multi_grid', [1, 1, 1] as BackboneSizes['res5MultiGrid']),
    norm: normOf(state, reader),
  };
}

/** Batch norms have running statistics; among the norms without, GN is the only one that M2FP knows. */
function normOf(state: CheckpointState, reader: ConfigurationReader): 'BN' | 'GN' {
  const norm = state.has('stem.conv1.norm.running_mean') ? 'BN' : 'GN';
  const configured = reader.peek('backbone', 'norm');
  if (norm === 'GN' && configured === undefined) {
    reader.warnings.push(
      'The backbone has norms without running statistics and nothing tells which: taken for group norms (GN)',
    );
  }
  if (norm === 'GN' && configured !== undefined && configured !== 'GN') {
    throw state.fail(
      `configuration.json says model.backbone.norm = ${JSON.stringify(configured)}, but the tensors hold no ` +
        'running statistics as BN has; of the other norms only GN is supported',
    );
  }
  if (norm === 'BN' && configured === 'GN') reader.differs('backbone', 'norm', 'BN');
  return norm;
}

function pixelDecoderOf(
  state: CheckpointState,
  reader: ConfigurationReader,
): HyperParameters['pixelDecoder'] {
  const [maskDim, convDim] = state.shape('mask_features.weight', 4) as [number, number];
  const layer = 'transformer.encoder.layers';
  const layers = state.count(layer, 'linear1.weight');
  const rows = state.shape(`${layer}.0.self_attn.attention_weights.weight`, 2)[0]!;
  const heads = rows / (LEVELS * POINTS);
  const configured = reader.peek('encoder', 'transformer_nheads');
  if (configured !== undefined && configured !== heads) {
    throw state.fail(
      `configuration.json says model.encoder.transformer_nheads = ${JSON.stringify(configured)}, but the ${rows} ` +
        `attention weights are those of ${heads} heads with ${LEVELS} levels and ${POINTS} points, the only ` +
        'numbers of levels and points that are supported',
    );
  }
  if (configured === undefined && heads !== USUAL_HEADS) {
    reader.warnings.push(
      `The encoder's ${rows} attention weights are taken for ${heads} heads, ${LEVELS} levels and ${POINTS} points each`,
    );
  }
  return {
    convDim,
    maskDim,
    layers,
    feedForward: state.shape(`${layer}.0.linear1.weight`, 2)[0]!,
    heads,
    points: POINTS,
    levels: LEVELS,
  };
}

function decoderOf(state: CheckpointState, reader: ConfigurationReader): HyperParameters['decoder'] {
  const [queries, hiddenDim] = state.shape('query_feat.weight', 2) as [number, number];
  const read = reader.section('decoder');
  return {
    hiddenDim,
    queries,
    layers: state.count('transformer_cross_attention_layers', 'multihead_attn.in_proj_weight'),
    feedForward: state.shape('transformer_ffn_layers.0.linear1.weight', 2)[0]!,
    heads: read('heads', 'nheads', USUAL_HEADS),
    classes: state.shape('class_embed.weight', 2)[0]! - 1,
    preNorm: read('preNorm', 'pre_norm', false),
    inputProjection: state.has('input_proj.0.weight'),
  };
}

/** Warns of all that the configuration tells otherwise than the tensors. */
function compareAll({ backbone, pixelDecoder, decoder }: HyperParameters, reader: ConfigurationReader): void {
  reader.compare('backbone', 'depth', depthOf(backbone.blocks));
  reader.compare('backbone', 'num_groups', backbone.groups);
  reader.compare('backbone', 'width_per_group', backbone.bottleneckChannels / backbone.groups);
  reader.compare('backbone', 'stem_out_channels', backbone.stemChannels);
  reader.compare('backbone', 'res2_out_channels', backbone.res2Channels);
  reader.compare('encoder', 'transformer_enc_layers', pixelDecoder.layers);
  reader.compare('encoder', 'transformer_dim_feedforward', pixelDecoder.feedForward);
  reader.compare('encoder', 'conv_dim', pixelDecoder.convDim);
  reader.compare('encoder', 'mask_dim', pixelDecoder.maskDim);
  reader.compare('decoder', 'num_classes', decoder.classes);
  reader.compare('decoder', 'num_queries', decoder.queries);
  reader.compare('decoder', 'hidden_dim', decoder.hiddenDim);
  reader.compare('decoder', 'dim_feedforward', decoder.feedForward);
  reader.compare('decoder', 'mask_dim', pixelDecoder.maskDim);
  // detectron2's number counts the loss on the initial queries as one more layer.
  if (reader.peek('decoder', 'dec_layers') !== decoder.layers + 1) {
    reader.compare('decoder', 'dec_layers', decoder.layers);
  }
  // Where the widths differ the projection is there whatever the configuration says.
  if (pixelDecoder.convDim === decoder.hiddenDim) {
    reader.compare('decoder', 'enforce_input_project', decoder.inputProjection);
  }
}

/** ResNet's name for its number of blocks; undefined for an unusual one. */
function depthOf(blocks: BackboneSizes['blocks']): number | undefined {
  const depths: Record<string, number> = { '3,4,6,3': 50, '3,4,23,3': 101, '3,8,36,3': 152 };
  return depths[blocks.join()];
}
