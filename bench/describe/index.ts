/**
 * `npm run bench -- describe [--data FOLDER] [--no-model]`: how well `describe` names the colours of clothes whose paints
 * are known (bench/wardrobe, or a folder that make_wardrobe.py made), with true masks and with the bundled model's, and
 * what it costs the event loop at 1920 x 1080 with 10 persons.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openPipeline } from '../../src/engine/child/pipeline.ts';
import { M2fpError } from '../../src/errors.ts';
import type { Parsing } from '../../src/parsing/types.ts';
import { describe } from '../../src/people/describe/describe.ts';
import { readManifest } from '../../src/store/manifest.ts';
import { type Cost, measureCost } from './cost.ts';
import { judge, type Tally, tally, type Verdict } from './judge.ts';
import { readWardrobe, trueParsing, WARDROBE, wardrobeImage } from './wardrobe.ts';

const MODEL = join(import.meta.dirname, '..', '..', 'models', 'demo');
/** As new infer nodes have it. */
const MIN_SCORE = 0.5;

export interface DescribeBench {
  rows: { masks: string; what: string; tally: Tally }[];
  cost: Cost;
}

interface Judged {
  masks: string;
  verdicts: Verdict[];
}

/** @throws M2FP_BAD_OPTION for anything but the options told above */
function readArguments(args: string[]): { data: string; model: boolean } {
  try {
    const { values } = parseArgs({
      args,
      allowNegative: true,
      options: { data: { type: 'string' }, model: { type: 'boolean', default: true } },
    });
    return { data: values.data ?? WARDROBE, model: values.model };
  } catch (error) {
    throw new M2fpError('M2FP_BAD_OPTION', (error as Error).message, { cause: error });
  }
}

export async function benchDescribe(log: (line: string) => void, args: string[]): Promise<DescribeBench> {
  const { data, model } = readArguments(args);
  const judged = [await judgeTruth(data), ...(model ? [await judgeModel(data)] : [])];
  const rows = judged.flatMap(({ masks, verdicts }) => rowsOf(masks, verdicts));
  log('Garments whose main colour is named right, of those that are told, and of all of 100 pixels or more:');
  for (const { masks, what, tally: t } of rows) {
    const percent = (of: number): string => `${((100 * t.right) / Math.max(of, 1)).toFixed(1)} %`;
    log(
      `  ${masks.padEnd(8)} ${what.padEnd(10)} ${percent(t.found)} of ${t.found}, ${percent(t.garments)} of ${t.garments}`,
    );
  }
  for (const { masks, verdicts } of judged) log(`  ${masks}: confused most: ${confusions(verdicts)}`);
  const cost = await measureCost();
  log(
    `describe, 1920 x 1080, ${cost.persons} persons: ${cost.busy.toFixed(1)} ms of the event loop's thread (mean of ${cost.rounds}), ` +
      `${cost.longest.toFixed(1)} ms at a stretch at most, ${cost.total.toFixed(1)} ms in all`,
  );
  return { rows, cost };
}

async function judgeTruth(data: string): Promise<Judged> {
  return judgeAll('true', data, (parsing) => Promise.resolve(parsing));
}

async function judgeModel(data: string): Promise<Judged> {
  const manifest = await readManifest(MODEL);
  const pipeline = await openPipeline(MODEL, manifest.digest, availableParallelism());
  try {
    return await judgeAll('model', data, async ({ image, ...truth }) => ({
      ...truth,
      ...(await pipeline.parse(image, { scoreThreshold: MIN_SCORE })),
      image,
      timing: truth.timing,
    }));
  } finally {
    await pipeline.close();
  }
}

async function judgeAll(
  masks: string,
  data: string,
  parse: (truth: Parsing) => Promise<Parsing>,
): Promise<Judged> {
  const verdicts: Verdict[] = [];
  for (const scene of await readWardrobe(data)) {
    for (const light of scene.lights) {
      const parsing = await parse(trueParsing(scene, await wardrobeImage(scene, light, data)));
      verdicts.push(...judge(scene, light, parsing, await describe(parsing)));
    }
  }
  return { masks, verdicts };
}

function rowsOf(masks: string, verdicts: readonly Verdict[]): DescribeBench['rows'] {
  const clothes = verdicts.filter(({ label }) => label !== 'Hair');
  const lights = [...new Set(clothes.map(({ light }) => light))];
  return [
    ...lights.map((what) => ({ masks, what, tally: tally(clothes.filter(({ light }) => light === what)) })),
    { masks, what: 'all', tally: tally(clothes) },
    { masks, what: 'plain', tally: tally(clothes.filter(({ paints }) => paints.length === 1)) },
    { masks, what: 'two paints', tally: tally(clothes.filter(({ paints }) => paints.length > 1)) },
    { masks, what: 'hair', tally: tally(verdicts.filter(({ label }) => label === 'Hair')) },
  ];
}

/** "grey for white 9, …", the most frequent first. */
function confusions(verdicts: readonly Verdict[]): string {
  const counts = new Map<string, number>();
  for (const { label, paints, said } of verdicts) {
    const [first] = said ?? [];
    if (label === 'Hair' || first === undefined || paints.includes(first)) continue;
    const key = `${first} for ${paints[0]}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, 8)
    .map(([key, n]) => `${key} ${n}`)
    .join(', ');
}
