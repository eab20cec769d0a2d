/** The pictures that cropping makes: their box, edge, size and format. */
import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import sharp from 'sharp';
import { type CropOptions, crop } from '../../../src/parsing/crop/crop.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import { assertBox, assertCutout, LABELS, twoPeople } from './crop-scene.ts';
import { formatOf, parsingOf, pixelsOf, sourceColor, turned } from '../scene.ts';

describe('crop', () => {
  it('adds a margin of pixels, up to the edge of the picture', async () => {
    const parsing = await twoPeople();
    const boxes = async (padding: number | string) =>
      (await crop(parsing, { what: 'labels', labels: ['Face', 'Cap/Hat'], padding })).map(({ box }) => box);
    assert.deepEqual(await boxes(1), [
      { x: 3, y: 0, width: 3, height: 2 },
      { x: 0, y: 0, width: 3, height: 4 },
    ]);
    assert.deepEqual((await boxes(1000))[0], { x: 0, y: 0, width: 8, height: 4 });
    const [hat] = await crop(parsing, { labels: ['Cap/Hat'], padding: 1, mode: 'cutout' });
    await assertCutout(hat!, ['.#.', '...']);
    const [box] = await crop(parsing, { labels: ['Cap/Hat'], padding: 1 });
    await assertBox(box!);
  });

  it("adds a margin as a share of the box's sides", async () => {
    const rows = Array.from({ length: 12 }, (_, y) =>
      Array.from({ length: 20 }, (_unused, x) => (x >= 5 && x < 15 && y >= 4 && y < 8 ? '#' : '.')).join(''),
    );
    const parsing = await parsingOf({ width: 20, height: 12, labels: LABELS, parts: [{ index: 1, rows }] });
    const box = async (padding: string) => (await crop(parsing, { padding }))[0]!.box;
    assert.deepEqual(await box('0%'), { x: 5, y: 4, width: 10, height: 4 });
    assert.deepEqual(await box('25%'), { x: 2, y: 3, width: 16, height: 6 });
    assert.deepEqual(await box(' 12.5 % '), { x: 4, y: 3, width: 12, height: 6 });
    assert.deepEqual(await box('100%'), { x: 0, y: 0, width: 20, height: 12 });
  });

  it('keeps the alpha of a cut-out in webp', async () => {
    const parsing = await twoPeople();
    const [webp] = await crop(parsing, { what: 'persons', format: 'webp', mode: 'cutout' });
    const pixels = await pixelsOf(webp!.image);
    assert.deepEqual(
      [pixels.at(0, 0)[3], pixels.at(1, 0)[3], pixels.at(2, 0)[3], pixels.at(2, 1)[3]],
      [255, 255, 0, 255],
    );
  });

  for (const format of ['png', 'jpeg', 'webp'] as const) {
    it(`writes ${format}`, async () => {
      const parsing = await twoPeople();
      const [first] = await crop(parsing, { what: 'persons', format });
      assert.equal(formatOf(first!.image), format);
      assert.equal(first!.name, `person-1.${format === 'jpeg' ? 'jpg' : format}`);
      assert.equal((await sharp(first!.image).metadata()).hasAlpha, false);
    });
  }

  describe('with a soft edge', () => {
    /** A disc of radius 6 in the middle of 31 x 31. */
    const disc = (radius: number): string[] =>
      Array.from({ length: 31 }, (_, y) =>
        Array.from({ length: 31 }, (_unused, x) => (Math.hypot(x - 15, y - 15) <= radius ? '#' : '.')).join(
          '',
        ),
      );
    const round = (): Promise<Parsing> =>
      parsingOf({ width: 31, height: 31, labels: LABELS, parts: [{ index: 1, rows: disc(6) }] });
    const alphaOf = async (options: CropOptions) => {
      const [found] = await crop(await round(), { mode: 'cutout', ...options });
      const pixels = await pixelsOf(found!.image);
      return {
        box: found!.box,
        area: found!.area,
        at: (x: number, y: number) => pixels.at(x - found!.box.x, y - found!.box.y),
      };
    };

    it('grows by pixels in every direction', async () => {
      const { box, area, at } = await alphaOf({ grow: 4 });
      assert.deepEqual(box, { x: 5, y: 5, width: 21, height: 21 });
      assert.equal(area, 113, 'of the mask as it was found');
      for (const [x, y] of [
        [5, 15],
        [25, 15],
        [15, 5],
        [21, 21],
      ] as const) {
        assert.deepEqual(at(x, y), [...sourceColor(x, y), 255], `${x}, ${y}`);
      }
      assert.deepEqual(at(6, 8), [0, 0, 0, 0]);
    });

    it('shrinks', async () => {
      const { box, at } = await alphaOf({ grow: -3 });
      assert.deepEqual(box, { x: 12, y: 12, width: 7, height: 7 });
      assert.equal(at(15, 15)[3], 255);
      assert.equal(at(12, 12)[3], 0);
      assert.deepEqual(await crop(await round(), { mode: 'cutout', grow: -20 }), []);
    });

    for (const [feather, grow] of [
      [8, 0],
      [5, 0],
      [4, 3],
    ] as const) {
      it(`fades over ${feather} pixels where it grew by ${grow}, half of them outside`, async () => {
        const rows = Array<string>(4).fill('..........##########');
        const parsing = await parsingOf({
          width: 20,
          height: 4,
          labels: LABELS,
          parts: [{ index: 1, rows }],
        });
        const [found] = await crop(parsing, { mode: 'cutout', feather, grow });
        const pixels = await pixelsOf(found!.image);
        // The edge lies between the pixels 9 and 10.
        const alpha = (x: number): number =>
          Math.round(255 * Math.min(1, Math.max(0, (x + 0.5 - 10 + grow) / feather + 0.5)));
        assert.equal(alpha(found!.box.x - 1), 0);
        for (let x = found!.box.x; x < 20; x++) {
          // Colours are the source's own also where they are faint.
          assert.deepEqual(
            pixels.at(x - found!.box.x, 2),
            [...sourceColor(x, 2), alpha(x)],
            `${feather}, ${x}`,
          );
        }
        assert.ok(alpha(found!.box.x) > 0);
      });
    }

    it('has no edge where the picture ends', async () => {
      const rows = Array<string>(4).fill('##..');
      const parsing = await parsingOf({ width: 4, height: 4, labels: LABELS, parts: [{ index: 1, rows }] });
      const [found] = await crop(parsing, { mode: 'cutout', grow: -1 });
      assert.deepEqual(found!.box, { x: 0, y: 0, width: 1, height: 4 });
    });

    it('is no business of boxes', async () => {
      const parsing = await round();
      const [soft] = await crop(parsing, { grow: 5, feather: 9 });
      const [hard] = await crop(parsing);
      assert.deepEqual(soft, hard);
    });

    it('is drawn on a colour where one is given', async () => {
      const [found] = await crop(await round(), {
        mode: 'cutout',
        feather: 8,
        fill: [10, 20, 30],
        format: 'png',
      });
      const pixels = await pixelsOf(found!.image);
      assert.equal(pixels.channels, 3);
      const soft = await alphaOf({ feather: 8 });
      for (const x of [5, 7, 9, 15]) {
        const alpha = soft.at(x, 15)[3]! / 255;
        const expected = sourceColor(x, 15).map((value, i) =>
          Math.round([10, 20, 30][i]! * (1 - alpha) + value * alpha),
        );
        assert.deepEqual(pixels.at(x - 5, 10), expected);
      }
      const [jpeg] = await crop(await round(), { mode: 'cutout', fill: 'white', format: 'jpeg' });
      assert.equal(formatOf(jpeg!.image), 'jpeg');
    });
  });

  describe('in an aspect', () => {
    /** 10 x 4 pixels at (5, 4) of 20 x 12. */
    const wide = (): Promise<Parsing> => {
      const rows = Array.from({ length: 12 }, (_, y) =>
        Array.from({ length: 20 }, (_unused, x) => (x >= 5 && x < 15 && y >= 4 && y < 8 ? '#' : '.')).join(
          '',
        ),
      );
      return parsingOf({ width: 20, height: 12, labels: LABELS, parts: [{ index: 1, rows }] });
    };
    const boxOf = async (options: CropOptions) => (await crop(await wide(), options))[0]!.box;

    it('extends the box around its centre', async () => {
      assert.deepEqual(await boxOf({ aspect: '1:1' }), { x: 5, y: 1, width: 10, height: 10 });
      assert.deepEqual(await boxOf({ aspect: 1 }), { x: 5, y: 1, width: 10, height: 10 });
      assert.deepEqual(await boxOf({ aspect: '4:1' }), { x: 2, y: 4, width: 16, height: 4 });
      assert.deepEqual(await boxOf({ aspect: ' 2.5 : 1 ' }), { x: 5, y: 4, width: 10, height: 4 });
      assert.deepEqual(await boxOf({ aspect: '1:1', padding: 1 }), { x: 4, y: 0, width: 12, height: 12 });
    });

    it('stays inside the picture, or goes beyond it', async () => {
      assert.deepEqual(await boxOf({ aspect: '3:4' }), { x: 5, y: 0, width: 10, height: 12 });
      assert.deepEqual(await boxOf({ aspect: '3:4', edge: 'pad' }), { x: 5, y: 0, width: 10, height: 13 });
      const parsing = await parsingOf({
        width: 20,
        height: 4,
        labels: LABELS,
        parts: [{ index: 1, rows: Array<string>(4).fill(`#${'.'.repeat(19)}`) }],
      });
      const [moved] = await crop(parsing, { aspect: '1:1' });
      assert.deepEqual(moved!.box, { x: 0, y: 0, width: 4, height: 4 });
      await assertBox(moved!);
    });

    it('leaves what is missing of a cut-out transparent', async () => {
      const parsing = await wide();
      const [cut] = await crop(parsing, { padding: 6, edge: 'pad', mode: 'cutout' });
      const pixels = await pixelsOf(cut!.image);
      assert.deepEqual(pixels.at(0, 0), [0, 0, 0, 0]);
      assert.deepEqual(pixels.at(6, 6), [...sourceColor(5, 4), 255]);
    });

    for (const [fill, expected] of [
      [undefined, [0, 0, 0]],
      ['#102030', [0x10, 0x20, 0x30]],
      ['transparent', [0, 0, 0, 0]],
    ] as const) {
      it(`fills what is missing of the picture with ${fill ?? 'black'}`, async () => {
        const parsing = await wide();
        const [found] = await crop(parsing, { padding: 6, edge: 'pad', fill });
        const pixels = await pixelsOf(found!.image);
        assert.deepEqual(found!.box, { x: -1, y: -2, width: 22, height: 16 });
        assert.deepEqual(pixels.at(0, 5), [...expected]);
        assert.deepEqual(pixels.at(10, 0), [...expected]);
        assert.deepEqual(pixels.at(1, 2).slice(0, 3), sourceColor(0, 0));
        assert.deepEqual(pixels.at(20, 13).slice(0, 3), sourceColor(19, 11));
      });
    }

    it('refuses what would take gigabytes', async () => {
      await assert.rejects(crop(await wide(), { padding: 1e6, edge: 'pad' }), {
        code: 'M2FP_BAD_OPTION',
        message: /2000010 x 2000004 pixels.*"padding"/,
      });
      await assert.rejects(crop(await wide(), { scale: 'exact', width: 16_384, height: 16_384 }), {
        code: 'M2FP_BAD_OPTION',
        message: /16384 x 16384 pixels.*"width"/,
      });
      const tall = await parsingOf({
        width: 1,
        height: 600,
        labels: LABELS,
        parts: [{ index: 1, rows: Array<string>(600).fill('#') }],
      });
      await assert.rejects(crop(tall, { scale: 'exact', width: 400 }), {
        code: 'M2FP_BAD_OPTION',
        message: /400 x 240000/,
      });
    });
  });

  describe('resized', () => {
    const parsing = (): Promise<Parsing> =>
      parsingOf({
        width: 40,
        height: 20,
        labels: LABELS,
        parts: [{ index: 1, rows: Array<string>(20).fill('#'.repeat(40)) }],
      });
    const sizeOf = async (options: CropOptions) => {
      const [found] = await crop(await parsing(), options);
      const pixels = await pixelsOf(found!.image);
      assert.deepEqual([pixels.width, pixels.height], [found!.width, found!.height]);
      assert.deepEqual([found!.box.width, found!.box.height], [40, 20], 'the box is in the source');
      return [pixels.width, pixels.height, pixels.channels];
    };

    it('is not larger than a longest side', async () => {
      assert.deepEqual(await sizeOf({ scale: 'max', maxSide: 20 }), [20, 10, 3]);
      assert.deepEqual(await sizeOf({ scale: 'max', maxSide: 100 }), [40, 20, 3]);
      assert.deepEqual(await sizeOf({ scale: 'max' }), [40, 20, 3]);
      assert.deepEqual(await sizeOf({ scale: 'none', maxSide: 5, width: 7 }), [40, 20, 3]);
      assert.deepEqual(await sizeOf({ scale: 'max', maxSide: 10, mode: 'cutout' }), [10, 5, 4]);
    });

    it('fits into a width and a height, with the rest filled', async () => {
      assert.deepEqual(await sizeOf({ scale: 'exact', width: 60, height: 60 }), [60, 60, 3]);
      assert.deepEqual(await sizeOf({ scale: 'exact', width: 80 }), [80, 40, 3]);
      assert.deepEqual(await sizeOf({ scale: 'exact', width: 0, height: 10 }), [20, 10, 3]);
      const options = { scale: 'exact', width: 60, height: 60 } as const;
      const [filled] = await crop(await parsing(), { ...options, fill: '#ff0000' });
      const red = await pixelsOf(filled!.image);
      assert.deepEqual(
        [red.at(30, 5), red.at(30, 55)],
        [
          [255, 0, 0],
          [255, 0, 0],
        ],
      );
      assert.notDeepEqual(red.at(30, 30), [255, 0, 0]);
      const [clear] = await crop(await parsing(), { ...options, mode: 'cutout' });
      const around = await pixelsOf(clear!.image);
      assert.deepEqual([around.at(30, 5)[3], around.at(30, 30)[3]], [0, 255]);
    });
  });

  it('turns the source by its EXIF orientation', async () => {
    const parsing = await parsingOf({
      width: 3,
      height: 2,
      labels: LABELS,
      image: await turned(),
      parts: [{ index: 1, rows: ['.##', '...'] }],
    });
    const [found] = await crop(parsing);
    const pixels = await pixelsOf(found!.image);
    assert.deepEqual([pixels.width, pixels.height], [2, 1]);
    assert.deepEqual(
      [pixels.at(0, 0), pixels.at(1, 0)],
      [
        [0, 50, 77],
        [0, 0, 77],
      ],
    );
  });

  it('lets the event loop turn on a large picture', async () => {
    const width = 2000;
    const height = 1000;
    const image = await sharp({ create: { width, height, channels: 3, background: '#446688' } })
      .png({ compressionLevel: 1 })
      .toBuffer();
    const rows = Array<string>(height).fill('#'.repeat(width));
    const parsing = await parsingOf({ width, height, labels: LABELS, image, parts: [{ index: 1, rows }] });
    let turns = 0;
    const hook = createHook({ init: (_id, type) => (turns += type === 'Immediate' ? 1 : 0) }).enable();
    try {
      await crop(parsing, { mode: 'cutout', format: 'webp', quality: 1 });
    } finally {
      hook.disable();
    }
    // Bands of a million steps, 2 million pixels: the mask takes 4 steps a pixel, the copy as well.
    assert.ok(turns >= 10, `${turns} turns`);
  });
});
