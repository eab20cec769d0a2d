/** The models on this machine: a folder with one folder for each id, revision and precision. */
import { resolve } from 'node:path';
import { systemClock } from '../clock.ts';
import { M2fpError } from '../errors.ts';
import type { Precision } from '../m2fp/manifest.ts';
import type { DigestOptions } from './digest.ts';
import {
  findModel,
  listModels,
  notInStore,
  type StoredModel,
  type StoreEntry,
  verifyModel,
} from './installed.ts';
import { tryLock } from './lock.ts';
import { checkName, storedName, type ModelName } from './names.ts';
import { pullModel, type PulledModel, type PullOptions } from './pull.ts';
import { lockFile, StagingDirectory } from './staging-directory.ts';

export type { StoredModel, StoreEntry } from './installed.ts';
export type { PulledModel } from './pull.ts';
export type { PullPhase, PullProgress } from './progress.ts';

/** All methods throw M2fpError M2FP_BAD_OPTION where an id, revision or precision is none. */
export interface ModelStore {
  /** The store's folder; it is made by the first pull. */
  readonly root: string;
  /** All models, damaged ones too, in the order of their names. */
  list(): Promise<StoreEntry[]>;
  /**
   * The model, or undefined; revision and precision default to `master` and `fp32`. Digests are not computed.
   * @throws M2fpError M2FP_MODEL_INVALID
   */
  find(id: string, revision?: string, precision?: Precision): Promise<StoredModel | undefined>;
  /**
   * Compares the files' SHA-256 with the manifest.
   * @throws M2fpError M2FP_MODEL_INVALID naming the file, M2FP_MODEL_NOT_FOUND, M2FP_CANCELLED
   */
  verify(id: string, revision?: string, precision?: Precision, options?: DigestOptions): Promise<StoredModel>;
  /**
   * Removes the model, and what was downloaded for it.
   * @throws M2fpError M2FP_MODEL_NOT_FOUND, M2FP_BUSY while it is being pulled
   */
  remove(id: string, revision?: string, precision?: Precision): Promise<void>;
  /** See {@link pullModel}. */
  pull(options: Omit<PullOptions, 'root'>): Promise<PulledModel>;
}

/** The store in the folder `root`; touches nothing. */
export function openStore(root: string): ModelStore {
  const folder = resolve(root);
  const named = (id: string, revision = 'master', precision: Precision = 'fp32') =>
    storedName(folder, checkName({ id, revision, precision }));
  return {
    root: folder,
    list: () => listModels(folder),
    find: async (...name) => findModel(folder, named(...name)),
    verify: async (id, revision, precision, options) =>
      verifyModel(folder, named(id, revision, precision), options),
    remove: async (...name) => removeModel(folder, named(...name)),
    pull: (options) => pullModel({ ...options, root: folder }),
  };
}

async function removeModel(root: string, name: ModelName): Promise<void> {
  const lock = await tryLock(lockFile(root, name), systemClock);
  if (lock === undefined) {
    throw new M2fpError('M2FP_BUSY', `${name.id} is being pulled: cancel that, or wait for its end`);
  }
  try {
    const removed = await new StagingDirectory(root, name).uninstall(systemClock, lock.lost);
    if (!removed) throw notInStore(root, name);
  } finally {
    await lock.release();
  }
}
