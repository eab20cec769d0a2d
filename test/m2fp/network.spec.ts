import assert from 'node:assert/strict';
import { FULL_SIZE, randomCheckpoint } from '../../bench/random-checkpoint.ts';
import { openCheckpoint } from '../../src/checkpoint/index.ts';
import { inferHyperParameters } from '../../src/m2fp/infer-hyper-parameters.ts';
import { buildNetwork } from '../../src/m2fp/network.ts';
import { elements } from '../../src/onnx/weight.ts';
import { goldenCases, goldenFolder, type Variant } from '../support/golden.ts';
import { goldenModel, removeModels, runModel } from '../support/model.ts';
import { altered } from './support/altered.ts';
import { assertAsGolden } from './support/as-golden.ts';

describe('the network', () => {
  after(removeModels);

  for (const variant of ['multi', 'single'] satisfies Variant[]) {
    for (const golden of goldenCases(variant, 'network')) {
      it(`computes what M2FP computes: ${variant}/${golden.name}`, async () => {
        const image = golden.tensor('image');
        const [height, width] = image.shape as [number, number];
        const folder = await goldenModel(variant);
        const outputs = await runModel(folder, image.data as Uint8Array, height, width);
        assertAsGolden(outputs, golden);
      });
    }
  }

  for (const [height, width] of [
    [1, 1],
    [5, 300],
    [64, 32],
  ] as const) {
    it(`takes a picture of ${height} x ${width} pixels`, async () => {
      const folder = await goldenModel('multi');
      const outputs = await runModel(folder, new Uint8Array(height * width * 3).fill(90), height, width);
      const padded = [height, width].map((side) => (Math.ceil(side / 32) * 32) / 4);
      assert.deepEqual(outputs['pred_masks']!.shape.slice(1), padded);
      assert.ok(outputs['pred_logits']!.data.every(Number.isFinite));
    });
  }

  it('gives the semantic scores of a single-human model: probabilities times enlarged masks', async () => {
    const folder = await goldenModel('single');
    const golden = goldenCases('single', 'network')[0]!;
    const image = golden.tensor('image');
    const [height, width] = image.shape as [number, number];
    const outputs = await runModel(folder, image.data as Uint8Array, height, width);
    const { data: logits, shape } = outputs['pred_logits']!;
    const { data: masks, shape: maskShape } = outputs['pred_masks']!;
    const [queries, columns] = shape as [number, number];
    const [, rows, cells] = maskShape as [number, number, number];
    const { data: semantic, shape: semanticShape } = outputs['semantic']!;
    assert.deepEqual(semanticShape, [columns - 1, rows * 4, cells * 4]);
    // A corner of the enlarged mask is the corner of the mask itself (edge clamped).
    for (let c = 0; c < columns - 1; c++) {
      let expected = 0;
      for (let q = 0; q < queries; q++) {
        const row = Array.from(logits.subarray(q * columns, (q + 1) * columns), Math.exp);
        const probability = row[c]! / row.reduce((a, b) => a + b);
        expected += probability / (1 + Math.exp(-masks[q * rows * cells]!));
      }
      assert.ok(Math.abs(semantic[c * rows * 4 * cells * 4]! - expected) < 1e-4);
    }
  });

  it('has the 63 million parameters of the published model', () => {
    const checkpoint = randomCheckpoint(FULL_SIZE);
    const { hyper } = inferHyperParameters(checkpoint);
    assert.deepEqual(hyper.backbone.blocks, [3, 4, 23, 3]);
    const graph = buildNetwork(checkpoint, hyper, 'multi');
    const parameters = [...checkpoint.tensors]
      .filter(([name]) => !name.includes('running_'))
      .reduce((sum, [, { shape }]) => sum + elements(shape), 0);
    assert.equal(Math.round(parameters / 1e4) / 100, 63.12);
    assert.ok(graph.nodes.some((node) => node.opType === 'DeformConv'));
  });

  it('warns of tensors that it has no place for, and of no others', async () => {
    const checkpoint = await openCheckpoint(`${goldenFolder('multi')}/pytorch_model.pt`);
    const { hyper } = inferHyperParameters(checkpoint);
    assert.deepEqual(buildNetwork(checkpoint, hyper, 'multi').warnings, []);
    const extras = (names: string[]) =>
      altered(checkpoint, (tensors) => {
        for (const name of names) tensors.set(name, { name, dtype: 'float32', shape: [1] });
      });
    const harmless = [
      'criterion.empty_weight',
      'sem_seg_head.criterion.empty_weight',
      'pixel_mean',
      'backbone.stem.conv1.norm.num_batches_tracked',
    ];
    assert.deepEqual(buildNetwork(extras(harmless), hyper, 'multi').warnings, []);
    const strange = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `sem_seg_head.predictor.${name}.weight`);
    const { warnings } = buildNetwork(extras(['backbone.linear.bias', ...strange]), hyper, 'multi');
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /left out: backbone\.linear\.bias, .*predictor\.d\.weight and 2 more\./);
    await checkpoint.close();
  });

  it('names a missing tensor', async () => {
    const checkpoint = await openCheckpoint(`${goldenFolder('multi')}/pytorch_model.pt`);
    const name = 'sem_seg_head.predictor.mask_embed.layers.1.weight';
    const broken = altered(checkpoint, (tensors) => tensors.delete(name));
    assert.throws(() => buildNetwork(broken, inferHyperParameters(broken).hyper, 'multi'), {
      code: 'M2FP_CHECKPOINT_INVALID',
      message: new RegExp(`pytorch_model\\.pt: the tensor ${name} is missing`),
    });
    await checkpoint.close();
  });

  it('names a tensor of a wrong shape, the shape found and the one expected', async () => {
    const checkpoint = await openCheckpoint(`${goldenFolder('multi')}/pytorch_model.pt`);
    const name = 'sem_seg_head.pixel_decoder.layer_1.weight';
    const broken = altered(checkpoint, (tensors) => (tensors.get(name)!.shape = [64, 64, 1, 1]));
    assert.throws(() => buildNetwork(broken, inferHyperParameters(broken).hyper, 'multi'), {
      code: 'M2FP_CHECKPOINT_INVALID',
      message: new RegExp(`${name} has shape \\[64, 64, 1, 1\\], expected \\[64, 64, 3, 3\\]`),
    });
    await checkpoint.close();
  });
});
