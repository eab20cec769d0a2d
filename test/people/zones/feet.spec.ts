import assert from 'node:assert/strict';
import { feetOf } from '../../../src/people/zones/feet.ts';
import { painted, type Painted } from '../describe/support.ts';

/** The feet of somebody in a box from 20, 10 of 40 x 80, who has these parts. */
async function feetWith(parts: Omit<Painted, 'color'>[]) {
  const at = [20, 10, 40, 80] as const;
  const parsing = await painted({
    width: 100,
    height: 100,
    persons: [{ at }],
    parts: parts.map((part) => ({ ...part, color: '#888888' })),
  });
  return feetOf(parsing.persons[0]!.box, parsing.parts);
}

describe('feet', () => {
  it('are between the shoes', async () => {
    const feet = await feetWith([
      { label: 'Left-leg', at: [50, 60, 10, 28] },
      { label: 'Left-shoe', at: [50, 84, 10, 4] },
      { label: 'Right-shoe', at: [20, 86, 10, 4] },
    ]);
    assert.deepEqual(feet, { x: 40, y: 90 });
  });

  it('are those that stand, where one is lifted', async () => {
    const feet = await feetWith([
      { label: 'Left-shoe', at: [50, 60, 10, 4] },
      { label: 'Right-shoe', at: [20, 86, 10, 4] },
    ]);
    assert.deepEqual(feet, { x: 25, y: 90 });
  });

  it('are the lowest of legs and socks without shoes', async () => {
    const feet = await feetWith([
      { label: 'Left-leg', at: [50, 60, 10, 20] },
      { label: 'Socks', at: [50, 80, 10, 8] },
    ]);
    assert.deepEqual(feet, { x: 55, y: 88 });
  });

  it('are under the box where they are hidden, and where specks of them lie elsewhere', async () => {
    assert.deepEqual(await feetWith([{ label: 'Pants', at: [30, 50, 20, 30] }]), { x: 40, y: 90 });
    assert.deepEqual(await feetWith([{ label: 'Left-shoe', at: [90, 95, 5, 5] }]), { x: 40, y: 90 });
  });
});
