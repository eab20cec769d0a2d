/** The measures of tracking, against figures that others computed. */
import assert from 'node:assert/strict';
import { type FramePair, figuresOf } from '../../bench/track/metrics.ts';

/** A frame from the pairs that cover one another. */
function frame(
  truth: number[],
  tracked: number[],
  ...pairs: [truth: number, tracked: number, overlap: number][]
): FramePair {
  const overlap = truth.map((person) =>
    tracked.map((track) => pairs.find(([a, b]) => a === person && b === track)?.[2] ?? 0),
  );
  return { truth, tracked, overlap };
}

describe('the measures of tracking', () => {
  it('are best where all is right, and where there is nothing', () => {
    const frames = [1, 2, 3].map(() => frame([1, 2], [7, 8], [1, 7, 1], [2, 8, 1]));
    const { mota, idf1, switches } = figuresOf(frames);
    assert.deepEqual([mota, idf1, switches], [1, 1, 0]);
    assert.deepEqual([figuresOf([]).mota, figuresOf([]).idf1], [1, 1]);
  });

  it('are those that are counted by hand', () => {
    const frames = [
      frame([1, 2], [1, 2, 3], [1, 1, 0.9], [1, 3, 0.7], [2, 2, 0.5], [2, 3, 0.7]),
      frame([1, 2], [1], [1, 1, 0.8], [2, 1, 0.6]),
      frame([1, 2], [1, 3], [1, 1, 0.4], [1, 3, 0.8], [2, 1, 0.5], [2, 3, 0.3]),
    ];
    const { mota, misses, falsePositives, switches, idf1 } = figuresOf(frames);
    // Frame 1: 1-1 and 2-3 (0.9 + 0.7), one false. Frame 2: 1-1, one missed. Frame 3: 1 is now 3, 2 is now 1: two switches.
    assert.deepEqual([misses, falsePositives, switches], [1, 1, 2]);
    assert.ok(Math.abs(mota - (1 - 4 / 6)) < 1e-9);
    // Pairs for the whole: 1 with 3 or 1 (2 frames each), 2 with 1 (2): 4 of 6 and 6.
    assert.ok(Math.abs(idf1 - 8 / 12) < 1e-9);
  });

  it('keep a pair while it fits, also where another one fits better', () => {
    const frames = [frame([1], [1], [1, 1, 1]), frame([1], [1, 2], [1, 1, 0.6], [1, 2, 0.9])];
    const { switches, falsePositives } = figuresOf(frames);
    assert.deepEqual([switches, falsePositives], [0, 1]);
  });

  it('count a switch after a gap, and what overlaps too little as missed and false', () => {
    const gap = [frame([1], [1], [1, 1, 1]), frame([1], []), frame([1], [2], [1, 2, 1])];
    assert.deepEqual([figuresOf(gap).switches, figuresOf(gap).misses], [1, 1]);
    const poor = figuresOf([frame([1], [1], [1, 1, 0.49])]);
    assert.deepEqual([poor.misses, poor.falsePositives, poor.mota], [1, 1, -1]);
  });

  it('tell an identity that was lost half-way by IDF1, where MOTA sees one switch', () => {
    const frames = [1, 1, 1, 2, 2, 2].map((track) => frame([9], [track], [9, track, 1]));
    const { mota, idf1 } = figuresOf(frames);
    assert.ok(Math.abs(mota - 5 / 6) < 1e-9);
    assert.equal(idf1, 0.5);
  });
});
