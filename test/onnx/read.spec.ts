import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeModel } from '../../src/onnx/decode.ts';
import { GraphBuilder } from '../../src/onnx/graph.ts';
import { openModel } from '../../src/onnx/read.ts';
import { literal } from '../../src/onnx/weight.ts';
import { writeModel } from '../../src/onnx/write.ts';

const producer = { name: 'test', version: '1' };

describe('reading a model', () => {
  const folder = mkdtempSync(join(tmpdir(), 'm2fp-read-'));
  after(() => rmSync(folder, { recursive: true }));

  /** Values that halves hold exactly, some of them subnormal. */
  const values = Float32Array.from({ length: 600 }, (_, i) => (i - 300) * 2 ** (i % 3 === 0 ? -24 : -6));
  const bias = Float32Array.from({ length: 300 }, (_, i) => i / 7);

  function graph() {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', ['n', 2]);
    const y = g.scope('layer', () => g.linear(x, literal(values, [300, 2]), literal(bias)));
    g.output('y', g.layerNorm(y, literal([1]), literal([0]), 1e-5), ['n', 300]);
    return g.finish();
  }

  for (const precision of ['fp32', 'fp16'] as const) {
    it(`finds the weights and operators that were written, ${precision}`, async () => {
      await writeModel(graph(), folder, { precision, producer });
      const model = await openModel(folder);
      assert.deepEqual(model.weights.get('/layer/weight'), { shape: [300, 2], isHalf: precision === 'fp16' });
      assert.deepEqual(await model.readFloat32('/layer/weight'), values);
      assert.deepEqual(await model.readFloat32('/layer/weight_1'), bias);
      assert.deepEqual(await model.readFloat32('/weight'), Float32Array.of(1));
      await assert.rejects(model.readFloat32('/other'), /no weight \/other/);
      await model.close();
      const nodes = model.nodes.filter(({ opType }) => opType !== 'Cast');
      const expected = graph().nodes.map((node) =>
        node.opType === 'LayerNormalization'
          ? { ...node, attributes: { axis: -1, epsilon: { float: Math.fround(1e-5) } } }
          : node,
      );
      assert.deepEqual(nodes, expected);
    });
  }

  it('refuses what is no model, and a file of weights that ends too early', async () => {
    await writeModel(graph(), folder, { precision: 'fp32', producer });
    truncateSync(join(folder, 'model.onnx.data'), 1000);
    const model = await openModel(folder);
    await assert.rejects(model.readFloat32('/layer/weight'), /ends before \/layer\/weight/);
    await model.close();
    const bytes = readFileSync(join(folder, 'model.onnx'));
    for (const end of [1, 100, bytes.length - 5]) {
      assert.throws(() => decodeModel(bytes.subarray(0, end)), RangeError, `${end} bytes`);
    }
    writeFileSync(join(folder, 'model.onnx'), 'no model, but a text that is long enough');
    await assert.rejects(openModel(folder), Error);
  });
});
