/** The folder in which a model is made, and the way from there into the store. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sleep } from '../async.ts';
import type { Clock } from '../clock.ts';
import { tryLock } from './lock.ts';
import { readManifest } from './manifest.ts';
import { modelFolder, modelKey, type ModelName } from './names.ts';

/** The folder of the store in which models are made. */
export const WORK = '.partial';
/** The folder of the store in which downloaded checkpoints are kept, where that was asked for. */
const KEPT = '.checkpoints';
const DOWNLOAD = 'download';
const MODEL = 'model-';
const OLD = 'old-';
const LOCK = '.lock';
/** A download that nobody went on with for so long is given up, in milliseconds. */
const ABANDONED_AFTER = 30 * 24 * 3600_000;

/** The lock file of a model: who holds it may use the model's {@link StagingDirectory}, and move or remove the model. */
export function lockFile(root: string, name: ModelName): string {
  return join(root, WORK, modelKey(name) + LOCK);
}

/** Use it only under the model's lock. */
export class StagingDirectory {
  readonly #root: string;
  readonly #name: ModelName;
  readonly #folder: string;

  constructor(root: string, name: ModelName) {
    this.#root = root;
    this.#name = name;
    this.#folder = join(root, WORK, modelKey(name));
  }

  /** Where the downloaded files lie, also from earlier attempts. */
  get download(): string {
    return join(this.#folder, DOWNLOAD);
  }

  /** A folder for the converted model, that no process has used before. */
  newModel(): string {
    return join(this.#folder, MODEL + randomUUID());
  }

  /**
   * Cleans up after processes that died here, and makes the folders.
   * @returns the folder of a model that was finished, but not moved into the store
   */
  async prepare(): Promise<string | undefined> {
    await mkdir(this.download, { recursive: true });
    for (const name of await readdir(this.#folder)) {
      const folder = join(this.#folder, name);
      if (name.startsWith(MODEL) && (await isModel(folder))) return folder;
    }
    await removeLeftovers(this.#folder);
    return undefined;
  }

  /** Moves the downloaded files to where they stay until the model is removed; returns that folder. */
  async keepDownload(clock: Clock, signal: AbortSignal): Promise<string> {
    for (const name of await readdir(this.download)) {
      if (name.endsWith('.json') && name !== 'configuration.json') await rm(join(this.download, name));
    }
    await mkdir(dirname(this.#kept), { recursive: true });
    await rm(this.#kept, { recursive: true, force: true });
    await persistently(() => rename(this.download, this.#kept), clock, signal);
    return this.#kept;
  }

  get #kept(): string {
    return join(this.#root, KEPT, modelKey(this.#name));
  }

  /** Moves a finished model into the store, in one step; what lay there before is removed. */
  async install(model: string, clock: Clock, signal: AbortSignal): Promise<void> {
    const target = modelFolder(this.#root, this.#name);
    await flush(model);
    await mkdir(dirname(target), { recursive: true });
    await this.#setAside(target, clock, signal);
    await persistently(() => rename(model, target), clock, signal);
    await flushFolder(dirname(target));
    await this.clear();
  }

  /** Removes the model from the store, if it is there. */
  async uninstall(clock: Clock, signal: AbortSignal): Promise<boolean> {
    const target = modelFolder(this.#root, this.#name);
    await mkdir(this.#folder, { recursive: true });
    const removed = await this.#setAside(target, clock, signal);
    await this.clear();
    await rm(this.#kept, { recursive: true, force: true });
    await rmdir(dirname(this.#kept)).catch(() => {});
    // The folders of the name and the owner, where this was their last model.
    for (const folder of [dirname(target), dirname(dirname(target))]) {
      await rmdir(folder).catch(() => {});
    }
    return removed;
  }

  /** Removes the work folder where nothing lies in it: a failure before the first byte leaves nothing behind. */
  async tidy(): Promise<void> {
    for (const folder of [this.download, this.#folder]) await rmdir(folder).catch(() => {});
  }

  /** Removes the work folder with all that was downloaded. */
  async clear(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #setAside(target: string, clock: Clock, signal: AbortSignal): Promise<boolean> {
    const aside = join(this.#folder, OLD + randomUUID());
    return persistently(() => rename(target, aside), clock, signal).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return false;
        throw error;
      },
    );
  }
}

/**
 * Removes what processes that died while they made other models have left: half models at once, downloads after
 * thirty days.
 */
export async function sweep(root: string, clock: Clock): Promise<void> {
  const entries = await readdir(join(root, WORK), { withFileTypes: true });
  for (const entry of entries) {
    if (!entry.isDirectory()) continue;
    const folder = join(root, WORK, entry.name);
    const lock = await tryLock(folder + LOCK, clock);
    if (lock === undefined) continue;
    try {
      if (await isAbandoned(join(folder, DOWNLOAD))) await rm(folder, { recursive: true, force: true });
      else await removeLeftovers(folder);
    } finally {
      await lock.release();
    }
  }
}

async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name === DOWNLOAD) continue;
    // A finished model is worth the time that it took: whoever asks for it next moves it into the store.
    if (name.startsWith(MODEL) && (await isModel(join(folder, name)))) continue;
    await rm(join(folder, name), { recursive: true, force: true });
  }
}

function isModel(folder: string): Promise<boolean> {
  return readManifest(folder).then(
    () => true,
    () => false,
  );
}

async function isAbandoned(download: string): Promise<boolean> {
  const names = await readdir(download).catch(() => []);
  const times = await Promise.all(names.map(async (name) => (await stat(join(download, name))).mtimeMs));
  return times.length > 0 && Date.now() - Math.max(...times) > ABANDONED_AFTER;
}

/** Virus scanners on Windows hold new files open for a moment, and nothing can be moved meanwhile. */
export async function persistently<T>(work: () => Promise<T>, clock: Clock, signal: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (attempt === 10 || !['EPERM', 'EACCES', 'EBUSY'].includes(code)) throw error;
      await sleep(attempt * 100, { clock, signal });
    }
  }
}

/** Waits until a folder's files have reached the disk: a rename must not arrive there before them. */
async function flush(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const file = await open(join(folder, name), 'r+');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  }
  await flushFolder(folder);
}

async function flushFolder(folder: string): Promise<void> {
  // Windows opens no folders, and keeps the order itself.
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}
