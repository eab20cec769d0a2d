/** The page that a command writes into a folder of the user's choice. */
import { open, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { asM2fpError, M2fpError } from '../errors.ts';
import { isComparisonPage } from '../compare/page.ts';
import { writeError } from '../store/disk.ts';
import { makeFolder } from '../store/folders.ts';
import { inPartialFolder } from '../store/partial.ts';

/** Its name in the folder. */
export const PAGE = 'index.html';
/** More than comes before the title of a page of ours, bytes. */
const HEAD_BYTES = 1024;

export class PageFile {
  readonly path: string;
  readonly #leave: () => Promise<void>;

  private constructor(path: string, leave: () => Promise<void>) {
    this.path = path;
    this.#leave = leave;
  }

  /**
   * Makes the folder for it.
   * @throws M2fpError M2FP_BAD_OPTION where that cannot be, or the folder holds a page of that name that is not ours
   */
  static async in(folder: string): Promise<PageFile> {
    const path = join(folder, PAGE);
    const leave = await makeFolder(folder).catch((error: unknown) => {
      throw asM2fpError(writeError(folder, error, false), 'M2FP_BAD_OPTION', 'The folder cannot be made');
    });
    const head = await headOf(path);
    if (head === undefined || isComparisonPage(head)) return new PageFile(path, leave);
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      `${folder} holds an ${PAGE} that is no comparison of models, and stays: name another folder`,
    );
  }

  /** Writes it, whole or not at all. @throws M2fpError M2FP_BAD_OPTION; M2FP_MODEL_INVALID where the disk is full */
  async write(text: string): Promise<void> {
    try {
      await inPartialFolder(this.path, async (partial) => {
        const whole = join(partial, PAGE);
        await writeFile(whole, text);
        await rename(whole, this.path);
      });
    } catch (error) {
      const problem = writeError(dirname(this.path), error, false);
      throw asM2fpError(problem, 'M2FP_BAD_OPTION', 'The page cannot be written');
    }
  }

  /** Removes the folders that were made for it where they are empty. */
  close(): Promise<void> {
    return this.#leave();
  }
}

/** How a file begins; undefined where there is none, empty for what is no file that can be read. */
async function headOf(path: string): Promise<string | undefined> {
  try {
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : '';
  }
}
