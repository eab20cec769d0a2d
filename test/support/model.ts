/** Models for tests: the golden checkpoints, converted once per test process. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from './onnxruntime.ts';
import { convertCheckpoint } from '../../src/store/convert.ts';
import { goldenFolder, type Variant } from './golden.ts';

const converted = new Map<Variant, Promise<string>>();
const folders: string[] = [];

/** The folder of a golden checkpoint's model; call {@link removeModels} in an `after` hook. */
export function goldenModel(variant: Variant): Promise<string> {
  let folder = converted.get(variant);
  if (folder === undefined) {
    folder = convert(variant);
    converted.set(variant, folder);
  }
  return folder;
}

async function convert(variant: Variant): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `m2fp-golden-${variant}-`));
  folders.push(folder);
  await convertCheckpoint({ source: goldenFolder(variant), out: folder });
  return folder;
}

export async function removeModels(): Promise<void> {
  converted.clear();
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
}

/** Float outputs of a model for a picture, uint8 [height, width, 3]. */
export async function runModel(folder: string, pixels: Uint8Array, height: number, width: number) {
  const session = await InferenceSession.create(join(folder, 'model.onnx'), { logSeverityLevel: 3 });
  try {
    const outputs = await session.run({ image: new Tensor('uint8', pixels, [height, width, 3]) });
    return Object.fromEntries(
      Object.entries(outputs).map(([name, { data, dims }]) => [
        name,
        { data: data as Float32Array, shape: [...dims] },
      ]),
    );
  } finally {
    await session.release();
  }
}
