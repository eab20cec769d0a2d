/** The pictures of a batch, one by one: those of a folder, of a pattern, of a list. */
import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { isAbsolute, matchesGlob, relative, resolve, sep } from 'node:path';
import { M2fpError } from '../../errors.ts';
import { isImageName } from '../../image/folder.ts';
import { fileText } from './file-text.ts';

/** One picture. */
export interface Source {
  /** As the system knows it. */
  path: Buffer;
  /** The same as text, from where the batch begins, with slashes; unlike that of any other picture. */
  file: string;
}

export interface WalkOptions {
  /** Folders that are passed over, absolute: what the batch itself writes. */
  except?: readonly string[];
  /** Tells of a folder below that cannot be read. */
  onProblem?: (problem: M2fpError) => void;
  /** Whether a picture is wanted, by its path below the folder, with slashes. */
  wanted?: (file: string) => boolean;
}

const SLASH = Buffer.from('/');

/**
 * The pictures of a folder and all folders below, by the endings of their names, folder by folder in the order of their
 * names. Links are followed; a folder that can be reached in two ways, or by a circle, is walked once.
 * @throws {M2fpError} `M2FP_NO_IMAGE` where the folder cannot be read
 */
export async function* walkPictures(folder: string, options: WalkOptions = {}): AsyncIterable<Source> {
  const { except = [], onProblem, wanted = () => true } = options;
  const seen = new Set<string>();
  for (const own of except) await isNew(Buffer.from(own), seen).catch(() => {});
  const root = Buffer.from(resolve(folder));
  /** Those that are to be walked yet, the next one last: their paths below the root. */
  const waiting: Buffer[] = [Buffer.alloc(0)];
  for (let below = waiting.pop(); below !== undefined; below = waiting.pop()) {
    const here = below.length === 0 ? root : Buffer.concat([root, SLASH, below]);
    let entries: Dirent<Buffer>[];
    try {
      if (!(await isNew(here, seen))) continue;
      entries = await readdir(here, { withFileTypes: true, encoding: 'buffer' });
    } catch (error) {
      const problem = unreadable(fileText(here), error);
      if (below.length === 0) throw problem;
      onProblem?.(problem);
      continue;
    }
    const folders: Buffer[] = [];
    for (const entry of entries.toSorted((a, b) => Buffer.compare(a.name, b.name))) {
      const path = below.length === 0 ? entry.name : Buffer.concat([below, SLASH, entry.name]);
      if (entry.isDirectory() || (entry.isSymbolicLink() && (await leadsToFolder(root, path)))) {
        folders.push(path);
        continue;
      }
      // A pipe, or a link that leads nowhere, is told of by whoever reads it.
      if (!isImageName(entry.name.toString('latin1'))) continue;
      const file = fileText(path);
      if (wanted(file)) yield { path: Buffer.concat([root, SLASH, path]), file };
    }
    waiting.push(...folders.toReversed());
  }
}

/** Whether a text is a pattern of paths rather than a path. */
export function isPattern(text: string): boolean {
  return /[*?[\]{}]/.test(text);
}

/**
 * The pictures that a pattern names (a star, two for any folders, `?`, `[a-z]`, `{jpg,png}`), below its last folder without such signs.
 * @throws {M2fpError} `M2FP_NO_IMAGE` where that folder cannot be read
 */
export function matchPictures(
  pattern: string,
  options: Omit<WalkOptions, 'wanted'> = {},
): AsyncIterable<Source> {
  const { folder, rest } = splitPattern(pattern);
  return walkPictures(folder, { ...options, wanted: (file) => matchesGlob(file, rest) });
}

/** What stands before the first part with a sign, and the rest. */
export function splitPattern(pattern: string): { folder: string; rest: string } {
  const parts = pattern.replaceAll(sep, '/').split('/');
  const first = parts.findIndex(isPattern);
  const folder = parts.slice(0, first).join('/');
  return {
    folder: folder === '' ? (pattern.startsWith('/') ? '/' : '.') : folder,
    rest: parts.slice(first).join('/'),
  };
}

const NEWLINE = 0x0a;

/**
 * The pictures that a list names: a path a line, or, where the list has a zero byte, between these (`find … -print0`).
 * Relative ones begin at the current folder.
 */
export async function* listedPictures(list: AsyncIterable<Buffer>): AsyncIterable<Source> {
  let rest: Buffer = Buffer.alloc(0);
  let end = NEWLINE;
  for await (const chunk of list) {
    if (end !== 0 && chunk.includes(0)) end = 0;
    rest = Buffer.concat([rest, chunk]);
    let start = 0;
    for (let at = rest.indexOf(end); at >= 0; at = rest.indexOf(end, start)) {
      yield* listed(rest.subarray(start, at), end);
      start = at + 1;
    }
    rest = rest.subarray(start);
  }
  yield* listed(rest, end);
}

function* listed(line: Buffer, end: number): Iterable<Source> {
  const path = end === NEWLINE && line.at(-1) === 0x0d ? line.subarray(0, -1) : line;
  if (path.length > 0) yield { path: Buffer.from(path), file: fileText(path) };
}

/**
 * Where what is made of a picture goes, below the folder of the output: its path without what leads out of it.
 * @param file see {@link Source}
 */
export function outputStem(file: string): string {
  const here = relative(process.cwd(), resolve(file));
  const inside = here.startsWith('..') ? resolve(file).replace(/^[A-Za-z]:/, '') : here;
  return inside
    .split(sep === '/' ? '/' : /[/\\]/)
    .filter((part) => part !== '')
    .join('/');
}

/** The path from the root; equal for paths that are one, but where a part is "..": what that leads to, behind a link, no text tells. */
export function absolutePath(path: Buffer): Buffer {
  // Byte by byte: not all names are text.
  const text = path.toString('latin1');
  const here = Buffer.from(process.cwd()).toString('latin1');
  if (!text.split(/[/\\]/).includes('..')) return Buffer.from(resolve(here, text), 'latin1');
  return isAbsolute(text) ? path : Buffer.from(`${here}/${text}`, 'latin1');
}

/** False for a folder that was walked. */
async function isNew(folder: Buffer, seen: Set<string>): Promise<boolean> {
  const { dev, ino } = await stat(folder, { bigint: true });
  // Some file systems have no numbers.
  const key = ino === 0n ? await realpath(folder, 'utf8') : `${dev} ${ino}`;
  if (seen.has(key)) return false;
  seen.add(key);
  return true;
}

async function leadsToFolder(root: Buffer, path: Buffer): Promise<boolean> {
  return stat(Buffer.concat([root, SLASH, path])).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}

function unreadable(folder: string, error: unknown): M2fpError {
  const reason = error instanceof Error ? error.message : String(error);
  return new M2fpError('M2FP_NO_IMAGE', `The folder ${folder} cannot be read: ${reason}`, { cause: error });
}
