/**
 * A random checkpoint of any size with every tensor of an M2FP state dict (names and shapes: docs/m2fp-architecture.md
 * section 8), so that conversion and speed can be measured without the published weights. Values are seeded
 * and scaled to keep activations in range.
 */
import type { Checkpoint, TensorInfo } from '../src/checkpoint/index.ts';

export interface RandomNetwork {
  /** Bottlenecks in res2..res5. */
  blocks: readonly [number, number, number, number];
  stemChannels: number;
  res2Channels: number;
  bottleneckChannels: number;
  channels: number;
  encoderLayers: number;
  encoderFeedForward: number;
  decoderLayers: number;
  decoderFeedForward: number;
  queries: number;
  classes: number;
}

/** The network of ModelScope's CIHP model: 63 million parameters. */
export const FULL_SIZE: RandomNetwork = {
  blocks: [3, 4, 23, 3],
  stemChannels: 128,
  res2Channels: 256,
  bottleneckChannels: 64,
  channels: 256,
  encoderLayers: 6,
  encoderFeedForward: 1024,
  decoderLayers: 9,
  decoderFeedForward: 2048,
  queries: 100,
  classes: 21,
};

const HEADS = 8;
const LEVELS = 3;
const POINTS = 4;

/** Uniform values in ±`spread` around `centre`. */
interface Entry {
  shape: number[];
  centre: number;
  spread: number;
}

