/** Of which models an int8 one can be made. */
import { M2fpError } from '../errors.ts';
import type { ModelManifest } from '../m2fp/manifest.ts';

/** Why none can be made: the model is one, or it is written with operators for other engines. */
export type NotMakable = 'int8' | 'operators';

/** Why no int8 model can be made of that of the manifest; undefined where nothing is known against it. */
export function whyNotMakable({
  precision,
  operators = 'deform-conv',
}: Pick<ModelManifest, 'precision' | 'operators'>): NotMakable | undefined {
  if (precision === 'int8') return 'int8';
  return operators === 'deform-conv' ? undefined : 'operators';
}

/** @throws M2fpError M2FP_BAD_OPTION where no int8 model can be made of the one in `folder` */
export function checkMakable(folder: string, manifest: ModelManifest): void {
  const reason = whyNotMakable(manifest);
  if (reason === undefined) return;
  throw new M2fpError(
    'M2FP_BAD_OPTION',
    reason === 'int8'
      ? `The model in ${folder} is int8 already: give the fp32 or fp16 model that it was made of`
      : `${folder} is written with ${manifest.operators}, for other engines, and cannot be made int8 here. Convert the ` +
          'checkpoint without --operators, and make that model int8',
  );
}
