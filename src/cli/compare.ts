/** `m2fp compare`: two models, or one with two settings, on a user's own pictures. */
import { resolve } from 'node:path';
import { compareModels, type CompareOptions, type Comparison } from '../compare/compare.ts';
import { comparisonPage } from '../compare/page.ts';
import type { Settings, SideOptions } from '../compare/side.ts';
import { agreementRows, costRows, differenceInWords, nameOf } from '../compare/words.ts';
import { PARSE_OPTIONS } from '../engine/options.ts';
import { M2fpError } from '../errors.ts';
import { picturesIn } from '../image/folder.ts';
import { type Precision, PRECISIONS } from '../m2fp/manifest.ts';
import type { InstanceAgreement } from '../parsing/agreement.ts';
import { readManifest } from '../store/manifest.ts';
import type { ModelStore } from '../store/store.ts';
import {
  choiceOption,
  type Command,
  numberOption,
  type NumberRange,
  rangeOf,
  readArguments,
  type Terminal,
} from './command.ts';
import { table } from './describe.ts';
import { interruptible } from './interrupt.ts';
import { PAGE, PageFile } from './page-file.ts';
import { ProgressBar } from './progress.ts';
import { DEFAULT_STORE, folderOfModel, STORE_OPTIONS, storeHelp, storeOption } from './stores.ts';

const OPTIONS = ['pictures', 'out', 'a', 'b', 'limit', ...STORE_OPTIONS] as const;

export const compare: Command = {
  name: 'compare',
  summary: 'two models, or one with two settings, on your own pictures',
  help: `Usage: m2fp compare A [B] --pictures FOLDER [options]

Parses the pictures with the models A and B, taking turns, and tells how far they agree (pixels of the label map, persons and
parts found by both, how their masks overlap, how their scores differ), how long a picture takes, and how much memory each
takes. A and B are ids in the store, folders of converted models, checkpoints, or bundled, the small model that ships with the
package. Without B, A is compared with itself with other settings.

Options:
  --pictures FOLDER   JPEG, PNG, WebP, GIF, TIFF or AVIF in this folder, not in those below it
  --a SETTINGS        how A is run, with commas between: flip, wasm, short-side=N, long-side=N, precision=NAME
  --b SETTINGS        how B is run
  --limit N           of more pictures than N, some from everywhere in between (default: all)
  --out DIR           write a page there, ${PAGE} (another one that is there stays), with the pictures that differ most: picture, A, B, difference
  --json              print the figures as JSON
  --store DIR         where models are kept (default: ${DEFAULT_STORE})
${storeHelp(22)}
  --help              show this text

Examples:
  m2fp compare MODEL INT8_FOLDER --pictures PICTURES --out PAGE
  m2fp compare MODEL --b flip --pictures PICTURES
  m2fp compare MODEL --a precision=fp32 --b precision=fp16 --pictures PICTURES
`,
  run,
};

async function run(args: string[], { out, err }: Terminal): Promise<void> {
  const {
    arguments: models,
    options,
    flags,
  } = readArguments(compare, args, { takes: ['A...'], options: OPTIONS, flags: ['json'] });
  const fail = (reason: string) => new M2fpError('M2FP_BAD_OPTION', `${reason} (see m2fp compare --help)`);
  const [first = '', second = first, ...more] = models;
  if (more.length > 0) throw fail(`Only two models are compared, not also ${more.join(' ')}`);
  if (options.pictures === undefined) throw fail('--pictures is missing: name a folder with pictures');
  const settings = [settingsOption('a', options.a), settingsOption('b', options.b)] as const;
  if (first === second && JSON.stringify(settings[0]) === JSON.stringify(settings[1]))
    throw fail(
      'A and B are the same model with the same settings: name another model, or say --b flip, for example',
    );
  const limit = numberOption('limit', options.limit, { min: 1, max: Infinity, isWhole: true }) ?? Infinity;
  const pictures = await picturesIn(resolve(options.pictures), limit, 'some there to compare the models on');
  const page = options.out === undefined ? undefined : await PageFile.in(resolve(options.out));
  try {
    const comparison = await compareSides(
      await sidesOf([first, second], settings, storeOption(options), err),
      { pictures, draw: page !== undefined },
      err,
    );
    for (const { file, code, message } of comparison.leftOut)
      err.write(`m2fp: warning: ${file} was left out: ${code}: ${message}\n`);
    await page?.write(comparisonPage(comparison));
    const told = flags.json ? `${JSON.stringify(asJson(comparison, page?.path), undefined, 2)}\n` : undefined;
    out.write(told ?? inWords(comparison, page?.path));
  } finally {
    await page?.close();
  }
}

