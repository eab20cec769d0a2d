/** A model in words. */
import { type Int8Origin, isNobodySeen, isOnWasm, percentOf, timesAsFast } from '../m2fp/int8-origin.ts';
import type { InputRule, ModelManifest } from '../m2fp/manifest.ts';
import type { Origin, Origins } from '../m2fp/origin.ts';
import { megabytes } from './progress.ts';

export type Fact = readonly [name: string, value: string];

/** Facts one below the other, their values in one column. */
export function table(facts: readonly Fact[], indent = ''): string {
  const width = Math.max(...facts.map(([name]) => name.length)) + 3;
  return facts.map(([name, value]) => `${indent}${`${name}:`.padEnd(width)}${value}\n`).join('');
}

/** The facts of a model that a user chooses it by. */
export function kindAndLabels({ kind, labels }: Pick<ModelManifest, 'kind' | 'labels'>): Fact[] {
  return [
    ['kind', kind === 'multi' ? 'multi (several people)' : 'single (one person)'],
    ['labels', `${labels.length}: ${labels.join(', ')}`],
  ];
}

/** All that a user may want to know about a model that was just made. */
export function modelFacts(manifest: ModelManifest, folder: string): Fact[] {
  const { id, input, precision, operators, files, source, hyperParameters, int8 } = manifest;
  const size = Object.values(files).reduce((sum, file) => sum + file.size, 0);
  return [
    ['model', id],
    ...kindAndLabels(manifest),
    ['input', describeInput(input)],
    ['backbone', `ResNet with ${hyperParameters.backbone.blocks.join(', ')} blocks`],
    ['weights', `${precision}, ${megabytes(size)}`],
    ...(operators === undefined ? [] : [['operators', operators] as const]),
    ...int8Facts(int8),
    [
      int8 === undefined ? 'read from' : 'converted from',
      source.configuration ? `${source.file} and configuration.json` : source.file,
    ],
    ['folder', folder],
  ];
}

/** What of the model is int8, and what that brings and costs; nothing of others. */
export function int8Facts(int8: Int8Origin | undefined): Fact[] {
  if (int8 === undefined) return [];
  const { parts, pictures, weightBits, calibration, correctedBias, from, report } = int8;
  const seen = pictures === 1 ? 'one picture' : `${pictures} pictures`;
  const biases = correctedBias ? ', biases corrected' : '';
  const how = `${parts.join(', ')}; weights of ${weightBits} bits, ${calibration} ranges of ${seen}${biases}`;
  if (report === undefined) return [['int8', how]];
  const { agreement, seconds, machine } = report;
  const { persons, parts: found } = agreement;
  const share = (value: number | null) => percentOf(value ?? 0);
  // WebAssembly sees less of the processor.
  const on = isOnWasm(report) ? [machine.processor] : [machine.processor, machine.instructions];
  const where = on.filter((name) => name !== null).join(', ');
  const heldBack =
    agreement.pictures === 1 ? 'one picture was held back' : `${agreement.pictures} pictures were held back`;
  const alike = isNobodySeen(int8)
    ? 'unknown: both saw nobody, so nothing was compared'
    : `${share(agreement.pixels)} of the pixels (${share(agreement.leastPixels)} in the worst picture), ` +
      `${share(agreement.foreground)} of the foreground, ` +
      `${persons.matched} of ${persons.reference} persons, ${found.matched} of ${found.reference} parts`;
  return [
    ['int8', how],
    [`like ${from.precision}`, `${alike}; ${heldBack}`],
    [
      'a picture',
      `${seconds.int8.toFixed(2)} s in place of ${seconds.float.toFixed(2)} s, ` +
        `${timesAsFast(report).toFixed(2)} times as fast by processor time${isOnWasm(report) ? ' on WebAssembly' : ''} ` +
        `(${[where, `threads: ${machine.threads}`].filter(Boolean).join(', ')})`,
    ],
  ];
}

function describeInput(rule: InputRule): string {
  if (rule.kind === 'canvas') return `a canvas of ${rule.width} x ${rule.height} pixels`;
  return `short side ${rule.shortSide} pixels, long side at most ${rule.longSide}`;
}

const ORIGINS: Record<Origin, string> = {
  user: 'as you said',
  configuration: 'read from configuration.json',
  tensors: 'inferred from the tensors',
  default: 'assumed, as nothing tells',
};

/** Which facts were read, and which inferred or assumed; hyper-parameters with their values. */
export function originFacts(origins: Origins, { hyperParameters }: ModelManifest): Fact[] {
  const values = hyperParameters as unknown as Record<string, Record<string, unknown>>;
  const named = (path: string) => {
    const [section = '', name = ''] = path.split('.');
    const value = values[section]?.[name];
    // Numbers, words, yes or no, and short lists of numbers.
    return value === undefined ? path : `${path} ${JSON.stringify(value).replaceAll('"', '')}`;
  };
  return (Object.keys(ORIGINS) as Origin[]).flatMap((origin) => {
    const paths = Object.keys(origins).filter((path) => origins[path] === origin);
    return paths.length === 0 ? [] : [[ORIGINS[origin], paths.map(named).join(', ')] as const];
  });
}
