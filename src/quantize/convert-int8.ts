/** From a checkpoint to an int8 model folder, outside of any store. */
import { mkdtemp, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { convertCheckpoint, type Conversion, type ConvertOptions } from '../store/convert.ts';
import { makeFolder } from '../store/folders.ts';
import { partialPrefix } from '../store/partial.ts';
import { listPictures } from './picture-files.ts';
import { quantizeInProcess } from './quantize-process.ts';

export interface ConvertInt8Options extends Omit<ConvertOptions, 'precision' | 'onProgress'> {
  /** See `QuantizeOptions`. */
  pictures?: string | undefined;
  onProgress?: (phase: 'convert' | 'quantize', share: number) => void;
}

/**
 * Converts a checkpoint to fp32, beside `out`, and makes that int8; the fp32 model is removed.
 * @throws M2fpError what `convertCheckpoint` and `quantizeModel` throw
 */
export async function convertToInt8({
  pictures,
  onProgress = () => {},
  ...options
}: ConvertInt8Options): Promise<Conversion> {
  // Before minutes of work.
  await listPictures(pictures);
  const out = resolve(options.out);
  const leave = await makeFolder(dirname(out));
  let beside: string | undefined;
  try {
    // On the same disk, and under a name that says what it is should this process be killed.
    beside = await mkdtemp(partialPrefix(out, process.pid));
    const model = join(beside, 'float');
    const { warnings, origins } = await convertCheckpoint({
      ...options,
      out: model,
      onProgress: (share) => onProgress('convert', share),
    });
    const made = await quantizeInProcess({
      model,
      out,
      pictures,
      signal: options.signal,
      onProgress: (share) => onProgress('quantize', share),
    });
    return { manifest: made.manifest, warnings: [...warnings, ...made.warnings], origins };
  } finally {
    if (beside !== undefined) await rm(beside, { recursive: true, force: true });
    await leave();
  }
}
