import assert from 'node:assert/strict';
import { ActivationStatistics, type Calibration } from '../../src/quantize/range.ts';

/** Two pictures: values up to 1 and up to 3, one of them far out in the second. */
function twoPictures(): ActivationStatistics {
  const statistics = new ActivationStatistics();
  const ramp = (most: number) => Float32Array.from({ length: 4000 }, (_, i) => (i / 4000) * most);
  statistics.add({ min: -0.5, max: 1 }, Float32Array.of(1, 3), ramp(1));
  statistics.add({ min: -1.5, max: 100 }, Float32Array.of(2, 5), Float32Array.of(...ramp(3), 100));
  return statistics;
}

describe('the range of an activation', () => {
  it('is all that was seen, or the mean of the pictures', () => {
    const statistics = twoPictures();
    assert.deepEqual(statistics.range('min-max'), { min: -1.5, max: 100 });
    assert.deepEqual(statistics.range('average'), { min: -1, max: 50.5 });
    assert.deepEqual(statistics.means(), Float32Array.of(1.5, 4));
  });

  it('clips what is rare and far out where that changes the values least', () => {
    const statistics = new ActivationStatistics();
    const values = Float32Array.from({ length: 1_000_000 }, (_, i) => (i % 1000) / 1000);
    values[7] = 2;
    statistics.add({ min: 0, max: 2 }, Float32Array.of(0), values);
    const { min, max } = statistics.range('mse');
    assert.equal(min, 0);
    assert.ok(max >= 1 && max < 1.5, `${max}`);
    // Spread evenly, everything is needed.
    const even = new ActivationStatistics();
    const both = Float32Array.from({ length: 100_000 }, (_, i) => (i % 2000) / 1000 - 1);
    even.add({ min: -1, max: 0.999 }, Float32Array.of(0), both);
    const whole = even.range('mse');
    assert.ok(whole.min <= -0.95 && whole.max >= 0.95, JSON.stringify(whole));
  });

  it('is nothing where there were only zeros', () => {
    const statistics = new ActivationStatistics();
    statistics.add({ min: 0, max: 0 }, Float32Array.of(0), new Float32Array(10));
    for (const calibration of ['min-max', 'average', 'mse'] satisfies Calibration[]) {
      assert.deepEqual(statistics.range(calibration), { min: 0, max: 0 });
    }
  });
});
