/**
 * `npm run bench -- track [--model DIR] [--truth]`: how well people keep their numbers over the drawn sequences of
 * bench/sequences, at 1, 2 and 5 frames a second, with the persons of the truth and with those that a model finds (the
 * bundled one by default; `--truth` leaves it out); and what a frame costs at 1920 x 1080 with ten people.
 */
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { acquireEngine, shutdownEngines } from '../../src/engine/index.ts';
import { M2fpError } from '../../src/errors.ts';
import { readOptions } from '../../src/parsing/options/option-table.ts';
import type { Parsing } from '../../src/parsing/types.ts';
import { Topics } from '../../src/people/track/topics.ts';
import { TRACK_OPTIONS } from '../../src/people/track/track-options.ts';
import { quantile } from '../statistics.ts';
import { crowdOf } from './crowd.ts';
import { follow, together } from './follow.ts';
import { type Figures, figuresOf, type FramePair } from './metrics.ts';
import { readSequence, SEQUENCE_NAMES } from './sequences.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const BUNDLED_MODEL = join(ROOT, 'models', 'demo');
/** Frames a second. */
const RATES = [1, 2, 5];
/** Minimum of new infer nodes. */
const MIN_SCORE = 0.5;
const COST_FRAMES = 200;

export interface TrackBench {
  sequences: { people: 'truth' | 'model'; rate: number; name: string; figures: Figures }[];
  cost: { people: number; width: number; height: number; frame: Spread; looks: Spread; held: number };
}

/** Milliseconds. */
interface Spread {
  p50: number;
  p99: number;
}

/** @throws {M2fpError} `M2FP_BAD_OPTION` for anything but the options told above */
export async function benchTrack(log: (line: string) => void, args: string[]): Promise<TrackBench> {
  let values;
  try {
    ({ values } = parseArgs({
      args,
      options: { model: { type: 'string' }, truth: { type: 'boolean', default: false } },
    }));
  } catch (error) {
    throw new M2fpError('M2FP_BAD_OPTION', (error as Error).message, { cause: error });
  }
  const sequences: TrackBench['sequences'] = [];
  const judge = async (
    people: 'truth' | 'model',
    parse: (frame: Parsing) => Promise<Parsing>,
  ): Promise<void> => {
    for (const rate of RATES) {
      const all: FramePair[][] = [];
      for (const name of SEQUENCE_NAMES) {
        const pairs = await follow(readSequence(name, rate), parse);
        sequences.push({ people, rate, name, figures: figuresOf(pairs) });
        log(lineOf(people, rate, name, figuresOf(pairs)));
        all.push(pairs);
      }
      sequences.push({ people, rate, name: 'all', figures: figuresOf(together(all)) });
      log(lineOf(people, rate, 'all', figuresOf(together(all))));
    }
  };
  await judge('truth', async (parsing) => parsing);
  if (!values.truth) {
    const lease = await acquireEngine({ model: values.model ?? BUNDLED_MODEL });
    try {
      const known = new Map<string, Promise<Parsing>>();
      await judge('model', ({ image }) => {
        const key = image.toString('latin1', 0, 4096);
        const parsing =
          known.get(key) ?? lease.engine.parse({ image, options: { scoreThreshold: MIN_SCORE } });
        known.set(key, parsing);
        return parsing;
      });
    } finally {
      lease.release();
      await shutdownEngines();
    }
  }
  return { sequences, cost: await measureCost(log) };
}

function lineOf(people: string, rate: number, name: string, figures: Figures): string {
  const { idf1, mota, switches, misses, falsePositives, truths } = figures;
  // What tracking could reach at the most with the persons that it is given.
  const best = (2 * (truths - misses)) / (truths + figures.tracked);
  return [
    people.padEnd(6),
    `${rate}/s`,
    name.padEnd(8),
    `IDF1 ${idf1.toFixed(3)}`,
    `MOTA ${mota.toFixed(3)}`,
    `switches ${switches}`,
    `missed ${misses}`,
    `false ${falsePositives}`,
    `of ${truths}`,
    `best IDF1 ${best.toFixed(3)}`,
  ].join('  ');
}

/** What a frame costs, all in all, and for how long of it the event loop does nothing else. */
async function measureCost(log: (line: string) => void): Promise<TrackBench['cost']> {
  const frames = await crowdOf();
  const { width, height, persons } = frames[0]!;
  const timesWith = async (look: boolean): Promise<number[]> => {
    const topics = new Topics();
    const options = readOptions(TRACK_OPTIONS, { look });
    const times: number[] = [];
    for (let index = 0; index < COST_FRAMES; index++) {
      const start = performance.now();
      await topics.track(frames[index % frames.length]!, 'camera', index * 200, options);
      times.push(performance.now() - start);
    }
    return times.slice(20);
  };
  const plain = await timesWith(false);
  const before = performance.eventLoopUtilization();
  const looks = await timesWith(true);
  const { active } = performance.eventLoopUtilization(before);
  const spread = (times: number[]): Spread => ({ p50: quantile(times, 0.5), p99: quantile(times, 0.99) });
  const cost = {
    people: persons.length,
    width,
    height,
    frame: spread(plain),
    looks: spread(looks),
    held: active / COST_FRAMES,
  };
  const text = ({ p50, p99 }: Spread): string => `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;
  log(`A frame of ${width} x ${height} with ${persons.length} people, places only: ${text(cost.frame)}`);
  log(`The same with looks (most of it sharp's threads, decoding): ${text(cost.looks)}`);
  log(`Of that the event loop is held for ${cost.held.toFixed(1)} ms a frame`);
  return cost;
}
