/** Each operator that becomes int8, as onnxruntime computes it, against plain arithmetic on whole numbers. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from '../support/onnxruntime.ts';
import { decodeModel } from '../../src/onnx/decode.ts';
import type { GraphBuilder, Value } from '../../src/onnx/graph.ts';
import { type ActivationFacts, Int8Builder, roundingOf } from '../../src/onnx/int8-builder.ts';
import type { WeightBits } from '../../src/onnx/int8-weight.ts';
import { ObservingBuilder } from '../../src/onnx/observing-builder.ts';
import type { Graph } from '../../src/onnx/types.ts';
import { literal } from '../../src/onnx/weight.ts';
import { writeModel } from '../../src/onnx/write.ts';

const producer = { name: 'test', version: '1' };
const PART = 'part';

interface Input {
  values: Float32Array;
  shape: number[];
}

/** Values that are no pattern, the same in every run. */
function noise(count: number, scale: number, shift = 0): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => {
    const wave = Math.sin((i + 1) * 12.9898) * 43758.5453;
    return shift + scale * (2 * (wave - Math.floor(wave)) - 1);
  });
}

interface Rounding {
  scale: number;
  zero: number;
}
const levelOf = (value: number, { scale, zero }: Rounding) =>
  Math.min(255, Math.max(0, Math.round(value / scale) + zero));

/** Rows of a weight as whole numbers, and their scales. */
function wholeRows(weight: Float32Array, rows: number, largest: number) {
  const size = weight.length / rows;
  const scales = Array.from({ length: rows }, (_, row) =>
    Math.fround(Math.max(...weight.subarray(row * size, (row + 1) * size).map(Math.abs)) / largest),
  );
  return { scales, whole: Array.from(weight, (w, i) => Math.round(w / scales[Math.floor(i / size)]!)) };
}

