import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from '../support/onnxruntime.ts';
import { groupNorm } from '../../src/m2fp/layers.ts';
import { GraphBuilder, type Value } from '../../src/onnx/graph.ts';
import { literal, type Weight } from '../../src/onnx/weight.ts';
import { writeModel, type WriteOptions } from '../../src/onnx/write.ts';

const producer = { name: 'test', version: '1' };

describe('writing a model', () => {
  const folder = mkdtempSync(join(tmpdir(), 'm2fp-onnx-'));
  after(() => rmSync(folder, { recursive: true }));

  /** Writes and runs a graph of one input and one output. */
  async function evaluate(
    build: (g: GraphBuilder, x: Value) => Value,
    input: { values: number[]; shape: number[] },
    options: Partial<WriteOptions> = {},
  ): Promise<{ values: number[]; shape: number[] }> {
    const g = new GraphBuilder();
    const x = g.input(
      'x',
      'float32',
      input.shape.map((_, axis) => `d${axis}`),
    );
    g.output('y', build(g, x), ['n']);
    await writeModel(g.finish(), folder, { precision: 'fp32', producer, ...options });
    const session = await InferenceSession.create(join(folder, 'model.onnx'), { logSeverityLevel: 4 });
    const { y } = await session.run({
      x: new Tensor('float32', Float32Array.from(input.values), input.shape),
    });
    await session.release();
    return { values: Array.from(y!.data as Float32Array), shape: [...y!.dims] };
  }

  const ramp = (count: number) => Array.from({ length: count }, (_, i) => i);
  const close = (actual: number[], expected: number[]) => {
    assert.equal(actual.length, expected.length);
    actual.forEach((value, i) =>
      assert.ok(Math.abs(value - expected[i]!) < 1e-5, `${value} is not ${expected[i]}`),
    );
  };

  it('keeps large weights in the data file and small ones in the graph', async () => {
    const large = literal(new Float32Array(1024).fill(2), [512, 2]);
    const { values } = await evaluate((g, x) => g.linear(x, large, literal(new Float32Array(512).fill(1))), {
      values: [1, 2],
      shape: [1, 2],
    });
    assert.deepEqual(values, Array<number>(512).fill(7));
    // 512 x 2 weights and 512 biases; nothing else is large.
    assert.equal(readFileSync(join(folder, 'model.onnx.data')).length, (1024 + 512) * 4);
  });

  it('tells sizes and digests of what it wrote', async () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', ['n', 64]);
    g.output('y', g.linear(x, literal(new Float32Array(640).fill(0.5), [10, 64])), ['n', 10]);
    const shares: number[] = [];
    const files = await writeModel(g.finish(), folder, {
      precision: 'fp32',
      producer,
      onProgress: (share) => shares.push(share),
    });
    for (const [name, { size, sha256 }] of Object.entries(files)) {
      const bytes = readFileSync(join(folder, name));
      assert.equal(bytes.length, size);
      assert.equal(createHash('sha256').update(bytes).digest('hex'), sha256);
    }
    assert.equal(shares.at(-1), 1);
  });

  it('stores matrices as halves where asked, vectors never', async () => {
    const precise = 1 + 2 ** -20;
    const matrix = literal(new Float32Array(600).fill(precise), [300, 2]);
    const bias = literal(new Float32Array(300).fill(precise - 1));
    const input = { values: [1, 1], shape: [1, 2] };
    const { values } = await evaluate((g, x) => g.linear(x, matrix, bias), input, { precision: 'fp16' });
    close(values, Array<number>(300).fill(2 + 2 ** -20));
    assert.equal(values[0], Math.fround(2 + 2 ** -20));
    assert.equal(readFileSync(join(folder, 'model.onnx.data')).length, 1216 + 1200);
  });

  it('refuses a weight whose values do not fill its shape', async () => {
    const wrong: Weight = { shape: [3, 3], load: () => Promise.resolve(new Float32Array(8)) };
    await assert.rejects(
      evaluate((g, x) => g.linear(x, wrong), { values: [1, 2, 3], shape: [1, 3] }),
      /8 values.*\[3,3\]/,
    );
  });

  it('lets a failing checkpoint through', async () => {
    const wrong: Weight = { shape: [3, 3], load: () => Promise.reject(new Error('disk gone')) };
    await assert.rejects(
      evaluate((g, x) => g.linear(x, wrong), { values: [1, 2, 3], shape: [1, 3] }),
      /disk gone/,
    );
  });

  it('normalises groups', async () => {
    const channels = 4;
    const values = ramp(channels * 6).map((i) => Math.sin(i * i));
    const gain = [1, 2, 3, 4];
    const shift = [0, 0.5, 1, -1];
    const { values: found, shape } = await evaluate(
      (g, x) => groupNorm(g, x, { weight: literal(gain), bias: literal(shift) }, 2),
      { values, shape: [1, channels, 2, 3] },
    );
    const expected = values.map((value, i) => {
      const group = Math.floor(i / 12);
      const members = values.slice(group * 12, group * 12 + 12);
      const mean = members.reduce((a, b) => a + b) / 12;
      const variance = members.reduce((a, b) => a + (b - mean) ** 2, 0) / 12;
      const channel = Math.floor(i / 6);
      return ((value - mean) / Math.sqrt(variance + 1e-5)) * gain[channel]! + shift[channel]!;
    });
    close(found, expected);
    assert.deepEqual(shape, [1, channels, 2, 3]);
  });

  it('resizes with half-pixel centres and clamped edges, as PyTorch does', async () => {
    const enlarged = await evaluate((g, x) => g.resizeBilinear(x, [1, 1, 1, 4]), {
      values: [0, 4],
      shape: [1, 1, 1, 2],
    });
    close(enlarged.values, [0, 1, 3, 4]);
    const shrunk = await evaluate((g, x) => g.resizeBilinear(x, [1, 1, 1, 2]), {
      values: ramp(8),
      shape: [1, 1, 1, 8],
    });
    // No antialias: the mean of the two pixels next to each centre.
    close(shrunk.values, [1.5, 5.5]);
  });

  it('names nodes by their scope, every name once', () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', ['n']);
    g.scope('outer', () => g.scope('inner', () => g.relu(g.relu(x))));
    const names = g.finish().nodes.map((node) => node.name);
    assert.deepEqual(names, ['/outer/inner/Relu', '/outer/inner/Relu_1']);
  });
});
