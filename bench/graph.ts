/**
 * `npm run bench -- graph`: the full-size network (random weights) on pictures of several sizes, its speed told
 * as a share of a convolution probe. Network and probe take turns in one process, so that a busy machine slows
 * both.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { inferHyperParameters } from '../src/m2fp/infer-hyper-parameters.ts';
import { buildNetwork } from '../src/m2fp/network.ts';
import type { Graph } from '../src/onnx/graph.ts';
import { writeModel } from '../src/onnx/write.ts';
import { convolutionProbe, PROBE_FLOPS, PROBE_INPUT } from './convolution-probe.ts';
import { graphFlops } from './flops.ts';
import { FULL_SIZE, randomCheckpoint } from './random-checkpoint.ts';
import { median } from './statistics.ts';

/** height x width of the network's input: CIHP's usual size, a portrait, a single person. */
const SIZES = [
  [640, 960],
  [512, 768],
  [512, 384],
] as const;
const ROUNDS = 7;
const PRODUCER = { name: 'bench', version: '0' };

interface SizeResult {
  height: number;
  width: number;
  gflop: number;
  medianMs: number;
  minMs: number;
  gflops: number;
  probeGflops: number;
  /** Median over the rounds of network GFLOP/s by probe GFLOP/s. */
  shareOfProbe: number;
}

export interface GraphBench {
  threads: number;
  sizes: SizeResult[];
}

async function load(graph: Graph, folder: string): Promise<InferenceSession> {
  await writeModel(graph, folder, { precision: 'fp32', producer: PRODUCER });
  return InferenceSession.create(join(folder, 'model.onnx'), {
    graphOptimizationLevel: 'all',
    intraOpNumThreads: availableParallelism(),
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
}

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

export async function benchGraph(log: (line: string) => void): Promise<GraphBench> {
  const folders = await Promise.all([1, 2].map(() => mkdtemp(join(tmpdir(), 'm2fp-bench-'))));
  try {
    const checkpoint = randomCheckpoint(FULL_SIZE);
    const { hyper } = inferHyperParameters(checkpoint);
    const graph = buildNetwork(checkpoint, hyper, 'multi');
    const network = await load(graph, folders[0]!);
    const probe = await load(convolutionProbe(), folders[1]!);

    const probeFeeds = {
      x: new Tensor('float32', new Float32Array(PROBE_INPUT.reduce((a, b) => a * b)), PROBE_INPUT),
    };
    const sizes: SizeResult[] = [];
    for (const [height, width] of SIZES) {
      const pixels = Uint8Array.from(
        { length: height * width * 3 },
        (_, i) => (i * 7919 + (i >> 9) * 31) % 256,
      );
      const feeds = { image: new Tensor('uint8', pixels, [height, width, 3]) };
      const runNetwork = () => network.run(feeds);
      const runProbe = () => probe.run(probeFeeds);
      await runNetwork();
      await runProbe();
      const flops = graphFlops(hyper, height, width);
      const times: number[] = [];
      const probeRates: number[] = [];
      const shares: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        // Before and after: the probe sees what the network saw.
        const before = await milliseconds(runProbe);
        const time = await milliseconds(runNetwork);
        const after = await milliseconds(runProbe);
        const probeRate = (2 * PROBE_FLOPS) / (before + after) / 1e6;
        times.push(time);
        probeRates.push(probeRate);
        shares.push(flops / time / 1e6 / probeRate);
      }
      const result: SizeResult = {
        height,
        width,
        gflop: flops / 1e9,
        medianMs: median(times),
        minMs: Math.min(...times),
        gflops: flops / median(times) / 1e6,
        probeGflops: median(probeRates),
        shareOfProbe: median(shares),
      };
      sizes.push(result);
      log(
        `${height} x ${width}: ${result.medianMs.toFixed(0)} ms (best ${result.minMs.toFixed(0)}), ` +
          `${result.gflops.toFixed(0)} GFLOP/s of the probe's ${result.probeGflops.toFixed(0)}: ` +
          `${(result.shareOfProbe * 100).toFixed(0)} %`,
      );
    }
    await network.release();
    await probe.release();
    return { threads: availableParallelism(), sizes };
  } finally {
    await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
  }
}
