import assert from 'node:assert/strict';
import sharp, { type Sharp } from 'sharp';
import { colorize } from '../../src/parsing/colorize/colorize.ts';
import { crop } from '../../src/parsing/crop/crop.ts';
import { imageThumbnail, previewSource, previewThumbnail } from '../../src/parsing/colorize/preview.ts';
import { redact } from '../../src/parsing/redact/redact.ts';
import type { Parsing } from '../../src/parsing/types.ts';
import { parsingOf, pixelsOf } from './scene.ts';

const [WIDTH, HEIGHT] = [64, 32];
const LABELS = ['Background', 'Face', 'Coat', 'Human'];
/** The visible half is blue; what the other half hides is red. */
const HIDDEN = [255, 0, 0, 0];
const VISIBLE = [0, 0, 255, 255];
const WHITE = [255, 255, 255];

type Rgba = readonly [number, number, number, number] | readonly number[];

function raw(color: (x: number, y: number) => Rgba): Sharp {
  const pixels = Array.from({ length: WIDTH * HEIGHT }, (_, p) => color(p % WIDTH, Math.floor(p / WIDTH)));
  return sharp(Buffer.from(pixels.flat()), { raw: { width: WIDTH, height: HEIGHT, channels: 4 } });
}

/** The opacity of what is hidden is what a lossy AVIF makes of 0. */
const faintHalves = (x: number, y: number): Rgba => (x < WIDTH / 2 ? [255, 0, 0, (x + y) % 4] : VISIBLE);

const halves = (x: number): Rgba => (x < WIDTH / 2 ? HIDDEN : VISIBLE);

/** A person with a face across the border of the two halves, and a picture as `image` has it. */
function across(image: Buffer): Promise<Parsing> {
  const rows = (top: number, bottom: number, left = 16, right = 48): string[] =>
    Array.from({ length: HEIGHT }, (_, y) =>
      Array.from({ length: WIDTH }, (_unused, x) =>
        y >= top && y < bottom && x >= left && x < right ? '#' : '.',
      ).join(''),
    );
  return parsingOf({
    width: WIDTH,
    height: HEIGHT,
    labels: LABELS,
    image,
    persons: [{ score: 0.9, rows: rows(0, 32) }],
    parts: [
      { index: 1, person: 1, score: 0.9, rows: rows(0, 16) },
      { index: 2, person: 1, score: 0.9, rows: rows(16, 32) },
    ],
  });
}

/** Every pixel of the left half is (0, 0, 0, 0), or white where the picture is opaque; nowhere is there any red. */
async function isClean(image: Buffer, name: string): Promise<void> {
  const { width, height, channels, at } = await pixelsOf(image);
  // JPEG and lossy WebP smear a little over the border.
  const border = width / 2 - 8;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [red, , blue, alpha] = at(x, y) as [number, number, number, number];
      if (x < border && channels === 4) assert.deepEqual(at(x, y), [0, 0, 0, 0], `${name} at ${x}, ${y}`);
      else if (x < border)
        assert.ok(Math.min(...at(x, y)) > 235, `${name} at ${x}, ${y}: ${at(x, y).join()}`);
      if (alpha !== 0) assert.ok(red <= blue + 20, `${name} at ${x}, ${y}: ${at(x, y).join()}`);
    }
  }
}

const FORMATS = ['png', 'webp', 'jpeg'] as const;

