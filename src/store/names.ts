/** The names of published models, and the folders that they become. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { M2fpError } from '../errors.ts';
import { type FloatPrecision, type Precision, PRECISIONS } from '../m2fp/manifest.ts';
import { namesOf } from '../m2fp/published.ts';
import { isFolderName, isLocalName, isModelId, LOCAL_OWNER } from './model-id.ts';

/** Sets a variant apart from the revision; no revision holds it. */
const VARIANT = '+';

/** The file that makes a folder a model. */
export const MANIFEST_FILE = 'm2fp.json';

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

/** What the name of a file or folder on this machine may become: UTF-16 units, and bytes, as names on disk are made of it. */
const LONGEST = 64;
const MOST_BYTES = 120;
/** Hexadecimal digits that keep names apart of which too little was left. */
const HASH_LENGTH = 8;

/**
 * The id of a model that is made of the file or folder `text` on this machine. Letters and digits of any script stay; what
 * stands between them becomes a dash. Where more than that is lost, so that others would have the same name, a hash of the
 * whole is put behind it.
 */
export function localId(text: string): string {
  // Systems write the same accent in two ways.
  const whole = text.normalize('NFC');
  const name = trimmed(whole.replaceAll(/[^\p{L}\p{M}\p{N}_.-]+/gu, '-').replaceAll(/\.{2,}/g, '.'));
  const isLost = /[^\p{ASCII}\p{L}\p{M}\p{N}]/u.test(whole);
  if (!isLost && isShort(name) && isLocalName(name)) return `${LOCAL_OWNER}/${name}`;
  const hash = createHash('sha256').update(whole).digest('hex').slice(0, HASH_LENGTH);
  const characters = Array.from(name);
  while (!isShort(`${characters.join('')}-${hash}`)) characters.pop();
  const kept = `${trimmed(characters.join(''))}-${hash}`;
  return `${LOCAL_OWNER}/${isLocalName(kept) ? kept : `model-${hash}`}`;
}

/** Without what may not stand at either end. */
function trimmed(name: string): string {
  return name.replace(/^[^\p{L}\p{N}_]+/u, '').replace(/[.-]+$/, '');
}

function isShort(name: string): boolean {
  return name.length <= LONGEST && Buffer.byteLength(name) <= MOST_BYTES;
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
