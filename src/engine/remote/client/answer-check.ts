/** What a worker may answer about a picture: how many bytes of what, and whether it fits the picture. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { checkResult } from '../../../parsing/check.ts';
import { rleToRuns } from '../../../parsing/masks/rle.ts';
import { runsArea, runsBox } from '../../../parsing/masks/runs.ts';
import type { Box, Part, Person, Rle } from '../../../parsing/types.ts';
import type { ChildParsing } from '../../protocol.ts';
import type { PackLimits } from '../redis/packed.ts';

/** Of the picture that was sent, turned upright, pixels. */
export interface ImageSize {
  width: number;
  height: number;
}

const MEBIBYTE = 2 ** 20;
/** Values of an answer: some 30 each of three thousand parts and persons. */
const MAX_ENTRIES = 100_000;
/** parsing, doubtful, parts, part, mask, size: each in the one before, all in the answer. */
const MAX_DEPTH = 7;
/** Bytes of the longest mask: several times that of noise, and looked through within some milliseconds. */
const MAX_MASK = 4 * MEBIBYTE;
/** All texts, which are nearly all masks. */
const MAX_TEXT = 32 * MEBIBYTE;
/** Characters of a label's name. */
const MAX_LABEL = 256;
/** Bytes of a map that are looked at in one go: less than a millisecond. */
const SLICE = MEBIBYTE / 4;
/** Milliseconds of work after which others get their turn. */
const TURN = 5;

/** What an answer about a picture of this size may have at most; null: about one that is none. */
export function answerLimits(size: ImageSize | null): PackLimits & { bytes: number } {
  const pixels = size === null ? 0 : size.width * size.height;
  const text = Math.min(MEBIBYTE + 2 * pixels, MAX_TEXT);
  return { entries: MAX_ENTRIES, depth: MAX_DEPTH, text, bytes: 2 * pixels + text + MEBIBYTE };
}

/**
 * Says why `value` is no parsing of a picture of this size; null where it is one. As strict as the check of what comes
 * by message, and stricter: the masks are read, too. Others get their turn meanwhile.
 */
export async function parsingFault(value: Record<string, unknown>, size: ImageSize): Promise<string | null> {
  try {
    await checkAnswer(value, size);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

async function checkAnswer(value: Record<string, unknown>, { width, height }: ImageSize): Promise<void> {
  const fail = (reason: string) => new Error(reason);
  if (value['width'] !== width || value['height'] !== height) {
    throw fail(`its size is not that of the picture, ${width} x ${height}`);
  }
  checkResult(value, fail);
  const { doubtful, timing } = value as Partial<ChildParsing>;
  if (!isRecord(doubtful)) throw fail('doubtful is not an object');
  for (const stage of ['decode', 'preprocess', 'inference', 'postprocess'] as const) {
    if (timing?.[stage] === undefined) throw fail(`timing.${stage} is not there`);
  }
  const long = value.labels.find((label) => label.length > MAX_LABEL);
  if (long !== undefined) throw fail(`the name of a label has ${long.length} characters`);
  const all = [value, value.doubtful];
  for (const { label, index } of all.flatMap((one): readonly Part[] => one.parts)) {
    if (label !== value.labels[index]) throw fail('a part has the name of another label');
  }
  await checkMasks(all.flatMap((one): readonly (Part | Person)[] => [...one.persons, ...one.parts]));
  await checkMap('labelMap', value.labelMap, [...value.labels.keys()]);
  await checkMap('personMap', value.personMap, [0, ...value.persons.map(({ id }) => id)]);
}

async function checkMasks(regions: readonly { mask: Rle; area: number; box: Box }[]): Promise<void> {
  let begun = performance.now();
  for (const { mask, area, box } of regions) {
    if (mask.counts.length > MAX_MASK) throw new Error(`a mask has ${mask.counts.length} characters`);
    const runs = rleToRuns(mask);
    if (runsArea(runs) !== area) throw new Error('a mask has another area than it is said to have');
    const { x, y, width, height } = runsBox(runs, mask.size[0]);
    if (box.x !== x || box.y !== y || box.width !== width || box.height !== height)
      throw new Error('a mask has another box than it is said to have');
    if (performance.now() - begun < TURN) continue;
    await nextTurn();
    begun = performance.now();
  }
}

/** @param values those that may be in the map */
async function checkMap(name: string, map: Buffer, values: readonly number[]): Promise<void> {
  const isKnown = new Uint8Array(256);
  for (const value of values) isKnown[value] = 1;
  for (let from = 0; from < map.length; from += SLICE) {
    if (from > 0) await nextTurn();
    const end = Math.min(from + SLICE, map.length);
    for (let at = from; at < end; at++) {
      if (isKnown[map[at]!] === 0) throw new Error(`${name} holds ${map[at]}, which is not there`);
    }
  }
}

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
