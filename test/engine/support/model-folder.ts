/** What the registry reads of a model. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MANIFEST } from './fakes.ts';

export async function writeModel(folder: string, manifest = MANIFEST): Promise<void> {
  await writeFile(join(folder, 'm2fp.json'), JSON.stringify(manifest));
  await writeFile(join(folder, 'model.onnx'), ' ');
  await writeFile(join(folder, 'model.onnx.data'), '');
}
