/** From a converted model and pictures to the same model with parts of it in int8. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import { M2fpError } from '../errors.ts';
import { type Int8Origin, int8Warnings } from '../m2fp/int8-origin.ts';
import type { ModelManifest } from '../m2fp/manifest.ts';
import { DEFAULT_PARTS, type Part, PARTS } from '../m2fp/parts.ts';
import { Int8Builder } from '../onnx/int8-builder.ts';
import { DEFAULT_WEIGHT_BITS, type WeightBits } from '../onnx/int8-weight.ts';
import { writeModel } from '../onnx/write.ts';
import { throwIfCancelled } from '../store/cancel.ts';
import { freeBytes, requireSpace } from '../store/disk.ts';
import { existingFolder, isSame } from '../store/folders.ts';
import { intactManifest, modelDigest } from '../store/manifest.ts';
import { MANIFEST_FILE } from '../store/names.ts';
import type { Into, JobOptions } from '../store/one-job.ts';
import { writeBeside } from '../store/write-beside.ts';
import { calibrate } from './calibrate.ts';
import { type FloatModel, openFloatModel } from './float-model.ts';
import { compareHeldBack, type Model } from './held-back.ts';
import { checkMakable } from './makable.ts';
import { listPictures } from './picture-files.ts';
import { Pictures } from './pictures.ts';
import { type ActivationStatistics, type Calibration, CALIBRATIONS } from './range.ts';

/** The shares of the work after which the ranges are known, and the int8 model is written; the rest is comparing. */
const RANGES_SHARE = 0.65;
const WRITTEN_SHARE = 0.7;

export interface QuantizeOptions extends JobOptions {
  /** The folder of a converted model, fp32 or fp16. */
  model: string;
  /** A folder with pictures, like those that the model will see; default: the drawn scenes of the package. */
  pictures?: string | undefined;
  /** The folder to make; a model that it holds is replaced. */
  out: string;
  /** What the model is called; default: as the one that it is made of. */
  id?: string;
  /** Default: {@link DEFAULT_PARTS}. */
  parts?: readonly Part[];
  /** Default: `min-max`. */
  calibration?: Calibration;
  /** Default: 7. */
  weightBits?: WeightBits;
  /** Default: false. */
  correctBias?: boolean;
  /** Bytes that can be written where a folder is; for tests. */
  freeBytes?: typeof freeBytes;
}

export interface Quantized {
  manifest: ModelManifest;
  /** What a user should know: pictures that could not be used or were too few, and a result that is far off. */
  warnings: string[];
}

/**
 * Makes an int8 model. It is written beside `out` and moved there when it is whole.
 * @throws M2fpError M2FP_BAD_OPTION, also for a model that is int8 already or for other engines; M2FP_NO_IMAGE and M2FP_BAD_IMAGE where no
 *   picture can be used; M2FP_MODEL_NOT_FOUND, M2FP_MODEL_INVALID, also where the disk has no room; M2FP_ENGINE_UNAVAILABLE,
 *   M2FP_CANCELLED
 */
export function quantizeModel(options: QuantizeOptions): Promise<Quantized> {
  return writeBeside(options.out, options.signal, (into) => quantizeInto({ ...options, into }));
}

/**
 * Does the work of {@link quantizeModel} for who moves the model to `out`.
 * @throws as {@link quantizeModel} does
 */
export async function quantizeInto({ into, ...options }: Into<QuantizeOptions>): Promise<Quantized> {
  checkOptions(options);
  const folder = resolve(options.model);
  if (await isSame(folder, options.out)) {
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      `${options.out} is the folder of the model itself, which stays as it is: name another folder for the int8 model`,
    );
  }
  const manifest = await intactManifest(folder);
  checkMakable(folder, manifest);
  const files = await listPictures(options.pictures);
  const pictures = new Pictures(files, manifest.input);
  const model = await openFloatModel(folder, manifest);
  try {
    await requireRoom(options, manifest);
    const made = await quantizeOpened(into, model, { folder, manifest }, pictures, options);
    await checkUnchanged(folder, manifest);
    return { manifest: made, warnings: [...pictures.warnings, ...int8Warnings(made.int8!)] };
  } catch (error) {
    // A consequence of that, mostly.
    if (!options.signal?.aborted) await checkUnchanged(folder, manifest, error);
    throw error;
  } finally {
    await model.close();
  }
}