describe('int8 operators', () => {
  const folder = mkdtempSync(join(tmpdir(), 'm2fp-int8-'));
  after(() => rmSync(folder, { recursive: true }));

  async function run(graph: Graph, { values, shape }: Input) {
    await writeModel(graph, folder, { precision: 'fp32', producer });
    const optimised = join(folder, 'optimised.onnx');
    const session = await InferenceSession.create(join(folder, 'model.onnx'), {
      logSeverityLevel: 4,
      graphOptimizationLevel: 'all',
      optimizedModelFilePath: optimised,
    });
    const results = await session.run({ x: new Tensor('float32', values, shape) });
    await session.release();
    const types = decodeModel(readFileSync(optimised)).nodes.map(({ opType }) => opType);
    return { results, types };
  }

  /** Watches the float graph on the input, then runs the int8 one. */
  async function quantized(
    build: (g: GraphBuilder, x: Value) => Value,
    input: Input,
    { weightBits = 7, correctBias = false }: { weightBits?: WeightBits; correctBias?: boolean } = {},
  ) {
    const dims = input.shape.map((_, axis) => `d${axis}`);
    const add = (g: GraphBuilder) => {
      const x = g.input('x', 'float32', dims);
      g.output(
        'y',
        g.part(PART, () => build(g, x)),
        dims,
      );
    };
    const watching = new ObservingBuilder([PART], undefined);
    add(watching);
    const { results: seen } = await run(watching.finish(), input);
    const activations = new Map<string, ActivationFacts>();
    for (const { activation, min, max, means } of watching.observations.toReversed()) {
      const before = activations.get(activation);
      activations.set(activation, {
        min: Math.min(before?.min ?? Infinity, seen[min]!.data[0] as number),
        max: Math.max(before?.max ?? -Infinity, seen[max]!.data[0] as number),
        means: seen[means]!.data as Float32Array,
      });
    }
    const g = new Int8Builder({ parts: [PART], activations, weightBits, correctBias });
    add(g);
    const { results, types } = await run(g.finish(), input);
    return {
      float: seen['y']!.data as Float32Array,
      int8: results['y']!.data as Float32Array,
      types,
      roundings: new Map([...activations].map(([name, facts]) => [name, roundingOf(facts)])),
    };
  }

  /** Equal, but for a level where the exact result lies in the middle between two. */
  function assertLevels(found: Float32Array, exact: readonly number[], rounding: Rounding): void {
    assert.equal(found.length, exact.length);
    let off = 0;
    exact.forEach((value, i) => {
      const expected = (levelOf(value, rounding) - rounding.zero) * rounding.scale;
      const difference = Math.abs(found[i]! - expected) / rounding.scale;
      assert.ok(difference < 1.01, `value ${i}: ${found[i]} is not ${expected}`);
      if (difference > 0.01) off++;
    });
    assert.ok(off <= exact.length / 200, `${off} of ${exact.length} values are another level`);
  }

  for (const { name, groups, stride, relu } of [
    { name: 'a convolution', groups: 1, stride: 1, relu: false },
    { name: 'a convolution with Relu', groups: 1, stride: 2, relu: true },
    { name: 'a convolution in groups', groups: 2, stride: 1, relu: true },
  ]) {
    it(name, async () => {
      const [inputs, outputs, side] = [4, 6, 9];
      const weight = noise(outputs * (inputs / groups) * 9, 0.3);
      const bias = noise(outputs, 0.5);
      const x = noise(inputs * side * side, 2, 0.7);
      const { int8, types, roundings } = await quantized(
        (g, value) =>
          g.conv(value, {
            weight: literal(weight, [outputs, inputs / groups, 3, 3]),
            bias: literal(bias),
            stride,
            groups,
            relu,
          }),
        { values: x, shape: [1, inputs, side, side] },
      );
      assert.ok(types.includes('QLinearConv'), types.join());
      assert.ok(!types.includes('Conv') && !types.includes('Relu'));
      const [input, output] = [...roundings.values()] as [Rounding, Rounding];
      const { scales, whole } = wholeRows(weight, outputs, 63);
      const levels = Array.from(x, (value) => levelOf(value, input) - input.zero);
      const perGroup = inputs / groups;
      const size = Math.ceil(side / stride);
      const exact: number[] = [];
      for (let o = 0; o < outputs; o++) {
        const unit = input.scale * scales[o]!;
        const first = Math.floor(o / (outputs / groups)) * perGroup;
        for (let row = 0; row < size; row++) {
          for (let column = 0; column < size; column++) {
            let sum = Math.round(bias[o]! / unit);
            for (let c = 0; c < perGroup; c++) {
              for (let k = 0; k < 9; k++) {
                const [r, s] = [row * stride + Math.floor(k / 3) - 1, column * stride + (k % 3) - 1];
                if (r < 0 || s < 0 || r >= side || s >= side) continue;
                sum += whole[(o * perGroup + c) * 9 + k]! * levels[((first + c) * side + r) * side + s]!;
              }
            }
            exact.push(relu ? Math.max(0, sum * unit) : sum * unit);
          }
        }
      }
      assertLevels(int8, exact, output);
    });
  }

  /** x [n, inputs] · weightᵀ + bias on whole numbers. */
  function linear(
    x: Float32Array,
    inputs: number,
    weight: Float32Array,
    bias: Float32Array,
    input: Rounding,
  ) {
    const rows = bias.length;
    const { scales, whole } = wholeRows(weight, rows, 63);
    const levels = Array.from(x, (value) => levelOf(value, input) - input.zero);
    return Array.from({ length: (x.length / inputs) * rows }, (_, i) => {
      const [n, row] = [Math.floor(i / rows), i % rows];
      const unit = input.scale * scales[row]!;
      let sum = Math.round(bias[row]! / unit);
      for (let k = 0; k < inputs; k++) sum += whole[row * inputs + k]! * levels[n * inputs + k]!;
      return sum * unit;
    });
  }

  function close(found: Float32Array, expected: readonly number[]): void {
    assert.equal(found.length, expected.length);
    expected.forEach((value, i) =>
      assert.ok(Math.abs(found[i]! - value) < 1e-4, `${found[i]} is not ${value}`),
    );
  }

  const [tokens, inputs, outputs] = [20, 16, 12];
  const weight = noise(inputs * outputs, 0.4);
  const bias = noise(outputs, 0.5);
  const x = noise(tokens * inputs, 1.5, -0.2);

  it('a linear layer, which gives floats', async () => {
    const { int8, types, roundings } = await quantized(
      (g, value) => g.linear(value, literal(weight, [outputs, inputs]), literal(bias)),
      { values: x, shape: [tokens, inputs] },
    );
    assert.ok(types.includes('QGemm'), types.join());
    close(int8, linear(x, inputs, weight, bias, [...roundings.values()][0]!));
  });

  it('a linear layer with Relu, which gives levels', async () => {
    const { int8, types, roundings } = await quantized(
      (g, value) =>
        g.gemm(value, g.weight(literal(weight, [outputs, inputs])), g.weight(literal(bias)), {
          transB: true,
          relu: true,
        }),
      { values: x, shape: [tokens, inputs] },
    );
    assert.ok(types.includes('QLinearConv') && !types.includes('Relu'), types.join());
    // The tokens lie as the convolution wants them: nothing is transposed, and nothing becomes a float in between.
    assert.ok(!types.includes('Transpose'), types.join());
    assert.equal(types.filter((type) => /quantizelinear/i.test(type)).length, 2, types.join());
    const [input, output] = [...roundings.values()] as [Rounding, Rounding];
    assertLevels(
      int8,
      linear(x, inputs, weight, bias, input).map((value) => Math.max(0, value)),
      output,
    );
  });

  it('a linear layer of channel-major tokens', async () => {
    const turned = Float32Array.from({ length: x.length }, (_, i) => {
      const [k, n] = [Math.floor(i / tokens), i % tokens];
      return x[n * inputs + k]!;
    });
    const { int8, types, roundings } = await quantized(
      (g, value) =>
        g.gemm(value, g.weight(literal(weight, [outputs, inputs])), undefined, {
          transA: true,
          transB: true,
        }),
      { values: turned, shape: [inputs, tokens] },
    );
    assert.ok(types.includes('QGemm'), types.join());
    close(int8, linear(x, inputs, weight, new Float32Array(outputs), [...roundings.values()][0]!));
  });

  it('a linear layer whose result is channel-major', async () => {
    const { int8, types, roundings } = await quantized(
      (g, value) => g.linearTransposed(value, g.weight(literal(weight, [outputs, inputs])), literal(bias)),
      { values: x, shape: [tokens, inputs] },
    );
    assert.ok(types.includes('QGemm'), types.join());
    const rows = linear(x, inputs, weight, bias, [...roundings.values()][0]!);
    close(
      int8,
      rows.map((_, i) => rows[(i % tokens) * outputs + Math.floor(i / tokens)]!),
    );
  });

  it('the sum at the end of a residual block, and the pool behind it', async () => {
    const [channels, side] = [3, 8];
    const values = noise(channels * side * side, 1);
    const kernel = new Float32Array(channels * channels);
    for (let c = 0; c < channels; c++) kernel[c * channels + c] = 0.5 + c;
    const { int8, types, roundings } = await quantized(
      (g, value) => {
        const delta = g.conv(value, { weight: literal(kernel, [channels, channels, 1, 1]) });
        return g.maxPool(g.residual(delta, value), 3, 2, 1);
      },
      { values, shape: [1, channels, side, side] },
    );
    assert.ok(
      types.includes('QLinearAdd') && types.includes('MaxPool') && !types.includes('Relu'),
      types.join(),
    );
    // Between QLinearAdd and MaxPool nothing becomes a float.
    assert.equal(types.filter((type) => type === 'DequantizeLinear').length, 1);
    const [input, product, sum] = [...roundings.values()] as [Rounding, Rounding, Rounding];
    const round = (value: number, by: Rounding) => (levelOf(value, by) - by.zero) * by.scale;
    const added = Array.from(values, (value, i) => {
      const shortcut = round(value, input);
      const gain = 0.5 + Math.floor(i / (side * side));
      return Math.max(0, round(shortcut * gain, product) + shortcut);
    });
    const pooled: number[] = [];
    for (let c = 0; c < channels; c++) {
      for (let row = 0; row < side / 2; row++) {
        for (let column = 0; column < side / 2; column++) {
          let most = 0;
          for (let k = 0; k < 9; k++) {
            const [r, s] = [row * 2 + Math.floor(k / 3) - 1, column * 2 + (k % 3) - 1];
            if (r >= 0 && s >= 0 && r < side && s < side)
              most = Math.max(most, added[(c * side + r) * side + s]!);
          }
          pooled.push(most);
        }
      }
    }
    assertLevels(int8, pooled, sum);
  });

  it('a weight that is used with several biases', async () => {
    const other = noise(outputs, 3, 1);
    const { int8, roundings } = await quantized(
      (g, value) => {
        const matrix = g.weight(literal(weight, [outputs, inputs]));
        return g.concat(
          [bias, other].map((each) => g.linearTransposed(value, matrix, literal(each))),
          1,
        );
      },
      { values: x, shape: [tokens, inputs] },
    );
    const input = [...roundings.values()][0]!;
    const results = [bias, other].map((each) => linear(x, inputs, weight, each, input));
    const at = (row: number, n: number) => results[Math.floor(n / tokens)]![(n % tokens) * outputs + row]!;
    close(
      int8,
      Array.from(int8, (_, i) => at(Math.floor(i / (2 * tokens)), i % (2 * tokens))),
    );
  });

  it('leaves parts alone that were not chosen', async () => {
    const input = { values: x, shape: [tokens, inputs] };
    const { types } = await quantized((g, value) => {
      const y = g.linear(value, literal(weight, [outputs, inputs]), literal(bias));
      return g.part('other', () => g.linear(y, literal(weight, [inputs, outputs])));
    }, input);
    assert.equal(types.filter((type) => type === 'QGemm').length, 1);
    assert.equal(types.filter((type) => type === 'Gemm' || type === 'FusedGemm').length, 1);
  });

  it('corrects biases, so that the means of the outputs are those of the float graph', async () => {
    // Rows of one large weight and many that are rounded in the same direction.
    const skewed = Float32Array.from({ length: weight.length }, (_, i) => (i % inputs === 0 ? 1 : 0.4 / 63));
    const positive = x.map((value) => Math.abs(value) + 1);
    const meanError = async (correctBias: boolean) => {
      const { float, int8 } = await quantized(
        (g, value) => g.linear(value, literal(skewed, [outputs, inputs]), literal(bias)),
        { values: positive, shape: [tokens, inputs] },
        { correctBias },
      );
      return Math.abs(float.reduce((sum, value, i) => sum + int8[i]! - value, 0) / float.length);
    };
    const [plain, corrected] = [await meanError(false), await meanError(true)];
    assert.ok(plain > 0.05, `${plain}`);
    assert.ok(corrected < plain / 20, `${corrected} of ${plain}`);
  });

  it('keeps a row of zeros, an input of zeros, and a bias that is large beside its weights', async () => {
    const rows = new Float32Array(outputs * inputs);
    rows.fill(1e-12, inputs, 2 * inputs);
    for (const values of [new Float32Array(tokens * inputs), x]) {
      const { int8 } = await quantized(
        (g, value) => g.linear(value, literal(rows, [outputs, inputs]), literal(bias)),
        { values, shape: [tokens, inputs] },
      );
      int8.forEach((value, i) => assert.ok(Math.abs(value - bias[i % outputs]!) < 1e-5, `${value}`));
    }
  });
});
