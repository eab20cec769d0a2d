/** ModelInstaller a model of the store: by one process at a time, and all or nothing. */
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { M2fpError, type M2fpErrorCode } from '../errors.ts';
import type { Origins } from '../m2fp/origin.ts';
import { cancellation } from './cancel.ts';
import { storeError } from './disk.ts';
import { makeFolder } from './folders.ts';
import { findModel, type StoredModel, verifyModel } from './installed.ts';
import { acquireLock } from './lock.ts';
import type { ModelName } from './names.ts';
import { ProgressMeter, type PullProgress } from './progress.ts';
import { lockFile, sweep, WORK, StagingDirectory } from './staging-directory.ts';

/** A model of the store that was asked for. */
export interface PulledModel extends StoredModel {
  /** True where it was made for this, false where it was there, or another process made it meanwhile. */
  made: boolean;
  /** What a user should know: where configuration and tensors disagree. */
  warnings: string[];
  /** Where its facts come from, as in a `Conversion`; null where it was not converted just now. */
  origins: Origins | null;
  /** The folder in which the downloaded files were kept; absent where they were not. */
  checkpoint?: string;
}

/** A finished model in the work folder. */
export interface Product {
  folder: string;
  warnings: string[];
  origins: Origins | null;
}

export interface ModelInstallerOptions {
  root: string;
  name: ModelName;
  clock: Clock;
  signal: AbortSignal;
  notify: (progress: PullProgress) => void;
  /** Of failures that are none of ours, mostly of the file system. */
  code: M2fpErrorCode;
  /** Whether a model that is there must have the right bytes too, not only the right sizes. */
  verify?: boolean;
  /** Whether the downloaded files are kept. */
  keep?: boolean;
  /** Whether one that is there is made again; until the new one is whole, it stays. */
  again?: boolean;
}

/** One attempt. */
export class ModelInstaller {
  readonly meter: ProgressMeter;
  readonly work: StagingDirectory;
  readonly #options: ModelInstallerOptions;
  #signal: AbortSignal;

  constructor(options: ModelInstallerOptions) {
    const { root, name, clock, signal, notify } = options;
    this.meter = new ProgressMeter(clock, notify);
    this.work = new StagingDirectory(root, name);
    this.#options = options;
    this.#signal = signal;
  }

  /** Aborts where nobody waits any more, or the lock was lost. */
  get signal(): AbortSignal {
    return this.#signal;
  }

  /**
   * The model, made by `make` unless it is there when the lock is ours.
   * @throws what `make` throws; M2fpError M2FP_CANCELLED, and with the code of the options
   */
  async run(make: () => Promise<Product>): Promise<PulledModel> {
    const { root, code } = this.#options;
    let leave: (() => Promise<void>) | undefined;
    try {
      leave = await makeFolder(join(root, WORK));
      return await this.#underLock(make);
    } catch (error) {
      if (this.#signal.aborted) throw cancellation(this.#signal);
      throw storeError(root, code, error, leave !== undefined);
    } finally {
      this.meter.end();
      await leave?.();
    }
  }

  async #underLock(make: () => Promise<Product>): Promise<PulledModel> {
    const { root, name, clock, verify = false, keep = false, again = false } = this.#options;
    const lock = await acquireLock(lockFile(root, name), {
      clock,
      signal: this.#signal,
      onWait: () => this.meter.begin('wait'),
    });
    this.#signal = AbortSignal.any([this.#signal, lock.lost]);
    try {
      if (again) await this.work.clear();
      const found = again ? undefined : await this.#intact(verify);
      if (found !== undefined) return { ...found, made: false, warnings: [], origins: null };
      // Other models' leftovers are no reason to fail here.
      await sweep(root, clock).catch(() => {});
      const finished = await this.work.prepare();
      const { folder, warnings, origins } =
        finished === undefined ? await make() : { folder: finished, warnings: [], origins: null };
      await lock.check();
      const checkpoint = keep ? await this.work.keepDownload(clock, this.#signal) : undefined;
      await this.work.install(folder, clock, this.#signal);
      const stored = await findModel(root, name);
      if (stored === undefined) throw new Error('The model is gone');
      return { ...stored, made: true, warnings, origins, ...(checkpoint && { checkpoint }) };
    } finally {
      await this.work.tidy();
      await lock.release();
    }
  }

  #intact(verify: boolean): Promise<StoredModel | undefined> {
    const { root, name } = this.#options;
    if (!verify) return intactModel(root, name);
    return damagedIsNone(async () => {
      const found = await findModel(root, name);
      if (found === undefined) return undefined;
      const total = Object.values(found.manifest.files).reduce((sum, { size }) => sum + size, 0);
      this.meter.begin('verify', 'model.onnx.data');
      return verifyModel(root, name, {
        signal: this.#signal,
        onProgress: (bytes) => this.meter.bytes(bytes, total),
      });
    });
  }
}

/** The model of that name; undefined for a damaged one too, which is made again. Digests are not computed. */
export function intactModel(root: string, name: ModelName): Promise<StoredModel | undefined> {
  return damagedIsNone(() => findModel(root, name));
}

async function damagedIsNone(find: () => Promise<StoredModel | undefined>): Promise<StoredModel | undefined> {
  try {
    return await find();
  } catch (error) {
    if (error instanceof M2fpError && error.code === 'M2FP_MODEL_INVALID') return undefined;
    throw error;
  }
}
