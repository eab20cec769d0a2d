/** Whether a model will fit on the disk: better asked before minutes of work than found out after them. */
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { asM2fpError, M2fpError, type M2fpErrorCode } from '../errors.ts';
import type { FloatPrecision } from '../m2fp/manifest.ts';

/** Size of a converted model per byte of its checkpoint, a little more than measured. */
const CONVERTED_SHARE: Record<FloatPrecision, number> = { fp32: 1.05, fp16: 0.55 };
/** Bytes that must stay free beside what is needed. */
const SPARE_BYTES = 16 * 2 ** 20;

/** Bytes that can be written where `folder` is; infinite where the file system does not tell. */
export function freeBytes(folder: string): Promise<number> {
  return statfs(folder).then(
    ({ bavail, bsize }) => bavail * bsize,
    // Then the disk itself tells when it is full.
    () => Infinity,
  );
}

/** Bytes that the model of a checkpoint takes. */
export function convertedSize(checkpoint: number, precision: FloatPrecision): number {
  return checkpoint * CONVERTED_SHARE[precision];
}

export interface DiskNeed {
  /** The store's folder. */
  root: string;
  /** Bytes free there. */
  free: number;
  /** Bytes that will be written. */
  bytes: number;
  /** What for, for example `to convert it`. */
  purpose: string;
  code: M2fpErrorCode;
}

/** @throws M2fpError with the code `code` where it would not fit */
export function requireSpace({ root, free, bytes, purpose, code }: DiskNeed): void {
  const needed = bytes + SPARE_BYTES;
  if (free >= needed) return;
  throw new M2fpError(
    code,
    `${root} has ${megabytes(free)} free, ${megabytes(needed)} are needed ${purpose}: free some space, or put the ` +
      'model store on another disk',
  );
}

/** The system's own code of an error, also where that crossed a process boundary. */
function systemCode(error: unknown): unknown {
  const { code, cause } = Object(error) as { code?: unknown; cause?: unknown };
  return error instanceof M2fpError ? (Object(cause) as { code?: unknown }).code : code;
}

/** Whether `error` says that nothing more can be written: the disk is full, or the user's share of it. */
export function isDiskFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(String(systemCode(error)));
}

/** The error where the disk became full while a model was written into `folder`, of which nothing is left. */
export function diskFull(folder: string, code: M2fpErrorCode, cause: unknown): M2fpError {
  return new M2fpError(
    code,
    `The disk of ${folder} became full while the model was written. Nothing was changed: free some space, or take ` +
      'another disk, and try again',
    { cause },
  );
}

/** Why nothing can be written to a folder, by the system's code. */
const UNWRITABLE: Readonly<Record<string, string>> = {
  EROFS: 'is on a file system that can only be read',
  EACCES: 'cannot be written by this user',
  EPERM: 'cannot be written by this user',
  EEXIST: 'cannot be made, as a file is in its place or above it',
  ENOTDIR: 'cannot be made, as a file is in its place or above it',
  ENAMETOOLONG: 'has too long a name',
};

/** @param making whether other files than those that are made may be meant */
function unwritable(error: unknown, making: boolean): string | undefined {
  const code = String(systemCode(error));
  return making && code !== 'EROFS' ? undefined : UNWRITABLE[code];
}

/**
 * The error where the model store `root` could not be used; one of ours is left as it is.
 * @param making as for {@link writeError}
 */
export function storeError(root: string, code: M2fpErrorCode, error: unknown, making: boolean): M2fpError {
  if (isDiskFull(error)) return diskFull(root, code, error);
  const reason = unwritable(error, making);
  if (reason === undefined) return asM2fpError(error, code, `The model store ${root} cannot be used`);
  return new M2fpError(
    code,
    `The model store ${root} ${reason}: name another one (--store, or m2fpModelStore in Node-RED's settings.js)`,
    { cause: error },
  );
}

/**
 * The error where the model folder `out` could not be written.
 * @param making whether that came while the files were made, which reads others, too
 */
export function writeError(out: string, error: unknown, making: boolean): unknown {
  if (isDiskFull(error)) return diskFull(dirname(out), 'M2FP_MODEL_INVALID', error);
  const reason = unwritable(error, making);
  if (reason === undefined) return error;
  return new M2fpError('M2FP_BAD_OPTION', `${out} ${reason}: name another folder`, { cause: error });
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
