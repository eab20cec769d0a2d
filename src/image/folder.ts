/** The pictures of a folder. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { M2fpError } from '../errors.ts';

const IMAGE_FILE = /\.(?:jpe?g|png|webp|gif|tiff?|avif)$/i;

/** Whether a file's name ends as those of pictures do. */
export function isImageName(name: string): boolean {
  return IMAGE_FILE.test(name);
}

/**
 * The paths of the folder's pictures, by the endings of their names and in the order of these.
 * @param most of more than so many, some from everywhere in between
 * @param advice what to put there, where there are none
 * @throws M2fpError M2FP_NO_IMAGE where there are none, or the folder cannot be read
 */
export async function picturesIn(folder: string, most: number, advice: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    throw new M2fpError(
      'M2FP_NO_IMAGE',
      `The folder of pictures cannot be read: ${reasonOf(error, folder)}`,
      {
        cause: error,
      },
    );
  });
  const found = names.filter(isImageName).toSorted();
  if (found.length === 0) throw new M2fpError('M2FP_NO_IMAGE', `${folder} holds no pictures: put ${advice}`);
  const count = Math.min(most, found.length);
  return Array.from({ length: count }, (_, i) =>
    join(folder, found[Math.floor((i * found.length) / count)]!),
  );
}

function reasonOf({ code, message }: NodeJS.ErrnoException, folder: string): string {
  if (code === 'ENOENT') return `there is no ${folder}`;
  if (code === 'ENOTDIR') return `${folder} is no folder`;
  if (code === 'EACCES' || code === 'EPERM') return `this user may not read ${folder}`;
  return message;
}
