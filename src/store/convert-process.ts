/** Conversion in a process of its own. */
import { entryPoint } from '../paths.ts';
import type { Conversion, ConvertOptions } from './convert.ts';
import { modelInProcess } from './one-job.ts';

export interface ConvertProcessOptions extends ConvertOptions {
  /** The program to run instead of ours, for tests. */
  entry?: string;
}

/**
 * Does what `convertCheckpoint` does, in a child process of low priority. An abort kills it.
 * @throws M2fpError as `convertCheckpoint` and {@link modelInProcess} do
 */
export function convertInProcess({
  entry = entryPoint('store/convert-child'),
  signal,
  onProgress,
  ...request
}: ConvertProcessOptions): Promise<Conversion> {
  return modelInProcess('conversion process', entry, request, { signal, onProgress });
}
