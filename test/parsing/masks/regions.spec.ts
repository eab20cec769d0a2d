import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { blurAbove } from '../../../src/parsing/masks/gaussian.ts';
import { hullOf } from '../../../src/parsing/masks/hull.ts';
import { dilateMask, erodeMask } from '../../../src/parsing/masks/morphology.ts';
import { fillHoles, largestRegion, regionsIn } from '../../../src/parsing/masks/regions.ts';

interface Drawn {
  width: number;
  height: number;
  mask: Uint8Array;
}

/** Masks with more or less in them. */
const drawn: fc.Arbitrary<Drawn> = fc
  .record({
    width: fc.integer({ min: 1, max: 12 }),
    height: fc.integer({ min: 1, max: 12 }),
    few: fc.boolean(),
  })
  .chain(({ width, height, few }) => {
    const size = { minLength: width * height, maxLength: width * height };
    return fc.record({
      width: fc.constant(width),
      height: fc.constant(height),
      mask: fc
        .array(fc.integer({ min: 0, max: 9 }), size)
        .map((values) => Uint8Array.from(values, (value) => (value < (few ? 2 : 6) ? 1 : 0))),
    });
  });

function rows(text: readonly string[]): Drawn {
  return {
    width: text[0]!.length,
    height: text.length,
    mask: Uint8Array.from(Array.from(text.join('')), (char) => (char === '#' ? 1 : 0)),
  };
}

function textOf(mask: Uint8Array, width: number): string[] {
  const text = Array.from(mask, (value) => (value === 1 ? '#' : '.')).join('');
  return text.match(new RegExp(`.{${width}}`, 'g'))!;
}

/** Of each pixel the lowest pixel of its region; -1 for those of another value. */
function flooded({ width, height, mask }: Drawn, value: number, diagonal: boolean): number[] {
  const first = Array.from(mask, () => -1);
  for (const [start, found] of mask.entries()) {
    if (found !== value || first[start] !== -1) continue;
    const open = [start];
    first[start] = start;
    for (let p = open.pop(); p !== undefined; p = open.pop()) {
      const [x, y] = [p % width, Math.floor(p / width)];
      for (let dy = -1; dy <= 1; dy++) {
        for (let dx = -1; dx <= 1; dx++) {
          const isNext = x + dx >= 0 && x + dx < width && y + dy >= 0 && y + dy < height;
          const next = p + dy * width + dx;
          if (!isNext || (!diagonal && dx * dy !== 0) || mask[next] !== value || first[next] !== -1) continue;
          first[next] = start;
          open.push(next);
        }
      }
    }
  }
  return first;
}

describe('regions of masks', () => {
  it('are what a walk from pixel to pixel finds, with corners and without', async () => {
    await fc.assert(
      fc.asyncProperty(
        drawn,
        fc.constantFrom(0 as const, 1 as const),
        fc.boolean(),
        async (scene, value, diagonal) => {
          const { mask, width, height } = scene;
          const regions = await regionsIn(mask, width, height, { value, diagonal });
          const first = flooded(scene, value, diagonal);
          const starts = [...new Set(first)].filter((at) => at >= 0);
          const expected = starts.map((start) => first.filter((at) => at === start).length);
          assert.deepEqual(regions.areas, expected);
          for (let y = 0; y < height; y++) {
            for (let run = regions.rows[y]!; run < regions.rows[y + 1]!; run++) {
              for (let x = regions.from[run]!; x < regions.to[run]!; x++) {
                assert.equal(first[y * width + x], starts[regions.region[run]!]);
              }
            }
          }
        },
      ),
    );
  });

  it('have their holes filled, but not what is open to the edge', async () => {
    const { mask, width, height } = rows(['.###..', '.#.#..', '.###.#', '....##', '.#.#..', '.###..']);
    assert.deepEqual(textOf(await fillHoles(mask, width, height), width), [
      '.###..',
      '.###..',
      '.###.#',
      '....##',
      '.#.#..',
      '.###..',
    ]);
  });

  it('leave the largest one, the upper of equals; corners connect', async () => {
    const { mask, width, height } = rows(['##....', '.....#', '#...#.', '.#.#..', '..#...', '....##']);
    assert.deepEqual(textOf(await largestRegion(mask, width, height), width), [
      '......',
      '.....#',
      '#...#.',
      '.#.#..',
      '..#...',
      '......',
    ]);
    const two = rows(['##.##']);
    assert.deepEqual(textOf(await largestRegion(two.mask, 5, 1), 5), ['##...']);
    assert.deepEqual(await largestRegion(new Uint8Array(4), 2, 2), new Uint8Array(4));
  });
});

