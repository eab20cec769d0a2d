import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import * as fc from 'fast-check';
import { boxOfAlpha, marginOf, softenMask } from '../../../src/parsing/masks/feather.ts';

/** The distance from a pixel to the nearest one that is inside or not, by looking at all. */
function nearest(mask: Uint8Array, width: number, p: number, inside: boolean): number {
  let best = Infinity;
  mask.forEach((value, q) => {
    if ((value !== 0) !== inside) return;
    best = Math.min(
      best,
      Math.hypot((p % width) - (q % width), Math.floor(p / width) - Math.floor(q / width)),
    );
  });
  return best;
}

describe('softenMask', () => {
  it('moves and fades the edge by the distance to it', async () => {
    const scene = fc
      .record({ width: fc.integer({ min: 1, max: 12 }), height: fc.integer({ min: 1, max: 12 }) })
      .chain(({ width, height }) =>
        fc.record({
          width: fc.constant(width),
          mask: fc.uint8Array({ minLength: width * height, maxLength: width * height, max: 1 }),
        }),
      );
    const change = fc.record({
      grow: fc.double({ min: -5, max: 5, noNaN: true }),
      feather: fc.double({ min: 0, max: 6, noNaN: true }),
    });
    await fc.assert(
      fc.asyncProperty(scene, change, async ({ width, mask }, { grow, feather }) => {
        const alpha = await softenMask(mask, width, mask.length / width, { grow, feather });
        alpha.forEach((value, p) => {
          const beyond = mask[p] ? 0.5 - nearest(mask, width, p, false) : nearest(mask, width, p, true) - 0.5;
          const share = Math.min(1, Math.max(0, (grow - beyond) / Math.max(1, feather) + 0.5));
          assert.equal(value, Math.round(255 * share), `${p}`);
        });
      }),
      { numRuns: 60 },
    );
  });

  it('changes nothing where nothing is asked for', async () => {
    const mask = Uint8Array.from([0, 1, 1, 0, 255, 0]);
    assert.deepEqual(
      await softenMask(mask, 3, 2, { grow: 0, feather: 0 }),
      Uint8Array.from([0, 255, 255, 0, 255, 0]),
    );
  });

  it('reaches no farther than it says', () => {
    assert.deepEqual(
      [
        { grow: 0, feather: 0 },
        { grow: 4, feather: 0 },
        { grow: 0, feather: 9 },
        { grow: -20, feather: 9 },
      ].map(marginOf),
      [1, 5, 5, 0],
    );
  });

  it('lets the event loop turn', async () => {
    const [width, height] = [1500, 1000];
    const mask = new Uint8Array(width * height).fill(1, 0, 500_000);
    let turns = 0;
    const hook = createHook({ init: (_id, type) => (turns += type === 'Immediate' ? 1 : 0) }).enable();
    try {
      await softenMask(mask, width, height, { grow: 3, feather: 8 });
    } finally {
      hook.disable();
    }
    // Two transforms of some 16 steps a pixel, in bands of half a million.
    assert.ok(turns > 60, `${turns} turns`);
  }).timeout(30_000);
});

describe('boxOfAlpha', () => {
  it('is the smallest box around what is not clear', async () => {
    const alpha = Uint8Array.from([0, 0, 0, 0, 0, 0, 7, 0, 0, 255, 0, 0, 0, 0, 0, 0]);
    assert.deepEqual(await boxOfAlpha(alpha, 4, 4), { x: 1, y: 1, width: 2, height: 2 });
    assert.equal(await boxOfAlpha(new Uint8Array(16), 4, 4), undefined);
  });
});
