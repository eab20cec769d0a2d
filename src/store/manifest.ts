/** Reads and checks `m2fp.json`, the file that makes a folder a model. */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseJson, readBounded } from '../bounded-file.ts';
import { isArchiveName } from '../checkpoint/format.ts';
import { M2fpError } from '../errors.ts';
import { type ModelManifest, type Precision, PRECISIONS } from '../m2fp/manifest.ts';
import { fileDigest } from './digest.ts';
import { isInt8Origin } from './int8-check.ts';
import { MANIFEST_FILE } from './names.ts';

/** A manifest takes some kilobytes; labels may be long, but not so long. */
const MAX_BYTES = 2 ** 20;

/**
 * The manifest of a converted model. The model files must be there with the sizes that it tells; whether they have
 * the digests that it tells, {@link intactManifest} finds out.
 * @throws M2fpError M2FP_MODEL_NOT_FOUND where there is no such folder or it holds no converted model,
 *   M2FP_MODEL_INVALID where the manifest or a file is damaged
 */
export async function readManifest(folder: string): Promise<ModelManifest> {
  const file = join(folder, MANIFEST_FILE);
  let text: string;
  try {
    text = await readBounded(file, MAX_BYTES);
  } catch (error) {
    throw await notFound(folder, error as NodeJS.ErrnoException);
  }
  const manifest = parseManifest(text, file);
  for (const [name, { size }] of Object.entries(manifest.files)) {
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (found?.isFile() !== true || found.size !== size) {
      const state = found === undefined ? 'is missing' : `has ${found.size} bytes instead of ${size}`;
      const problem = found?.isFile() === false ? 'is not a regular file' : state;
      throw new M2fpError('M2FP_MODEL_INVALID', `${join(folder, name)} ${problem}: convert the model again`);
    }
  }
  return manifest;
}

/**
 * The manifest of a converted model whose files are what it tells: before they are loaded. They are read once for each
 * state of them, see {@link fileDigest}.
 * @throws M2fpError as {@link readManifest} does; M2FP_MODEL_INVALID where a file has another digest
 */
export async function intactManifest(folder: string): Promise<ModelManifest> {
  const manifest = await readManifest(folder);
  for (const [name, { sha256 }] of Object.entries(manifest.files)) {
    const path = join(folder, name);
    const found = await fileDigest(path).catch((error: Error) => {
      throw new M2fpError('M2FP_MODEL_INVALID', `${path} cannot be read: ${error.message}`, { cause: error });
    });
    if (found === sha256) continue;
    throw new M2fpError(
      'M2FP_MODEL_INVALID',
      `${path} is not the file that was converted (SHA-256 ${found.slice(0, 12)}… instead of ${sha256.slice(0, 12)}…): ` +
        'it was changed, or the disk is failing. Convert the model again ("m2fp convert", "m2fp pull ID --verify"), or ' +
        'install the package again where it is the bundled one',
    );
  }
  return manifest;
}

/**
 * SHA-256, lower-case hex, over what decides the results of a model: the digests of its files, labels, input rule and
 * thresholds. Whatever a manifest says of its own digest, this is the one that counts.
 */
export function modelDigest(
  manifest: Pick<
    ModelManifest,
    'files' | 'kind' | 'labels' | 'humanIndex' | 'input' | 'scoreThreshold' | 'mapConfidence'
  >,
): string {
  const { files, kind, labels, humanIndex, input, scoreThreshold, mapConfidence } = manifest;
  const decisive = {
    digests: Object.values(files).map(({ sha256 }) => sha256),
    kind,
    labels,
    humanIndex,
    input,
    scoreThreshold,
    mapConfidence,
  };
  return createHash('sha256').update(JSON.stringify(decisive)).digest('hex');
}

