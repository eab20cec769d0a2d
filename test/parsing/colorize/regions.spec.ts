import assert from 'node:assert/strict';
import { shownRegions } from '../../../src/parsing/colorize/regions.ts';

function canvasOf(codeRows: string[], personRows: string[]) {
  const bytes = (rows: string[]): Uint8Array => Uint8Array.from(rows.join(''), (digit) => Number(digit));
  return { codes: bytes(codeRows), persons: bytes(personRows) };
}

describe('shownRegions', () => {
  it('measures what has one code and one person, and finds its middle', async () => {
    const canvas = canvasOf(
      ['0222200', '0222205', '0222205', '3300005'],
      ['0111100', '0111102', '0111102', '1100002'],
    );
    assert.deepEqual(await shownRegions(canvas, 7, 4), [
      { code: 2, person: 1, area: 12, x: 3, y: 1 },
      { code: 3, person: 1, area: 2, x: 1, y: 3 },
      { code: 5, person: 2, area: 3, x: 6, y: 2 },
    ]);
  });

  it('takes a pixel of the region also where its middle is none', async () => {
    // A ring, and two pieces far from each other.
    const codes = ['1111100', '1000104', '1000100', '1000104', '1111100'];
    const [ring, pieces] = await shownRegions(
      canvasOf(
        codes,
        codes.map((row) => row.replaceAll(/[^0]/g, '1')),
      ),
      7,
      5,
    );
    assert.equal(codes[ring!.y]![ring!.x], '1');
    assert.deepEqual([pieces!.area, pieces!.x], [2, 6]);
    assert.equal(codes[pieces!.y]![pieces!.x], '4');
  });

  it('finds nothing where nothing is painted', async () => {
    assert.deepEqual(await shownRegions(canvasOf(['000'], ['111']), 3, 1), []);
  });
});
