/** From the id of a published model to a model in the store: download, convert, move there. */
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import { systemClock, type Clock } from '../clock.ts';
import { M2fpError } from '../errors.ts';
import type { Precision } from '../m2fp/manifest.ts';
import { namesOf, publishedFacts } from '../m2fp/published.ts';
import { throwIfCancelled } from './cancel.ts';
import { convertInProcess } from './convert-process.ts';
import { convertedSize, freeBytes, requireSpace } from './disk.ts';
import { downloadFile } from './download.ts';
import type { RequestOptions } from './http.ts';
import {
  intactModel,
  ModelInstaller,
  type ModelInstallerOptions,
  type Product,
  type PulledModel,
} from './install-model.ts';
import { listFiles, MODELSCOPE, ModelAddress, type ListedFile } from './modelscope.ts';
import { checkConvertedName, modelKey, storedName, type ConvertedName } from './names.ts';
import type { PullProgress } from './progress.ts';
import type { RetryOptions } from './retry.ts';
import { SingleFlight } from './single-flight.ts';

export type { PulledModel } from './install-model.ts';

const CONFIGURATION = 'configuration.json';
/** The names under which ModelScope publishes checkpoints; the first one found is taken. */
const CHECKPOINTS = ['pytorch_model.pt', 'pytorch_model.bin'];
/** Milliseconds without a byte after which a connection is given up. */
const STALL_TIME = 30_000;

/** What a pull uses of the world; tests put others in their place. */
export interface PullTools {
  clock: Clock;
  /** A number from 0 to 1. */
  random: () => number;
  /** Bytes that can be written where `folder` is. */
  freeBytes: (folder: string) => Promise<number>;
  convert: typeof convertInProcess;
  /** Milliseconds. */
  stallTime: number;
}

export interface PullOptions {
  /** For example `iic/cv_resnet101_image-multiple-human-parsing`. */
  id: string;
  /** A branch, tag or commit; default: `master`. */
  revision?: string;
  /** The store's folder. */
  root: string;
  /** Default: `https://modelscope.cn`. Also a mirror's address, with or without ModelScope's list of files. */
  baseUrl?: string;
  /** How the weights are stored; default: `fp32`. */
  precision?: Precision;
  /** Whether a model that is there is read and compared with its digests, and made again where it differs. */
  verify?: boolean;
  /** Whether the downloaded files are kept beside the store's models after the conversion; default: they are removed. */
  keepCheckpoint?: boolean;
  /** What has been downloaded stays for the next pull. */
  signal?: AbortSignal;
  onProgress?: (progress: PullProgress) => void;
  tools?: Partial<PullTools>;
}

const pulls = new SingleFlight<PulledModel, PullProgress>();

const defaultTools: PullTools = {
  clock: systemClock,
  random: Math.random,
  freeBytes,
  convert: convertInProcess,
  stallTime: STALL_TIME,
};

/**
 * The model from the store; where the store has none, or a damaged one, downloads and converts it. Callers and
 * processes that ask for the same model at the same time share the work. Nothing is downloaded for a model that is
 * there.
 * @throws M2fpError M2FP_BAD_OPTION, M2FP_MODEL_NOT_FOUND, M2FP_DOWNLOAD_FAILED, M2FP_CHECKPOINT_INVALID,
 *   M2FP_ENGINE_CRASHED where the conversion died, M2FP_CANCELLED
 */