/** Every tensor of the state dict, in its order. */
export function stateDictEntries(network: RandomNetwork): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  const put = (name: string, shape: number[], spread: number, centre = 0) =>
    entries.set(name, { shape, centre, spread });
  const norm = (name: string, channels: number, gain = 1) => {
    put(`${name}.weight`, [channels], 0.1 * gain, gain);
    put(`${name}.bias`, [channels], 0.05);
  };
  /** He's initialisation: a uniform spread of sqrt(3) standard deviations. */
  const spreadFor = (inputs: number) => Math.sqrt(6 / inputs);
  const conv = (name: string, outputs: number, inputs: number, kernel: number, bias: boolean) => {
    put(`${name}.weight`, [outputs, inputs, kernel, kernel], spreadFor(inputs * kernel * kernel));
    if (bias) put(`${name}.bias`, [outputs], 0.05);
  };
  const convNorm = (name: string, outputs: number, inputs: number, kernel: number, gain = 1) => {
    conv(name, outputs, inputs, kernel, false);
    norm(`${name}.norm`, outputs, gain);
    put(`${name}.norm.running_mean`, [outputs], 0.05);
    put(`${name}.norm.running_var`, [outputs], 0.1, 1);
  };
  const linear = (name: string, outputs: number, inputs: number, gain = 1) => {
    put(`${name}.weight`, [outputs, inputs], gain * Math.sqrt(3 / inputs));
    put(`${name}.bias`, [outputs], 0.05);
  };

  const stem = network.stemChannels / 2;
  convNorm('backbone.stem.conv1', stem, 3, 3);
  convNorm('backbone.stem.conv2', stem, stem, 3);
  convNorm('backbone.stem.conv3', network.stemChannels, stem, 3);
  let inputs = network.stemChannels;
  network.blocks.forEach((count, stage) => {
    const outputs = network.res2Channels * 2 ** stage;
    const width = network.bottleneckChannels * 2 ** stage;
    for (let block = 0; block < count; block++) {
      const name = `backbone.res${stage + 2}.${block}`;
      if (inputs !== outputs) convNorm(`${name}.shortcut`, outputs, inputs, 1);
      convNorm(`${name}.conv1`, width, inputs, 1);
      convNorm(`${name}.conv2`, width, width, 3);
      // A small gain on the last norm keeps the sum over many blocks from growing.
      convNorm(`${name}.conv3`, outputs, width, 1, 0.2);
      inputs = outputs;
    }
  });

  const d = network.channels;
  const decoder = 'sem_seg_head.pixel_decoder';
  [8, 4, 2].forEach((factor, level) => {
    conv(`${decoder}.input_proj.${level}.0`, d, network.res2Channels * factor, 1, true);
    norm(`${decoder}.input_proj.${level}.1`, d);
  });
  put(`${decoder}.transformer.level_embed`, [LEVELS, d], 1);
  for (let layer = 0; layer < network.encoderLayers; layer++) {
    const name = `${decoder}.transformer.encoder.layers.${layer}`;
    linear(`${name}.self_attn.sampling_offsets`, HEADS * LEVELS * POINTS * 2, d, 0.5);
    linear(`${name}.self_attn.attention_weights`, HEADS * LEVELS * POINTS, d, 0.5);
    linear(`${name}.self_attn.value_proj`, d, d);
    linear(`${name}.self_attn.output_proj`, d, d);
    norm(`${name}.norm1`, d);
    linear(`${name}.linear1`, network.encoderFeedForward, d);
    linear(`${name}.linear2`, d, network.encoderFeedForward);
    norm(`${name}.norm2`, d);
  }
  conv(`${decoder}.mask_features`, d, d, 1, true);
  conv(`${decoder}.adapter_1`, d, network.res2Channels, 1, false);
  norm(`${decoder}.adapter_1.norm`, d);
  conv(`${decoder}.layer_1`, d, d, 3, false);
  norm(`${decoder}.layer_1.norm`, d);

  const predictor = 'sem_seg_head.predictor';
  for (let layer = 0; layer < network.decoderLayers; layer++) {
    for (const [kind, module] of [
      ['self', 'self_attn'],
      ['cross', 'multihead_attn'],
    ] as const) {
      const name = `${predictor}.transformer_${kind}_attention_layers.${layer}`;
      put(`${name}.${module}.in_proj_weight`, [3 * d, d], Math.sqrt(3 / d));
      put(`${name}.${module}.in_proj_bias`, [3 * d], 0.05);
      linear(`${name}.${module}.out_proj`, d, d);
      norm(`${name}.norm`, d);
    }
    const name = `${predictor}.transformer_ffn_layers.${layer}`;
    linear(`${name}.linear1`, network.decoderFeedForward, d);
    linear(`${name}.linear2`, d, network.decoderFeedForward);
    norm(`${name}.norm`, d);
  }
  norm(`${predictor}.decoder_norm`, d);
  put(`${predictor}.query_feat.weight`, [network.queries, d], 1.7);
  put(`${predictor}.query_embed.weight`, [network.queries, d], 1.7);
  put(`${predictor}.level_embed.weight`, [LEVELS, d], 1.7);
  linear(`${predictor}.class_embed`, network.classes + 1, d);
  for (let layer = 0; layer < 3; layer++) linear(`${predictor}.mask_embed.layers.${layer}`, d, d);
  return entries;
}

/** The values of an entry; the same for the same name. */
export function entryValues(name: string, { shape, centre, spread }: Entry): Float32Array {
  const values = new Float32Array(shape.reduce((product, dim) => product * dim, 1));
  let state = 0x9e3779b9;
  for (let i = 0; i < name.length; i++) state = Math.imul(state ^ name.charCodeAt(i), 0x01000193);
  for (let i = 0; i < values.length; i++) {
    // Marsaglia's xorshift, 32 bits.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    values[i] = centre + spread * (state / 2 ** 31);
  }
  return values;
}

/** The checkpoint without a file. */
export function randomCheckpoint(network: RandomNetwork): Checkpoint {
  const entries = stateDictEntries(network);
  const tensors = new Map<string, TensorInfo>();
  for (const [name, { shape }] of entries) tensors.set(name, { name, dtype: 'float32', shape });
  return {
    file: 'random',
    size: 0,
    container: 'zip',
    tensors,
    opaque: new Map(),
    averaged: null,
    unchecked: false,
    readFloat32: (name) => Promise.resolve(entryValues(name, entries.get(name)!)),
    close: () => Promise.resolve(),
  };
}
