import assert from 'node:assert/strict';
import type { ModelManifest } from '../../../src/m2fp/manifest.ts';
import { memoryNeeded } from '../../../src/engine/local/memory.ts';
import { bundledModelFolder } from '../../../src/paths.ts';
import { readManifest } from '../../../src/store/manifest.ts';

describe('the estimate of memory', () => {
  /** A model of the published size. */
  async function fullSize(input: ModelManifest['input'], precision: ModelManifest['precision'] = 'fp32') {
    const demo = await readManifest(bundledModelFolder());
    const { pixelDecoder } = demo.hyperParameters;
    const size = precision === 'fp16' ? 126.5e6 : 253e6;
    return memoryNeeded({
      files: { 'model.onnx.data': { size } },
      precision,
      input,
      hyperParameters: { ...demo.hyperParameters, pixelDecoder: { ...pixelDecoder, convDim: 256 } },
    });
  }

  const near = (bytes: number, measured: number) =>
    assert.ok(Math.abs(bytes / measured - 1) < 0.1, `${bytes} bytes, measured ${measured}`);

  it('is near to what was measured: 0.87 GB for a full-size model, 0.25 GB for the bundled one', async () => {
    near(await fullSize({ kind: 'short-side', shortSide: 640, longSide: 1333 }), 0.87e9);
    const bundled = await readManifest(bundledModelFolder());
    near(memoryNeeded(bundled), 0.247e9);
    const smaller = { kind: 'short-side', shortSide: 320, longSide: 800 } as const;
    near(memoryNeeded({ ...bundled, input: smaller }), 0.21e9);
  });

  it('does not depend on how the weights are stored', async () => {
    const rule = { kind: 'short-side', shortSide: 640, longSide: 1333 } as const;
    assert.equal(await fullSize(rule, 'fp16'), await fullSize(rule));
  });

  it('grows with the picture', async () => {
    const canvas = await fullSize({ kind: 'canvas', width: 384, height: 512, pad: 128 });
    const square = await fullSize({ kind: 'short-side', shortSide: 640, longSide: 640 });
    const wide = await fullSize({ kind: 'short-side', shortSide: 640, longSide: 1333 });
    assert.ok(canvas < square && square < wide);
  });
});
