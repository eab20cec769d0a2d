/** From a checkpoint to an int8 model folder, outside of any store. */
import { join, resolve } from 'node:path';
import { M2fpError } from '../errors.ts';
import { convertCheckpoint, type Conversion, type ConvertOptions } from '../store/convert.ts';
import { besidePlace } from '../store/write-beside.ts';
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
  if (options.operators !== undefined && options.operators !== 'deform-conv') {
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      `A model with the operators ${options.operators} is for other engines, and cannot be made int8 here: leave out ` +
        '--operators, or take another --precision',
    );
  }
  await listPictures(pictures);
  const out = resolve(options.out);
  return besidePlace(out, async (beside) => {
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
  });
}
