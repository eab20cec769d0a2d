/** Loading and running graphs as the engine does, and how far the outputs of two agree. */
import { join } from 'node:path';
import { availableParallelism } from 'node:os';
import { InferenceSession, Tensor } from '../test/support/onnxruntime.ts';
import { nativeOptions } from '../src/engine/child/session.ts';

/** @param freeDimensionOverrides for a graph that is for one size: onnxruntime is told so */
export function openGraph(
  folder: string,
  freeDimensionOverrides?: Record<string, number>,
): Promise<InferenceSession> {
  return InferenceSession.create(join(folder, 'model.onnx'), {
    ...nativeOptions(availableParallelism()),
    ...(freeDimensionOverrides && { freeDimensionOverrides }),
  });
}

/** A picture that is no pattern. */
export function feedsOf(height: number, width: number): { image: Tensor } {
  const pixels = Uint8Array.from({ length: height * width * 3 }, (_, i) => (i * 7919 + (i >> 9) * 31) % 256);
  return { image: new Tensor('uint8', pixels, [height, width, 3]) };
}

export async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

type Outputs = Awaited<ReturnType<InferenceSession['run']>>;

function floats(outputs: Outputs, name: string): Float32Array {
  return outputs[name]!.data as Float32Array;
}

/** How far two graphs agree; thresholded attention makes differences of rounding visible. */
export interface Agreement {
  /** Share of queries with the same best class. */
  bestClass: number;
  /** Share of mask values of the same sign. */
  maskSign: number;
}

export function agreement(a: Outputs, b: Outputs): Agreement {
  const [queries, classes] = a['pred_logits']!.dims as [number, number];
  const best = (outputs: Outputs) =>
    Array.from({ length: queries }, (_, q) => {
      const row = floats(outputs, 'pred_logits').subarray(q * classes, (q + 1) * classes);
      return row.indexOf(Math.max(...row));
    });
  const other = best(b);
  const [left, right] = [floats(a, 'pred_masks'), floats(b, 'pred_masks')];
  const signs = left.reduce((sum, value, i) => sum + Number(value > 0 === right[i]! > 0), 0);
  return {
    bestClass: best(a).filter((index, q) => index === other[q]).length / queries,
    maskSign: signs / left.length,
  };
}
