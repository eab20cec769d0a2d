/** The session and the child process on onnxruntime's WebAssembly build. */
import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalEngine } from '../../../src/engine/local/local-engine.ts';
import { completeEngineOptions } from '../../../src/engine/options.ts';
import type { Loaders } from '../../../src/engine/child/runtime.ts';
import { openSession } from '../../../src/engine/child/session.ts';
import { bundledModelFolder } from '../../../src/paths.ts';
import { convertCheckpoint } from '../../../src/store/convert.ts';
import { readManifest } from '../../../src/store/manifest.ts';
import { goldenCases, goldenFolder } from '../../support/golden.ts';
import { goldenModel, removeModels, runModel } from '../../support/model.ts';
import { twoPeople } from '../../support/images.ts';
import { fails, FakeClock, leavesNothingBehind } from '../support/fakes.ts';
import { refuseNativeRuntime, REFUSAL, WITHOUT_NATIVE } from '../support/wasm.ts';

/** The bounds of test/golden/README.md. */
const LOGITS = 1e-3;
const MASKS = 4e-3;

/** The largest difference; Infinity where the lengths differ. */
function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}

const open = (folder: string) => openSession(folder, 1, WITHOUT_NATIVE);

describe('a session on WebAssembly', function () {
  this.timeout(60_000);
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'm2fp-wasm-session-'));
  });
  afterEach(() => rm(folder, { recursive: true }));
  after(removeModels);

  for (const variant of ['multi', 'single'] as const) {
    for (const golden of goldenCases(variant, 'network')) {
      it(`computes what M2FP computes: ${variant}/${golden.name}`, async () => {
        const session = await open(await goldenModel(variant));
        assert.equal(session.provider, 'wasm');
        const { data, shape } = golden.tensor('image');
        const [height, width] = shape as [number, number];
        // A view that does not begin where its memory does, as Buffers from a channel are.
        const padded = Buffer.concat([Buffer.from('-----'), Buffer.from(data)]).subarray(5);
        const { logits, masks, semantic } = await session.run({ width, height, data: padded });
        await session.close();
        for (const [name, tensor, tolerance] of [
          ['pred_logits', logits, LOGITS],
          ['pred_masks', masks, MASKS],
        ] as const) {
          const expected = golden.tensor(name);
          assert.deepEqual([...tensor!.dims], expected.shape);
          assert.ok(difference(tensor!.data, expected.data) <= tolerance, name);
        }
        assert.equal(semantic === undefined, variant === 'multi');
      });
    }
  }

  it('computes from weights stored as halves what the native build computes from them', async () => {
    await convertCheckpoint({ source: goldenFolder('multi'), out: folder, precision: 'fp16' });
    const { data, shape } = goldenCases('multi', 'network')[0]!.tensor('image');
    const [height, width] = shape as [number, number];
    const pixels = Buffer.from(data);
    const session = await open(folder);
    const { logits, masks } = await session.run({ width, height, data: pixels });
    await session.close();
    const native = await runModel(folder, pixels, height, width);
    assert.ok(difference(logits!.data, native['pred_logits']!.data) <= LOGITS);
    assert.ok(difference(masks!.data, native['pred_masks']!.data) <= MASKS);
  });

  it('repeats the words of onnxruntime where it refuses the model', async () => {
    await writeFile(join(folder, 'model.onnx'), 'this is no graph');
    await writeFile(join(folder, 'model.onnx.data'), '');
    await fails(open(folder), 'M2FP_MODEL_INVALID', /model\.onnx cannot be loaded: .*protobuf/i);
  });

  it('says that the weights are missing, or too few', async () => {
    await copyFile(join(bundledModelFolder(), 'model.onnx'), join(folder, 'model.onnx'));
    await fails(open(folder), 'M2FP_MODEL_INVALID', /cannot be loaded: .*model\.onnx\.data/);
    const weights = await readFile(join(bundledModelFolder(), 'model.onnx.data'));
    await writeFile(join(folder, 'model.onnx.data'), weights.subarray(0, weights.length / 2));
    await fails(open(folder), 'M2FP_MODEL_INVALID', /cannot be loaded: /);
  });

  it('names the size where a run fails, and goes on', async () => {
    const session = await open(await goldenModel('multi'));
    await fails(
      session.run({ width: 2, height: 2, data: Buffer.alloc(5) }),
      'M2FP_ENGINE_CRASHED',
      /2 x 2 pixels/,
    );
    await session.run({ width: 2, height: 2, data: Buffer.alloc(12) });
    await session.close();
  });

  it('says what both builds lack where the files of this one are missing too', async () => {
    const web = await WITHOUT_NATIVE.wasm();
    const create = () =>
      Promise.reject(new Error('no available backend found. ERR: [wasm] Error: ENOENT: no such file'));
    const loaders: Loaders = {
      ...WITHOUT_NATIVE,
      wasm: () => Promise.resolve({ ...web, InferenceSession: { ...web.InferenceSession, create } }),
    };
    await fails(
      openSession(bundledModelFolder(), 1, loaders),
      'M2FP_ENGINE_UNAVAILABLE',
      new RegExp(`${REFUSAL}.*WebAssembly build.*ENOENT`),
    );
  });
});

describe('the engine process on WebAssembly', function () {
  this.timeout(60_000);
  refuseNativeRuntime();
  leavesNothingBehind();

  it('tells what it runs on and why, and ends by itself with the threads that it started', async () => {
    const model = bundledModelFolder();
    const options = completeEngineOptions({ model, threads: 2 });
    // A clock that stands still kills no process that does not end.
    const engine = new LocalEngine(await readManifest(model), options, { clock: new FakeClock() });
    assert.equal(engine.info().fallback, null);
    try {
      const parsing = await engine.parse({ image: twoPeople });
      assert.equal(parsing.model.provider, 'wasm');
      assert.ok(parsing.parts.some(({ label }) => label === 'Hair'));
      const { provider, fallback } = engine.info();
      assert.equal(provider, 'wasm');
      assert.match(fallback ?? '', new RegExp(`WebAssembly.* slower\\. .*${REFUSAL}`));
    } finally {
      await engine.close();
    }
  });
});
