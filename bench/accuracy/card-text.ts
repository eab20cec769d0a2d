/** The measured parts of the model card, as Markdown. */
import { M2fpError } from '../../src/errors.ts';
import type { Figures } from './judge.ts';

/** What `models/training/export.py` writes beside the weights. */
export interface Training {
  minutes: number;
  /** Crops seen. */
  seen: number;
}

export interface Measured {
  /** Bytes of the model's files together. */
  bytes: number;
  /** Shorter side that pictures are scaled to. */
  shortSide: number;
  training: Training;
  threads: number;
  /** Seconds, the fastest of several rounds. */
  load: number;
  /** Of one picture of 640 x 640, decoding to parts: scaled as the model does, and fed as it is. */
  scaled: number;
  full: number;
}

export interface Column {
  name: string;
  figures: Figures;
}

/** Classes side by side in the table of IoUs. */
const CLASSES_ACROSS = 4;

/**
 * `card` with `body` between the comments `<!-- name -->` and `<!-- /name -->`.
 * @throws M2FP_BAD_OPTION where the card does not have both exactly once
 */
export function withBlock(card: string, name: string, body: string): string {
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [before, rest, more] = card.split(start);
  const [, after, again] = rest?.split(end) ?? [];
  if (after === undefined || more !== undefined || again !== undefined) {
    throw new M2fpError('M2FP_BAD_OPTION', `The card needs the comments ${start} and ${end}, each once.`);
  }
  return `${before}${start}\n\n${body}\n\n${end}${after}`;
}

function rows(cells: readonly (readonly string[])[]): string {
  const [head, ...body] = cells;
  const line = (row: readonly string[]) => `| ${row.join(' | ')} |`;
  return [line(head!), line(head!.map(() => '---')), ...body.map(line)].join('\n');
}

function share(value: number | null | undefined, digits = 3): string {
  return value === null || value === undefined ? '-' : value.toFixed(digits);
}

function percent(value: number | null): string {
  return value === null ? '-' : `${(value * 100).toFixed(1)} %`;
}

/** What the model is, in figures. */
export function factsText({ bytes, shortSide, training, threads, load, scaled, full }: Measured): string {
  return rows([
    ['', ''],
    ['size', `${(bytes / 1e6).toFixed(1)} MB with half-precision weights`],
    [
      'trained',
      `${Math.round(training.minutes)} minutes on ${training.seen.toLocaleString('en-US')} crops of drawn scenes`,
    ],
    ['shorter side of the network input', `${shortSide} pixels`],
    ['loading', `${load.toFixed(2)} s`],
    [
      'a picture of 640 x 640, scaled so',
      `${scaled.toFixed(2)} s on ${threads} cores, from the file to the parts`,
    ],
    ['the same, fed at 640 x 640', `${full.toFixed(2)} s`],
  ]);
}

/** The figures of the variants, the first being the model as it ships, and its IoU by class. */
export function figuresText(scenes: number, columns: readonly Column[]): string {
  const [{ figures: shipped }] = columns as [Column, ...Column[]];
  const figure = (text: string, of: (figures: Figures) => string) => [
    text,
    ...columns.map(({ figures }) => of(figures)),
  ];
  const found = Object.entries(shipped.classes);
  const across = Math.ceil(found.length / CLASSES_ACROSS);
  const classes = Array.from({ length: across }, (_, row) =>
    Array.from({ length: CLASSES_ACROSS }, (_unused, column) => {
      const [name = '', iou] = found[row + column * across] ?? [];
      return [name, name === '' ? '' : share(iou)];
    }).flat(),
  );
  return [
    `On ${scenes} drawn scenes that training never saw (${shipped.people} people), by \`npm run bench -- accuracy\`:`,
    rows([
      ['', ...columns.map(({ name }) => name)],
      figure('mIoU over 20 classes', ({ miou }) => share(miou, 4)),
      figure('IoU of people against background', ({ foregroundIou }) => share(foregroundIou, 4)),
      figure('person AP at IoU 0.5', ({ personAp50 }) => share(personAp50, 4)),
      figure('parts found that are linked to the right person', ({ link }) => percent(link)),
      figure('AP^r at 0.5 / mean of 0.1 to 0.9', ({ apR50, apRVol }) => `${share(apR50)} / ${share(apRVol)}`),
      figure('AP^p at 0.5 / mean of 0.1 to 0.9', ({ apP50, apPVol }) => `${share(apP50)} / ${share(apPVol)}`),
      figure('PCP at 0.5', ({ pcp50 }) => share(pcp50)),
    ]),
    'IoU by class, as it ships:',
    rows([Array.from({ length: CLASSES_ACROSS }, () => ['class', 'IoU']).flat(), ...classes]),
  ].join('\n\n');
}
