import assert from 'node:assert/strict';
import { forEachSlice } from '../../src/image/slices.ts';

/** The bands of a job, and before which of them the event loop had turned. */
async function record(count: number, workPerItem: number) {
  const bands: [number, number][] = [];
  const turns: number[] = [];
  let turned = 0;
  let running = true;
  const turn = (): void => {
    turned++;
    if (running) setImmediate(turn);
  };
  setImmediate(turn);
  await forEachSlice(count, workPerItem, (from, end) => {
    bands.push([from, end]);
    turns.push(turned);
  });
  running = false;
  return { bands, turns };
}

describe('forEachSlice', () => {
  it('covers every item once, in order', async () => {
    const { bands } = await record(1_700_001, 3);
    let next = 0;
    for (const [from, end] of bands) {
      assert.equal(from, next);
      assert.ok(end > from);
      next = end;
    }
    assert.equal(next, 1_700_001);
  });

  it('sizes bands by their work', async () => {
    const cheap = await record(1_000_000, 1);
    const dear = await record(1_000_000, 10);
    assert.ok(cheap.bands.length > 1);
    assert.equal(dear.bands.length, cheap.bands.length * 10);
  });

  it('takes single items where one alone is more than a slice', async () => {
    const { bands } = await record(3, 1e12);
    assert.deepEqual(bands, [[0, 1], [1, 2], [2, 3]]); // prettier-ignore
  });

  it('lets the event loop turn between any two bands', async () => {
    const { turns } = await record(5_000_000, 1);
    assert.ok(turns.length >= 5);
    for (let i = 1; i < turns.length; i++) assert.ok(turns[i]! > turns[i - 1]!, `no turn before band ${i}`);
  });

  it('runs a small job at once and an empty one never', async () => {
    const ran: number[] = [];
    const job = forEachSlice(10, 1, (from, end) => ran.push(from, end));
    assert.deepEqual(ran, [0, 10]);
    await job;
    assert.deepEqual((await record(0, 1)).bands, []);
  });

  it('rejects with what the work throws and stops', async () => {
    let bands = 0;
    const job = forEachSlice(5_000_000, 1, () => {
      bands++;
      if (bands === 2) throw new Error('broken');
    });
    await assert.rejects(job, /broken/);
    assert.equal(bands, 2);
  });
});
