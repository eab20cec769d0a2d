/**
 * `npm run bench -- convert`: a full-size checkpoint file (random weights, as PyTorch writes it) converted in a
 * process of its own; seconds and peak memory.
 */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { script } from './script.ts';
import { median } from './statistics.ts';

const ROUNDS = 3;

export interface ConvertBench {
  checkpointMB: number;
  medianSeconds: number;
  peakMB: number;
}

export async function benchConvert(log: (line: string) => void): Promise<ConvertBench> {
  const folder = await mkdtemp(join(tmpdir(), 'm2fp-bench-'));
  try {
    const checkpoint = join(folder, 'pytorch_model.pt');
    // In a process of its own: the memory peak of a child counts what its parent held when it forked.
    await script('write-checkpoint.ts', checkpoint);
    const checkpointMB = (await stat(checkpoint)).size / 1e6;
    const seconds: number[] = [];
    const peaks: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const result = JSON.parse(await script('convert-child.ts', checkpoint, join(folder, 'model'))) as {
        seconds: number;
        peakMB: number;
      };
      seconds.push(result.seconds);
      peaks.push(result.peakMB);
      log(
        `${checkpointMB.toFixed(0)} MB: ${result.seconds.toFixed(1)} s, peak memory ${result.peakMB.toFixed(0)} MB`,
      );
    }
    return { checkpointMB, medianSeconds: median(seconds), peakMB: Math.max(...peaks) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
