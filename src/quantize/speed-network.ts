/**
 * A small network of the full-size one's kind, with random weights, in float32 and in int8: built by the same builders, so
 * that what int8 brings to it, it brings to the full-size one.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import type { HyperParameters } from '../m2fp/hyper-parameters.ts';
import { addNetwork } from '../m2fp/network.ts';
import { DEFAULT_PARTS } from '../m2fp/parts.ts';
import type { StateDict } from '../m2fp/state-dict.ts';
import { GraphBuilder } from '../onnx/graph.ts';
import { type ActivationFacts, Int8Builder } from '../onnx/int8-builder.ts';
import { DEFAULT_WEIGHT_BITS } from '../onnx/int8-weight.ts';
import { ObservingBuilder } from '../onnx/observing-builder.ts';
import { elements, type Weight } from '../onnx/weight.ts';
import { writeModel } from '../onnx/write.ts';
import { throwIfCancelled } from '../store/cancel.ts';

/**
 * Of each kind of work about as large a share as in the full-size network, in one tenth of the weights: half the width of the
 * backbone, fewer blocks and layers.
 */
const HYPER: HyperParameters = {
  backbone: {
    blocks: [1, 1, 3, 1],
    stemChannels: 64,
    res2Channels: 128,
    bottleneckChannels: 32,
    groups: 1,
    strideIn1x1: false,
    res4Dilation: 1,
    res5Dilation: 1,
    res5MultiGrid: [1, 1, 1],
    norm: 'BN',
  },
  pixelDecoder: {
    convDim: 256,
    maskDim: 256,
    layers: 1,
    feedForward: 1024,
    heads: 8,
    points: 4,
    levels: 3,
  },
  decoder: {
    hiddenDim: 256,
    queries: 100,
    layers: 1,
    feedForward: 512,
    heads: 8,
    classes: 21,
    preNorm: false,
    inputProjection: false,
  },
};

/** The size of the picture that it is tried with, pixels. */
export const SPEED_INPUT = { width: 384, height: 256 };

/** What speed does not depend on, as long as the values are ordinary numbers. */
const WEIGHT_SPREAD = 0.05;
/** Some of the vectors are divisors. */
const VECTOR_VALUE = 0.5;
const RANGE: ActivationFacts = { min: -4, max: 4, means: new Float32Array() };

/** A checkpoint of random weights. */
class RandomState implements StateDict {
  at(): StateDict {
    return this;
  }

  get(_key: string, shape: readonly number[]): Weight {
    const count = elements(shape);
    const load = shape.length < 2 ? () => new Float32Array(count).fill(VECTOR_VALUE) : () => noise(count);
    return { shape, load: () => Promise.resolve(load()) };
  }

  /** The network asks for that of its first convolution only. */
  shape(): readonly number[] {
    return [HYPER.backbone.stemChannels / 2, 3, 3, 3];
  }
}

/** Uniform values around zero. */
function noise(count: number): Float32Array {
  const values = new Float32Array(count);
  let state = count;
  for (let i = 0; i < count; i++) {
    // Marsaglia's xorshift, 32 bits.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    values[i] = (WEIGHT_SPREAD * state) / 2 ** 31;
  }
  return values;
}

/**
 * Writes both networks into `folder`.
 * @returns their folders
 * @throws M2fpError M2FP_CANCELLED; file system errors
 */
export async function writeSpeedModels(
  folder: string,
  signal?: AbortSignal,
): Promise<{ float: string; int8: string }> {
  const folders = { float: join(folder, 'float'), int8: join(folder, 'int8') };
  const addTo = (g: GraphBuilder) => addNetwork(g, new RandomState(), HYPER, 'multi');
  const write = async (g: GraphBuilder, into: string): Promise<void> => {
    addTo(g);
    await mkdir(into, { recursive: true });
    await writeModel(g.finish(), into, {
      precision: 'fp32',
      producer: { name: packageJson.name, version: packageJson.version },
      onProgress: () => throwIfCancelled(signal),
    });
  };
  await write(new GraphBuilder(), folders.float);
  const observing = new ObservingBuilder(DEFAULT_PARTS);
  addTo(observing);
  observing.finish();
  const activations = new Map(observing.observations.map(({ activation }) => [activation, RANGE]));
  const int8 = { parts: DEFAULT_PARTS, activations, weightBits: DEFAULT_WEIGHT_BITS, correctBias: false };
  await write(new Int8Builder(int8), folders.int8);
  return folders;
}
