import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { enlargedAxis, linearAxis, sigmoidOfPositive } from '../../../src/parsing/postprocess/interpolate.ts';
import { interpolate, sigmoid } from './reference.ts';

function resize(values: number[], outSize: number): number[] {
  const axis = linearAxis(values.length, outSize);
  return Array.from(
    { length: outSize },
    (_, i) => axis.weight0[i]! * values[axis.index0[i]!]! + axis.weight1[i]! * values[axis.index1[i]!]!,
  );
}

describe('linearAxis', () => {
  it('enlarges as torch.nn.functional.interpolate does', () => {
    assert.deepEqual(resize([0, 1], 4), [0, 0.25, 0.75, 1]);
    assert.deepEqual(resize([0, 4, 2], 6), [0, 1, 3, 3.5, 2.5, 2]);
    assert.deepEqual(resize([0, 8], 8), [0, 0, 1, 3, 5, 7, 8, 8]);
  });

  it('shrinks without antialiasing', () => {
    assert.deepEqual(resize([0, 10, 20, 30, 40, 50], 2), [10, 40]);
    assert.deepEqual(resize([0, 10, 20, 30], 2), [5, 25]);
  });

  it('leaves an axis of the same size alone', () => {
    assert.deepEqual(resize([3, 1, 4, 1, 5], 5), [3, 1, 4, 1, 5]);
  });

  it('computes positions in float32, as PyTorch does', () => {
    const f = Math.fround;
    let changed = 0;
    for (const [inSize, outSize] of [
      [97, 1131],
      [853, 1920],
      [1333, 4001],
    ] as const) {
      const axis = linearAxis(inSize, outSize);
      for (let i = 0; i < outSize; i++) {
        const source = Math.max(0, f(f(f(inSize / outSize) * (i + 0.5)) - 0.5));
        const index = Math.min(Math.floor(source), inSize - 1);
        assert.equal(axis.index0[i], index);
        assert.equal(axis.index1[i], Math.min(index + 1, inSize - 1));
        assert.equal(axis.weight1[i], f(source - index));
        assert.equal(axis.weight0[i], f(1 - axis.weight1[i]!));
        if (f((inSize / outSize) * (i + 0.5) - 0.5 - index) !== axis.weight1[i]) changed++;
      }
    }
    assert.ok(changed > 1000, 'double precision gives other weights');
  });
});

describe('enlargedAxis', () => {
  it('is x4 upsampling, crop and resize in one', () => {
    const sizes = fc
      .integer({ min: 3, max: 40 })
      .chain((inSize) =>
        fc.tuple(
          fc.array(fc.double({ min: -50, max: 50, noNaN: true }), { minLength: inSize, maxLength: inSize }),
          fc.integer({ min: 1, max: 4 * inSize }),
          fc.integer({ min: 1, max: 300 }),
        ),
      );
    fc.assert(
      fc.property(sizes, ([values, cropSize, outSize]) => {
        const axis = enlargedAxis(values.length, cropSize, outSize);
        const expected = resize(resize(values, 4 * values.length).slice(0, cropSize), outSize);
        for (let i = 0; i < outSize; i++) {
          let actual = 0;
          for (let k = 0; k < 3; k++) actual += axis.weights[3 * i + k]! * values[axis.first[i]! + k]!;
          assert.ok(Math.abs(actual - expected[i]!) < 1e-9, `position ${i}: ${actual} for ${expected[i]}`);
          assert.ok(i === 0 || axis.first[i]! >= axis.first[i - 1]!);
        }
      }),
    );
  });

  it('refuses what it cannot do', () => {
    assert.throws(() => enlargedAxis(2, 8, 10), RangeError);
    assert.throws(() => enlargedAxis(8, 33, 10), RangeError);
  });
});

describe('the reference interpolation of these tests', () => {
  it('agrees with values worked out by hand in two dimensions', () => {
    const out = interpolate({ data: Float32Array.of(0, 4, 8, 12), channels: 1, height: 2, width: 2 }, 4, 4);
    assert.deepEqual([...out.data], [0, 1, 3, 4, 2, 3, 5, 6, 6, 7, 9, 10, 8, 9, 11, 12]);
  });
});

describe('sigmoidOfPositive', () => {
  it('is the logistic function within 2e-7', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 60, noNaN: true }), (x) => {
        assert.ok(Math.abs(sigmoidOfPositive(x) - sigmoid(x)) < 2e-7);
      }),
    );
    for (let x = 0; x < 20; x += 0.0013) assert.ok(Math.abs(sigmoidOfPositive(x) - sigmoid(x)) < 2e-7);
    assert.equal(sigmoidOfPositive(0), 0.5);
    assert.equal(sigmoidOfPositive(Infinity), 1);
  });
});