/** Both sides, A first; a checkpoint is converted. @throws M2fpError as `folderOfModel` does */
async function sidesOf(
  models: readonly [string, string],
  settings: readonly [TypedSettings, TypedSettings],
  store: ModelStore,
  err: NodeJS.WriteStream,
): Promise<[SideOptions, SideOptions]> {
  const bar = new ProgressBar(err);
  const side = async (index: 0 | 1): Promise<SideOptions> => {
    const { precision, ...rest } = settings[index];
    const hint = `Say --${index === 0 ? 'a' : 'b'} precision=NAME, or give the folder`;
    const model = resolve(await folderOfModel(models[index], store, bar, precision, hint));
    if (precision !== undefined) await checkPrecision(model, precision);
    return { model, settings: rest };
  };
  return [await side(0), await side(1)];
}

/** @throws M2fpError M2FP_BAD_OPTION where the model in a folder has another precision than the user said */
async function checkPrecision(folder: string, wanted: Precision): Promise<void> {
  const { precision } = await readManifest(folder);
  if (precision === wanted) return;
  throw new M2fpError(
    'M2FP_BAD_OPTION',
    `The model in ${folder} is ${precision}, not ${wanted}: "precision" chooses among the models of the store, or how a ` +
      'checkpoint is converted. Give the folder of the other model as B',
  );
}

async function compareSides(
  [a, b]: [SideOptions, SideOptions],
  options: Pick<CompareOptions, 'pictures' | 'draw'>,
  err: NodeJS.WriteStream,
): Promise<Comparison> {
  const bar = new ProgressBar(err);
  const onProgress = (share: number) => bar.show('Comparing', share);
  return interruptible(
    (signal) => compareModels({ a, b, ...options, signal, onProgress }),
    'Nothing was written',
  ).finally(() => bar.close());
}

interface TypedSettings extends Settings {
  precision?: Precision;
}

/**
 * Reads `flip,short-side=512`.
 * @throws M2fpError M2FP_BAD_OPTION
 */
function settingsOption(option: 'a' | 'b', text = ''): TypedSettings {
  const settings: TypedSettings = {};
  for (const each of text.split(',').filter((word) => word.trim() !== '')) {
    const [name = '', value] = each.trim().split('=', 2);
    const number = (range: NumberRange) => numberOption(`${option} ${name}`, value ?? '', range)!;
    if (name === 'flip' && value === undefined) settings.flip = true;
    else if (name === 'wasm' && value === undefined) settings.wasm = true;
    else if (name === 'short-side') settings.shortSide = number(rangeOf(PARSE_OPTIONS.shortSide));
    else if (name === 'long-side') settings.longSide = number(rangeOf(PARSE_OPTIONS.longSide));
    else if (name === 'precision')
      settings.precision = choiceOption(`${option} precision`, value ?? '', PRECISIONS)!;
    else {
      throw new M2fpError(
        'M2FP_BAD_OPTION',
        `--${option} takes flip, wasm, short-side=N, long-side=N, precision=NAME, not "${each.trim()}"`,
      );
    }
  }
  return settings;
}

function inWords(comparison: Comparison, page: string | undefined): string {
  const { a, b, agreement, differences } = comparison;
  const worst = differences.map(({ file, agreement: of }) => [file, differenceInWords(of)] as const);
  return [
    table([
      ['A', nameOf(a)],
      ['B', nameOf(b)],
      ['pictures', String(agreement.pictures)],
      ...agreementRows(comparison),
    ]),
    table(costRows(comparison)),
    ...(worst.length === 0 ? [] : [`Where they differ most:\n${table(worst, '  ')}`]),
    ...(page === undefined ? [] : [`Page: ${page}\n`]),
  ].join('\n');
}

/** The figures, without pixels. */
function asJson({ differences, ...figures }: Comparison, page: string | undefined): object {
  return {
    ...figures,
    differences: differences.map(({ file, agreement: { pixels, foreground, persons, parts } }) => ({
      file,
      pixels,
      foreground,
      persons: counts(persons),
      parts: counts(parts),
    })),
    ...(page !== undefined && { page }),
  };
}

function counts({ reference, other, pairs }: InstanceAgreement): object {
  return { reference, other, matched: pairs.length };
}
