/** The models that a store holds: find, list, verify. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { asM2fpError, M2fpError } from '../errors.ts';
import type { ModelManifest } from '../m2fp/manifest.ts';
import { throwIfCancelled } from './cancel.ts';
import { sha256File, type DigestOptions } from './digest.ts';
import { readManifest } from './manifest.ts';
import { LOCAL_OWNER } from './model-id.ts';
import { modelFolder, parseFolder, type ModelName } from './names.ts';

export interface StoredModel extends ModelName {
  folder: string;
  manifest: ModelManifest;
}

/** A folder of the store, whole or not. */
export interface StoreEntry extends ModelName {
  folder: string;
  /** Bytes on disk. */
  size: number;
  /** Null where the model is damaged. */
  manifest: ModelManifest | null;
  /** What is wrong with it, null where nothing is known to be. */
  problem: M2fpError | null;
}

/**
 * The model of that name; undefined where the store has none. Digests are not computed.
 * @throws M2fpError M2FP_MODEL_INVALID where it is damaged
 */
export async function findModel(root: string, name: ModelName): Promise<StoredModel | undefined> {
  const folder = modelFolder(root, name);
  let manifest: ModelManifest;
  try {
    manifest = await readManifest(folder);
  } catch (error) {
    if (error instanceof M2fpError && error.code === 'M2FP_MODEL_NOT_FOUND') return undefined;
    throw error;
  }
  // Some file systems take "Damo" for "damo".
  if (manifest.id !== name.id) {
    throw new M2fpError(
      'M2FP_MODEL_INVALID',
      `${folder} holds the model ${manifest.id}, not ${name.id}: write the id as it is published`,
    );
  }
  return { ...name, folder, manifest };
}

/** All models of the store, damaged ones too, in the order of their names. */
export async function listModels(root: string): Promise<StoreEntry[]> {
  const names: ModelName[] = [];
  for (const owner of await folders(root)) {
    for (const model of await folders(join(root, owner))) {
      for (const folder of await folders(join(root, owner, model))) {
        const name = parseFolder(owner, model, folder);
        if (name !== undefined) names.push(name);
      }
    }
  }
  return Promise.all(names.map((name) => entryOf(root, name)));
}

async function entryOf(root: string, name: ModelName): Promise<StoreEntry> {
  const folder = modelFolder(root, name);
  const size = await sizeOf(folder);
  try {
    const model = await findModel(root, name);
    if (model !== undefined) return { ...name, folder, size, manifest: model.manifest, problem: null };
    const problem = new M2fpError('M2FP_MODEL_NOT_FOUND', `${folder} holds no model`);
    return { ...name, folder, size, manifest: null, problem };
  } catch (error) {
    return { ...name, folder, size, manifest: null, problem: asM2fpError(error, 'M2FP_MODEL_INVALID') };
  }
}

/** @throws M2fpError M2FP_MODEL_NOT_FOUND */
export function notInStore(root: string, { id, revision, precision }: ModelName): M2fpError {
  return new M2fpError(
    'M2FP_MODEL_NOT_FOUND',
    `${root} has no model ${id} with the revision ${revision} in ${precision}: pull it first`,
  );
}

/**
 * Computes the digests of the model's files and compares them with those that its manifest tells.
 * @throws M2fpError M2FP_MODEL_INVALID naming the file, M2FP_MODEL_NOT_FOUND, M2FP_CANCELLED
 */
export async function verifyModel(
  root: string,
  name: ModelName,
  { signal, onProgress }: DigestOptions = {},
): Promise<StoredModel> {
  const model = await findModel(root, name);
  if (model === undefined) throw notInStore(root, name);
  let before = 0;
  for (const [file, { size, sha256 }] of Object.entries(model.manifest.files)) {
    throwIfCancelled(signal);
    const done = before;
    const path = join(model.folder, file);
    const found = await sha256File(path, { signal, onProgress: (bytes) => onProgress?.(done + bytes) });
    if (found !== sha256) {
      throw new M2fpError(
        'M2FP_MODEL_INVALID',
        `${path} has the SHA-256 ${found} instead of ${sha256}: the file was changed or the disk is failing. ` +
          repairOf(name),
      );
    }
    before += size;
  }
  return model;
}

/** What makes a model whole again. */
function repairOf({ id, revision, precision }: ModelName): string {
  const words = [id, ...(revision === 'master' ? [] : ['--revision', revision])];
  if (precision !== 'fp32') words.push('--precision', precision);
  if (precision === 'int8') return 'Remove it, and make it again with "m2fp quantize"';
  if (id.startsWith(`${LOCAL_OWNER}/`)) return 'Remove it: it is converted again when it is needed';
  return `"m2fp pull ${words.join(' ')} --verify" makes it again`;
}

/** The folders in a folder, in order; what begins with a dot is the store's own. */
async function folders(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new M2fpError('M2FP_MODEL_NOT_FOUND', `${folder} cannot be read: ${error.message}`, {
      cause: error,
    });
  });
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name)
    .toSorted();
}

async function sizeOf(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        (found) => (found.isFile() ? found.size : 0),
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
