/** What `m2fp video` takes, checked before anything starts. */
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { M2fpError } from '../errors.ts';
import { type ViewName, VIEWS } from '../export/video/view.ts';
import { badOption, isRecord } from '../parsing/options/options.ts';
import { numberOption } from './command.ts';

/** Frames of which one is parsed, at most. */
export const MOST_EVERY = 250;

/** @throws M2fpError M2FP_BAD_OPTION */
export function everyOption(text: string | undefined): number {
  return numberOption('every', text, { min: 1, max: MOST_EVERY, isWhole: true }) ?? 1;
}

/**
 * Those of the view in `{"redact": {…}}`. Their values are checked when the model's labels are known.
 * @throws M2fpError M2FP_BAD_OPTION
 */
export function viewOptionsOf(value: unknown, view: ViewName): object {
  const names = VIEWS.filter((name) => name !== 'boxes');
  const allowed = `an object with ${names.join(' or ')}, which is an object of options`;
  if (!isRecord(value)) throw badOption('options', value, allowed);
  for (const [name, options] of Object.entries(value)) {
    if (!(names as string[]).includes(name) || !isRecord(options)) throw badOption('options', value, allowed);
    if (name !== view) {
      throw new M2fpError('M2FP_BAD_OPTION', `--options has some of ${name}, but --view is ${view}`);
    }
  }
  return (value[view] as object | undefined) ?? {};
}

/** What is no path, though a folder `http:` could be made for it. */
const ADDRESS = /^[a-z][a-z\d+.-]+:\/\//i;

/** @throws M2fpError M2FP_BAD_OPTION where one file would take another's place, and for addresses */
export async function checkNames(input: string, output: string, boxes: string | undefined): Promise<void> {
  const named: [name: string, file: string][] = [
    ['VIDEO', input],
    ['--out', output],
  ];
  if (boxes !== undefined) named.push(['--boxes', boxes]);
  const known = new Map<string, string>();
  for (const [name, file] of named) {
    if (ADDRESS.test(file)) {
      throw new M2fpError('M2FP_BAD_OPTION', `${name} ${file} is an address: name a file on this machine`);
    }
    const place = await placeOf(file);
    const other = known.get(place);
    if (other !== undefined) {
      throw new M2fpError(
        'M2FP_BAD_OPTION',
        `${name} ${file} is the same file as ${other}: take another name`,
      );
    }
    known.set(place, name);
  }
}

/** Equal for paths of one file, whatever way they lead to it. */
async function placeOf(file: string): Promise<string> {
  const stats = await stat(file, { bigint: true }).catch(() => undefined);
  if (stats?.isDirectory() === true) {
    throw new M2fpError('M2FP_BAD_OPTION', `${file} is a folder: name a file`);
  }
  if (stats !== undefined && stats.ino !== 0n) return `${stats.dev}:${stats.ino}`;
  const path = resolve(file);
  return join(await realpath(dirname(path)).catch(() => dirname(path)), basename(path));
}
