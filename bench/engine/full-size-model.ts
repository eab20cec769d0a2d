/** A model of the published one's size with random weights. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { script } from '../script.ts';

/** Converts one into `folder`; in processes of their own, so that this one stays small. Returns the model's folder. */
export async function makeFullSizeModel(folder: string): Promise<string> {
  const checkpoint = join(folder, 'pytorch_model.pt');
  const model = join(folder, 'model');
  await script('write-checkpoint.ts', checkpoint);
  await script('convert-child.ts', checkpoint, model);
  await rm(checkpoint);
  return model;
}
