/** What int8 brings on this machine. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadGraph } from '../../src/engine/child/session.ts';
import { isInt8Faster, type Int8Speed } from '../../src/m2fp/int8-speed.ts';
import { decodeModel } from '../../src/onnx/decode.ts';
import { SPEED_INPUT, writeSpeedModels } from '../../src/quantize/speed-network.ts';
import { runSpeed } from '../../src/quantize/speed-run.ts';
import { Int8SpeedGauge, measureInt8Speed } from '../../src/quantize/speed.ts';
import { WITHOUT_NATIVE } from '../engine/support/wasm.ts';

describe('the speed of int8', function () {
  this.timeout(180_000);
  let folder = '';
  const saved = process.env['TMPDIR'];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'm2fp-speed-'));
    mkdirSync(join(folder, 'tmp'));
    process.env['TMPDIR'] = join(folder, 'tmp');
  });
  afterEach(() => {
    if (saved === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = saved;
    rmSync(folder, { recursive: true });
  });
  const nothingLeft = () => assert.deepEqual(readdirSync(join(folder, 'tmp')), []);
  const program = (text: string) => {
    const file = join(folder, 'program.mjs');
    writeFileSync(file, text);
    return file;
  };
  const plausible = ({ ratio }: Pick<Int8Speed, 'ratio'>) =>
    assert.ok(ratio > 0.2 && ratio < 10, String(ratio));

  it('is measured in a process of its own, which leaves nothing', async () => {
    const { provider, threads, instructions, ...speed } = await measureInt8Speed();
    plausible(speed);
    assert.deepEqual([provider, threads], ['cpu', availableParallelism()]);
    assert.match(instructions, /^[A-Z\d-]+$|^arm64$/i);
    nothingLeft();
  });

  it('is that of WebAssembly where there is no native runtime', async () => {
    const { provider, ...speed } = await runSpeed({ out: folder, loaders: WITHOUT_NATIVE });
    assert.equal(provider, 'wasm');
    plausible(speed);
  });

  it('is told not to be known where there is no runtime at all', async () => {
    const none = () => Promise.reject(new Error('it is gone'));
    await assert.rejects(runSpeed({ out: folder, loaders: { native: none, wasm: none } }), {
      code: 'M2FP_ENGINE_UNAVAILABLE',
    });
  });

  it('is that of two networks that compute numbers, one of them in whole numbers', async () => {
    const { float, int8 } = await writeSpeedModels(folder);
    const rounded = (model: string) =>
      decodeModel(readFileSync(join(model, 'model.onnx'))).nodes.filter(
        ({ opType }) => opType === 'QuantizeLinear',
      );
    assert.deepEqual(rounded(float), []);
    // Stem, four stages, FPN and projections, encoder.
    assert.ok(rounded(int8).length > 30, String(rounded(int8).length));
    const { width, height } = SPEED_INPUT;
    for (const model of [float, int8]) {
      const { runtime, session } = await loadGraph(model, 1);
      const image = new runtime.Tensor('uint8', new Uint8Array(height * width * 3).fill(99), [
        height,
        width,
        3,
      ]);
      const outputs = await session.run({ image });
      for (const name of ['pred_logits', 'pred_masks'])
        assert.ok((outputs[name]!.data as Float32Array).every(Number.isFinite), name);
      await session.release();
    }
  });

  it('is given up where nobody waits any more, and leaves nothing', async () => {
    const controller = new AbortController();
    const gauge = new Int8SpeedGauge();
    const asked = gauge.measure(controller.signal);
    controller.abort();
    await assert.rejects(asked, { code: 'M2FP_CANCELLED' });
    assert.equal(gauge.known, undefined);
    nothingLeft();
  });

  it('is given up where it takes too long', async () => {
    const entry = program("process.on('message', () => setInterval(() => {}, 1000));");
    await assert.rejects(measureInt8Speed({ entry, timeout: 500 }), {
      code: 'M2FP_TIMEOUT',
      message: /too busy to measure int8 within 0\.5 seconds/,
    });
    nothingLeft();
  });

  it('says how its process crashed', async () => {
    const entry = program("process.once('message', () => process.kill(process.pid, 'SIGKILL'));");
    await assert.rejects(measureInt8Speed({ entry }), {
      code: 'M2FP_ENGINE_CRASHED',
      message: /process that measures int8 was ended by the signal SIGKILL/,
    });
    nothingLeft();
  });

  it('is measured once for all who ask, and again after a failure', async () => {
    const speed: Int8Speed = { ratio: 1.7, provider: 'cpu', threads: 2, instructions: 'AVX2' };
    let runs = 0;
    const gauge = new Int8SpeedGauge(() =>
      ++runs === 1 ? Promise.reject(new Error('once')) : Promise.resolve(speed),
    );
    await assert.rejects(gauge.measure(), /once/);
    assert.equal(gauge.known, undefined);
    assert.deepEqual(await Promise.all([gauge.measure(), gauge.measure()]), [speed, speed]);
    assert.deepEqual([await gauge.measure(), gauge.known, runs], [speed, speed, 2]);
  });

  it('is a gain from a tenth on', () => {
    assert.deepEqual(
      [0.8, 1.05, 1.1, 1.7].map((ratio) => isInt8Faster({ ratio })),
      [false, false, true, true],
    );
  });
});
