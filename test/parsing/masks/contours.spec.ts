import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import fc from 'fast-check';
import { findContours } from '../../../src/parsing/masks/contours.ts';

function mapOf(rows: readonly string[]): Uint8Array {
  return Uint8Array.from(Array.from(rows.join(''), Number));
}

async function draw(
  rows: readonly string[],
  thickness: number,
  ...more: (readonly string[])[]
): Promise<string[]> {
  const width = rows[0]!.length;
  const lines = await findContours([rows, ...more].map(mapOf), width, rows.length, thickness);
  const text = Array.from(lines, (value) => '.#'[value]).join('');
  return rows.map((_, y) => text.slice(y * width, (y + 1) * width));
}

describe('findContours', () => {
  const half = ['00001111', '00001111'];

  it('is one pixel wide, left of an upright border, and grows to both sides in turn', async () => {
    assert.deepEqual(await draw(half, 1), ['...#....', '...#....']);
    assert.deepEqual(await draw(half, 2), ['...##...', '...##...']);
    assert.deepEqual(await draw(half, 3), ['..###...', '..###...']);
    assert.deepEqual(await draw(half, 4), ['..####..', '..####..']);
    assert.deepEqual(await draw(half, 5), ['.#####..', '.#####..']);
  });

  it('does the same above a level border', async () => {
    const rows = ['0', '0', '0', '2', '2', '2'];
    assert.equal((await draw(rows, 1)).join(''), '..#...');
    assert.equal((await draw(rows, 2)).join(''), '..##..');
    assert.equal((await draw(rows, 3)).join(''), '.###..');
    assert.equal((await draw(rows, 4)).join(''), '.####.');
  });

  it('goes around a region', async () => {
    const rows = ['00000', '00000', '00500', '00000', '00000'];
    assert.deepEqual(await draw(rows, 1), ['.....', '..#..', '.##..', '.....', '.....']);
    assert.deepEqual(await draw(rows, 2), ['.....', '..##.', '.###.', '.###.', '.....']);
  });

  it('draws where any of the maps changes, and nothing where none does', async () => {
    assert.deepEqual(await draw(half, 1, ['00000011', '00000011']), ['...#.#..', '...#.#..']);
    assert.deepEqual(await draw(['777', '777'], 3), ['...', '...']);
  });

  it('stays inside the picture, also where the line is thicker than that', async () => {
    assert.deepEqual(await draw(['01'], 1), ['#.']);
    assert.deepEqual(await draw(['01', '01'], 64), ['##', '##']);
    assert.deepEqual(await draw(['3'], 4), ['.']);
  });

  it('is the thin line, each pixel of it widened to a square', async () => {
    const image = fc
      .record({ width: fc.integer({ min: 1, max: 12 }), height: fc.integer({ min: 1, max: 12 }) })
      .chain(({ width, height }) =>
        fc.record({
          width: fc.constant(width),
          height: fc.constant(height),
          map: fc.uint8Array({ minLength: width * height, maxLength: width * height, max: 2 }),
          thickness: fc.integer({ min: 1, max: 9 }),
        }),
      );
    await fc.assert(
      fc.asyncProperty(image, async ({ width, height, map, thickness }) => {
        const before = Math.ceil(thickness / 2) - 1;
        const after = Math.floor(thickness / 2);
        const expected = new Uint8Array(width * height);
        const mark = (x: number, y: number): void => {
          if (x >= 0 && x < width && y >= 0 && y < height) expected[y * width + x] = 1;
        };
        for (let y = 0; y < height; y++) {
          for (let x = 0; x < width; x++) {
            const value = map[y * width + x];
            const right = x + 1 < width && map[y * width + x + 1] !== value;
            const below = y + 1 < height && map[(y + 1) * width + x] !== value;
            if (!right && !below) continue;
            for (let dy = -before; dy <= after; dy++)
              for (let dx = -before; dx <= after; dx++) mark(x + dx, y + dy);
          }
        }
        assert.deepEqual(await findContours([map], width, height, thickness), expected);
      }),
    );
  });

  it('lets the event loop turn on a large picture, and not on a small one', async () => {
    let turns = 0;
    const hook = createHook({ init: (_id, type) => (turns += type === 'Immediate' ? 1 : 0) }).enable();
    try {
      await findContours([new Uint8Array(100 * 100)], 100, 100, 3);
      assert.equal(turns, 0);
      await findContours([new Uint8Array(2000 * 1000)], 2000, 1000, 3);
      // Three passes over 2 million pixels of three steps each, in bands of a million steps.
      assert.ok(turns >= 15, `${turns} turns`);
    } finally {
      hook.disable();
    }
  });
});