describe('what is transparent in the source', () => {
  let parsing: Parsing;
  before(async () => {
    parsing = await across(await raw(halves).png().toBuffer());
  });

  for (const format of FORMATS) {
    for (const method of ['blur', 'pixelate', 'fill', 'recolor', 'remove'] as const) {
      if (method === 'remove' && format === 'jpeg') continue;
      it(`stays so in what redact writes: ${method}, ${format}`, async () => {
        const { image } = await redact(parsing, { method, format, color: '#000040', grow: 0, quality: 100 });
        await isClean(image, method);
        const { at, channels } = await pixelsOf(image);
        if (channels === 4 && method !== 'remove') assert.equal(at(40, 8)[3], 255);
      });
    }

    it(`stays so with everything but the chosen redacted: ${format}`, async () => {
      await isClean((await redact(parsing, { inverse: true, format, quality: 100 })).image, 'inverse');
    });

    for (const background of ['keep', 'dim', 'blur', 'remove'] as const) {
      if (background === 'remove' && format === 'jpeg') continue;
      it(`stays so in an overlay on a ground of "${background}": ${format}`, async () => {
        const { image } = await colorize(parsing, {
          mode: 'overlay',
          background,
          format,
          quality: 100,
          colors: { Face: '#000080', Coat: '#000080' },
        });
        await isClean(image, background);
      });
    }

    for (const mode of ['box', 'cutout'] as const) {
      it(`stays so in a crop: ${mode}, ${format}`, async () => {
        const [found] = await crop(parsing, { what: 'persons', mode, format, quality: 100, fill: '#ffffff' });
        const { at, channels } = await pixelsOf(found!.image);
        const [red, green, blue, alpha = 255] = at(2, 8) as [number, number, number, number?];
        const expected = mode === 'box' && channels === 4 ? [0, 0, 0, 0] : [...WHITE, 255];
        for (const [i, value] of [red, green, blue, alpha].entries()) {
          assert.ok(Math.abs(value - expected[i]!) < 20, at(2, 8).join());
        }
        assert.ok(at(28, 8)[2]! > 235);
      });
    }
  }

  it('stays so in a cut-out on nothing, with the opacity of both', async () => {
    const half = await across(
      await raw(() => [0, 0, 255, 128])
        .png()
        .toBuffer(),
    );
    const [found] = await crop(half, { what: 'persons', mode: 'cutout' });
    assert.deepEqual((await pixelsOf(found!.image)).at(2, 8), [0, 0, 255, 128]);
  });

  describe('as good as wholly', () => {
    let faint: Parsing;
    before(async () => {
      faint = await across(await raw(faintHalves).png().toBuffer());
    });
    it('is clean in an overlay', async () => {
      const colors = { Face: '#000080', Coat: '#000080' };
      for (const background of ['keep', 'dim', 'blur', 'remove'] as const)
        await isClean((await colorize(faint, { mode: 'overlay', background, colors })).image, background);
    });
    it('is clean in crops', async () => {
      for (const mode of ['box', 'cutout'] as const) {
        const [found] = await crop(faint, { what: 'persons', mode });
        const { at } = await pixelsOf(found!.image);
        for (let x = 0; x < 12; x++) assert.deepEqual(at(x, 8), [0, 0, 0, 0], mode);
      }
    });
    it('is clean in previews', async () => {
      await isClean((await previewSource(faint, 320)).image, 'source');
      await isClean((await imageThumbnail(faint.image, 320)).image, 'any picture');
    });
  });

  for (const [name, thumbnail] of [
    ['original', (from: Parsing) => previewThumbnail(from, { view: 'original', minScore: 0, maxSide: 320 })],
    ['enlarged original', (from: Parsing) => previewSource(from, 320)],
    ['of any picture', ({ image }: Parsing) => imageThumbnail(image, 320)],
  ] as const) {
    it(`is white in a preview: ${name}`, async () => {
      await isClean((await thumbnail(parsing)).image, name);
    });
  }

  it('is white in the preview of an overlay', async () => {
    const { image } = await previewThumbnail(parsing, { view: 'overlay', minScore: 0, maxSide: 320 });
    const { at } = await pixelsOf(image);
    assert.ok(Math.min(...at(20, 8), ...at(4, 28)) > 235, at(20, 8).join());
  });

  const gif = (): Promise<Buffer> => raw(halves).gif().toBuffer();
  const tiff = (): Promise<Buffer> => raw(halves).tiff({ compression: 'lzw' }).toBuffer();
  for (const [name, encode] of [
    ['palette PNG', () => raw(halves).png({ palette: true }).toBuffer()],
    ['16-bit PNG', () => raw(halves).toColorspace('rgb16').png().toBuffer()],
    ['PNG of Display P3', () => raw(halves).withIccProfile('p3').png().toBuffer()],
    ['lossless WebP', () => raw(halves).webp({ lossless: true, exact: true }).toBuffer()],
    ['AVIF', () => raw(halves).avif({ lossless: true }).toBuffer()],
    ['lossy AVIF', () => raw(halves).avif({ quality: 50 }).toBuffer()],
    ['PNG of opacities that AVIF makes of none', () => raw(faintHalves).png().toBuffer()],
    ['GIF', gif],
    ['TIFF', tiff],
  ] as const) {
    it(`stays so from a ${name}`, async () => {
      const { image } = await redact(await across(await encode()), { grow: 0 });
      await isClean(image, name);
      assert.equal((await pixelsOf(image)).channels, 4);
    });
  }

  it('stays so from grey with alpha', async () => {
    const grey = await raw((x) => (x < WIDTH / 2 ? [90, 90, 90, 0] : [90, 90, 90, 255]))
      .toColorspace('b-w')
      .png()
      .toBuffer();
    assert.equal((await sharp(grey).metadata()).channels, 2);
    const { at } = await pixelsOf((await redact(await across(grey), { grow: 0 })).image);
    assert.deepEqual(at(2, 2), [0, 0, 0, 0]);
    assert.deepEqual(at(60, 2), [90, 90, 90, 255]);
  });

  it('keeps no more shades of what is nearly transparent than one can see', async () => {
    const faint = await across(
      await raw((x) => [100 + x, 200, 20, x < 32 ? 4 : 128])
        .png()
        .toBuffer(),
    );
    const [person] = await crop(faint, { what: 'persons', mode: 'box', padding: 0 });
    const { at } = await pixelsOf(person!.image);
    assert.deepEqual(at(0, 2), [128, 191, 0, 4]);
    assert.deepEqual(at(15, 2), [128, 191, 0, 4]);
    const [red, green, blue, alpha] = at(24, 2);
    assert.ok(Math.abs(red! - 140) <= 1 && Math.abs(green! - 200) <= 1 && Math.abs(blue! - 20) <= 1);
    assert.equal(alpha, 128);
  });

  it('leaves a redacted picture where the network sees nobody in it: below a quarter of the opacity', async () => {
    const people = await across(
      await raw((x) => [255, 0, 0, x < 32 ? 63 : 64])
        .png()
        .toBuffer(),
    );
    const { at } = await pixelsOf((await redact(people, { persons: [200] })).image);
    assert.deepEqual(at(10, 2), [0, 0, 0, 0]);
    assert.deepEqual(at(40, 2), [255, 0, 0, 64]);
  });

  for (const method of ['blur', 'pixelate'] as const) {
    it(`does not colour what is visible by what is hidden: ${method}`, async () => {
      // Hidden red and visible blue alternate, so that every cell has both.
      const stripes = await across(
        await raw((x) => (x % 2 === 0 ? HIDDEN : VISIBLE))
          .png()
          .toBuffer(),
      );
      const { at } = await pixelsOf((await redact(stripes, { method, grow: 0 })).image);
      assert.deepEqual(at(20, 8), [0, 0, 0, 0]);
      assert.deepEqual(at(21, 8), VISIBLE);
    });
  }

  for (const method of ['blur', 'pixelate', 'fill'] as const) {
    it(`shows no outline by the opacity of what is under ${method}`, async () => {
      const outline = await across(
        await raw((x, y) => [0, 0, 255, 100 + ((x + y) % 2) * 100])
          .png()
          .toBuffer(),
      );
      const { at } = await pixelsOf((await redact(outline, { method, grow: 0 })).image);
      for (let x = 16; x < 48; x++) assert.equal(at(x, 8)[3], 150, method);
      assert.equal(at(4, 9)[3], 200);
    });
  }

  it('makes no picture transparent that is opaque', async () => {
    const opaque = await across(
      await raw(() => VISIBLE)
        .png()
        .toBuffer(),
    );
    assert.equal((await pixelsOf((await redact(opaque)).image)).channels, 3);
  });
});
