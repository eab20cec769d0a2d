/** `m2fp convert`: a PyTorch checkpoint becomes a model folder. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { M2fpError } from '../errors.ts';
import { LABEL_SET_NAMES, type LabelOverrides, type LabelSetName } from '../m2fp/labels.ts';
import type { InputRule, ModelManifest } from '../m2fp/manifest.ts';
import { convertCheckpoint } from '../store/convert.ts';
import { choiceOption, type Command, numberOption, readArguments, type Terminal } from './command.ts';
import { progressBar } from './progress.ts';

const OPTIONS = ['out', 'id', 'kind', 'labels', 'precision', 'short-side', 'long-side'] as const;

export const convert: Command = {
  name: 'convert',
  summary: 'turn a PyTorch checkpoint into a model folder',
  help: `Usage: m2fp convert SOURCE --out FOLDER [options]

Turns an M2FP checkpoint, as PyTorch saved it, into a model folder (model.onnx, model.onnx.data, m2fp.json).
No Python is needed, and nothing in the checkpoint is executed.

SOURCE is a folder in ModelScope's layout (pytorch_model.pt, configuration.json) or a checkpoint file.

Options:
  --out FOLDER        the folder to make; a model that it holds is replaced
  --id NAME           what the model is called (default: the name of SOURCE)
  --kind KIND         multi (several people) or single (one person); default: what the checkpoint tells
  --labels LABELS     a label set (${LABEL_SET_NAMES.join(', ')}) or a file
                      with the names in the order of their indices, a JSON list or one a line
  --precision NAME    how the weights are stored: fp32 (default) or fp16 (half the size)
  --short-side N      pixels that the shorter side of a picture is scaled to (multi)
  --long-side N       pixels that the longer side must not pass (multi)
  --help              show this text
`,
  run,
};

async function run(args: string[], { out, err }: Terminal): Promise<void> {
  const { argument: source, options } = readArguments(convert, args, 'SOURCE', OPTIONS);
  if (options.out === undefined) {
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      '--out is missing: name the folder to make (see m2fp convert --help)',
    );
  }
  const { manifest, warnings } = await convertCheckpoint({
    source,
    out: options.out,
    ...(options.id !== undefined && { id: options.id }),
    kind: choiceOption('kind', options.kind, ['multi', 'single']),
    labels: await labelsOption(options.labels),
    precision: choiceOption('precision', options.precision, ['fp32', 'fp16']),
    shortSide: numberOption('short-side', options['short-side']),
    longSide: numberOption('long-side', options['long-side']),
    onProgress: progressBar('Converting', err),
  });
  for (const warning of warnings) err.write(`m2fp: warning: ${warning}\n`);
  out.write(describe(manifest, resolve(options.out)));
}

/** A label set's name, or the names that a file lists. */
async function labelsOption(text: string | undefined): Promise<LabelOverrides['labels']> {
  if (text === undefined || LABEL_SET_NAMES.includes(text as LabelSetName))
    return text as LabelSetName | undefined;
  const problem = (reason: string) => new M2fpError('M2FP_BAD_OPTION', `--labels ${text}: ${reason}`);
  let content: string;
  try {
    content = await readFile(text, 'utf8');
  } catch {
    throw problem(`neither one of the label sets ${LABEL_SET_NAMES.join(', ')} nor a file that can be read`);
  }
  if (!content.trimStart().startsWith('['))
    return content.split(/\r?\n/).filter((line) => line.trim() !== '');
  let names: unknown;
  try {
    names = JSON.parse(content);
  } catch (error) {
    throw problem(`not valid JSON (${(error as Error).message})`);
  }
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string'))
    throw problem('not a list of names');
  return names;
}

function describe(manifest: ModelManifest, folder: string): string {
  const { id, kind, labels, input, precision, files, source } = manifest;
  const { blocks } = manifest.hyperParameters.backbone;
  const megabytes = Object.values(files).reduce((sum, { size }) => sum + size, 0) / 2 ** 20;
  const facts: [string, string][] = [
    ['model', id],
    ['kind', kind === 'multi' ? 'multi (several people)' : 'single (one person)'],
    ['labels', `${labels.length}: ${labels.join(', ')}`],
    ['input', describeInput(input)],
    ['backbone', `ResNet with ${blocks.join(', ')} blocks`],
    ['weights', `${precision}, ${megabytes.toFixed(1)} MB`],
    ['read from', source.configuration ? `${source.file} and configuration.json` : source.file],
    ['folder', folder],
  ];
  return facts.map(([name, value]) => `${`${name}:`.padEnd(11)}${value}\n`).join('');
}

function describeInput(rule: InputRule): string {
  if (rule.kind === 'canvas') return `a canvas of ${rule.width} x ${rule.height} pixels`;
  return `short side ${rule.shortSide} pixels, long side at most ${rule.longSide}`;
}
