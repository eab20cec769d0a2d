/** Folders that are made for a while, and what is there. */
import { mkdir, rmdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes `folder` and those above it that are missing.
 * @returns what removes those that were made, as far as they are empty: nothing that failed leaves folders behind
 */
export async function makeFolder(folder: string): Promise<() => Promise<void>> {
  const made: string[] = [];
  for (let at = folder; !(await exists(at)) && at !== dirname(at); at = dirname(at)) made.push(at);
  await mkdir(folder, { recursive: true }).catch(async (error: NodeJS.ErrnoException) => {
    const top = made.at(-1);
    if (error.code !== 'ENOENT' || top === undefined) throw error;
    // That is what Node.js says of a file system that can only be read: one folder alone is told the reason.
    await mkdir(top);
    await mkdir(folder, { recursive: true });
  });
  return async () => {
    for (const at of made) {
      const removed = await rmdir(at).then(
        () => true,
        () => false,
      );
      if (!removed) return;
    }
  };
}

/** `folder`, or where it is missing, the nearest folder above that is there. */
export async function existingFolder(folder: string): Promise<string> {
  let at = folder;
  while (!(await exists(at)) && at !== dirname(at)) at = dirname(at);
  return at;
}

/** Whether both paths lead to the same file or folder, through whatever links; false where one of them leads nowhere. */
export async function isSame(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all(
    [one, other].map((path) => stat(path, { bigint: true }).catch(() => undefined)),
  );
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino;
}

export function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