async function notFound(folder: string, error: NodeJS.ErrnoException): Promise<M2fpError> {
  const problem = (reason: string) => new M2fpError('M2FP_MODEL_NOT_FOUND', reason, { cause: error });
  const found = await stat(folder).catch(() => undefined);
  if (found === undefined) return problem(`There is no model folder ${folder}`);
  if (!found.isDirectory() && isArchiveName(folder)) {
    return problem(`${folder} is an archive: unpack it first, and give the folder or checkpoint inside`);
  }
  if (!found.isDirectory() && !found.isFile()) {
    return problem(
      `${folder} is neither a folder nor a regular file: give the folder of a model, or a checkpoint`,
    );
  }
  if (!found.isDirectory()) {
    return problem(
      `${folder} is a file; convert a checkpoint with "m2fp convert ${folder} --out FOLDER" first`,
    );
  }
  const checkpoint = await stat(join(folder, 'pytorch_model.pt')).catch(() => undefined);
  if (checkpoint !== undefined) {
    return problem(
      `${folder} holds a PyTorch checkpoint, not a converted model: run "m2fp convert ${folder} --out FOLDER" and ` +
        'give that folder',
    );
  }
  if (error.code === 'ENOENT') return problem(`${folder} holds no converted model (no ${MANIFEST_FILE})`);
  if (error.code === undefined) {
    return new M2fpError(
      'M2FP_MODEL_INVALID',
      `${join(folder, MANIFEST_FILE)} ${error.message}: convert the model again`,
    );
  }
  return problem(`${join(folder, MANIFEST_FILE)} cannot be read: ${error.message}`);
}

/**
 * @throws M2fpError M2FP_MODEL_INVALID naming the entry that is missing or wrong
 */
export function parseManifest(text: string, file: string): ModelManifest {
  const fail = (reason: string) =>
    new M2fpError('M2FP_MODEL_INVALID', `${file}: ${reason}; convert the model again with this version`);
  let json: unknown;
  try {
    json = parseJson(text);
  } catch (error) {
    throw fail(`it ${(error as Error).message}`);
  }
  if (typeof json !== 'object' || json === null) throw fail('not an object');
  const manifest = json as Partial<Record<keyof ModelManifest, unknown>> & Partial<ModelManifest>;
  const format: unknown = manifest.format;
  if (format !== 1) {
    const found = typeof format === 'number' ? `is ${format}` : 'is not told';
    throw fail(`its format ${found}, this version reads format 1`);
  }
  const require = (condition: boolean, entry: string) => {
    if (!condition) throw fail(`the entry "${entry}" is missing or wrong`);
  };
  const { labels, input, files } = manifest;
  require(typeof manifest.id === 'string', 'id');
  require(typeof manifest.digest === 'string', 'digest');
  require(manifest.kind === 'multi' || manifest.kind === 'single', 'kind');
  require(Array.isArray(labels) &&
    labels.length > 0 &&
    labels.every((name) => typeof name === 'string'), 'labels');
  // The whole person's is the last label; everything that comes after the network relies on it.
  require(manifest.humanIndex === (manifest.kind === 'multi' ? labels!.length - 1 : null), 'humanIndex');
  require(isInputRule(input), 'input');
  require(typeof manifest.scoreThreshold === 'number', 'scoreThreshold');
  require(['undefined', 'number'].includes(typeof manifest.mapConfidence), 'mapConfidence');
  require(PRECISIONS.includes(manifest.precision as Precision), 'precision');
  require(manifest.int8 === undefined || isInt8Origin(manifest.int8), 'int8');
  require(manifest.warnings === undefined ||
    (Array.isArray(manifest.warnings) &&
      manifest.warnings.every((warning) => typeof warning === 'string')), 'warnings');
  require([files?.['model.onnx'], files?.['model.onnx.data']].every(isFileEntry), 'files');
  const { 'model.onnx': network, 'model.onnx.data': weights } = files!;
  // Other names could lead out of the folder, and nothing would read them.
  const whole = {
    ...(manifest as ModelManifest),
    files: { 'model.onnx': network, 'model.onnx.data': weights },
  };
  return { ...whole, digest: modelDigest(whole) };
}

const isFileEntry = (entry: { size?: unknown; sha256?: unknown } | undefined): boolean =>
  isCount(entry?.size) && typeof entry?.sha256 === 'string' && /^[0-9a-f]{64}$/.test(entry.sha256);

const isCount = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 0;

function isInputRule(rule: Partial<Record<string, unknown>> | undefined): boolean {
  if (rule?.['kind'] === 'short-side') return isCount(rule['shortSide']) && isCount(rule['longSide']);
  return rule?.['kind'] === 'canvas' && ['width', 'height', 'pad'].every((key) => isCount(rule[key]));
}
