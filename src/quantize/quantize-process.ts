/** Making a model int8 in a process of its own: it runs the network, which blocks and may crash. */
import { entryPoint } from '../paths.ts';
import { modelInProcess } from '../store/one-job.ts';
import type { Quantized, QuantizeOptions } from './quantize.ts';

export interface QuantizeProcessOptions extends QuantizeOptions {
  /** The program to run instead of ours, for tests. */
  entry?: string;
}

/**
 * Does what `quantizeModel` does, in a child process of low priority. An abort kills it.
 * @throws M2fpError as `quantizeModel` and {@link modelInProcess} do
 */
export function quantizeInProcess({
  entry = entryPoint('quantize/quantize-child'),
  signal,
  onProgress,
  ...request
}: QuantizeProcessOptions): Promise<Quantized> {
  return modelInProcess('quantising process', entry, request, { signal, onProgress });
}
