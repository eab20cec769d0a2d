/** A model folder that is written beside its place, and moved there when it is whole. */
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { throwIfCancelled } from './cancel.ts';
import { diskFull, isDiskFull } from './disk.ts';
import { makeFolder } from './folders.ts';
import { MANIFEST_FILE } from './names.ts';
import { partialPrefix } from './partial.ts';

/**
 * Makes the model folder `out`; a model that it holds is replaced. Where `make` fails, nothing is changed.
 * @param make writes the model's files into the folder that it is given; others are removed
 * @throws what `make` throws; M2fpError M2FP_CANCELLED, M2FP_MODEL_INVALID where the disk becomes full
 */
export async function writeBeside<T>(
  out: string,
  signal: AbortSignal | undefined,
  make: (folder: string) => Promise<T>,
): Promise<T> {
  const target = resolve(out);
  const leave = await makeFolder(dirname(target));
  let partial: string | undefined;
  try {
    // Beside it, on the same file system.
    partial = await mkdtemp(partialPrefix(target, process.pid));
    const result = await make(partial);
    throwIfCancelled(signal);
    await moveInto(partial, target);
    return result;
  } catch (error) {
    throw isDiskFull(error) ? diskFull(dirname(target), 'M2FP_MODEL_INVALID', error) : error;
  } finally {
    if (partial !== undefined) await rm(partial, { recursive: true, force: true });
    await leave();
  }
}

/** Moves a whole model to where it belongs; the manifest, which makes a folder a model, goes last. */
async function moveInto(partial: string, out: string): Promise<void> {
  await mkdir(out, { recursive: true });
  await rm(join(out, MANIFEST_FILE), { force: true });
  for (const name of ['model.onnx.data', 'model.onnx', MANIFEST_FILE])
    await rename(join(partial, name), join(out, name));
}