describe('hulls of masks', () => {
  /** Whether a point lies in the hull of others: on no side of any line has it all of them beyond it. */
  const isInHull = (x: number, y: number, points: readonly (readonly [number, number])[]): boolean => {
    if (points.some(([a, b]) => a === x && b === y)) return true;
    return points.every(([ax, ay]) => {
      // A line through the point and one of the others that leaves all on one side, strictly, or beyond the point.
      const sides = points.map(([bx, by]) => Math.sign((ax - x) * (by - y) - (bx - x) * (ay - y)));
      const isBetween = points.some(
        ([bx, by], i) => sides[i] === 0 && (ax - x) * (bx - x) + (ay - y) * (by - y) < 0,
      );
      return isBetween || (sides.includes(1) && sides.includes(-1));
    });
  };

  it('have the pixels whose centres lie in the hull of the centres', async () => {
    await fc.assert(
      fc.asyncProperty(drawn, fc.constantFrom('each' as const, 'all' as const), async (scene, of) => {
        const { mask, width, height } = scene;
        const first = of === 'each' ? flooded(scene, 1, true) : Array.from(mask, (value) => value - 1);
        const expected = mask.slice();
        for (const start of new Set(first.filter((at) => at >= 0))) {
          const points = first.flatMap((at, p) =>
            at === start ? [[p % width, Math.floor(p / width)] as const] : [],
          );
          for (let p = 0; p < mask.length; p++) {
            if (isInHull(p % width, Math.floor(p / width), points)) expected[p] = 1;
          }
        }
        assert.deepEqual(textOf(await hullOf(mask, width, height, of), width), textOf(expected, width));
      }),
    );
  });
});

describe('growing, shrinking and blurring masks', () => {
  it('grows and shrinks by a square', async () => {
    await fc.assert(
      fc.asyncProperty(drawn, fc.integer({ min: 0, max: 14 }), async ({ mask, width, height }, reach) => {
        const around = (value: number): Uint8Array =>
          mask.map((_, p) => {
            const [x, y] = [p % width, Math.floor(p / width)];
            const isNear = mask.some(
              (other, q) =>
                other === value &&
                Math.abs((q % width) - x) <= reach &&
                Math.abs(Math.floor(q / width) - y) <= reach,
            );
            return isNear === (value === 1) ? 1 : 0;
          });
        const before = mask.slice();
        assert.deepEqual(await dilateMask(mask, width, height, reach), around(1));
        assert.deepEqual(await erodeMask(mask, width, height, reach), around(0));
        assert.deepEqual(mask, before);
      }),
    );
  });

  it('blurs with a Gaussian, mirrored at the edges', async () => {
    await fc.assert(
      fc.asyncProperty(
        drawn,
        fc.constantFrom(1, 3, 5, 9, 31),
        fc.double({ min: 0.02, max: 0.98, noNaN: true }),
        async ({ mask, width, height }, size, least) => {
          const reach = (size - 1) / 2;
          const deviation = 0.3 * (reach - 1) + 0.8;
          const weight = (d: number): number => Math.exp(-(d * d) / (2 * deviation * deviation));
          let whole = 0;
          for (let d = -reach; d <= reach; d++) whole += weight(d);
          const mirrored = (at: number, count: number): number => {
            for (let i = at; ; i = i < 0 ? -i : 2 * (count - 1) - i) {
              if (count === 1) return 0;
              if (i >= 0 && i < count) return i;
            }
          };
          const made = await blurAbove(mask, width, height, size, least);
          for (let p = 0; p < mask.length; p++) {
            let sum = 0;
            for (let dy = -reach; dy <= reach; dy++) {
              for (let dx = -reach; dx <= reach; dx++) {
                const q =
                  mirrored(Math.floor(p / width) + dy, height) * width + mirrored((p % width) + dx, width);
                sum += mask[q]! * weight(dx) * weight(dy);
              }
            }
            const value = sum / whole ** 2;
            // The product of two sums is not the sum of products to the last digit.
            if (Math.abs(value - least) > 1e-6)
              assert.equal(made[p], value >= least ? 1 : 0, `${p}: ${value}`);
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});
