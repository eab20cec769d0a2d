/** Models written with GridSample: for other engines, run here by onnxruntime. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelManifest } from '../../src/m2fp/manifest.ts';
import { openModel } from '../../src/onnx/read.ts';
import { checkMakable } from '../../src/quantize/makable.ts';
import { convertCheckpoint, type ConvertOptions } from '../../src/store/convert.ts';
import { readManifest } from '../../src/store/manifest.ts';
import { goldenCases, goldenFolder, type Variant } from '../support/golden.ts';
import { runModel } from '../support/model.ts';
import { assertAsGolden } from './support/as-golden.ts';

describe('the network with GridSample', () => {
  let folder = '';
  before(() => (folder = mkdtempSync(join(tmpdir(), 'm2fp-grid-sample-'))));
  after(() => rmSync(folder, { recursive: true }));

  /** The model's folder; converted once. */
  const converted = new Map<string, Promise<ModelManifest>>();
  async function model(variant: Variant, precision: ConvertOptions['precision'] = 'fp32'): Promise<string> {
    const out = join(folder, `${variant}-${precision}`);
    if (!converted.has(out)) {
      const conversion = convertCheckpoint({
        source: goldenFolder(variant),
        out,
        precision,
        operators: 'grid-sample',
      });
      converted.set(
        out,
        conversion.then(({ manifest }) => manifest),
      );
    }
    await converted.get(out);
    return out;
  }

  for (const variant of ['multi', 'single'] satisfies Variant[]) {
    for (const golden of goldenCases(variant, 'network')) {
      it(`computes what M2FP computes: ${variant}/${golden.name}`, async () => {
        const image = golden.tensor('image');
        const [height, width] = image.shape as [number, number];
        assertAsGolden(await runModel(await model(variant), image.data as Uint8Array, height, width), golden);
      });
    }
  }

  it('knows halves, too: they differ as much as those of the usual network do', async () => {
    const golden = goldenCases('multi', 'network')[0]!;
    const image = golden.tensor('image');
    const [height, width] = image.shape as [number, number];
    const usual = join(folder, 'usual');
    await convertCheckpoint({ source: goldenFolder('multi'), out: usual, precision: 'fp16' });
    const [found, expected] = await Promise.all(
      [await model('multi', 'fp16'), usual].map((each) =>
        runModel(each, image.data as Uint8Array, height, width),
      ),
    );
    assertAsGolden(found!, {
      tensor: (name) => ({ ...expected![name]!, dtype: 'float32' }),
    });
  });

  it('takes pictures of any size', async () => {
    for (const [height, width] of [
      [1, 1],
      [5, 300],
      [64, 32],
    ] as const) {
      const image = new Uint8Array(height * width * 3).fill(90);
      const outputs = await runModel(await model('multi'), image, height, width);
      assert.ok(outputs['pred_logits']!.data.every(Number.isFinite));
    }
  });

  it('is written in operators of opset 17, none of them DeformConv, and says so', async () => {
    const out = await model('multi', 'fp16');
    const { operators, converter, precision } = await readManifest(out);
    assert.deepEqual([operators, converter.opset, precision], ['grid-sample', 17, 'fp16']);
    const opened = await openModel(out);
    await opened.close();
    const { nodes } = opened;
    const used = new Set(nodes.map(({ opType }) => opType));
    assert.ok(used.has('GridSample') && !used.has('DeformConv'));
    // Their axes became an input with 18.
    const reductions = nodes.filter(({ opType }) => /^Reduce(?!Sum$)/.test(opType));
    assert.ok(reductions.length > 0 && reductions.every(({ inputs }) => inputs.length === 1));
    assert.ok(
      nodes.every(({ opType, attributes }) => opType !== 'GridSample' || attributes['mode'] === 'bilinear'),
    );
  });

  it('is not made int8, which is told', async () => {
    const out = await model('multi');
    const manifest = await readManifest(out);
    assert.throws(() => checkMakable(out, manifest), {
      code: 'M2FP_BAD_OPTION',
      message: /written with grid-sample, for other engines.*Convert the checkpoint without --operators/,
    });
  });
});
