import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { bestCandidates } from '../../../src/parsing/postprocess/top-k.ts';

describe('bestCandidates', () => {
  it('is softmax without the last column', () => {
    const logits = Float32Array.of(Math.log(2), Math.log(5), Math.log(3));
    const found = bestCandidates(logits, 1, 2, 0);
    assert.deepEqual(
      found.map(({ query, index, probability }) => [query, index, Number(probability.toFixed(6))]),
      [
        [0, 1, 0.5],
        [0, 0, 0.2],
      ],
    );
  });

  it('stands logits that overflow an exponential', () => {
    assert.deepEqual(bestCandidates(Float32Array.of(1000, -1000, 0), 1, 2, 0.1), [
      { query: 0, index: 0, probability: 1 },
    ]);
  });

  it('finds nothing in logits that are no numbers', () => {
    assert.deepEqual(bestCandidates(new Float32Array(6).fill(NaN), 2, 2, 0.1), []);
  });

  it('keeps at most 100, equal ones in order', () => {
    const found = bestCandidates(new Float32Array(60 * 5), 60, 4, 0.1);
    assert.equal(found.length, 100);
    assert.deepEqual(
      found.map(({ query, index }) => 4 * query + index),
      Array.from({ length: 100 }, (_, i) => i),
    );
  });

  it('loses nothing by its floor', () => {
    const inputs = fc.integer({ min: 1, max: 20 }).chain((queries) =>
      fc.tuple(
        fc.constant(queries),
        fc.array(fc.double({ min: -6, max: 6, noNaN: true }), {
          minLength: queries * 8,
          maxLength: queries * 8,
        }),
      ),
    );
    fc.assert(
      fc.property(inputs, ([queries, values]) => {
        const logits = Float32Array.from(values);
        const all = bestCandidates(logits, queries, 7, 0);
        const floored = bestCandidates(logits, queries, 7, 0.1);
        assert.deepEqual(
          floored,
          all.filter(({ probability }) => probability >= 0.1),
        );
      }),
    );
  });
});
