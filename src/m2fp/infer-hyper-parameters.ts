/** Hyper-parameters from the tensors, completed and checked by `configuration.json` (architecture section 9). */
import type { Checkpoint } from '../checkpoint/index.ts';
import { M2fpError } from '../errors.ts';
import type { ModelConfiguration } from './configuration.ts';
import type { HyperParameters } from './hyper-parameters.ts';
import { StateDict } from './state-dict.ts';

/** Levels and points are fixed in M2FP's code. */
const LEVELS = 3;
const POINTS = 4;

/** What no tensor tells, as M2FP's code and training configurations have it. */
const DEFAULTS = { heads: 8, dilation: 1, multiGrid: [1, 1, 1] as [number, number, number] };

export interface InferredNetwork {
  hyper: HyperParameters;
  /** Where the configuration says something else than the tensors, which are right. */
  warnings: string[];
}

/**
 * @param configuration of the model folder, if it has one: it decides what no tensor tells
 * @throws M2fpError M2FP_CHECKPOINT_INVALID naming what is missing or not supported
 */
export function inferHyperParameters(
  checkpoint: Checkpoint,
  configuration?: ModelConfiguration,
): InferredNetwork {
  const state = new StateDict(checkpoint);
  const fail = (reason: string) => new M2fpError('M2FP_CHECKPOINT_INVALID', `${checkpoint.file}: ${reason}`);
  const reader = new ConfigurationReader(configuration, fail);

  const hyper: HyperParameters = {
    backbone: backboneOf(state.at('backbone'), reader),
    pixelDecoder: pixelDecoderOf(state.at('sem_seg_head.pixel_decoder')),
    decoder: decoderOf(state.at('sem_seg_head.predictor'), reader),
  };
  const { decoder, pixelDecoder } = hyper;
  reader.compare('backbone', 'depth', depthOf(hyper.backbone.blocks));
  reader.compare('encoder', 'transformer_enc_layers', pixelDecoder.layers);
  reader.compare('encoder', 'transformer_nheads', pixelDecoder.heads);
  reader.compare('encoder', 'conv_dim', pixelDecoder.convDim);
  reader.compare('encoder', 'mask_dim', pixelDecoder.maskDim);
  reader.compare('decoder', 'num_classes', decoder.classes);
  reader.compare('decoder', 'num_queries', decoder.queries);
  if (decoder.preNorm) {
    throw fail(
      'the decoder was built with pre_norm = true, which is not supported: no published M2FP model uses it',
    );
  }
  if (decoder.hiddenDim % decoder.heads !== 0) {
    throw fail(`${decoder.heads} attention heads do not divide the hidden dimension ${decoder.hiddenDim}`);
  }
  if (pixelDecoder.convDim !== decoder.hiddenDim && !decoder.inputProjection) {
    throw fail('the pixel decoder and the transformer decoder differ in width, but there is no input_proj');
  }
  return { hyper, warnings: reader.warnings };
}

type BackboneSizes = HyperParameters['backbone'];

function backboneOf(state: StateDict, reader: ConfigurationReader): BackboneSizes {
  const blocks = ['res2', 'res3', 'res4', 'res5'].map((stage) => state.count(stage, 'conv1.weight'));
  const empty = blocks.indexOf(0);
  // Asking for the shape names the tensor that is missing.
  if (empty >= 0) state.shape(`res${empty + 2}.0.conv1.weight`);
  const bottleneckChannels = state.shape('res2.0.conv1.weight')[0]!;
  return {
    blocks: blocks as BackboneSizes['blocks'],
    stemChannels: state.shape('stem.conv3.weight')[0]!,
    res2Channels: state.shape('res2.0.conv3.weight')[0]!,
    bottleneckChannels,
    groups: bottleneckChannels / state.shape('res2.0.conv2.weight')[1]!,
    strideIn1x1: reader.value('backbone', 'stride_in_1x1', false),
    res4Dilation: reader.value('backbone', 'res4_dilation', DEFAULTS.dilation),
    res5Dilation: reader.value('backbone', 'res5_dilation', DEFAULTS.dilation),
    res5MultiGrid: reader.value('backbone', 'res5_multi_grid', DEFAULTS.multiGrid),
    norm: state.has('stem.conv1.norm.running_mean') ? 'BN' : 'GN',
  };
}

function pixelDecoderOf(state: StateDict): HyperParameters['pixelDecoder'] {
  const [maskDim, convDim] = state.shape('mask_features.weight') as [number, number];
  const layer = 'transformer.encoder.layers';
  const weights = state.shape(`${layer}.0.self_attn.attention_weights.weight`)[0]!;
  return {
    convDim,
    maskDim,
    layers: state.count(layer, 'linear1.weight'),
    feedForward: state.shape(`${layer}.0.linear1.weight`)[0]!,
    heads: weights / (LEVELS * POINTS),
    points: POINTS,
    levels: LEVELS,
  };
}

function decoderOf(state: StateDict, reader: ConfigurationReader): HyperParameters['decoder'] {
  const [queries, hiddenDim] = state.shape('query_feat.weight') as [number, number];
  return {
    hiddenDim,
    queries,
    layers: state.count('transformer_cross_attention_layers', 'multihead_attn.in_proj_weight'),
    feedForward: state.shape('transformer_ffn_layers.0.linear1.weight')[0]!,
    heads: reader.value('decoder', 'nheads', DEFAULTS.heads),
    classes: state.shape('class_embed.weight')[0]! - 1,
    preNorm: reader.value('decoder', 'pre_norm', false),
    inputProjection: state.has('input_proj.0.weight'),
  };
}

/** ResNet's name for its number of blocks; undefined for an unusual one. */
function depthOf(blocks: BackboneSizes['blocks']): number | undefined {
  const depths: Record<string, number> = { '3,4,6,3': 50, '3,4,23,3': 101, '3,8,36,3': 152 };
  return depths[blocks.join()];
}

class ConfigurationReader {
  readonly warnings: string[] = [];
  readonly #configuration: ModelConfiguration | undefined;
  readonly #fail: (reason: string) => M2fpError;

  constructor(configuration: ModelConfiguration | undefined, fail: (reason: string) => M2fpError) {
    this.#configuration = configuration;
    this.#fail = fail;
  }

  /** An entry of the configuration of the same type as its default. */
  value<T extends number | boolean | number[]>(section: 'backbone' | 'decoder', key: string, fallback: T): T {
    const value = this.#configuration?.[section][key];
    if (value === undefined || value === null) return fallback;
    const fits = Array.isArray(fallback)
      ? Array.isArray(value) && value.length === fallback.length && value.every(Number.isInteger)
      : typeof value === typeof fallback;
    if (!fits) throw this.#fail(`configuration.json: model.${section}.${key} is ${JSON.stringify(value)}`);
    return value as T;
  }

  /** Notes where the configuration says something else than the tensors. */
  compare(section: 'backbone' | 'encoder' | 'decoder', key: string, found: number | undefined): void {
    const value = this.#configuration?.[section][key];
    if (value === undefined || value === null || found === undefined || value === found) return;
    this.warnings.push(
      `configuration.json says model.${section}.${key} = ${JSON.stringify(value)}, the tensors say ${found} (used)`,
    );
  }
}
