/** Colours over the source: the pictures that colouring makes, their background and format. */
import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import sharp from 'sharp';
import { colorize, type ColorizeOptions } from '../../../src/parsing/colorize/colorize.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import { COLORS, LABELS, twoPeople } from './colorize-scene.ts';
import { formatOf, paint, parsingOf, pixelsOf, sourceColor, turned } from '../scene.ts';

describe('colorize', () => {
  it('lays the colours over the source with an opacity of 0.6 where none is told', async () => {
    const parsing = await twoPeople();
    const { image } = await colorize(parsing, { mode: 'overlay', colors: COLORS });
    assert.deepEqual(
      (await pixelsOf(image)).at(4, 0),
      sourceColor(4, 0).map((value, i) => Math.round(value * 0.4 + [200, 0, 0][i]! * 0.6)),
    );
  });

  for (const opacity of [0, 0.25, 0.6, 1]) {
    it(`lays the colours over the source: source + (colour - source) x ${opacity}`, async () => {
      const parsing = await twoPeople();
      const { image } = await colorize(parsing, { mode: 'overlay', opacity, colors: COLORS });
      const pixels = await pixelsOf(image);
      assert.equal(pixels.channels, 3);
      for (let x = 0; x < 8; x++) {
        const source = sourceColor(x, 0);
        const color = x < 2 || x > 5 ? [0, 200, 0] : x === 4 ? [200, 0, 0] : source;
        const expected = source.map((value, i) => Math.round(value * (1 - opacity) + color[i]! * opacity));
        assert.deepEqual(pixels.at(x, 0), expected, `opacity ${opacity} at ${x}`);
      }
    });
  }

  for (const [mode, background] of [
    ['map', 'remove'],
    ['map', 'transparent'],
    ['overlay', 'remove'],
    ['overlay', 'transparent'],
  ] as const) {
    it(`leaves what is not painted transparent: ${mode}, ${background}`, async () => {
      const parsing = await twoPeople();
      const options = { mode, opacity: 1, colors: COLORS, background } as const;
      const pixels = await pixelsOf((await colorize(parsing, options)).image);
      assert.equal(pixels.channels, 4);
      assert.deepEqual(pixels.at(0, 0), [0, 200, 0, 255], mode);
      assert.deepEqual(pixels.at(2, 0), [0, 0, 0, 0], mode);
      const webp = await colorize(parsing, { ...options, format: 'webp' });
      assert.equal((await sharp(webp.image).metadata()).hasAlpha, true, mode);
    });
  }

  for (const [dim, factor] of [
    [undefined, 0.4],
    [0.25, 0.75],
    [1, 0],
  ] as const) {
    it(`makes the background of an overlay darker: dim ${dim ?? 'not told'}`, async () => {
      const parsing = await twoPeople();
      const options = { mode: 'overlay', opacity: 0.5, colors: COLORS, background: 'dim', dim } as const;
      const pixels = await pixelsOf((await colorize(parsing, options)).image);
      const dark = sourceColor(3, 2).map((value) => Math.round(value * factor));
      assert.deepEqual(pixels.at(3, 2), dark);
      // What is painted lies on the source as it is.
      const [red, green, blue] = sourceColor(0, 0);
      assert.deepEqual(pixels.at(0, 0), [
        Math.round(red / 2),
        Math.round((green + 200) / 2),
        Math.round(blue / 2),
      ]);
    });
  }

  it('puts the background of an overlay out of focus, and nothing that is painted', async () => {
    const [width, height] = [60, 20];
    const stripes = paint(width, height, (x) => (Math.floor(x / 2) % 2 === 0 ? [0, 0, 0] : [255, 255, 255]));
    const image = await sharp(stripes, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer();
    const rows = Array<string>(height).fill(`${'#'.repeat(20)}${'.'.repeat(40)}`);
    const parsing = await parsingOf({ width, height, labels: LABELS, image, parts: [{ index: 1, rows }] });
    const options = { mode: 'overlay', opacity: 0, background: 'blur' } as const;
    const pixels = await pixelsOf((await colorize(parsing, { ...options, blurRadius: 6 })).image);
    for (let x = 0; x < 20; x++) assert.deepEqual(pixels.at(x, 10), x % 4 < 2 ? [0, 0, 0] : [255, 255, 255]);
    for (let x = 25; x < 50; x++) {
      const [red] = pixels.at(x, 10);
      assert.ok(red! > 100 && red! < 155, `${red} at ${x}`);
    }
    // 1.5 % of 60 pixels is less than a stripe.
    const [sharper] = (await pixelsOf((await colorize(parsing, options)).image)).at(40, 10);
    assert.ok(sharper! < 90 || sharper! > 165, `${sharper}`);
  });

  it('writes png where no format is told', async () => {
    const parsing = await twoPeople();
    assert.equal(formatOf((await colorize(parsing)).image), 'png');
  });

  for (const format of ['png', 'jpeg', 'webp'] as const) {
    it(`writes ${format}`, async () => {
      const parsing = await twoPeople();
      const { image, ...facts } = await colorize(parsing, { mode: 'map', format });
      assert.equal(formatOf(image), format);
      assert.deepEqual(facts, { width: 8, height: 4, mime: `image/${format}` });
      const { width, height } = await sharp(image).metadata();
      assert.deepEqual([width, height], [8, 4]);
    });
  }

  it('passes the quality on', async () => {
    const parsing = await parsingOf({ width: 64, height: 64, labels: LABELS });
    const size = async (quality: number): Promise<number> =>
      (await colorize(parsing, { mode: 'overlay', format: 'jpeg', quality })).image.length;
    assert.ok((await size(95)) > 1.5 * (await size(20)));
  });

  it('turns the source by its EXIF orientation', async () => {
    const parsing = await parsingOf({
      width: 3,
      height: 2,
      labels: LABELS,
      image: await turned(),
      parts: [{ index: 1, rows: ['..#', '...'] }],
    });
    const pixels = await pixelsOf(
      (await colorize(parsing, { mode: 'overlay', opacity: 1, colors: COLORS })).image,
    );
    assert.deepEqual([pixels.width, pixels.height], [3, 2]);
    for (let y = 0; y < 2; y++) {
      for (let x = 0; x < 3; x++) {
        const expected = x === 2 && y === 0 ? [200, 0, 0] : [100 * y, 50 * (2 - x), 77];
        assert.deepEqual(pixels.at(x, y), expected, `${x}, ${y}`);
      }
    }
  });

  it('needs the picture only for an overlay', async () => {
    const parsing = { ...(await twoPeople()), image: Buffer.from('not a picture') };
    await colorize(parsing, { mode: 'map' });
    await assert.rejects(colorize(parsing), { code: 'M2FP_UNSUPPORTED_FORMAT' });
  });

  describe('on a large picture', () => {
    const width = 2000;
    const height = 1000;
    let parsing: Parsing;

    before(async () => {
      const image = await sharp({ create: { width, height, channels: 3, background: '#446688' } })
        .png({ compressionLevel: 1 })
        .toBuffer();
      const rows = Array<string>(height).fill('#'.repeat(width));
      parsing = await parsingOf({ width, height, labels: LABELS, image, parts: [{ index: 1, rows }] });
    });

    /** How often a loop let the event loop turn. */
    async function turns(options: ColorizeOptions): Promise<number> {
      let count = 0;
      const hook = createHook({ init: (_id, type) => (count += type === 'Immediate' ? 1 : 0) }).enable();
      try {
        await colorize(parsing, options);
      } finally {
        hook.disable();
      }
      return count;
    }

    it('lets the event loop turn while it paints, outlines and draws', async () => {
      const parts = await turns({});
      const map = await turns({ paint: 'map' });
      const overlay = await turns({ mode: 'overlay' });
      const outlined = await turns({ contours: 3 });
      // Bands of a million steps, 2 million pixels: painting takes 4 (parts) or 3 (map) steps a pixel, drawing 4 (map)
      // or 6 (overlay), finding and thickening contours 3 in each of four passes.
      assert.ok(parts >= 12, `parts: ${parts} turns`);
      assert.ok(map >= 10, `map: ${map} turns`);
      assert.ok(overlay >= 15, `overlay: ${overlay} turns`);
      assert.ok(outlined - parts >= 20, `contours: ${outlined - parts} turns`);
    }).timeout(60_000);
  });
});
