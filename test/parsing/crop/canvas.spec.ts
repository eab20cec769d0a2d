import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { CANVAS_OPTION, placeOnCanvas } from '../../../src/parsing/crop/canvas.ts';
import { crop } from '../../../src/parsing/crop/crop.ts';
import { parsingOf, pixelsOf, sourceColor } from '../scene.ts';
import { twoPeople } from './crop-scene.ts';

const sized = (text: string) => CANVAS_OPTION.read('canvas', text);

describe('the canvas of a crop', () => {
  const cases: [crop: [number, number], canvas: string, margin: object, size: number[], inner: number[]][] = [
    [[40, 20], 'square', { pixels: 0 }, [40, 40], [0, 10, 40, 20]],
    [[40, 20], 'square', { pixels: 5 }, [50, 50], [5, 15, 40, 20]],
    [[80, 40], 'square', { share: 0.1 }, [100, 100], [10, 30, 80, 40]],
    [[80, 80], '4:5', { share: 0.1 }, [100, 125], [10, 22, 80, 80]],
    [[10, 100], '4:5', { pixels: 0 }, [80, 100], [35, 0, 10, 100]],
    [[10, 20], '1080x1350', { share: 0.1 }, [1080, 1350], [256, 108, 567, 1134]],
    [[4000, 1000], '800 x 400', { pixels: 50 }, [800, 400], [50, 112, 700, 175]],
    [[7, 7], '1x1', { pixels: 9 }, [1, 1], [0, 0, 1, 1]],
  ];
  for (const [[width, height], canvas, margin, size, inner] of cases) {
    it(`puts ${width} x ${height} on ${canvas} with ${JSON.stringify(margin)}`, () => {
      const placed = placeOnCanvas(
        { width, height },
        { size: sized(canvas), margin: margin as { pixels: number } },
      );
      assert.deepEqual([placed.width, placed.height], size);
      assert.deepEqual(Object.values(placed.inner), inner);
    });
  }

  it('holds the crop in its middle, with the margin on each side, in the aspect', () => {
    const side = fc.integer({ min: 1, max: 3000 });
    const margin = fc.oneof(
      fc.record({ pixels: fc.integer({ min: 0, max: 200 }) }),
      fc.record({ share: fc.double({ min: 0, max: 0.45, noNaN: true }) }),
    );
    fc.assert(
      fc.property(
        side,
        side,
        margin,
        fc.constantFrom('square', '4:5', '3:2', '1080x1350', '300x40'),
        (width, height, around, canvas) => {
          const { inner, ...whole } = placeOnCanvas(
            { width, height },
            { size: sized(canvas), margin: around },
          );
          const right = whole.width - inner.x - inner.width;
          const bottom = whole.height - inner.y - inner.height;
          assert.ok(Math.abs(right - inner.x) <= 1 && Math.abs(bottom - inner.y) <= 1);
          const shorter = Math.min(whole.width, whole.height);
          const wanted = 'share' in around ? Math.round(around.share * shorter) : around.pixels;
          assert.ok(
            Math.min(inner.x, inner.y, right, bottom) >= Math.min(wanted, Math.floor((shorter - 1) / 2)) - 1,
          );
          const size = sized(canvas);
          if (!('aspect' in size)) assert.deepEqual(whole, size);
          else {
            assert.deepEqual([inner.width, inner.height], [width, height]);
            assert.ok(Math.abs(whole.width - whole.height * size.aspect) <= Math.max(1, size.aspect));
          }
        },
      ),
    );
  });

  it('is transparent around a cut-out, or of the colour that was asked for, without a shadow', async () => {
    const parsing = await parsingOf({
      width: 6,
      height: 4,
      labels: ['Background', 'Coat'],
      parts: [{ index: 1, rows: ['......', '.##...', '.#....', '......'] }],
    });
    const [clear] = await crop(parsing, { mode: 'cutout', scale: 'canvas', canvas: '4:5', margin: 1 });
    const pixels = await pixelsOf(clear!.image);
    assert.deepEqual([pixels.width, pixels.height, clear!.width, clear!.height], [4, 5, 4, 5]);
    const at = [0, 1, 2, 3, 4].flatMap((y) => [0, 1, 2, 3].map((x) => [x, y, pixels.at(x, y)[3]] as const));
    assert.deepEqual(
      at.filter(([, , alpha]) => alpha !== 0).map(([x, y]) => [x, y]),
      [
        [1, 1],
        [2, 1],
        [1, 2],
      ],
    );
    assert.deepEqual(pixels.at(1, 1), [...sourceColor(1, 1), 255]);
    assert.deepEqual(pixels.at(0, 0), [0, 0, 0, 0]);
    const [white] = await crop(parsing, {
      mode: 'cutout',
      scale: 'canvas',
      canvas: '10x20',
      margin: '10%',
      fill: 'white',
    });
    const shown = await pixelsOf(white!.image);
    assert.deepEqual([shown.width, shown.height, shown.channels], [10, 20, 3]);
    assert.deepEqual(shown.at(0, 0), [255, 255, 255]);
  });

  it('is refused where it is none, or too large', async () => {
    const parsing = await twoPeople();
    for (const canvas of ['round', '0x5', '4:', '1:101', '20000x1', 5]) {
      await assert.rejects(crop(parsing, { scale: 'canvas', canvas: canvas as string }), {
        code: 'M2FP_BAD_OPTION',
        message: /"canvas"/,
      });
    }
    await assert.rejects(crop(parsing, { scale: 'canvas', margin: '46%' }), { code: 'M2FP_BAD_OPTION' });
    await assert.rejects(crop(parsing, { scale: 'canvas', canvas: '16000x16000' }), {
      code: 'M2FP_BAD_OPTION',
      message: /16000 x 16000/,
    });
  });
});