export async function pullModel(options: PullOptions): Promise<PulledModel> {
  const { id, revision = 'master', precision = 'fp32', baseUrl = MODELSCOPE, verify = false } = options;
  const { signal, onProgress, keepCheckpoint = false } = options;
  const root = resolve(options.root);
  const name = storedName(root, checkConvertedName({ id, revision, precision }));
  // As it was asked for first: a mirror may have it under one of its names only.
  const addresses = [...new Set([id, ...namesOf(id)])].map(
    (each) => new ModelAddress(each, revision, baseUrl),
  );
  throwIfCancelled(signal);
  const found = verify ? undefined : await intactModel(root, name);
  if (found !== undefined) return { ...found, made: false, warnings: [], origins: null };
  const key = `${root}\n${modelKey(name)}\n${baseUrl}\n${verify}\n${keepCheckpoint}`;
  const tools = { ...defaultTools, ...options.tools };
  return pulls.join(
    key,
    (ending, notify) =>
      new Pull({ root, name, signal: ending, notify, verify, keep: keepCheckpoint }, addresses, tools).run(),
    { ...(signal && { signal }), ...(onProgress && { onProgress }) },
  );
}

class Pull {
  readonly #name: ConvertedName;
  readonly #addresses: readonly ModelAddress[];
  /** The one that is asked. */
  #address: ModelAddress;
  readonly #tools: PullTools;
  readonly #root: string;
  readonly #making: ModelInstaller;

  constructor(
    options: Pick<ModelInstallerOptions, 'root' | 'signal' | 'notify' | 'verify' | 'keep'> & {
      name: ConvertedName;
    },
    addresses: readonly ModelAddress[],
    tools: PullTools,
  ) {
    this.#name = options.name;
    this.#root = options.root;
    this.#addresses = addresses;
    this.#address = addresses[0]!;
    this.#tools = tools;
    this.#making = new ModelInstaller({ ...options, clock: tools.clock, code: 'M2FP_DOWNLOAD_FAILED' });
  }

  run(): Promise<PulledModel> {
    return this.#making.run(() => this.#make());
  }

