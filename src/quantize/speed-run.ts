/** Float32 and int8 in turns, to see how much faster int8 is: blocks its thread, and belongs into a process of its own. */
import { availableParallelism } from 'node:os';
import { loadGraph } from '../engine/child/session.ts';
import type { Loaders } from '../engine/child/runtime.ts';
import type { Int8Speed } from '../m2fp/int8-speed.ts';
import { median } from '../numbers.ts';
import { throwIfCancelled } from '../store/cancel.ts';
import type { JobOptions } from '../store/one-job.ts';
import { SPEED_INPUT, writeSpeedModels } from './speed-network.ts';

/** Pairs of runs, so many at least and at most. */
const LEAST_PAIRS = 3;
const MOST_PAIRS = 9;
/** Milliseconds after which no further pair begins. */
const ENOUGH_TIME = 1500;

export interface SpeedRequest extends JobOptions {
  /** An empty folder, for both networks. */
  out: string;
  /** For tests. */
  loaders?: Loaders;
}

export type SpeedRun = Omit<Int8Speed, 'instructions'>;

/**
 * The median over several pairs of runs, by processor time: what else a machine has to do moves that least.
 * @throws M2fpError M2FP_ENGINE_UNAVAILABLE without onnxruntime, M2FP_CANCELLED
 */
export async function runSpeed({ out, signal, loaders }: SpeedRequest): Promise<SpeedRun> {
  const threads = availableParallelism();
  const folders = await writeSpeedModels(out, signal);
  const [float, int8] = [
    await loadGraph(folders.float, threads, loaders),
    await loadGraph(folders.int8, threads, loaders),
  ];
  const { Tensor, provider } = float.runtime;
  const { width, height } = SPEED_INPUT;
  const pixels = Uint8Array.from({ length: height * width * 3 }, (_, i) => (i * 7919 + (i >> 9) * 31) % 256);
  const image = new Tensor('uint8', pixels, [height, width, 3]);
  const sessions = [float.session, int8.session] as const;
  try {
    // The first runs size the memory arenas.
    for (const session of sessions) await session.run({ image });
    const ratios: number[] = [];
    const begun = performance.now();
    while (
      ratios.length < LEAST_PAIRS ||
      (ratios.length < MOST_PAIRS && performance.now() - begun < ENOUGH_TIME)
    ) {
      throwIfCancelled(signal);
      const times: number[] = [];
      for (const session of sessions) {
        const before = process.cpuUsage();
        await session.run({ image });
        const { user, system } = process.cpuUsage(before);
        times.push(user + system);
      }
      ratios.push(times[0]! / times[1]!);
    }
    return { ratio: median(ratios), provider, threads };
  } finally {
    for (const session of sessions) await session.release();
  }
}
