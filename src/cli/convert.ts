/** `m2fp convert`: a PyTorch checkpoint becomes a model folder. */
import { resolve } from 'node:path';
import { parseJson, readBounded } from '../bounded-file.ts';
import { WEIGHTS_CHOICES } from '../checkpoint/index.ts';
import { M2fpError } from '../errors.ts';
import { LABEL_SET_NAMES, type LabelOverrides, type LabelSetName } from '../m2fp/labels.ts';
import { OPERATORS, PRECISIONS } from '../m2fp/manifest.ts';
import { convertToInt8 } from '../quantize/convert-int8.ts';
import { convertCheckpoint, INPUT_SIDE } from '../store/convert.ts';
import {
  choiceOption,
  type Command,
  numberOption,
  picturesOption,
  rangeOf,
  readArguments,
  type Terminal,
} from './command.ts';
import { modelFacts, originFacts, table } from './describe.ts';
import { interruptible } from './interrupt.ts';
import { ProgressBar } from './progress.ts';

const OPTIONS = [
  'out',
  'id',
  'kind',
  'labels',
  'precision',
  'pictures',
  'operators',
  'weights',
  'short-side',
  'long-side',
] as const;

/** More than the names of any model's labels take. */
const MAX_LABELS_BYTES = 2 ** 20;

export const convert: Command = {
  name: 'convert',
  summary: 'turn a PyTorch checkpoint into a model folder',
  help: `Usage: m2fp convert SOURCE --out FOLDER [options]

Turns an M2FP checkpoint, as PyTorch saved it, into a model folder (model.onnx, model.onnx.data, m2fp.json).
No Python is needed, and nothing in the checkpoint is executed.

SOURCE is a folder in ModelScope's layout (pytorch_model.pt, configuration.json) or a checkpoint file. What a trainer
left beside the weights (optimizer, scheduler, counters) is not read.

Options:
  --out FOLDER        the folder to make; a model that it holds is replaced, other files stay
  --id NAME           what the model is called (default: the name of SOURCE)
  --kind KIND         multi (several people) or single (one person); default: what the checkpoint tells
  --labels LABELS     a label set (${LABEL_SET_NAMES.join(', ')}) or a file
                      with the names in the order of their indices, a JSON list or one a line
  --precision NAME    how the weights are stored: fp32 (default) or fp16 (half the size); or int8: the converted model is
                      made int8, see "m2fp quantize --help"
  --pictures FOLDER   for int8: 32 or more pictures like those that the model will see, in this folder, not in those
                      below it (default: drawn scenes)
  --operators NAME    deform-conv (default) or grid-sample: for other engines than onnxruntime, most of which do not know
                      ONNX's DeformConv (OpenVINO, TensorRT, ncnn)
  --weights NAME      which weights, where the checkpoint has both: model (default) or ema, their running average
  --short-side N      pixels that the shorter side of a picture is scaled to (multi)
  --long-side N       pixels that the longer side must not pass (multi)
  --help              show this text

Prints what was read from configuration.json, and what was inferred or assumed. Ctrl+C leaves nothing behind; what a process
that was killed has left, the next run for the same FOLDER clears.
`,
  run,
};

async function run(args: string[], { out, err }: Terminal): Promise<void> {
  const {
    arguments: [source = ''],
    options,
  } = readArguments(convert, args, { takes: ['SOURCE'], options: OPTIONS });
  if (options.out === undefined) {
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      '--out is missing: name the folder to make (see m2fp convert --help)',
    );
  }
  const folder = resolve(options.out);
  const precision = choiceOption('precision', options.precision, PRECISIONS);
  const pictures = picturesOption(options.pictures, precision);
  const request = {
    source,
    out: folder,
    ...(options.id !== undefined && { id: options.id }),
    kind: choiceOption('kind', options.kind, ['multi', 'single']),
    labels: await labelsOption(options.labels),
    operators: choiceOption('operators', options.operators, OPERATORS),
    weights: choiceOption('weights', options.weights, WEIGHTS_CHOICES),
    shortSide: numberOption('short-side', options['short-side'], rangeOf(INPUT_SIDE)),
    longSide: numberOption('long-side', options['long-side'], rangeOf(INPUT_SIDE)),
  };
  const bar = new ProgressBar(err);
  const onProgress = (share: number) => bar.show('Converting', share);
  const onPhase = (phase: 'convert' | 'quantize', share: number) =>
    phase === 'convert' ? onProgress(share) : bar.show('Making it int8', share);
  const { manifest, warnings, origins } = await interruptible(
    (signal) =>
      precision === 'int8'
        ? convertToInt8({ ...request, pictures, signal, onProgress: onPhase })
        : convertCheckpoint({ ...request, precision, signal, onProgress }),
    `Nothing was written to ${folder}`,
  ).finally(() => bar.close());
  for (const warning of warnings) err.write(`m2fp: warning: ${warning}\n`);
  out.write(`${table(modelFacts(manifest, folder))}\n${table(originFacts(origins, manifest))}`);
}

/** A label set's name, or the names that a file lists. */
async function labelsOption(text: string | undefined): Promise<LabelOverrides['labels']> {
  if (text === undefined || LABEL_SET_NAMES.includes(text as LabelSetName))
    return text as LabelSetName | undefined;
  const problem = (reason: string) => new M2fpError('M2FP_BAD_OPTION', `--labels ${text}: ${reason}`);
  let content: string;
  try {
    content = await readBounded(text, MAX_LABELS_BYTES);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw problem(`it ${message}`);
    throw problem(`neither one of the label sets ${LABEL_SET_NAMES.join(', ')} nor a file that can be read`);
  }
  if (!content.trimStart().startsWith('['))
    return content
      .replace(/^\ufeff/, '')
      .split(/\r?\n/)
      .filter((line) => line.trim() !== '');
  let names: unknown;
  try {
    names = parseJson(content);
  } catch (error) {
    throw problem(`it ${(error as Error).message}`);
  }
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string'))
    throw problem('not a list of names');
  return names;
}
