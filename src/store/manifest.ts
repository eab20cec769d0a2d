/** Reads and checks `m2fp.json`, the file that makes a folder a model. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { M2fpError } from '../errors.ts';
import type { ModelManifest } from '../m2fp/manifest.ts';

export const MANIFEST_FILE = 'm2fp.json';

/**
 * The manifest of a converted model. The model files must be there with the sizes that it tells; their digests
 * are not computed here.
 * @throws M2fpError M2FP_MODEL_NOT_FOUND where there is no such folder or it holds no converted model,
 *   M2FP_MODEL_INVALID where the manifest or a file is damaged
 */
export async function readManifest(folder: string): Promise<ModelManifest> {
  const file = join(folder, MANIFEST_FILE);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw await notFound(folder, error as NodeJS.ErrnoException);
  }
  const manifest = parseManifest(text, file);
  for (const [name, { size }] of Object.entries(manifest.files)) {
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (found?.size !== size) {
      const state = found === undefined ? 'is missing' : `has ${found.size} bytes instead of ${size}`;
      throw new M2fpError('M2FP_MODEL_INVALID', `${join(folder, name)} ${state}: convert the model again`);
    }
  }
  return manifest;
}

async function notFound(folder: string, error: NodeJS.ErrnoException): Promise<M2fpError> {
  const problem = (reason: string) => new M2fpError('M2FP_MODEL_NOT_FOUND', reason, { cause: error });
  const found = await stat(folder).catch(() => undefined);
  if (found === undefined) return problem(`There is no model folder ${folder}`);
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
    json = JSON.parse(text);
  } catch (error) {
    throw fail(`not valid JSON (${(error as Error).message})`);
  }
  if (typeof json !== 'object' || json === null) throw fail('not an object');
  const manifest = json as Partial<Record<keyof ModelManifest, unknown>> & Partial<ModelManifest>;
  if (manifest.format !== 1)
    throw fail(`its format is ${String(manifest.format)}, this version reads format 1`);
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
  require(manifest.humanIndex === null ||
    (isCount(manifest.humanIndex) && manifest.humanIndex < labels!.length), 'humanIndex');
  require(isInputRule(input), 'input');
  require(typeof manifest.scoreThreshold === 'number', 'scoreThreshold');
  require(['undefined', 'number'].includes(typeof manifest.mapConfidence), 'mapConfidence');
  require(manifest.precision === 'fp32' || manifest.precision === 'fp16', 'precision');
  require(isCount(files?.['model.onnx']?.size) && isCount(files?.['model.onnx.data']?.size), 'files');
  return manifest as ModelManifest;
}

const isCount = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 0;

function isInputRule(rule: Partial<Record<string, unknown>> | undefined): boolean {
  if (rule?.['kind'] === 'short-side') return isCount(rule['shortSide']) && isCount(rule['longSide']);
  return rule?.['kind'] === 'canvas' && ['width', 'height', 'pad'].every((key) => isCount(rule[key]));
}
