import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import {
  RunCollector,
  type Runs,
  paintRuns,
  runsArea,
  runsByLabel,
  runsOfMask,
  runsOverlap,
  transpose,
} from '../../../src/parsing/masks/runs.ts';

const maps = fc
  .tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 30 }))
  .chain(([width, height]) =>
    fc.record({
      width: fc.constant(width),
      height: fc.constant(height),
      a: fc.uint8Array({ minLength: width * height, maxLength: width * height, max: 3 }),
      b: fc.uint8Array({ minLength: width * height, maxLength: width * height, max: 1 }),
    }),
  );

function painted(runs: Runs, width: number, height: number, value: number): Buffer {
  const columns = new Uint8Array(width * height);
  paintRuns(runs, columns, value);
  return transpose(columns, width, height);
}

describe('runs', () => {
  it('counts down columns', () => {
    // . # .
    // # # .
    assert.deepEqual([...runsOfMask(Uint8Array.of(0, 1, 0, 1, 1, 0), 3, 2)], [1, 4]);
  });

  it('collects beyond its first buffer and joins runs that touch', () => {
    const collector = new RunCollector();
    for (let i = 0; i < 1000; i++) collector.add(3 * i, 3 * i + 1);
    collector.add(2998, 3005);
    const runs = collector.take();
    assert.equal(runs.length, 2000);
    assert.deepEqual(Array.from(runs.subarray(-2)), [2997, 3005]);
    assert.equal(collector.take().length, 0);
  });

  it('gives every label its pixels', () => {
    fc.assert(
      fc.property(maps, ({ width, height, a }) => {
        const found = runsByLabel(a, width, height);
        assert.deepEqual(
          [...found.keys()],
          [...new Set(a)].toSorted((x, y) => x - y),
        );
        for (const [label, runs] of found) {
          const expected = Buffer.from(a.map((value) => (value === label ? 1 : 0)));
          assert.deepEqual(painted(runs, width, height, 1), expected);
        }
      }),
    );
  });

  it('finds the overlap of two masks', () => {
    fc.assert(
      fc.property(maps, ({ width, height, a, b }) => {
        const common = a.reduce((sum, value, i) => sum + (value > 0 && b[i] === 1 ? 1 : 0), 0);
        const [first, second] = [runsOfMask(a, width, height), runsOfMask(b, width, height)];
        assert.equal(runsOverlap(first, second), common);
        assert.equal(runsOverlap(second, first), common);
        assert.equal(
          runsArea(first),
          a.reduce((sum, value) => sum + (value > 0 ? 1 : 0), 0),
        );
      }),
    );
  });

  it('turns columns into rows, beyond one block too', () => {
    const [width, height] = [130, 70];
    const columns = Uint8Array.from(
      { length: width * height },
      (_, i) => (i * 7 + Math.floor(i / height)) % 256,
    );
    const rows = transpose(columns, width, height);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) assert.equal(rows[y * width + x], columns[x * height + y]);
    }
  });
});
