/** Parsings that `m2fp parse --format full` has written, with the pictures that they are of. */
import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { asM2fpError, M2fpError } from '../../errors.ts';
import { imageSize } from '../../image/formats/size.ts';
import { isRecord } from '../../parsing/options/options.ts';
import { reviveParsing } from '../../parsing/revive.ts';
import type { Parsing } from '../../parsing/types.ts';
import { JsonLines } from '../dataset/json-lines.ts';

/** What a batch writes into its folder beside the JSON of each picture. */
const REPORT = 'report.jsonl';

/** Whether an argument is saved parsings rather than pictures: JSON, lines of it, or the folder of a batch. */
export async function holdsParsings(argument: string): Promise<boolean> {
  if (/\.jsonl?$/i.test(argument)) return true;
  return stat(join(argument, REPORT)).then(
    (stats) => stats.isFile(),
    () => false,
  );
}

/** A parsing as it was saved. */
export interface Saved {
  /** The picture. */
  file: string;
  /** @throws {M2fpError} `M2FP_NO_PARSING` where it is none, or not of the picture; `M2FP_NO_IMAGE` where that is gone */
  read: () => Promise<Parsing>;
}

/**
 * The parsings in a file or in the folder of a batch, one by one.
 * @throws {M2fpError} `M2FP_NO_PARSING` where it cannot be read
 */
export async function* savedParsings(argument: string): AsyncIterable<Saved> {
  try {
    if (!/\.jsonl?$/i.test(argument)) {
      for await (const line of linesOf(join(argument, REPORT))) {
        const outputs = Array.isArray(line['outputs']) ? (line['outputs'] as unknown[]) : [];
        const json = outputs.find((output) => typeof output === 'string' && output.startsWith('json/'));
        if (json !== undefined) yield saved(await jsonIn(join(argument, json as string)));
      }
    } else if (/l$/i.test(argument)) for await (const line of linesOf(argument)) yield saved(line);
    else yield saved(await jsonIn(argument));
  } catch (error) {
    throw asM2fpError(error, 'M2FP_NO_PARSING', `${argument} cannot be read`);
  }
}

async function* linesOf(file: string): AsyncIterable<Record<string, unknown>> {
  const lines = await JsonLines.open(file);
  try {
    for await (const { value } of lines.scan()) yield value;
  } finally {
    await lines.close();
  }
}

async function jsonIn(file: string): Promise<unknown> {
  return JSON.parse(await readFile(file, 'utf8')) as unknown;
}

function saved(value: unknown): Saved {
  const file = isRecord(value) && typeof value['file'] === 'string' ? value['file'] : undefined;
  return {
    file: file ?? 'a parsing',
    read: async () => {
      if (!isRecord(value) || file === undefined) {
        throw new M2fpError(
          'M2FP_NO_PARSING',
          'The parsing does not say which picture it is of ("file"): save it with "m2fp parse FOLDER --out DIR --format full"',
        );
      }
      if ('error' in value) throw new M2fpError('M2FP_NO_PARSING', `${file} was not parsed`);
      const image = await readFile(resolve(file)).catch((error: Error) => {
        throw new M2fpError('M2FP_NO_IMAGE', `The picture ${file} cannot be read: ${error.message}`);
      });
      if (value['labelMap'] === undefined) {
        throw new M2fpError(
          'M2FP_NO_PARSING',
          `The parsing of ${file} has no pixels: save it with --format full`,
        );
      }
      const parsing = await reviveParsing({ ...value, image });
      const size = await imageSize(image);
      if (size?.width !== parsing.width || size.height !== parsing.height) {
        throw new M2fpError('M2FP_NO_PARSING', `${file} is another picture than the one that was parsed`);
      }
      return parsing;
    },
  };
}
