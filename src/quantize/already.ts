import { M2fpError } from '../errors.ts';

/** Why the model in `folder` cannot be made int8 once more. */
export function isInt8Already(folder: string): M2fpError {
  return new M2fpError(
    'M2FP_BAD_OPTION',
    `The model in ${folder} is int8 already: give the fp32 or fp16 model that it was made of`,
  );
}
