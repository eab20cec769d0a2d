import assert from 'node:assert/strict';
import { turns } from '../../../src/image/slices.ts';
import { assign, assignInTurns } from '../../../src/people/track/assignment.ts';

/** The pairs of all ways to pair, as many as there can be, and of those the cheapest: what `assign` must find. */
function best(costs: readonly (readonly number[])[], row = 0, used = new Set<number>()): [number, number] {
  if (row === costs.length) return [0, 0];
  let found = best(costs, row + 1, used);
  for (const [column, cost] of costs[row]!.entries()) {
    if (!Number.isFinite(cost) || used.has(column)) continue;
    const [pairs, sum] = best(costs, row + 1, new Set(used).add(column));
    if (pairs + 1 > found[0] || (pairs + 1 === found[0] && sum + cost < found[1]))
      found = [pairs + 1, sum + cost];
  }
  return found;
}

/** The same numbers each time. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

describe('the assignment of rows to columns', () => {
  it('is that of the book', () => {
    // The example of scipy.optimize.linear_sum_assignment: columns 1, 0, 2, of cost 5.
    assert.deepEqual(
      assign([
        [4, 1, 3],
        [2, 0, 5],
        [3, 2, 2],
      ]),
      [1, 0, 2],
    );
  });

  it('has none where there is nothing', () => {
    assert.deepEqual(assign([]), []);
    assert.deepEqual(assign([[], []]), [-1, -1]);
  });

  it('makes no forbidden pair', () => {
    assert.deepEqual(
      assign([
        [Infinity, 1],
        [Infinity, 0],
      ]),
      [-1, 1],
    );
    assert.deepEqual(assign([[NaN]]), [-1]);
  });

  it('is the cheapest of all, for any shape, with forbidden pairs and costs below 0, also in turns', async () => {
    const random = numbers(7);
    for (let round = 0; round < 400; round++) {
      const rows = 1 + Math.floor(random() * 5);
      const columns = 1 + Math.floor(random() * 5);
      const costs = Array.from({ length: rows }, () =>
        Array.from({ length: columns }, () => (random() < 0.2 ? Infinity : Math.round(random() * 20) - 4)),
      );
      const result = assign(costs);
      assert.deepEqual(await assignInTurns(costs, turns()), result);
      const pairs = result.flatMap((column, row) => (column < 0 ? [] : [[row, column] as const]));
      assert.equal(new Set(pairs.map(([, column]) => column)).size, pairs.length);
      const sum = pairs.reduce((total, [row, column]) => total + costs[row]![column]!, 0);
      assert.deepEqual([pairs.length, sum], best(costs), JSON.stringify(costs));
    }
  });
});
