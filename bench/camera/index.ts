/**
 * `npm run bench -- camera [--json] [--model FOLDER] [--cameras N] [--rate N] [--seconds N]`: cameras on one engine, the
 * motion gate, and what tracking and describing cost. Without `--cameras` and `--rate`, one and four cameras at 2 and 10 frames a second.
 */
import { availableParallelism, loadavg } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { acquireEngine, shutdownEngines } from '../../src/engine/index.ts';
import { M2fpError } from '../../src/errors.ts';
import { bundledModelFolder } from '../../src/paths.ts';
import { count } from '../options.ts';
import { lines } from './lines.ts';
import { benchLoad, type LoadResult, playCameras } from './load.ts';
import { benchMotion, type MotionResult } from './motion.ts';
import { cameraSequences, stillFrames } from './sequences.ts';
import { benchStages, type StageResult } from './stages.ts';

/** Pixels of a camera's pictures. */
const WIDTH = 1920;
const SECONDS = 20;
const STILL_FRAMES = 50;
/** Grey levels of a sensor's noise: by day, and by night. */
const NOISE = { day: 4, night: 15 };

export interface CameraBench {
  cores: number;
  load: { before: number; after: number };
  loads: LoadResult[];
  motion: MotionResult[];
  /** What follows the model, each alone with ten people. */
  stages: StageResult[];
  /** Milliseconds of one parsing, as the gate saves it. */
  parseMs: number;
}

interface Options {
  model: string;
  cameras: number[];
  rates: number[];
  seconds: number;
}

/** @throws M2FP_BAD_OPTION for anything but the options told above */
export function cameraOptions(args: string[]): Options {
  try {
    const text = { type: 'string' } as const;
    const { values } = parseArgs({
      args,
      options: { model: text, cameras: text, rate: text, seconds: text },
    });
    const [cameras, rate] = [count('cameras', values.cameras), count('rate', values.rate)];
    return {
      model: resolve(values.model ?? bundledModelFolder()),
      cameras: cameras === undefined ? [1, 4] : [cameras],
      rates: rate === undefined ? [2, 10] : [rate],
      seconds: count('seconds', values.seconds) ?? SECONDS,
    };
  } catch (error) {
    if (error instanceof M2fpError) throw error;
    throw new M2fpError('M2FP_BAD_OPTION', (error as Error).message, { cause: error });
  }
}

export async function benchCamera(log: (line: string) => void, args: string[]): Promise<CameraBench> {
  const { model, cameras, rates, seconds } = cameraOptions(args);
  const before = loadavg()[0]!;
  const sequences = await cameraSequences(WIDTH);
  const motion = await measureMotion(sequences);
  const stages = await benchStages();
  const played = await playCameras();
  const lease = await acquireEngine({ model, warmUp: true });
  try {
    await lease.engine.load();
    const frames = sequences.flatMap((sequence) => sequence.frames.map(({ image }) => image));
    const parseMs = (await lease.engine.parse({ image: frames[0]! })).timing.total;
    const loads: LoadResult[] = [];
    for (const rate of rates) {
      await played.play({ frames, rate });
      for (const number of cameras) {
        for (const pace of ['flow', 'fixed'] as const) {
          loads.push(await benchLoad(lease, played.address, { cameras: number, rate, pace, seconds }));
        }
      }
    }
    const load = { before, after: loadavg()[0]! };
    const result = { cores: availableParallelism(), load, loads, motion, stages, parseMs };
    lines(result).forEach(log);
    return result;
  } finally {
    played.end();
    lease.release();
    await shutdownEngines();
  }
}

async function measureMotion(
  sequences: Awaited<ReturnType<typeof cameraSequences>>,
): Promise<MotionResult[]> {
  const results: MotionResult[] = [];
  const [first] = sequences;
  const { image, people } = first!.frames[0]!;
  for (const [time, sigma] of Object.entries(NOISE)) {
    const frames = await stillFrames(image, STILL_FRAMES, sigma);
    const scene = frames.map((frame) => ({ image: frame, people }));
    results.push(await benchMotion(`still, by ${time}`, scene, first!.width * first!.height));
  }
  for (const { name, frames, width, height } of sequences) {
    results.push(await benchMotion(name, frames, width * height));
  }
  return results;
}
