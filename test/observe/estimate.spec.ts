import assert from 'node:assert/strict';
import { memoryNeeded } from '../../src/engine/local/memory.ts';
import type { Int8Origin } from '../../src/m2fp/int8-origin.ts';
import { publishedFacts } from '../../src/m2fp/published.ts';
import { estimate, type MachineFacts, type ModelSize } from '../../src/observe/estimate.ts';
import { readManifest } from '../../src/store/manifest.ts';
import { bundledModelFolder } from '../../src/paths.ts';

const { input, hyperParameters, weights } = publishedFacts('iic/cv_resnet101_image-multiple-human-parsing')!;
const FULL = {
  precision: 'fp32',
  input,
  hyperParameters,
  files: { 'model.onnx.data': { size: weights } },
} as const;

/** The machine that performance.md was measured on. */
const MEASURED: MachineFacts = {
  platform: { system: 'linux', arch: 'x64', libc: { name: 'glibc', version: '2.36' } },
  processor: { model: 'AMD EPYC', cores: 2, features: ['avx2', 'fma', 'avx512f'] },
  freeMemory: 8e9,
};
const POOL = { processes: 1, threads: 0 };

/** Made int8 on `machine`, 1.1 times as fast as in float there. */
function origin(machine: object): Int8Origin {
  const found = { reference: 1, other: 1, matched: 1, iou: null };
  const figures = { ...found, meanScoreDifference: null, greatestScoreDifference: null };
  const shares = { pixels: 1, medianPixels: 1, leastPixels: 1, foreground: 1 };
  return {
    parts: ['res4'],
    calibration: 'min-max',
    weightBits: 7,
    correctedBias: false,
    pictures: 29,
    from: { digest: 'a', precision: 'fp32' },
    report: {
      agreement: { pictures: 7, ...shares, persons: figures, parts: figures },
      seconds: { float: 1.1, int8: 1 },
      machine: { processor: null, instructions: 'AVX2', threads: 2, provider: 'cpu', ...machine },
    },
  };
}

const within = (value: number, low: number, high: number): void =>
  assert.ok(value >= low && value <= high, `${value} is not between ${low} and ${high}`);

describe('the estimate for a model on a machine', () => {
  it('is near to what was measured', () => {
    const { seconds, memory, processes, threads, provider } = estimate(FULL, input, POOL, MEASURED);
    // 1.42 to 1.8 s for the network, 0.87 GB resident.
    within(seconds, 1.2, 2.2);
    within(memory, 0.8e9, 1.1e9);
    assert.deepEqual([processes, threads, provider], [1, 2, 'cpu']);
    // 2.55 s with one thread.
    within(estimate(FULL, input, { processes: 1, threads: 1 }, MEASURED).seconds, 2.1, 3.6);
  });

  it('of the bundled model is near to what was measured', async () => {
    const model = await readManifest(bundledModelFolder());
    const { seconds, memory } = estimate(model, model.input, POOL, MEASURED);
    within(seconds, 0.05, 0.2);
    assert.equal(memory, memoryNeeded(model));
  });

  it('grows with the processes and with the sizes that the user sets', () => {
    const one = estimate(FULL, input, POOL, MEASURED);
    const two = estimate(FULL, input, { processes: 2, threads: 1 }, MEASURED);
    assert.equal(two.memory, 2 * one.memory);
    assert.ok(two.seconds > one.seconds);
    const small = estimate(FULL, { kind: 'short-side', shortSide: 320, longSide: 640 }, POOL, MEASURED);
    within(one.seconds / small.seconds, 3.3, 4.5);
    assert.ok(small.memory < one.memory);
  });

  it('is that of WebAssembly where native onnxruntime is not installed, near to what was measured', async () => {
    const model = await readManifest(bundledModelFolder());
    const facts = { ...MEASURED, nativeRuntime: false };
    const { seconds, memory, provider } = estimate(model, model.input, POOL, facts);
    assert.equal(provider, 'wasm');
    // 0.7 s with the machine for itself, 1.4 s with others on it; 0.39 GB resident.
    within(seconds, 0.6, 1.5);
    within(memory, 0.37e9, 0.43e9);
    assert.ok(memory > 1.4 * estimate(model, model.input, POOL, MEASURED).memory);
  });

  it('takes of an int8 model what was measured of int8 here', () => {
    const int8 = { ...FULL, precision: 'int8' as const };
    const seconds = (model: ModelSize, ratio?: number, provider: 'cpu' | 'wasm' = 'cpu') =>
      estimate(model, input, POOL, { ...MEASURED, ...(ratio && { int8Speed: { ratio, provider } }) }).seconds;
    const around = 0.05;
    within((seconds(FULL) - around) / (seconds(int8, 1.6) - around), 1.599, 1.601);
    assert.equal(seconds(FULL, 1.6), seconds(FULL));
    assert.equal(seconds(int8), seconds(FULL));
    assert.equal(seconds(int8, 1.6, 'wasm'), seconds(int8), 'measured on what does not run it');
  });

  it('takes of an int8 model what its own report says, where that was measured on such a machine', () => {
    const int8Speed = { ratio: 1.9, provider: 'wasm' } as const;
    const facts = { ...MEASURED, nativeRuntime: false, int8Speed };
    const model = (machine: object): ModelSize => ({ ...FULL, precision: 'int8', int8: origin(machine) });
    const seconds = (sized: ModelSize) => estimate(sized, input, POOL, facts).seconds - 0.05;
    const float = seconds(FULL);
    const here = { processor: 'AMD EPYC', provider: 'wasm' };
    within(float / seconds(model(here)), 1.099, 1.101);
    within(float / seconds(model({ ...here, processor: 'Another' })), 1.899, 1.901);
    within(float / seconds(model({ ...here, provider: 'cpu' })), 1.899, 1.901);
  });

  it('counts no more threads than there are cores', () => {
    const many = estimate(FULL, input, { processes: 1, threads: 64 }, MEASURED);
    assert.equal(many.seconds, estimate(FULL, input, POOL, MEASURED).seconds);
  });

  it('is slower with narrower vectors, and slowest in WebAssembly', () => {
    const on = (changes: Partial<MachineFacts['platform']>, features: string[] | null) =>
      estimate(FULL, input, POOL, {
        ...MEASURED,
        platform: { ...MEASURED.platform, ...changes },
        processor: { ...MEASURED.processor, features },
      });
    const machines = [
      on({}, ['avx2', 'avx512f']),
      on({}, ['avx2']),
      on({ arch: 'arm64' }, ['asimd']),
      on({}, ['sse4_1']),
      on({ libc: { name: 'musl', version: null } }, ['sse4_1']),
    ];
    for (const [index, { seconds }] of machines.entries())
      if (index > 0) assert.ok(seconds > machines[index - 1]!.seconds, String(index));
    assert.deepEqual(
      machines.map(({ provider }) => provider),
      ['cpu', 'cpu', 'cpu', 'cpu', 'wasm'],
    );
    assert.equal(on({ system: 'darwin' }, null).provider, 'wasm');
    assert.equal(on({ system: 'darwin', arch: 'arm64' }, null).provider, 'cpu');
    assert.equal(on({ arch: 'arm' }, null).provider, 'wasm');
    assert.equal(on({ system: 'win32', libc: null }, null).provider, 'cpu');
  });
});
