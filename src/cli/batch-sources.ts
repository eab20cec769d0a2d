/** The pictures that the arguments of a command mean. */
import { stat } from 'node:fs/promises';
import { M2fpError } from '../errors.ts';
import { fileText } from '../export/batch/file-text.ts';
import { placeOf } from '../export/batch/known-pictures.ts';
import {
  isPattern,
  listedPictures,
  matchPictures,
  type Source,
  splitPattern,
  walkPictures,
  type WalkOptions,
} from '../export/batch/sources.ts';

/** The list of paths on the standard input. */
export const STANDARD_INPUT = '-';

/** Whether an argument means more than one picture. */
export async function meansMany(argument: string): Promise<boolean> {
  if (argument === STANDARD_INPUT) return true;
  const stats = await stat(argument).catch(() => undefined);
  return stats === undefined ? isPattern(argument) : stats.isDirectory();
}

/** @throws M2fpError M2FP_BAD_OPTION where a list is to be watched */
export function checkWatched(args: readonly string[], watch: boolean): void {
  if (!watch || !args.includes(STANDARD_INPUT)) return;
  throw new M2fpError(
    'M2FP_BAD_OPTION',
    '--watch looks again and again, and a list on the standard input can be read once: name folders or patterns',
  );
}

/** The pictures that the arguments mean, each once. With several arguments, each one's files have its name in front. */
export async function* sourcesOf(args: readonly string[], options: WalkOptions): AsyncIterable<Source> {
  const given = new Set<string>();
  for (const argument of args) {
    for await (const source of sourcesIn(argument, args.length > 1, options)) {
      const path = placeOf(source);
      if (given.has(path)) continue;
      given.add(path);
      yield source;
    }
  }
}

async function* sourcesIn(
  argument: string,
  isOneOfMany: boolean,
  options: WalkOptions,
): AsyncIterable<Source> {
  if (argument === STANDARD_INPUT) {
    yield* listedPictures(process.stdin as AsyncIterable<Buffer>);
    return;
  }
  const stats = await stat(argument).catch(() => undefined);
  const prefix = (folder: string): string => (isOneOfMany ? `${folder.replace(/\/+$/, '')}/` : '');
  if (stats?.isDirectory() === true) yield* prefixed(prefix(argument), walkPictures(argument, options));
  else if (stats === undefined && isPattern(argument)) {
    yield* prefixed(prefix(splitPattern(argument).folder), matchPictures(argument, options));
  } else yield { path: Buffer.from(argument), file: fileText(Buffer.from(argument)) };
}

async function* prefixed(prefix: string, sources: AsyncIterable<Source>): AsyncIterable<Source> {
  for await (const { path, file } of sources) yield { path, file: prefix + file };
}
