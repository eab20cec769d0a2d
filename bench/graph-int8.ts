/**
 * `npm run bench -- graph --precision int8`: the full-size network (random weights) in float32 and in int8 as the product
 * makes them, and the plain graph. All three take turns in one process; what memory each takes is measured in a process of
 * its own.
 */
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession } from '../test/support/onnxruntime.ts';
import { inferHyperParameters } from '../src/m2fp/infer-hyper-parameters.ts';
import { buildNetwork } from '../src/m2fp/network.ts';
import { writeModel } from '../src/onnx/write.ts';
import { quantizeModel } from '../src/quantize/quantize.ts';
import { listScenes } from './accuracy/scenes.ts';
import { makeFullSizeModel } from './engine/full-size-model.ts';
import { type Agreement, agreement, feedsOf, milliseconds, openGraph } from './graph-run.ts';
import { plain } from './plain-formulation.ts';
import { FULL_SIZE, randomCheckpoint } from './random-checkpoint.ts';
import { script } from './script.ts';
import { median } from './statistics.ts';

/** height x width of the network's input: CIHP's usual size, a single person's canvas. */
const SIZES = [
  [640, 960],
  [512, 384],
] as const;
const ROUNDS = 9;
/** Which pictures the ranges come from makes no difference to speed. */
const PICTURES = 4;
const SCENES = join(import.meta.dirname, 'scenes');
const GRAPHS = ['fp32', 'int8', 'plain'] as const;
type Name = (typeof GRAPHS)[number];

interface SizeResult {
  height: number;
  width: number;
  /** Medians over the rounds. */
  milliseconds: Record<Name, number>;
  /** Medians over the rounds of one time by another. */
  fp32ByInt8: number;
  plainByInt8: number;
  plainByFp32: number;
  /** Processor time of float32 by that of int8, which a busy machine changes less. */
  processorFp32ByInt8: number;
  /** Resident memory after some runs, megabytes; Node.js is in it. */
  memoryMB: Record<Name, number>;
  memoryInt8ByFp32: number;
  /** Of int8 with float32; on random weights, which training has not made robust. */
  agreement: Agreement;
}

export interface Int8GraphBench {
  threads: number;
  rounds: number;
  sizes: SizeResult[];
}

export async function benchInt8Graph(log: (line: string) => void, rounds = ROUNDS): Promise<Int8GraphBench> {
  const folder = await mkdtemp(join(tmpdir(), 'm2fp-bench-'));
  try {
    const fp32 = await makeFullSizeModel(folder);
    const int8 = join(folder, 'int8');
    await quantizeModel({ model: fp32, pictures: await somePictures(folder), out: int8 });
    const checkpoint = randomCheckpoint(FULL_SIZE);
    const { hyper } = inferHyperParameters(checkpoint);
    const sizes: SizeResult[] = [];
    for (const [height, width] of SIZES) {
      // The exporter's graph is for one size.
      const exported = join(folder, `plain-${height}x${width}`);
      await mkdir(exported);
      await writeModel(buildNetwork(checkpoint, hyper, 'multi', plain(height, width)), exported, {
        precision: 'fp32',
        producer: { name: 'bench', version: '0' },
      });
      const result = await measure({ fp32, int8, plain: exported }, height, width, rounds);
      sizes.push(result);
      for (const line of inWords(result)) log(line);
    }
    return { threads: availableParallelism(), rounds, sizes };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function somePictures(folder: string): Promise<string> {
  const pictures = join(folder, 'pictures');
  await mkdir(pictures);
  for (const name of (await listScenes(SCENES)).slice(0, PICTURES))
    await copyFile(join(SCENES, 'Images', name), join(pictures, name));
  return pictures;
}

const record = <T>(values: readonly T[]): Record<Name, T> =>
  Object.fromEntries(GRAPHS.map((name, i) => [name, values[i]!])) as Record<Name, T>;

async function measure(
  folders: Record<Name, string>,
  height: number,
  width: number,
  rounds: number,
): Promise<SizeResult> {
  const fixed = (name: Name) => (name === 'plain' ? { height, width } : undefined);
  const memory: number[] = [];
  for (const name of GRAPHS) {
    const size = [height, width].map(String);
    memory.push(
      Number(await script('graph-memory.ts', folders[name], ...size, name === 'plain' ? 'fixed' : '')),
    );
  }
  const sessions: InferenceSession[] = [];
  try {
    for (const name of GRAPHS) sessions.push(await openGraph(folders[name], fixed(name)));
    const feeds = feedsOf(height, width);
    // The first runs size the memory arenas.
    const outputs = [];
    for (const session of sessions) outputs.push(await session.run(feeds));
    const times: Record<Name, { wall: number; processor: number }>[] = [];
    for (let round = 0; round < rounds; round++) {
      const turn = [];
      for (const session of sessions) {
        const before = process.cpuUsage();
        const wall = await milliseconds(() => session.run(feeds));
        const { user, system } = process.cpuUsage(before);
        turn.push({ wall, processor: (user + system) / 1000 });
      }
      times.push(record(turn));
    }
    const ratio = (a: Name, b: Name, what: 'wall' | 'processor' = 'wall') =>
      median(times.map((turn) => turn[a][what] / turn[b][what]));
    const memoryMB = record(memory);
    return {
      height,
      width,
      milliseconds: record(GRAPHS.map((name) => median(times.map((turn) => turn[name].wall)))),
      fp32ByInt8: ratio('fp32', 'int8'),
      plainByInt8: ratio('plain', 'int8'),
      plainByFp32: ratio('plain', 'fp32'),
      processorFp32ByInt8: ratio('fp32', 'int8', 'processor'),
      memoryMB,
      memoryInt8ByFp32: memoryMB.int8 / memoryMB.fp32,
      agreement: agreement(outputs[0]!, outputs[1]!),
    };
  } finally {
    await Promise.all(sessions.map((session) => session.release()));
  }
}

function inWords(result: SizeResult): string[] {
  const { height, width, agreement: agreed, memoryMB } = result;
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  const lines = GRAPHS.map(
    (name) =>
      `  ${name.padEnd(6)}${result.milliseconds[name].toFixed(0).padStart(6)} ms ${memoryMB[name].toFixed(0).padStart(6)} MB`,
  );
  return [
    `${height} x ${width}:`,
    ...lines,
    `  int8: ${result.fp32ByInt8.toFixed(2)} x float32's speed (${result.processorFp32ByInt8.toFixed(2)} x by processor ` +
      `time), ${result.plainByInt8.toFixed(2)} x the plain graph's; ${result.memoryInt8ByFp32.toFixed(2)} x float32's memory; ` +
      `same class ${percent(agreed.bestClass)}, same mask sign ${percent(agreed.maskSign)}`,
  ];
}
