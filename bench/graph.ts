/**
 * `npm run bench -- graph [--precision int8] [--rounds N]`: the full-size network (random weights) in our formulation and in the plain one, on
 * pictures of several sizes. Speed is told as the ratio to the plain one and as a share of a convolution probe;
 * all three take turns in one process, so that a busy machine slows all.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type InferenceSession, Tensor } from '../test/support/onnxruntime.ts';
import { M2fpError } from '../src/errors.ts';
import { FAST } from '../src/m2fp/formulations/fast.ts';
import { inferHyperParameters } from '../src/m2fp/infer-hyper-parameters.ts';
import { buildNetwork } from '../src/m2fp/network.ts';
import type { Graph } from '../src/onnx/graph.ts';
import { writeModel } from '../src/onnx/write.ts';
import { convolutionProbe, PROBE_FLOPS, PROBE_INPUT } from './convolution-probe.ts';
import { graphFlops } from '../src/m2fp/flops.ts';
import { benchInt8Graph, type Int8GraphBench } from './graph-int8.ts';
import { type Agreement, agreement, feedsOf, milliseconds, openGraph } from './graph-run.ts';
import { count } from './options.ts';
import { plain } from './plain-formulation.ts';
import { FULL_SIZE, randomCheckpoint } from './random-checkpoint.ts';
import { median } from './statistics.ts';

/** height x width of the network's input: CIHP's usual size, a smaller one, a single person's canvas. */
const SIZES = [
  [640, 960],
  [512, 768],
  [512, 384],
] as const;
const ROUNDS = 9;

interface SizeResult {
  height: number;
  width: number;
  gflop: number;
  medianMs: number;
  minMs: number;
  plainMedianMs: number;
  /** Median over the rounds of plain by ours. */
  ratioToPlain: number;
  gflops: number;
  probeGflops: number;
  /** Median over the rounds of our GFLOP/s by the probe's. */
  shareOfProbe: number;
  agreement: Agreement;
}

export interface GraphBench {
  threads: number;
  sizes: SizeResult[];
}

async function load(
  graph: Graph,
  folders: string[],
  sizes?: Record<string, number>,
): Promise<InferenceSession> {
  const folder = await mkdtemp(join(tmpdir(), 'm2fp-bench-'));
  folders.push(folder);
  await writeModel(graph, folder, { precision: 'fp32', producer: { name: 'bench', version: '0' } });
  return openGraph(folder, sizes);
}

/**
 * What was asked for; without options our graph and the plain one.
 * @throws M2fpError M2FP_BAD_OPTION
 */
export async function benchGraph(
  log: (line: string) => void,
  args: string[],
): Promise<GraphBench | Int8GraphBench> {
  const { precision, rounds } = graphOptions(args);
  return precision === 'int8' ? benchInt8Graph(log, rounds) : benchFloatGraph(log, rounds);
}

function graphOptions(args: string[]): { precision: 'fp32' | 'int8'; rounds: number | undefined } {
  const fail = (reason: string, cause?: unknown) => new M2fpError('M2FP_BAD_OPTION', reason, { cause });
  let values;
  try {
    ({ values } = parseArgs({
      args,
      options: { precision: { type: 'string', default: 'fp32' }, rounds: { type: 'string' } },
    }));
  } catch (error) {
    throw fail((error as Error).message, error);
  }
  const { precision } = values;
  if (precision !== 'fp32' && precision !== 'int8')
    throw fail(`--precision takes fp32 or int8, not ${precision}`);
  return { precision, rounds: count('rounds', values.rounds) };
}

async function benchFloatGraph(log: (line: string) => void, turns = ROUNDS): Promise<GraphBench> {
  const folders: string[] = [];
  try {
    const checkpoint = randomCheckpoint(FULL_SIZE);
    const { hyper } = inferHyperParameters(checkpoint);
    const ours = await load(buildNetwork(checkpoint, hyper, 'multi', FAST), folders);
    const probe = await load(convolutionProbe(), folders);
    const probeValues = new Float32Array(PROBE_INPUT.reduce((a, b) => a * b));
    const runProbe = () => probe.run({ x: new Tensor('float32', probeValues, PROBE_INPUT) });

    const sizes: SizeResult[] = [];
    for (const [height, width] of SIZES) {
      // The exporter's graph is for one size, and onnxruntime is told so.
      const peer = await load(buildNetwork(checkpoint, hyper, 'multi', plain(height, width)), folders, {
        height,
        width,
      });
      const feeds = feedsOf(height, width);
      // The first runs size the memory arenas.
      const agreed = agreement(await ours.run(feeds), await peer.run(feeds));
      await runProbe();
      const flops = graphFlops(hyper, height, width);
      const rounds: Record<'ours' | 'plain' | 'probe', number>[] = [];
      for (let round = 0; round < turns; round++) {
        // The probe before and after ours sees what ours saw.
        const before = await milliseconds(runProbe);
        const oursMs = await milliseconds(() => ours.run(feeds));
        const after = await milliseconds(runProbe);
        const plainMs = await milliseconds(() => peer.run(feeds));
        rounds.push({ ours: oursMs, plain: plainMs, probe: (2 * PROBE_FLOPS) / (before + after) / 1e6 });
      }
      const medianMs = median(rounds.map((round) => round.ours));
      const result: SizeResult = {
        height,
        width,
        gflop: flops / 1e9,
        medianMs,
        minMs: Math.min(...rounds.map((round) => round.ours)),
        plainMedianMs: median(rounds.map((round) => round.plain)),
        ratioToPlain: median(rounds.map((round) => round.plain / round.ours)),
        gflops: flops / medianMs / 1e6,
        probeGflops: median(rounds.map((round) => round.probe)),
        shareOfProbe: median(rounds.map((round) => flops / round.ours / 1e6 / round.probe)),
        agreement: agreed,
      };
      sizes.push(result);
      await peer.release();
      log(
        `${height} x ${width}: ${result.medianMs.toFixed(0)} ms (best ${result.minMs.toFixed(0)}), ` +
          `${result.ratioToPlain.toFixed(2)} x the plain graph (${result.plainMedianMs.toFixed(0)} ms), ` +
          `${result.gflops.toFixed(0)} GFLOP/s = ${(result.shareOfProbe * 100).toFixed(0)} % of the probe's ` +
          `${result.probeGflops.toFixed(0)}; same class ${(agreed.bestClass * 100).toFixed(0)} %, ` +
          `same mask sign ${(agreed.maskSign * 100).toFixed(2)} %`,
      );
    }
    await Promise.all([ours, probe].map((session) => session.release()));
    return { threads: availableParallelism(), sizes };
  } finally {
    await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
  }
}