  async #make(): Promise<Product> {
    const { meter, work } = this.#making;
    const checkpoint = await this.#download();
    const folder = work.newModel();
    meter.begin('convert');
    try {
      const { warnings, origins } = await this.#tools.convert({
        source: join(work.download, checkpoint.path),
        out: folder,
        id: this.#name.id,
        precision: this.#name.precision,
        signal: this.#making.signal,
        onProgress: (share) => meter.share(share),
      });
      return { folder, warnings, origins };
    } catch (error) {
      // Without a digest nobody knows whether the download or the original is bad: the next pull fetches it again.
      if ((error as M2fpError).code === 'M2FP_CHECKPOINT_INVALID' && checkpoint.sha256 === undefined) {
        await work.clear();
      }
      throw error;
    }
  }

  /** Downloads configuration and checkpoint, under the first of the model's names that the server knows. */
  async #download(): Promise<ListedFile> {
    let unknown: unknown;
    for (const address of this.#addresses) {
      this.#address = address;
      try {
        return await this.#downloadFrom();
      } catch (error) {
        if ((error as M2fpError).code !== 'M2FP_MODEL_NOT_FOUND') throw error;
        unknown ??= error;
      }
    }
    throw unknown;
  }

  /** Returns the checkpoint. */
  async #downloadFrom(): Promise<ListedFile> {
    this.#making.meter.begin('list');
    const files = await listFiles(this.#address, this.#requests());
    if (files === undefined) return this.#downloadUnlisted();
    const checkpoint = CHECKPOINTS.map((path) => files.find((file) => file.path === path)).find(Boolean);
    if (checkpoint === undefined) {
      const names = files.map(({ path }) => path).join(', ');
      throw new M2fpError(
        'M2FP_MODEL_NOT_FOUND',
        `${this.#address.id} (${this.#name.revision}) holds no checkpoint ${CHECKPOINTS.join(' or ')}: is it an M2FP ` +
          `model? It holds: ${names.slice(0, 500) || 'nothing'}`,
      );
    }
    const wanted = [...files.filter(({ path }) => path === CONFIGURATION), checkpoint];
    await this.#keepOnly(wanted.map(({ path }) => path));
    await this.#checkDisk(wanted, checkpoint);
    const total = sum(wanted.map(({ size }) => size ?? NaN));
    let before = 0;
    for (const file of wanted) {
      if (!(await this.#fetch(file, before, Number.isNaN(total) ? undefined : total))) {
        throw new M2fpError(
          'M2FP_DOWNLOAD_FAILED',
          `${this.#address.file(file.path)[0]?.host} lists the file ${file.path} of ${this.#name.id}, but answers ` +
            'with status 404 when it is asked for: try again later, or take another server',
        );
      }
      before += file.size ?? 0;
    }
    return checkpoint;
  }

  /** From a mirror that only serves files. */
  async #downloadUnlisted(): Promise<ListedFile> {
    const { download } = this.#making.work;
    if (!(await this.#fetch({ path: CONFIGURATION })))
      await rm(join(download, CONFIGURATION), { force: true });
    for (const path of CHECKPOINTS) {
      if (await this.#fetch({ path })) return { path };
      await rm(join(download, path), { force: true });
    }
    throw new M2fpError(
      'M2FP_MODEL_NOT_FOUND',
      `${this.#address.listing.host} has neither a list of files (${this.#address.listing.pathname}) nor a file ` +
        `${this.#address.file(CHECKPOINTS[0] ?? '')[0]?.pathname}: check the address of the server, the id and the ` +
        'revision',
    );
  }

  async #fetch(file: ListedFile, before = 0, total?: number): Promise<boolean> {
    let verifying = false;
    this.#making.meter.begin('download', file.path);
    return downloadFile({
      ...this.#requests(),
      urls: this.#address.file(file.path),
      file: join(this.#making.work.download, file.path),
      expected: { ...(file.size && { size: file.size }), ...(file.sha256 && { sha256: file.sha256 }) },
      onReceived: (received, size) => {
        if (verifying) this.#making.meter.begin('download', file.path);
        verifying = false;
        this.#making.meter.bytes(before + received, total ?? size ?? null);
      },
      onVerified: (bytes, size) => {
        if (!verifying) this.#making.meter.begin('verify', file.path);
        verifying = true;
        this.#making.meter.bytes(bytes, size);
      },
    });
  }

  #requests(): RequestOptions & Pick<RetryOptions, 'random' | 'onRetry'> {
    const { clock, random, stallTime } = this.#tools;
    return {
      clock,
      random,
      onRetry: (retry) => this.#making.meter.retry(retry),
      stallTime,
      signal: this.#making.signal,
      userAgent: `m2fp-node-red/${packageJson.version}`,
    };
  }

  /** Removes what an earlier attempt downloaded and the model does not have any more. */
  async #keepOnly(paths: string[]): Promise<void> {
    const { download } = this.#making.work;
    await mkdir(download, { recursive: true });
    const kept = new Set(paths.flatMap((path) => [path, `${path}.json`]));
    for (const name of await readdir(download)) {
      if (!kept.has(name)) await rm(join(download, name), { recursive: true, force: true });
    }
  }

  /** At most so many bytes of the checkpoint are weights: a trainer's state lies beside them, and stays there. */
  #weights({ size = 0 }: ListedFile): number {
    return Math.min(size, publishedFacts(this.#name.id)?.weights ?? Infinity);
  }

  /** @throws M2fpError M2FP_DOWNLOAD_FAILED where checkpoint and converted model would not fit */
  async #checkDisk(wanted: ListedFile[], checkpoint: ListedFile): Promise<void> {
    const here = await Promise.all(
      wanted.map(({ path }) =>
        stat(join(this.#making.work.download, path)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
    );
    requireSpace({
      root: this.#root,
      free: await this.#tools.freeBytes(this.#root),
      bytes:
        Math.max(0, sum(wanted.map(({ size = 0 }) => size)) - sum(here)) +
        convertedSize(this.#weights(checkpoint), this.#name.precision),
      purpose: `to download and convert ${this.#name.id}`,
      code: 'M2FP_DOWNLOAD_FAILED',
    });
  }
}

const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);
