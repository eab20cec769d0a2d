/**
 * The network of a converted model, to be built once more: the graph by the builder, from the hyper-parameters in the
 * manifest, the weights from the model's files. The checkpoint is not needed.
 */
import { M2fpError } from '../errors.ts';
import type { FloatPrecision, ModelManifest } from '../m2fp/manifest.ts';
import { addNetwork } from '../m2fp/network.ts';
import type { StateDict } from '../m2fp/state-dict.ts';
import { GraphBuilder, type Replace } from '../onnx/graph.ts';
import type { NodeProto } from '../onnx/proto.ts';
import { openModel, type OpenModel } from '../onnx/read.ts';
import type { Weight } from '../onnx/weight.ts';

export interface FloatModel {
  /** How its weights are stored. */
  readonly precision: FloatPrecision;
  /** For the constructor of a {@link GraphBuilder}: the weights of this model. */
  readonly replace: Replace;
  /** Adds the whole network to a graph that was made with {@link replace}. */
  addTo(g: GraphBuilder): void;
  close(): Promise<void>;
}

/**
 * Opens the model in `folder`, of which `checkMakable` has nothing to say.
 * @throws M2fpError M2FP_MODEL_INVALID where its graph is not the one that this version builds, or cannot be read
 */
export async function openFloatModel(folder: string, manifest: ModelManifest): Promise<FloatModel> {
  const { name, version } = manifest.converter;
  const fail = (reason: string, cause?: unknown) =>
    new M2fpError(
      'M2FP_MODEL_INVALID',
      `${folder} cannot be made int8: ${reason} (it was converted by ${name} ${version}). Convert the model again with ` +
        'this version',
      { cause },
    );
  const model = await openModel(folder).catch((error: Error) => {
    throw fail(`its graph cannot be read: ${error.message}`, error);
  });
  const replace: Replace = (weight, { shape }) => {
    const found = model.weights.get(weight);
    if (found === undefined || found.shape.join() !== shape.join())
      throw fail(`the weight ${weight} is missing or has another shape`);
    return { shape, load: () => model.readFloat32(weight) };
  };
  const state = new ConvertedState(firstConvolutionOf(model));
  const addTo = (g: GraphBuilder) => addNetwork(g, state, manifest.hyperParameters, manifest.kind);
  try {
    const g = new GraphBuilder(replace);
    addTo(g);
    const difference = firstDifference(model.nodes, g.finish().nodes);
    if (difference !== undefined) throw fail(`its graph is another one from ${difference} on`);
  } catch (error) {
    await model.close();
    throw error;
  }
  const isHalf = [...model.weights.values()].some((weight) => weight.isHalf);
  return { precision: isHalf ? 'fp16' : 'fp32', replace, addTo, close: () => model.close() };
}

/** The checkpoint of a model that was converted: what it held is not there, the graph's weights take its place. */
class ConvertedState implements StateDict {
  readonly #firstConvolution: readonly number[];

  constructor(firstConvolution: readonly number[]) {
    this.#firstConvolution = firstConvolution;
  }

  at(): StateDict {
    return this;
  }

  get(key: string, shape: readonly number[]): Weight {
    return { shape, load: () => Promise.reject(new Error(`${key} is of a checkpoint that is gone`)) };
  }

  /** The network asks for that of its first convolution only: all else follows from the hyper-parameters. */
  shape(): readonly number[] {
    return this.#firstConvolution;
  }
}

function firstConvolutionOf({ nodes, weights }: OpenModel): readonly number[] {
  const weight = nodes.find(({ opType }) => opType === 'Conv')?.inputs[1];
  return weights.get(weight ?? '')?.shape ?? [];
}

/** The name of the first operator that differs; what widens halved weights does not count. */
function firstDifference(found: readonly NodeProto[], expected: readonly NodeProto[]): string | undefined {
  const weightCasts = found.length - expected.length;
  const words = (node: NodeProto | undefined) =>
    JSON.stringify(node, (_key, value: unknown) => (typeof value === 'number' ? Math.fround(value) : value));
  const at = expected.findIndex((node, index) => words(node) !== words(found[weightCasts + index]));
  return expected[at]?.name;
}
