/** A comparison in words: rows of tables, for the terminal and for the page. */
import { basename } from 'node:path';
import type { MatchFigures, PictureAgreement } from '../parsing/agreement.ts';
import type { Comparison } from './compare.ts';
import type { Settings, SideFacts } from './side.ts';

/** What a row is about, and what is to be said of it. */
export type Row = readonly [name: string, value: string];

/** Never 100 % where anything differs. */
export function percent(share: number | null): string {
  if (share === null) return 'none';
  return `${(share === 1 ? 100 : Math.min(99.99, share * 100)).toFixed(share === 1 ? 0 : 2)} %`;
}

/** A side in a few words: its model, and what was set. */
export function nameOf({ id, precision, folder, settings, provider }: SideFacts): string {
  const set = settingsInWords(settings);
  const where = basename(folder) === id ? '' : ` in ${folder}`;
  return [`${id}, ${precision}${where}`, ...set, ...(provider === 'wasm' ? ['WebAssembly'] : [])].join(', ');
}

function settingsInWords({ flip, shortSide, longSide }: Settings): string[] {
  return [
    ...(flip ? ['flip'] : []),
    ...(shortSide === undefined ? [] : [`short side ${shortSide}`]),
    ...(longSide === undefined ? [] : [`long side ${longSide}`]),
  ];
}

/** What both cost. */
export function costRows({ a, b, speed }: Comparison): Row[] {
  const one = ({ seconds, networkSeconds, memory }: SideFacts) =>
    `${seconds.toFixed(3)} s a picture (the network ${networkSeconds.toFixed(3)} s)` +
    (memory === null ? '' : `, ${(memory / 1e6).toFixed(0)} MB`);
  const faster =
    speed >= 1 ? `B is ${speed.toFixed(2)} times as fast` : `A is ${(1 / speed).toFixed(2)} times as fast`;
  return [
    ['A', one(a)],
    ['B', one(b)],
    ['speed', `${faster} (median over the pictures, taking turns)`],
  ];
}

/** How far both agree. */
export function agreementRows({ agreement }: Comparison): Row[] {
  const { pixels, leastPixels, foreground, persons, parts } = agreement;
  return [
    [
      'same label',
      `${percent(pixels)} of the pixels, ${percent(leastPixels)} in the picture that differs most`,
    ],
    [
      'foreground',
      foreground === null ? 'none found' : `${percent(foreground)} of what is no background in A or B`,
    ],
    ['persons', matched(persons)],
    ['parts', matched(parts)],
  ];
}

function matched(figures: MatchFigures): string {
  const { reference, other, matched: both, iou, meanScoreDifference, greatestScoreDifference } = figures;
  const found = `${both} found by both, ${reference} by A, ${other} by B`;
  if (iou === null || meanScoreDifference === null || greatestScoreDifference === null) return found;
  return (
    `${found}; their masks overlap by ${percent(iou)} (IoU), their scores differ by ` +
    `${meanScoreDifference.toFixed(3)} (at most ${greatestScoreDifference.toFixed(3)})`
  );
}

/** One picture in a line. */
export function differenceInWords({ pixels, persons, parts }: PictureAgreement): string {
  const both = ({ pairs, reference, other }: PictureAgreement['persons']) =>
    `${pairs.length} of ${Math.max(reference, other)}`;
  return `${percent(pixels)} of the pixels, ${both(persons)} persons, ${both(parts)} parts`;
}
