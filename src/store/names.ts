/** The names of published models, and the folders that they become. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { M2fpError } from '../errors.ts';
import { type FloatPrecision, type Precision, PRECISIONS } from '../m2fp/manifest.ts';
import { namesOf } from '../m2fp/published.ts';
import { isFolderName, isModelId } from './model-id.ts';

/** Sets a variant apart from the revision; no revision holds it. */
const VARIANT = '+';

/** The file that makes a folder a model. */
export const MANIFEST_FILE = 'm2fp.json';

/** The owner, in the store, of models that were converted from checkpoints on this machine. */
export const LOCAL_OWNER = 'local';

/** A model in a store: what is asked for, and where it lies. */
export interface ModelName {
  /** For example `iic/cv_resnet101_image-multiple-human-parsing`. */
  id: string;
  revision: string;
  precision: Precision;
}

/**
 * Checks a name that comes from a user.
 * @throws M2fpError M2FP_BAD_OPTION where it is no id `owner/name` or no revision, or could not be a folder
 */
export function checkName({ id, revision, precision }: ModelName): ModelName {
  if (typeof id !== 'string' || !isModelId(id)) {
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      `${JSON.stringify(id)} is no model id: ids look like iic/cv_resnet101_image-multiple-human-parsing ` +
        '(letters, digits, ".", "_" and "-")',
    );
  }
  if (typeof revision !== 'string' || !isFolderName(revision)) {
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      `${JSON.stringify(revision)} is no revision: give a branch, tag or commit such as master or v1.0.1 ` +
        '(letters, digits, ".", "_" and "-")',
    );
  }
  if (!PRECISIONS.includes(precision)) {
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      `The precision is ${precision}, allowed are ${PRECISIONS.join(', ')}`,
    );
  }
  return { id, revision, precision };
}

/** The name of a model that is converted from a checkpoint. */
export interface ConvertedName extends ModelName {
  precision: FloatPrecision;
}

/**
 * Checks the name of a model that is to be converted.
 * @throws M2fpError M2FP_BAD_OPTION as {@link checkName} does, and for `int8`
 */
export function checkConvertedName(name: ModelName): ConvertedName {
  const { id, revision, precision } = checkName(name);
  if (precision !== 'int8') return { id, revision, precision };
  throw new M2fpError(
    'M2FP_BAD_OPTION',
    'A checkpoint is converted to fp32 or fp16, not to int8: that is made of the model, with "m2fp quantize"',
  );
}

/** A name that can be a folder everywhere, made of any text. */
export function folderNameOf(text: string): string {
  const name = text
    .replaceAll(/[^\w.-]+/g, '-')
    .replaceAll(/\.{2,}/g, '.')
    .slice(0, 64)
    .replace(/^[.-]+/, '')
    .replace(/\.+$/, '');
  return isFolderName(name) ? name : 'checkpoint';
}

/**
 * The folder of a model: `<root>/<id>/<revision>`, and with `+fp16` or `+int8` behind it for another precision. A model that has
 * an older name, too, and lies there under it, stays there: see {@link storedName}.
 */
export function modelFolder(root: string, name: ModelName): string {
  return literalFolder(root, storedName(root, name));
}

function literalFolder(root: string, name: ModelName): string {
  return join(root, ...name.id.split('/'), folderOf(name));
}

/** The name under which a store has the model, or would: its present one, unless it lies there under an older one. */
export function storedName<Name extends ModelName>(root: string, name: Name): Name {
  const [present, ...older] = namesOf(name.id).map((id) => ({ ...name, id }));
  const isThere = (candidate: Name) => existsSync(join(literalFolder(root, candidate), MANIFEST_FILE));
  if (older.length === 0 || isThere(present!)) return present!;
  return older.find(isThere) ?? present!;
}

/** One name for locks and work folders. */
export function modelKey(name: ModelName): string {
  return `${name.id.replace('/', '!')}!${folderOf(name)}`;
}

const folderOf = ({ revision, precision }: ModelName) =>
  precision === 'fp32' ? revision : `${revision}${VARIANT}${precision}`;

/** The model that a folder of a store is meant for; undefined where it is none of ours. */
export function parseFolder(owner: string, name: string, folder: string): ModelName | undefined {
  const [revision = '', precision = 'fp32'] = folder.split(VARIANT);
  try {
    const parsed = checkName({ id: `${owner}/${name}`, revision, precision: precision as Precision });
    return folderOf(parsed) === folder ? parsed : undefined;
  } catch {
    return undefined;
  }
}
