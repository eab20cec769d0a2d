import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Histogram } from '../../src/quantize/histogram.ts';

const total = (entries: { count: number }[]) => entries.reduce((sum, { count }) => sum + count, 0);

describe('the histogram of an activation', () => {
  it('loses no value, however far the next ones lie, and tells each within half a bin', () => {
    const value = fc.oneof(
      fc.constant(0),
      fc.double({ min: 1e-20, max: 1e6, noNaN: true }),
      fc.double({ min: -1e6, max: -1e-20, noNaN: true }),
    );
    fc.assert(
      fc.property(
        fc.array(fc.array(value, { minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 6 }),
        (batches) => {
          const histogram = new Histogram();
          for (const batch of batches) histogram.add(Float32Array.from(batch));
          const entries = histogram.entries();
          const all = batches.flat();
          assert.equal(total(entries), all.length);
          // Each doubling makes bins of at most the extent by half of their number.
          const extent = Math.max(...all.map(Math.abs)) * 2;
          for (const each of all) {
            const nearest = Math.min(...entries.map((entry) => Math.abs(entry.value - each)));
            assert.ok(nearest <= extent / 1024, `${each} is ${nearest} away`);
          }
        },
      ),
    );
  });

  it('tells zeros apart, and holds nothing at first', () => {
    const histogram = new Histogram();
    assert.deepEqual(histogram.entries(), []);
    histogram.add(new Float32Array(5));
    histogram.add(Float32Array.of(0, 3));
    const [zeros, three, ...more] = histogram.entries();
    assert.deepEqual(zeros, { value: 0, count: 6 });
    assert.ok(Math.abs(three!.value - 3) < 0.01 && three!.count === 1);
    assert.deepEqual(more, []);
  });

  it('takes as much memory after many values as after few', () => {
    const histogram = new Histogram();
    for (let i = 0; i < 60; i++) histogram.add(Float32Array.of(2 ** i, -(2 ** i), 1));
    assert.ok(histogram.entries().length <= 2049);
    assert.equal(total(histogram.entries()), 180);
  });
});