async function quantizeOpened(
  folder: string,
  model: FloatModel,
  float: Model,
  pictures: Pictures,
  options: QuantizeOptions,
): Promise<ModelManifest> {
  const {
    parts = DEFAULT_PARTS,
    calibration = 'min-max',
    weightBits = DEFAULT_WEIGHT_BITS,
    correctBias = false,
  } = options;
  const { signal, onProgress = () => {} } = options;
  const producer = { name: packageJson.name, version: packageJson.version };

  const watched = join(folder, 'watched');
  await mkdir(watched);
  const inputs = pictures.inputs((share) => onProgress(share * RANGES_SHARE));
  const seen = await calibrate({ model, parts, folder: watched, producer, inputs, signal });
  await rm(watched, { recursive: true });

  const facts = (statistics: ActivationStatistics) => ({
    ...statistics.range(calibration),
    means: statistics.means(),
  });
  const g = new Int8Builder({
    parts,
    activations: new Map([...seen].map(([name, statistics]) => [name, facts(statistics)])),
    weightBits,
    correctBias,
    replace: model.replace,
  });
  model.addTo(g);
  const written = pictures.heldBack.length === 0 ? 1 : WRITTEN_SHARE;
  const files = await writeModel(g.finish(), folder, {
    precision: model.precision,
    producer,
    onProgress: (share) => {
      throwIfCancelled(signal);
      onProgress(RANGES_SHARE + share * (written - RANGES_SHARE));
    },
  });
  const int8: Int8Origin = {
    parts: [...parts],
    calibration,
    weightBits,
    correctedBias: correctBias,
    pictures: pictures.used,
    ...(options.pictures === undefined && { drawn: true as const }),
    from: { digest: float.manifest.digest, precision: model.precision },
  };
  const manifest: ModelManifest = {
    ...float.manifest,
    id: options.id ?? float.manifest.id,
    digest: modelDigest({ ...float.manifest, files }),
    precision: 'int8',
    int8,
    files,
  };
  const report = await compareHeldBack({
    float,
    int8: { folder, manifest },
    pictures,
    signal,
    onProgress: (share) => onProgress(WRITTEN_SHARE + share * (1 - WRITTEN_SHARE)),
  });
  if (report !== undefined) int8.report = report;
  await writeFile(join(folder, MANIFEST_FILE), `${JSON.stringify(manifest, undefined, 2)}\n`);
  return manifest;
}

/** @throws M2fpError M2FP_BAD_OPTION */
function checkOptions({ parts = DEFAULT_PARTS, calibration, weightBits }: QuantizeOptions): void {
  const fail = (reason: string) => new M2fpError('M2FP_BAD_OPTION', reason);
  const known = Object.keys(PARTS);
  const unknown = parts.find((part) => !known.includes(part));
  if (unknown !== undefined) throw fail(`There is no part ${unknown}, there are ${known.join(', ')}`);
  if (parts.length === 0) throw fail(`No part was chosen: give some of ${known.join(', ')}`);
  if (calibration !== undefined && !CALIBRATIONS.includes(calibration))
    throw fail(`calibration is ${calibration}, allowed are ${CALIBRATIONS.join(', ')}`);
  if (weightBits !== undefined && weightBits !== 7 && weightBits !== 8)
    throw fail(`weightBits is ${String(weightBits)}, allowed are 7 and 8`);
}

/** @throws M2fpError M2FP_MODEL_INVALID where the model was changed or removed since `manifest` was read */
async function checkUnchanged(folder: string, manifest: ModelManifest, cause?: unknown): Promise<void> {
  const now = await intactManifest(folder).catch(() => undefined);
  if (now?.digest === manifest.digest) return;
  throw new M2fpError(
    'M2FP_MODEL_INVALID',
    `The model in ${folder} was changed or removed while it was made int8, and nothing was written: try again when it ` +
      'is complete',
    { cause },
  );
}

/** Room for the network that is watched, and for the int8 one. */
async function requireRoom(
  { out, freeBytes: free = freeBytes }: QuantizeOptions,
  { files }: ModelManifest,
): Promise<void> {
  const size = Object.values(files).reduce((sum, file) => sum + file.size, 0);
  const root = await existingFolder(dirname(resolve(out)));
  requireSpace({
    root,
    free: await free(root),
    bytes: 2 * size,
    purpose: 'to make it int8',
    code: 'M2FP_MODEL_INVALID',
  });
}
