/** Files that are there whole or not at all, whatever happens to the process that writes them. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Pieces are written in blocks of so many characters. */
const BLOCK = 1 << 16;

/** Writes files into a folder by way of another one on the same file system, `staging`. */
export class WholeFiles {
  readonly #folder: string;
  readonly #staging: string;
  /** Folders that are there. */
  readonly #made = new Set<string>();

  /** @param staging holds nothing but what a process left that died: it is emptied */
  static async open(folder: string, staging: string): Promise<WholeFiles> {
    await rm(staging, { recursive: true, force: true });
    await mkdir(staging, { recursive: true });
    return new WholeFiles(folder, staging);
  }

  private constructor(folder: string, staging: string) {
    this.#folder = folder;
    this.#staging = staging;
  }

  /** Writes the file `path` (in the folder, with slashes); one that is there is replaced in one step. */
  async write(
    path: string,
    content: Buffer | string | AsyncIterable<string> | Iterable<string>,
  ): Promise<void> {
    const target = join(this.#folder, path);
    const partial = join(this.#staging, randomUUID());
    try {
      const handle = await open(partial, 'wx');
      try {
        if (typeof content === 'string' || Buffer.isBuffer(content)) await handle.writeFile(content);
        else await handle.writeFile(blocks(content));
      } finally {
        await handle.close();
      }
      await this.#makeFolder(dirname(target));
      await rename(partial, target).catch(async (error: NodeJS.ErrnoException) => {
        // Somebody has removed the folder since.
        if (error.code !== 'ENOENT' || !this.#made.delete(dirname(target))) throw error;
        await this.#makeFolder(dirname(target));
        await rename(partial, target);
      });
    } catch (error) {
      await rm(partial, { force: true });
      throw error;
    }
  }

  /** Removes the folder by way of which files were written. */
  async close(): Promise<void> {
    await rm(this.#staging, { recursive: true, force: true });
  }

  async #makeFolder(folder: string): Promise<void> {
    if (this.#made.has(folder)) return;
    await mkdir(folder, { recursive: true });
    this.#made.add(folder);
  }
}

async function* blocks(pieces: AsyncIterable<string> | Iterable<string>): AsyncIterable<string> {
  let block = '';
  for await (const piece of pieces) {
    block += piece;
    if (block.length < BLOCK) continue;
    yield block;
    block = '';
  }
  yield block;
}
