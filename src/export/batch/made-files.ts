/** Files that a batch has made of a picture: whether they are still as they were, and taking them away. */
import { createHash } from 'node:crypto';
import { readFile, realpath, rm, rmdir } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { digestOf } from '../../engine/input-image.ts';
import { asM2fpError } from '../../errors.ts';

/** What can be made of a picture, and the folder below that of the output that it is in. */
export const KINDS = ['json', 'colorize', 'redact', 'crop', 'mask'] as const;
export type Kind = (typeof KINDS)[number];

export interface MadeFile {
  /** Below the folder of the output, with slashes; its first part is one of {@link KINDS}. */
  path: string;
  content: Buffer | string;
}

/** @returns undefined for what no batch has made, such as the files of a data set, and for a path that leads elsewhere */
export function kindOf(output: string): Kind | undefined {
  const [first, ...rest] = output.split(/[/\\]/);
  if (rest.length === 0 || rest.some((part) => ['', '.', '..'].includes(part))) return undefined;
  return KINDS.find((kind) => kind === first);
}

/**
 * Whether a path leads, also by a link, to what a batch makes: one of the folders of the kinds, or what lies in it.
 * @param folder of the output, absolute, without links
 */
export async function isMade(folder: string, path: string | Buffer): Promise<boolean> {
  const real = await realpath(path).catch(() => undefined);
  return real !== undefined && kindOf(join(relative(folder, real), 'any')) !== undefined;
}

/** What belongs to one picture as a whole: the folder of its crops, else the file. */
export function unitOf(output: string): string {
  return kindOf(output) === 'crop' ? output.slice(0, output.lastIndexOf('/')) : output;
}

/** Of names and contents together, hex: another one where any file is another one. */
export class ContentDigest {
  readonly #hash = createHash('sha256');

  async add({ path, content }: MadeFile): Promise<void> {
    this.#hash.update(`${path}\0${await digestOf(Buffer.from(content))}\0`);
  }

  value(): string {
    return this.#hash.digest('hex').slice(0, 16);
  }
}

/** {@link ContentDigest} of files that are there; null where one is not. */
export async function digestOfFiles(folder: string, paths: readonly string[]): Promise<string | null> {
  const digest = new ContentDigest();
  for (const path of paths) {
    const content = await readFile(join(folder, path)).catch(() => undefined);
    if (content === undefined) return null;
    await digest.add({ path, content });
  }
  return digest.value();
}

/**
 * Removes files that a batch has made; others of these paths, such as those of a data set, stay. A folder of crops goes with
 * the last of them, unless somebody has put something else into it.
 * @throws {M2fpError} `M2FP_NOT_KEPT` where one cannot be removed
 */
export async function removeMade(folder: string, paths: readonly string[]): Promise<void> {
  const crops = new Set<string>();
  for (const path of paths) {
    const kind = kindOf(path);
    if (kind === undefined) continue;
    await rm(join(folder, path), { force: true }).catch((error: NodeJS.ErrnoException) => {
      // There is a folder now, or a file above: ours is gone.
      if (error.code === 'ERR_FS_EISDIR' || error.code === 'ENOTDIR') return;
      throw asM2fpError(error, 'M2FP_NOT_KEPT', `${path} cannot be removed`);
    });
    if (kind === 'crop') crops.add(dirname(path));
  }
  for (const crop of crops) await rmdir(join(folder, crop)).catch(() => {});
}
