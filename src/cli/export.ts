/** `m2fp export`: pictures, or parsings that were saved, as a data set for training or for annotation tools. */
import { resolve } from 'node:path';
import { shutdownEngines } from '../engine/index.ts';
import { asM2fpError, M2fpError } from '../errors.ts';
import { outputStem } from '../export/batch/sources.ts';
import { holdsParsings, savedParsings } from '../export/batch/saved-parsings.ts';
import { DataSet } from '../export/dataset/data-set.ts';
import { DATA_SET_OPTIONS, EXPORT_FORMATS, PICTURE_OPTIONS } from '../export/export-options.ts';
import { DEFAULT_MIN_SCORE } from '../parsing/index.ts';
import { readSource, runBatchCommand } from './batch.ts';
import { checkWatched } from './batch-sources.ts';
import {
  choiceOption,
  type Command,
  LIMIT_OPTIONS,
  minScoreOption,
  numberOption,
  rangeOf,
  readArguments,
  refuseOptions,
  type Terminal,
} from './command.ts';
import { ENGINE_HELP, ENGINE_OPTIONS, engineChoice, openEngine, PATIENT, pipelined } from './open-engine.ts';
import { fingerprint } from './parse-batch.ts';
import { DEFAULT_STORE, STORE_OPTIONS, storeHelp } from './stores.ts';

/** What is the data set's own, in its folder. */
const OWN = '.m2fp';

const OPTIONS = [
  'format',
  'out',
  'content',
  'shapes',
  'iou',
  'validation',
  'min-score',
  'duplicates',
  ...ENGINE_OPTIONS,
  ...STORE_OPTIONS,
  ...LIMIT_OPTIONS,
] as const;

type Options = Partial<Record<(typeof OPTIONS)[number], string>>;

export const exportCommand: Command = {
  name: 'export',
  summary: 'people and parts as a dataset: COCO, YOLO, VOC, LabelMe, CVAT, Label Studio, CIHP',
  help: `Usage: m2fp export PICTURE|FOLDER|PATTERN|-... --format NAME --out DIR [options]
       m2fp export PARSINGS... --format NAME --out DIR [options]

Finds the people and their parts in the pictures, and adds them to a dataset in DIR, which is begun where it is not there.
Pictures are named as for "m2fp parse". PARSINGS are what "m2fp parse FOLDER --out PARSINGS --format full" has made (or its
JSON files): nothing is parsed then. A picture that the dataset has already, byte by byte, is replaced. The same command
goes on where it was interrupted. DIR/README.txt tells how to use the dataset.

Options:
  --format NAME       ${EXPORT_FORMATS.slice(0, 5).join(', ')},
                      ${EXPORT_FORMATS.slice(5).join(', ')}
  --out DIR           the dataset's folder
  --content NAME      parts (default), garments (left and right as one category) or persons
  --shapes NAME       polygons (default), or masks: run lengths (COCO, CVAT, Label Studio) or PNGs (LabelMe)
  --iou N             how well polygons meet their masks, 0.5 to 1 (default: ${DATA_SET_OPTIONS.iou.form.value})
  --validation N      percent of the pictures that are for validation, 10: one of the first ten (default: 0)
  --min-score N       minimum score of persons and parts, 0.1 to 1 (default: ${DEFAULT_MIN_SCORE})
  --duplicates NAME   replace (default) or skip pictures that the dataset has
  --watch             go on with pictures that come later, each when it has been left alone for four seconds, until
                      Ctrl+C
  --model MODEL       as for "m2fp parse" (default: bundled, the small model that ships with the package)
  --store DIR         where models are kept (default: ${DEFAULT_STORE})
${storeHelp(22)}
${ENGINE_HELP}  --max-megapixels N  millions of pixels that a picture may have (default: 64)
  --max-image-size N  MiB that its file may have (default: 32)
  --help              show this text

Exit code 0: all done, or the list was empty; 1: some failed, or an error (M2FP_...) ended the command; 2: all failed.

Examples:
  m2fp export photos --format yolo-seg --content garments --validation 10 --out set
  m2fp export 'shop/**/*.jpg' --format coco --model MODEL --out set
`,
  run,
};

