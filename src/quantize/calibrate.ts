/** Runs pictures through the float network, and watches the activations that are to become int8. */
import { availableParallelism } from 'node:os';
import { loadGraph } from '../engine/child/session.ts';
import { M2fpError } from '../errors.ts';
import type { NetworkInput } from '../image/types.ts';
import { ObservingBuilder } from '../onnx/observing-builder.ts';
import { writeModel } from '../onnx/write.ts';
import { throwIfCancelled } from '../store/cancel.ts';
import type { FloatModel } from './float-model.ts';
import { ActivationStatistics } from './range.ts';

export interface CalibrateOptions {
  model: FloatModel;
  parts: readonly string[];
  /** An empty folder, for the network that is watched. */
  folder: string;
  producer: { name: string; version: string };
  /** One at a time; none is kept. */
  inputs: AsyncIterable<NetworkInput>;
  signal?: AbortSignal | undefined;
}

/**
 * What was seen of each activation of the parts, by the name that the graph's builders give it. What a run tells is
 * taken up at once: memory does not grow with the number of pictures.
 * @throws M2fpError M2FP_MODEL_INVALID where an activation is no number, M2FP_ENGINE_UNAVAILABLE, M2FP_ENGINE_CRASHED,
 *   M2FP_CANCELLED, and what `inputs` throws
 */
export async function calibrate(options: CalibrateOptions): Promise<Map<string, ActivationStatistics>> {
  const { model, parts, folder, producer, inputs, signal } = options;
  const g = new ObservingBuilder(parts, model.replace);
  model.addTo(g);
  await writeModel(g.finish(), folder, {
    precision: model.precision,
    producer,
    onProgress: () => throwIfCancelled(signal),
  });
  const { runtime, session } = await loadGraph(folder, availableParallelism());
  const statistics = new Map(
    g.observations.map(({ activation }) => [activation, new ActivationStatistics()]),
  );
  try {
    for await (const { width, height, data } of inputs) {
      throwIfCancelled(signal);
      const image = new runtime.Tensor('uint8', data, [height, width, 3]);
      const outputs = await session.run({ image }).catch((error: Error) => {
        throw new M2fpError('M2FP_ENGINE_CRASHED', `The network failed on a picture: ${error.message}`, {
          cause: error,
        });
      });
      const floats = (name: string) => outputs[name]!.data as Float32Array;
      for (const { activation, min, max, means, sample } of g.observations) {
        const [low, high] = [floats(min)[0]!, floats(max)[0]!];
        if (!Number.isFinite(low) || !Number.isFinite(high)) {
          throw new M2fpError(
            'M2FP_MODEL_INVALID',
            `The network computes what is no number (${activation}): its weights are damaged, or the training diverged`,
          );
        }
        statistics.get(activation)!.add({ min: low, max: high }, floats(means), floats(sample));
      }
    }
  } finally {
    await session.release();
  }
  return statistics;
}
