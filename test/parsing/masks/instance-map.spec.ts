import assert from 'node:assert/strict';
import fc from 'fast-check';
import { dilate, measureInstances, type InstanceMap } from '../../../src/parsing/masks/instance-map.ts';

function ownersOf(rows: readonly string[]): InstanceMap {
  return Uint16Array.from(rows.join(''), (digit) => (digit === '.' ? 0 : Number(digit)));
}

function rowsOf(owners: InstanceMap, width: number): string[] {
  const text = Array.from(owners, (owner) => (owner === 0 ? '.' : String(owner))).join('');
  return text.match(new RegExp(`.{${width}}`, 'g')) ?? [];
}

describe('growing regions', () => {
  it('goes as far as the reach in all directions, and stops at the edge', async () => {
    const owners = ownersOf(['......', '.1....', '......', '......', '.....2']);
    assert.deepEqual(rowsOf(await dilate(owners, 6, 5, 1), 6), [
      '111...',
      '111...',
      '111...',
      '....22',
      '....22',
    ]);
  });

  it('leaves the given regions as they are', async () => {
    const owners = ownersOf(['1...2']);
    await dilate(owners, 5, 1, 3);
    assert.deepEqual(rowsOf(owners, 5), ['1...2']);
  });

  it('covers exactly what lies within the reach, and no region loses a pixel', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 0, max: 4 }),
        fc.array(fc.constantFrom(0, 0, 0, 0, 1, 2, 3), { minLength: 1, maxLength: 60 }),
        async (width, reach, values) => {
          const height = Math.ceil(values.length / width);
          const owners: InstanceMap = new Uint16Array(width * height);
          owners.set(values);
          const grown = await dilate(owners, width, height, reach);
          for (let p = 0; p < grown.length; p++) {
            const [x, y] = [p % width, Math.floor(p / width)];
            const near = new Set<number>();
            for (let q = 0; q < owners.length; q++) {
              const far = Math.max(Math.abs((q % width) - x), Math.abs(Math.floor(q / width) - y));
              if (owners[q]! > 0 && far <= reach) near.add(owners[q]!);
            }
            if (owners[p]! > 0) assert.equal(grown[p], owners[p]);
            else if (near.size === 0) assert.equal(grown[p], 0);
            else assert.ok(near.has(grown[p]!));
          }
        },
      ),
    );
  });
});

describe('measuring regions', () => {
  it('gives the box of each and the pixels of all', async () => {
    const owners = ownersOf(['..1..', '.11..', '....3']);
    assert.deepEqual(await measureInstances(owners, 5, 3, 3), {
      boxes: [{ x: 1, y: 0, width: 2, height: 2 }, null, { x: 4, y: 2, width: 1, height: 1 }],
      area: 4,
    });
  });
});