async function run(args: string[], terminal: Terminal): Promise<number> {
  const typed = readArguments(exportCommand, args, {
    takes: ['PICTURE...'],
    options: OPTIONS,
    flags: ['watch'],
  });
  const { arguments: named, options, flags } = typed;
  for (const name of ['format', 'out'] as const) {
    if (options[name] !== undefined) continue;
    throw new M2fpError('M2FP_BAD_OPTION', `--${name} is missing (see m2fp export --help)`);
  }
  const { set, picture, minScore } = readOptions(options);
  const areSaved = await Promise.all(named.map(holdsParsings));
  if (areSaved.includes(true) && areSaved.includes(false)) {
    throw new M2fpError('M2FP_BAD_OPTION', 'Pictures and saved parsings cannot be mixed: use two commands');
  }
  if (areSaved[0] === true) {
    refuseOptions(
      { ...options, ...flags },
      ['watch', ...ENGINE_OPTIONS, ...STORE_OPTIONS, ...LIMIT_OPTIONS],
      'is of parsing, and parsings that were saved are not parsed again: leave it out',
    );
  }
  const watch = flags.watch === true;
  checkWatched(named, watch);
  const choice = engineChoice(options);
  const dataSet = await DataSet.open(options.out!, set);
  try {
    if (areSaved[0] === true) return await addSaved(named, dataSet, { ...picture, minScore }, terminal);
    return await runBatchCommand(
      {
        args: named,
        out: options.out!,
        own: OWN,
        watch,
        open: async () => {
          const engine = await openEngine('export', choice, terminal);
          const parse = { scoreThreshold: minScore };
          return {
            options: fingerprint({ parse, digest: engine.info().manifest.digest }),
            read: (source) => readSource(source, choice.limits),
            parse: (image) => engine.parse({ image, options: parse, queue: PATIENT }),
            kinds: [],
            paths: () => [],
            make: async () => [],
            add: async (parsing, name) => {
              const added = await dataSet.add(parsing, name.replaceAll('/', '-'), picture);
              return added.files.map((path) => path.slice(dataSet.folder.length + 1).replaceAll('\\', '/'));
            },
            parallel: () => pipelined(engine),
            close: async () => {},
          };
        },
      },
      terminal,
    );
  } finally {
    await shutdownEngines();
    await dataSet.close();
  }
}

/** @throws M2fpError M2FP_BAD_OPTION, by the option's name */
function readOptions(options: Options) {
  const choice = <Name extends string>(name: keyof Options, choices: readonly string[] | undefined) =>
    choiceOption(name, options[name], (choices ?? []) as readonly Name[]);
  const { content, shapes, iou, validation } = DATA_SET_OPTIONS;
  const { duplicates } = PICTURE_OPTIONS;
  const minScore = minScoreOption(options['min-score']) ?? DEFAULT_MIN_SCORE;
  return {
    set: {
      format: choiceOption('format', options.format, EXPORT_FORMATS),
      content: choice<'parts' | 'garments' | 'persons'>('content', content.form.choices),
      shapes: choice<'polygons' | 'masks'>('shapes', shapes.form.choices),
      iou: numberOption('iou', options.iou, rangeOf(iou)),
      validation: numberOption('validation', options.validation, rangeOf(validation)),
    },
    picture: { duplicates: choice<'replace' | 'skip'>('duplicates', duplicates.form.choices) },
    minScore,
  };
}

async function addSaved(
  named: readonly string[],
  dataSet: DataSet,
  picture: Parameters<DataSet['add']>[2],
  { err }: Terminal,
): Promise<number> {
  const counts = { added: 0, replaced: 0, skipped: 0 };
  let failed = 0;
  for (const argument of named) {
    for await (const { file, read } of savedParsings(resolve(argument))) {
      try {
        const { outcome } = await dataSet.add(await read(), outputStem(file).split('/').at(-1)!, picture);
        counts[outcome]++;
      } catch (error) {
        const { code, message } = asM2fpError(error, 'M2FP_NO_PARSING');
        if (!['M2FP_NO_PARSING', 'M2FP_NO_IMAGE', 'M2FP_BAD_IMAGE'].includes(code)) throw error;
        failed++;
        err.write(`m2fp: ${file}: ${code}: ${message}\n`);
      }
    }
  }
  const { added, replaced, skipped } = counts;
  err.write(`m2fp: ${added} added, ${replaced} replaced, ${skipped} skipped, ${failed} failed\n`);
  if (failed > 0 && added + replaced + skipped === 0) return 2;
  return failed > 0 ? 1 : 0;
}
