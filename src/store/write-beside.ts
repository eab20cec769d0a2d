/** A model folder that is written beside its place, and moved there when it is whole. */
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { M2fpError } from '../errors.ts';
import { throwIfCancelled } from './cancel.ts';
import { writeError } from './disk.ts';
import { exists, makeFolder } from './folders.ts';
import { MANIFEST_FILE } from './names.ts';
import { inPartialFolder } from './partial.ts';

/** The files of a model, in the order in which they are moved: the manifest, which makes a folder a model, goes last. */
const FILES = ['model.onnx.data', 'model.onnx', MANIFEST_FILE];

/**
 * Makes the model folder `out`; a model that it holds is replaced. Where `make` fails, nothing is changed; a signal that
 * comes when it is done is not heard any more.
 * @param make writes the model's files into the empty folder that it is given; others are removed
 * @throws what `make` throws; M2fpError M2FP_CANCELLED; M2FP_BAD_OPTION where `out` is no folder, cannot be written, or
 *   holds a model of another program; M2FP_MODEL_INVALID where the disk becomes full
 */
export async function writeBeside<T>(
  out: string,
  signal: AbortSignal | undefined,
  make: (folder: string) => Promise<T>,
): Promise<T> {
  const target = resolve(out);
  return besidePlace(target, async (partial) => {
    const model = join(partial, 'model');
    await mkdir(model);
    const result = await make(model);
    throwIfCancelled(signal);
    await moveInto(model, target).catch((error: unknown) => {
      throw writeError(target, error, false);
    });
    return result;
  });
}

/**
 * Does `work` with a folder beside the model folder `out`, on the same disk, that is removed afterwards.
 * @throws what `work` throws; M2fpError as {@link writeBeside} does of `out`
 */
export async function besidePlace<T>(out: string, work: (folder: string) => Promise<T>): Promise<T> {
  const target = resolve(out);
  await checkPlace(target);
  let leave = () => Promise.resolve();
  let working = false;
  try {
    leave = await makeFolder(dirname(target));
    return await inPartialFolder(target, (folder) => {
      working = true;
      return work(folder);
    });
  } catch (error) {
    throw writeError(target, error, working);
  } finally {
    await leave();
  }
}

/** @throws M2fpError M2FP_BAD_OPTION */
async function checkPlace(out: string): Promise<void> {
  const place = await stat(out).catch(() => undefined);
  if (place === undefined) return;
  const fail = (reason: string) => new M2fpError('M2FP_BAD_OPTION', reason);
  if (!place.isDirectory()) throw fail(`${out} is a file: name a folder for the model`);
  if (await exists(join(out, MANIFEST_FILE))) return;
  for (const name of FILES) {
    if (await exists(join(out, name)))
      throw fail(
        `${out} holds a ${name} of another program (there is no ${MANIFEST_FILE}): name another folder`,
      );
  }
}

async function moveInto(model: string, out: string): Promise<void> {
  await mkdir(out, { recursive: true });
  await rm(join(out, MANIFEST_FILE), { force: true });
  for (const name of FILES) await rename(join(model, name), join(out, name));
}
