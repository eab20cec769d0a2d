/** The real child with onnxruntime, on the golden checkpoints. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { LocalEngine } from '../../../src/engine/local/local-engine.ts';
import { completeEngineOptions } from '../../../src/engine/options.ts';
import { openSession } from '../../../src/engine/child/session.ts';
import type { EngineOptions } from '../../../src/engine/types.ts';
import { preprocess } from '../../../src/image/preprocess.ts';
import { readManifest } from '../../../src/store/manifest.ts';
import { goldenCases, type GoldenCase } from '../../support/golden.ts';
import { goldenModel, removeModels } from '../../support/model.ts';
import { isAlive } from '../../support/processes.ts';
import { FakeClock, MANIFEST, fails, leavesNothingBehind, until } from '../support/fakes.ts';

function golden(variant: 'multi' | 'single', kind: 'network' | 'pipeline', name: string): GoldenCase {
  const found = goldenCases(variant, kind).find((item) => item.name === name);
  assert.ok(found, name);
  return found;
}

/** The picture of a case, encoded without loss. */
function encode(item: GoldenCase): Promise<Buffer> {
  const { data, shape } = item.tensor('image');
  const [height, width] = shape as [number, number];
  return sharp(Buffer.from(data), { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

/** The largest difference; Infinity where the lengths differ. */
function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}

/** In an order of its own: which instance comes first is not specified. */
function sorted(pairs: (readonly [label: string, score: number])[]) {
  return pairs.toSorted((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : b[1] - a[1]));
}

describe('openSession', () => {
  after(removeModels);

  for (const variant of ['multi', 'single'] as const) {
    it(`computes what the ${variant} reference does`, async () => {
      const session = await openSession(await goldenModel(variant), 1);
      const item = golden(variant, 'network', 'net_100x75');
      const { data, shape } = item.tensor('image');
      const [height, width] = shape as [number, number];
      // A view that does not begin where its memory does, as Buffers from a channel are.
      const padded = Buffer.concat([Buffer.from('-----'), Buffer.from(data)]).subarray(5);
      const output = await session.run({ width, height, data: padded });
      await session.close();
      for (const [name, tensor, tolerance] of [
        ['pred_logits', output.logits, 1e-3],
        ['pred_masks', output.masks, 4e-3],
      ] as const) {
        const expected = item.tensor(name);
        assert.deepEqual([...tensor!.dims], expected.shape);
        assert.ok(difference(tensor!.data, expected.data) < tolerance, name);
      }
      assert.deepEqual(
        output.semantic && [...output.semantic.dims],
        variant === 'single' ? [20, 128, 96] : undefined,
      );
      assert.ok(output.inferenceMs > 0);
    });
  }

  it('repeats the words of onnxruntime where it refuses the model', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'm2fp-session-'));
    try {
      await writeFile(join(folder, 'model.onnx'), 'this is no graph');
      await fails(openSession(folder, 1), 'M2FP_MODEL_INVALID', /model\.onnx cannot be loaded: .*protobuf/i);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('names the size where a run fails', async () => {
    const session = await openSession(await goldenModel('multi'), 1);
    await fails(
      session.run({ width: 2, height: 2, data: Buffer.alloc(5) }),
      'M2FP_ENGINE_CRASHED',
      /2 x 2 pixels/,
    );
    await session.close();
  });
});

describe('the engine process', () => {
  let clock: FakeClock;
  let engine: LocalEngine;
  async function make(
    variant: 'multi' | 'single',
    options: Partial<EngineOptions> = {},
  ): Promise<LocalEngine> {
    const model = await goldenModel(variant);
    const complete = completeEngineOptions({ model, threads: 1, ...options });
    return (engine = new LocalEngine(await readManifest(model), complete, { clock }));
  }

  beforeEach(() => {
    clock = new FakeClock();
  });

  afterEach(() => engine.close());

  leavesNothingBehind();

  after(removeModels);

  it('parses a picture as ModelScope does', async () => {
    await make('multi');
    const item = golden('multi', 'pipeline', 'pipe_75x200');
    const [shortSide, longSide] = item.meta.min_max_size!;
    const image = await encode(item);
    const parsing = await engine.parse({ image, options: { shortSide, longSide } });
    assert.equal(parsing.image, image);
    assert.deepEqual([parsing.width, parsing.height], [200, 75]);
    assert.ok(Buffer.isBuffer(parsing.labelMap) && Buffer.isBuffer(parsing.personMap));
    assert.equal(parsing.model.provider, 'cpu');
    assert.ok(parsing.timing.decode > 0 && parsing.timing.inference > 0 && parsing.timing.postprocess > 0);

    const found = sorted([
      ...parsing.parts.map(({ label, score }) => [label, score] as const),
      ...parsing.persons.map(({ score }) => ['Human', score] as const),
    ]);
    const expected = sorted(item.meta.labels!.map((label, i) => [label, item.meta.scores![i]!] as const));
    assert.deepEqual(
      found.map(([label]) => label),
      expected.map(([label]) => label),
    );
    assert.ok(
      difference(
        found.map(([, score]) => score),
        expected.map(([, score]) => score),
      ) < 2e-3,
    );
  });

  it('takes network input and gives the same as for the picture', async () => {
    await make('multi');
    const options = { shortSide: 64, longSide: 128 };
    const image = await encode(golden('multi', 'pipeline', 'pipe_96x128'));
    const { input } = await preprocess(image, { kind: 'short-side', ...options });
    const { timing: one, ...whole } = await engine.parse({ image, options });
    const { timing: two, ...fromInput } = await engine.parse({ image: input });
    assert.deepEqual(fromInput, whole);
    assert.ok(one.decode > 0);
    assert.equal(two.decode, 0);
  });

  it('reports a bad picture and goes on', async () => {
    await make('multi');
    const image = await encode(golden('multi', 'pipeline', 'pipe_96x128'));
    const bad = engine.parse({ image: image.subarray(0, 60) });
    const good = engine.parse({ image, options: { shortSide: 64 } });
    await fails(bad, 'M2FP_BAD_IMAGE');
    await good;
    assert.equal(engine.info().restarts, 0);
  });

  it('is deaf to what a terminal or a service manager sends to all', async () => {
    await make('multi');
    const { pid } = await engine.load();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pid!, signal);
    const image = await encode(golden('multi', 'pipeline', 'pipe_96x128'));
    await engine.parse({ image, options: { shortSide: 64 } });
    assert.equal(engine.info().pid, pid);
  });

  it('killed by kill -9 in the middle of a run fails that one; the next goes on', async () => {
    await make('single');
    await engine.load();
    const old = engine.info().pid!;
    const image = await encode(golden('multi', 'pipeline', 'pipe_96x128'));
    const running = engine.parse({ image });
    const waiting = engine.parse({ image, options: { scoreThreshold: 0.2 } });
    await until(engine, ({ state }) => state === 'running');
    process.kill(old, 'SIGKILL');
    await fails(running, 'M2FP_ENGINE_CRASHED', /SIGKILL/);
    await clock.armed(500);
    clock.advance(500);
    assert.deepEqual((await waiting).labels.length, 20);
    assert.equal(isAlive(old), false);
  });

  it('stops by itself after the running picture', async () => {
    await make('single');
    await engine.load();
    const image = await encode(golden('multi', 'pipeline', 'pipe_96x128'));
    const running = engine.parse({ image });
    // The fake clock stands still: the grace time never ends, and nobody kills it.
    await Promise.all([engine.unload(), running]);
    assert.equal(engine.info().pid, null);
  });

  it('warms up before it is ready, where it is told to', async () => {
    await make('multi', { warmUp: true, processes: 2 });
    const { state, processes } = await engine.load();
    assert.equal(state, 'ready');
    // A session alone takes some 100 MB; Node.js without one, less than half of that.
    for (const { rss } of processes) assert.ok(rss! > 60e6, String(rss));
    const image = await encode(golden('multi', 'pipeline', 'pipe_96x128'));
    // Equal pictures in flight are parsed once, unless the second one is in a greater hurry.
    const [one, two] = await Promise.all([
      engine.parse({ image }),
      engine.parse({ image, queue: { priority: 1 } }),
    ]);
    assert.deepEqual({ ...one, timing: null }, { ...two, timing: null }, 'both processes find the same');
  });

  describe('with damaged model files', () => {
    let folder: string;

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'm2fp-damaged-'));
      await cp(await goldenModel('multi'), folder, { recursive: true });
      const complete = completeEngineOptions({ model: folder, threads: 1 });
      engine = new LocalEngine(await readManifest(folder), complete, { clock, policy: { maxCrashes: 1 } });
    });

    afterEach(() => rm(folder, { recursive: true }));

    /** Neither a crash nor the end: it loads when the files are whole again. */
    async function failsUntilMended(file: string) {
      await fails(engine.load(), 'M2FP_MODEL_INVALID');
      await fails(engine.parse({ image: Buffer.from('x') }), 'M2FP_MODEL_INVALID');
      assert.equal(engine.info().restarts, 0);
      await cp(join(await goldenModel('multi'), file), join(folder, file));
      assert.equal((await engine.load()).state, 'ready');
    }

    it('of half the size says so', async () => {
      await truncate(join(folder, 'model.onnx.data'), 1000);
      await failsUntilMended('model.onnx.data');
    });

    it('of other content says so', async () => {
      const file = join(folder, 'model.onnx');
      await writeFile(file, Buffer.alloc((await stat(file)).size, 'nonsense'));
      await failsUntilMended('model.onnx');
    });
  });

  it('refuses a model that was replaced, and one that is gone', async () => {
    const model = await goldenModel('multi');
    const options = completeEngineOptions({ model });
    engine = new LocalEngine({ ...MANIFEST, digest: 'another' }, options, { clock });
    await fails(engine.load(), 'M2FP_MODEL_INVALID', /was replaced/);
    await engine.close();
    engine = new LocalEngine(MANIFEST, { ...options, model: join(model, 'nowhere') }, { clock });
    await fails(engine.load(), 'M2FP_MODEL_NOT_FOUND');
  });
});
