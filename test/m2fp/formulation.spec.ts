import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { plain } from '../../bench/plain-formulation.ts';
import { openCheckpoint } from '../../src/checkpoint/index.ts';
import { inferHyperParameters } from '../../src/m2fp/infer-hyper-parameters.ts';
import { buildNetwork } from '../../src/m2fp/network.ts';
import { writeModel } from '../../src/onnx/write.ts';
import { goldenCases, goldenFolder } from '../support/golden.ts';
import { runModel } from '../support/model.ts';

describe('the plain formulation that the bench measures against', () => {
  for (const golden of goldenCases('multi', 'network')) {
    it(`computes what M2FP computes: ${golden.name}`, async () => {
      const checkpoint = await openCheckpoint(join(goldenFolder('multi'), 'pytorch_model.pt'));
      const { hyper } = inferHyperParameters(checkpoint);
      const image = golden.tensor('image');
      const [height, width] = image.shape as [number, number];
      const folder = await mkdtemp(join(tmpdir(), 'm2fp-plain-'));
      const graph = buildNetwork(checkpoint, hyper, 'multi', plain(height, width));
      await writeModel(graph, folder, { precision: 'fp32', producer: { name: 'test', version: '1' } });
      const outputs = await runModel(folder, image.data as Uint8Array, height, width);
      await rm(folder, { recursive: true });
      for (const [name, bound] of [
        ['pred_logits', 1e-3],
        ['pred_masks', 4e-3],
      ] as const) {
        const expected = golden.tensor(name).data;
        outputs[name]!.data.forEach((value, i) => assert.ok(Math.abs(value - expected[i]!) <= bound));
      }
      await checkpoint.close();
    });
  }
});
