/** `m2fp quantize`: a converted model becomes an int8 one. */
import { resolve } from 'node:path';
import { DEFAULT_PARTS, type Part, PARTS } from '../m2fp/parts.ts';
import { int8OfFolder } from '../quantize/int8-model.ts';
import { quantizeInProcess } from '../quantize/quantize-process.ts';
import type { QuantizeOptions } from '../quantize/quantize.ts';
import { CALIBRATIONS } from '../quantize/range.ts';
import { choiceOption, type Command, readArguments, type Terminal } from './command.ts';
import { modelFacts, table } from './describe.ts';
import { interruptible } from './interrupt.ts';
import { ProgressBar } from './progress.ts';
import { showPull } from './pull.ts';
import { DEFAULT_STORE, folderOfModel, STORE_OPTIONS, storeHelp, storeOption } from './stores.ts';

const OPTIONS = ['pictures', 'out', 'parts', 'calibration', 'weight-bits', ...STORE_OPTIONS] as const;

/** The parts with what they are, one a line. */
const partLines = Object.entries(PARTS)
  .map(
    ([part, what]) =>
      `  ${part.padEnd(20)}${what}${DEFAULT_PARTS.includes(part as Part) ? '' : ' (not by default)'}`,
  )
  .join('\n');

export const quantize: Command = {
  name: 'quantize',
  summary: 'make a faster int8 model of a converted one',
  help: `Usage: m2fp quantize MODEL [--pictures FOLDER] [--out FOLDER] [options]

Makes an int8 model: most of its arithmetic is on whole numbers of 8 bits, which takes less time and memory. MODEL, an id
in the store, the folder of a converted model or bundled, the small one that ships with the package, stays as it is; a
checkpoint is converted first, into the store. The pictures tell which values occur in the network; 32 or more that are like
those that the model will see are right, with people in them. Every fifth one is held back: both models parse it, and how far
they agree is told and kept. Each picture that is left out, and each held back in which both saw nobody, is named with the reason.

Options:
  --pictures FOLDER   JPEG, PNG, WebP, GIF, TIFF or AVIF in this folder, not in those below it; of more than 200, some
                      from everywhere in between are taken; default: drawn scenes that come with this package, which tell less than pictures of yours
  --out FOLDER        the folder to make, not that of MODEL; another model that it holds is replaced, other files stay.
                      Default: in the store, beside the float model, as its precision int8; one that is there is replaced
  --parts NAMES       what becomes int8, for example res4,res5 (default: all but those marked below)
  --calibration NAME  how ranges are chosen: ${CALIBRATIONS.join(', ')} (default: ${CALIBRATIONS[0]})
  --weight-bits N     7 (default) or 8
  --bias-correction   make up for what rounding the weights does to the means of outputs
  --store DIR         where models are kept (default: ${DEFAULT_STORE})
${storeHelp(22)}
  --help              show this text

Parts:
${partLines}

Ctrl+C leaves nothing behind. What a process that was killed has left, the next run for the same model or FOLDER clears.
`,
  run,
};

async function run(args: string[], terminal: Terminal): Promise<void> {
  const { err } = terminal;
  const {
    arguments: [model = ''],
    options,
    flags,
  } = readArguments(quantize, args, { takes: ['MODEL'], options: OPTIONS, flags: ['bias-correction'] });
  const { pictures, parts } = options;
  const store = storeOption(options);
  const calibration = choiceOption('calibration', options.calibration, CALIBRATIONS);
  const bits = choiceOption('weight-bits', options['weight-bits'], ['7', '8']);
  const bar = new ProgressBar(err);
  const from = await folderOfModel(model, store, bar);
  const out = options.out === undefined ? undefined : resolve(options.out);
  const choice = {
    ...(pictures !== undefined && { pictures: resolve(pictures) }),
    ...(parts !== undefined && { parts: parts.split(',').map((part) => part.trim() as Part) }),
    ...(calibration !== undefined && { calibration }),
    ...(bits !== undefined && { weightBits: bits === '7' ? (7 as const) : (8 as const) }),
    correctBias: flags['bias-correction'],
  };
  const { manifest, warnings, folder } = await interruptible(
    (signal) =>
      out === undefined
        ? int8OfFolder(from, store.root, {
            ...choice,
            again: true,
            signal,
            onProgress: (told) => showPull(bar, told),
          })
        : quantizeTo(from, out, {
            ...choice,
            signal,
            onProgress: (share) => bar.show('Making it int8', share),
          }),
    out === undefined ? 'The store is as it was' : `Nothing was written to ${out}`,
  ).finally(() => bar.close());
  for (const warning of warnings) err.write(`m2fp: warning: ${warning}\n`);
  terminal.out.write(table(modelFacts(manifest, folder)));
}

async function quantizeTo(model: string, out: string, options: Omit<QuantizeOptions, 'model' | 'out'>) {
  return { ...(await quantizeInProcess({ ...options, model, out })), folder: out };
}
