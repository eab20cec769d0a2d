/** The pictures of a folder. */
import { type Dirent } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { asM2fpError, M2fpError } from '../errors.ts';
import { checkBytes, DEFAULT_LIMITS } from './limits.ts';

const IMAGE_FILE = /\.(?:jpe?g|png|webp|gif|tiff?|avif)$/i;

/** Whether a file's name ends as those of pictures do. */
export function isImageName(name: string): boolean {
  return IMAGE_FILE.test(name);
}

/**
 * The paths of the folder's pictures, by the endings of their names and in the order of these; its sub-folders are not read.
 * @param most of more than so many, some from everywhere in between
 * @param advice what to put there, where there are none
 * @throws M2fpError M2FP_NO_IMAGE where there are none, or the folder cannot be read
 */
export async function picturesIn(folder: string, most: number, advice: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw new M2fpError(
      'M2FP_NO_IMAGE',
      `The folder of pictures cannot be read: ${reasonOf(error, folder)}`,
      {
        cause: error,
      },
    );
  });
  const found = entries
    .map(({ name }) => name)
    .filter(isImageName)
    .toSorted();
  if (found.length === 0) throw noPictures(folder, entries, advice);
  const count = Math.min(most, found.length);
  return Array.from({ length: count }, (_, i) =>
    join(folder, found[Math.floor((i * found.length) / count)]!),
  );
}

function noPictures(folder: string, entries: readonly Dirent[], advice: string): M2fpError {
  const isNested = entries.some((entry) => entry.isDirectory());
  const where = isNested ? `${folder} itself holds no pictures, and its sub-folders are not read` : undefined;
  return new M2fpError('M2FP_NO_IMAGE', `${where ?? `${folder} holds no pictures`}: put ${advice}`);
}

/**
 * The bytes of a picture.
 * @throws M2fpError M2FP_NO_IMAGE where it is no file that can be read, M2FP_IMAGE_TOO_LARGE
 */
export async function readPicture(path: string): Promise<Buffer> {
  try {
    const stats = await stat(path);
    if (!stats.isFile()) throw new M2fpError('M2FP_NO_IMAGE', 'it is not a regular file');
    checkBytes(stats.size, DEFAULT_LIMITS);
    return await readFile(path);
  } catch (error) {
    throw asM2fpError(error, 'M2FP_NO_IMAGE', 'it cannot be read');
  }
}

function reasonOf({ code, message }: NodeJS.ErrnoException, folder: string): string {
  if (code === 'ENOENT') return `there is no ${folder}`;
  if (code === 'ENOTDIR') return `${folder} is no folder`;
  if (code === 'EACCES' || code === 'EPERM') return `this user may not read ${folder}`;
  return message;
}
