/** From a checkpoint on this machine to a model in the store: converted once, wherever it is used. */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { systemClock, type Clock } from '../clock.ts';
import { M2fpError } from '../errors.ts';
import type { WeightsChoice } from '../checkpoint/index.ts';
import type { FloatPrecision, Precision } from '../m2fp/manifest.ts';
import { throwIfCancelled } from './cancel.ts';
import { convertInProcess } from './convert-process.ts';
import { CHECKPOINT_FILES, locateCheckpoint } from './convert.ts';
import { convertedSize, freeBytes, requireSpace } from './disk.ts';
import { intactModel, ModelInstaller, type Product, type PulledModel } from './install-model.ts';
import {
  checkConvertedName,
  localId,
  MANIFEST_FILE,
  modelKey,
  type ConvertedName,
  type ModelName,
} from './names.ts';
import type { PullProgress } from './progress.ts';
import { SingleFlight } from './single-flight.ts';

/** What a file must end in to be taken for a checkpoint. */
const EXTENSIONS = ['.pt', '.pth', '.bin', '.safetensors'];
/** Characters of the digest that tells one state of a file from another. */
const KEY_LENGTH = 16;

/** What lies on this machine, and the name of the model that it becomes in the store `root`. */
export interface LocalSource extends ModelName {
  root: string;
  /** Absolute: a checkpoint file, or a folder that holds one; of an int8 model also the folder of a float model. */
  source: string;
  /** Absent: those of the last step. */
  weights?: WeightsChoice;
  /** The folder of pictures that an int8 model is made with; absent: the drawn scenes of the package. */
  pictures?: string;
}

/** A checkpoint, and the name of the model that it becomes in the store `root`. */
export interface LocalCheckpoint extends LocalSource, ConvertedName {
  precision: FloatPrecision;
}

/** Where and how a checkpoint is converted. */
export interface Conversion {
  /** The store's folder. */
  root: string;
  /** Default: `fp32`. */
  precision?: Precision | undefined;
  /** Default: those of the last step. */
  weights?: WeightsChoice | undefined;
  /** See {@link LocalSource.pictures}. */
  pictures?: string | undefined;
}

/**
 * The checkpoint at `path`: a file, or a folder in ModelScope's layout that was not converted. Undefined for anything
 * else, a converted model among them.
 *
 * The revision of its model stands for path, size and time of last change of checkpoint and configuration: a file that
 * was replaced is converted anew, and a look at 250 MB is not needed to tell. Averaged weights make another model.
 * @throws M2fpError M2FP_BAD_OPTION for an unknown precision
 */
export async function localCheckpoint(
  path: string,
  root: string,
  { precision = 'fp32', weights = 'model' }: Omit<Conversion, 'root' | 'pictures'> = {},
): Promise<LocalCheckpoint | undefined> {
  const source = resolve(path);
  if (!(await isCheckpoint(source))) return undefined;
  const { file, configurationFile } = await locateCheckpoint(source);
  const states = await Promise.all([file, configurationFile].map(stateOf));
  const digest = createHash('sha256')
    .update(JSON.stringify([file, ...states, ...(weights === 'ema' ? [weights] : [])]))
    .digest('hex');
  const name = checkConvertedName({
    id: localId(basename(source)),
    revision: digest.slice(0, KEY_LENGTH),
    precision,
  });
  return { ...name, root: resolve(root), source, ...(weights === 'ema' && { weights }) };
}

async function isCheckpoint(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return false;
  if (!found.isDirectory()) return EXTENSIONS.includes(extname(path).toLowerCase());
  const has = (name: string) => stateOf(join(path, name)).then((state) => state !== null);
  if (await has(MANIFEST_FILE)) return false;
  return (await Promise.all(CHECKPOINT_FILES.map(has))).includes(true);
}

/** Size and time of last change; null where there is no such file. */
async function stateOf(file: string): Promise<[number, number] | null> {
  return stat(file).then(
    ({ size, mtimeMs }) => [size, mtimeMs],
    () => null,
  );
}

/** What a conversion uses of the world; tests put others in their place. */
export interface LocalTools {
  clock: Clock;
  freeBytes: typeof freeBytes;
  convert: typeof convertInProcess;
}

export interface LocalOptions {
  signal?: AbortSignal;
  /** Phases `wait`, for another process that converts the same, and `convert`. */
  onProgress?: (progress: PullProgress) => void;
  tools?: Partial<LocalTools>;
}

const conversions = new SingleFlight<PulledModel, PullProgress>();

/**
 * The model of a checkpoint from the store, converted in a process of its own where it is not there. Callers and
 * processes that ask for the same one at the same time share the work.
 * @throws M2fpError what `convertInProcess` throws; M2FP_CHECKPOINT_INVALID where the checkpoint is changed meanwhile;
 *   M2FP_MODEL_NOT_FOUND where the store cannot be written to; M2FP_CANCELLED
 */
export async function convertLocal(
  local: LocalSource,
  { signal, onProgress, tools }: LocalOptions = {},
): Promise<PulledModel> {
  const checkpoint: LocalCheckpoint = { ...local, ...checkConvertedName(local) };
  const { root } = checkpoint;
  throwIfCancelled(signal);
  const found = await intactModel(root, checkpoint);
  if (found !== undefined) return { ...found, made: false, warnings: [], origins: null };
  const used: LocalTools = { clock: systemClock, freeBytes, convert: convertInProcess, ...tools };
  return conversions.join(
    `${root}\n${modelKey(checkpoint)}`,
    (ending, notify) => {
      const { id, revision, precision } = checkpoint;
      const making = new ModelInstaller({
        root,
        name: { id, revision, precision },
        clock: used.clock,
        signal: ending,
        notify,
        code: 'M2FP_MODEL_NOT_FOUND',
      });
      return making.run(() => convert(checkpoint, making, used));
    },
    { ...(signal && { signal }), ...(onProgress && { onProgress }) },
  );
}

async function convert(
  checkpoint: LocalCheckpoint,
  making: ModelInstaller,
  tools: LocalTools,
): Promise<Product> {
  const { root, source, id, revision, precision, weights } = checkpoint;
  const { meter, work } = making;
  meter.begin('convert');
  const { size } = await stat((await locateCheckpoint(source)).file);
  requireSpace({
    root,
    free: await tools.freeBytes(root),
    bytes: convertedSize(size, precision),
    purpose: `to convert ${source}`,
    code: 'M2FP_MODEL_NOT_FOUND',
  });
  const folder = work.newModel();
  const { warnings, origins } = await tools.convert({
    source,
    out: folder,
    id,
    precision,
    ...(weights && { weights }),
    signal: making.signal,
    onProgress: (share) => meter.share(share),
  });
  const now = await localCheckpoint(source, root, { precision, weights });
  if (now?.revision !== revision) {
    await work.clear();
    throw new M2fpError(
      'M2FP_CHECKPOINT_INVALID',
      `${source} was changed while it was being converted: try again when it is complete`,
    );
  }
  return { folder, warnings, origins };
}
