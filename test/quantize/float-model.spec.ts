import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GraphBuilder } from '../../src/onnx/graph.ts';
import { writeModel } from '../../src/onnx/write.ts';
import { bundledModelFolder } from '../../src/paths.ts';
import { openFloatModel } from '../../src/quantize/float-model.ts';
import { readManifest } from '../../src/store/manifest.ts';
import type { Variant } from '../support/golden.ts';
import { goldenModel, removeModels } from '../support/model.ts';

describe('a converted model, built once more', () => {
  let folder = '';
  before(() => (folder = mkdtempSync(join(tmpdir(), 'm2fp-float-'))));
  after(async () => {
    rmSync(folder, { recursive: true });
    await removeModels();
  });

  const models: [name: string, open: () => Promise<string>][] = [
    ...(['multi', 'single'] satisfies Variant[]).map((variant): [string, () => Promise<string>] => [
      `golden ${variant}`,
      () => goldenModel(variant),
    ]),
    ['the bundled one, which has halves', () => Promise.resolve(bundledModelFolder())],
  ];
  for (const [name, open] of models) {
    it(`is the same to the byte: ${name}`, async () => {
      const source = await open();
      const manifest = await readManifest(source);
      const model = await openFloatModel(source, manifest);
      assert.equal(model.precision, manifest.precision);
      const g = new GraphBuilder(model.replace);
      model.addTo(g);
      const { name: producer, version } = manifest.converter;
      const files = await writeModel(g.finish(), folder, {
        precision: model.precision,
        producer: { name: producer, version },
      });
      await model.close();
      assert.deepEqual(files, manifest.files);
    });
  }

  it('is refused where its graph is another one', async () => {
    const source = await goldenModel('multi');
    const manifest = await readManifest(source);
    const { hyperParameters: hyper } = manifest;
    const refused = (change: object, message: RegExp) =>
      assert.rejects(openFloatModel(source, { ...manifest, hyperParameters: { ...hyper, ...change } }), {
        code: 'M2FP_MODEL_INVALID',
        message,
      });
    await refused(
      { decoder: { ...hyper.decoder, preNorm: true } },
      /the weight .* has another shape .*Convert the model again/,
    );
    await refused({ decoder: { ...hyper.decoder, classes: 7 } }, /weight .* is missing or has another shape/);
    await refused(
      { backbone: { ...hyper.backbone, strideIn1x1: true } },
      /graph is another one from \/backbone\/res3/,
    );
  });

  it('is refused where its files are damaged', async () => {
    const source = await goldenModel('multi');
    const manifest = await readManifest(source);
    const copy = join(folder, 'copy');
    cpSync(source, copy, { recursive: true });
    writeFileSync(join(copy, 'model.onnx'), readFileSync(join(source, 'model.onnx')).subarray(0, 5000));
    await assert.rejects(openFloatModel(copy, manifest), {
      code: 'M2FP_MODEL_INVALID',
      message: /cannot be read/,
    });
  });
});
