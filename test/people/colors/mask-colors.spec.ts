import assert from 'node:assert/strict';
import sharp from 'sharp';
import { maskColors } from '../../../src/people/colors/mask-colors.ts';
import { paint, parsingOf } from '../../parsing/scene.ts';

describe('maskColors', () => {
  const rows = (from: number, to: number): string[] =>
    Array.from({ length: 40 }, (_, y) => (y >= from && y < to ? '#' : '.').repeat(40));
  const scene = async () => {
    const data = paint(40, 40, (_x, y) =>
      y < 10 ? [255, 255, 255] : y < 30 ? [200, 20, 30] : [20, 40, 160],
    );
    return parsingOf({
      width: 40,
      height: 40,
      labels: ['Background', 'Coat', 'Pants'],
      image: await sharp(data, { raw: { width: 40, height: 40, channels: 3 } })
        .png()
        .toBuffer(),
      parts: [
        { index: 1, rows: rows(10, 30) },
        { index: 2, rows: rows(25, 40) },
      ],
    });
  };

  it('names what the masks cover, and nothing else, the largest share first', async () => {
    const parsing = await scene();
    const colorsOf = maskColors(parsing);
    const [coat, pants] = parsing.parts.map(({ mask }) => mask);
    const red = await colorsOf([coat!]);
    assert.deepEqual(
      red.map(({ term, hex, share }) => [term, hex, share]),
      [['red', '#c8141e', 1]],
    );
    const both = await colorsOf([pants!]);
    assert.deepEqual(
      both.map(({ term, share }) => [term, Math.round(share * 10)]),
      [
        ['blue', 7],
        ['red', 3],
      ],
    );
    assert.deepEqual(await colorsOf([]), []);
  });

  it('rejects with a code where a mask is damaged', async () => {
    await assert.rejects(maskColors(await scene())([{ size: [40, 40], counts: '~' }]), {
      code: 'M2FP_NO_PARSING',
    });
  });
});
