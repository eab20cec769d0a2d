/** What transparency hides is seen by nobody, the network neither. */
import assert from 'node:assert/strict';
import sharp, { type Sharp } from 'sharp';
import { decodeImage } from '../../src/image/decode.ts';
import { preprocess } from '../../src/image/preprocess.ts';
import { png } from './support.ts';

const SIDE = 16;
const RULE = { kind: 'short-side', shortSide: 32, longSide: 64 } as const;

/** Blue on the right; on the left whatever `hidden` says, at an opacity of 0. */
function halfHidden(hidden: readonly number[], channels: 4 | 2 = 4): Sharp {
  const pixels = Array.from({ length: SIDE * SIDE }, (_, p) =>
    p % SIDE < SIDE / 2 ? [...hidden, 0] : [20, 40, 250, 255],
  );
  const image = sharp(Buffer.from(pixels.flat()), { raw: { width: SIDE, height: SIDE, channels: 4 } });
  return channels === 2 ? image.toColorspace('b-w') : image;
}

/** Where a tRNS chunk names the one colour of an opaque picture that is transparent. */
function keyed(key: readonly number[], depth: 8 | 16, colorType: 0 | 2): Buffer {
  const samples = colorType === 0 ? 1 : 3;
  const sample = (value: number): number[] => (depth === 8 ? [value] : [value, value]);
  const left = Array.from({ length: samples }, (_, i) => sample(key[i]!)).flat();
  const right = Array.from({ length: samples }, () => sample(200)).flat();
  const pixels = Array.from({ length: SIDE * SIDE }, (_, p) => (p % SIDE < SIDE / 2 ? left : right));
  const tRNS = Buffer.from(key.slice(0, samples).flatMap((value) => [depth === 8 ? 0 : value, value]));
  return png({
    width: SIDE,
    height: SIDE,
    depth,
    colorType,
    pixels: Buffer.from(pixels.flat()),
    chunks: { tRNS },
  });
}

function palette(hidden: readonly number[]): Buffer {
  const pixels = Buffer.from(Array.from({ length: SIDE * SIDE }, (_, p) => (p % SIDE < SIDE / 2 ? 0 : 1)));
  const chunks = { PLTE: Buffer.from([...hidden, 20, 40, 250]), tRNS: Buffer.from([0, 255]) };
  return png({ width: SIDE, height: SIDE, depth: 8, colorType: 3, pixels, chunks });
}

const KINDS: Record<string, (hidden: readonly number[]) => Buffer | Promise<Buffer>> = {
  PNG: (hidden) => halfHidden(hidden).png().toBuffer(),
  'interlaced PNG': (hidden) => halfHidden(hidden).png({ progressive: true }).toBuffer(),
  '16-bit PNG': (hidden) => halfHidden(hidden).toColorspace('rgb16').png().toBuffer(),
  'grey PNG': (hidden) => halfHidden(hidden, 2).png().toBuffer(),
  'palette PNG': palette,
  'PNG with a transparent colour': (hidden) => keyed(hidden, 8, 2),
  '16-bit PNG with a transparent colour': (hidden) => keyed(hidden, 16, 2),
  'grey PNG with a transparent shade': (hidden) => keyed(hidden, 8, 0),
  'PNG of Display P3': (hidden) => halfHidden(hidden).withIccProfile('p3').png().toBuffer(),
  'turned PNG': (hidden) =>
    halfHidden(hidden)
      .withExif({ IFD0: { Orientation: '6' } })
      .png()
      .toBuffer(),
  'lossless WebP': (hidden) => halfHidden(hidden).webp({ lossless: true, exact: true }).toBuffer(),
  TIFF: (hidden) => halfHidden(hidden).tiff({ compression: 'lzw' }).toBuffer(),
};

describe('the colours that transparency hides', () => {
  for (const [kind, encode] of Object.entries(KINDS)) {
    it(`reach no pixel that the network sees: ${kind}`, async () => {
      const [red, green] = [await encode([255, 0, 0]), await encode([3, 120, 7])];
      assert.ok(!red.equals(green));
      const seen = await decodeImage(red);
      assert.ok(seen.data.equals((await decodeImage(green)).data));
      assert.equal(seen.data.length, SIDE * SIDE * 3);
      assert.deepEqual([...seen.data.subarray(0, 3)], [255, 255, 255]);
      const [a, b] = [await preprocess(red, RULE), await preprocess(green, RULE)];
      assert.ok(a.input.data.equals(b.input.data));
    });
  }

  for (const [kind, lossy] of [
    ['WebP', (image: Sharp) => image.webp({ exact: true, quality: 90 })],
    ['GIF', (image: Sharp) => image.gif()],
    ['AVIF', (image: Sharp) => image.avif({ quality: 90 })],
  ] as const) {
    it(`are white: ${kind}`, async () => {
      const { data } = await decodeImage(await lossy(halfHidden([255, 0, 0])).toBuffer());
      for (let p = 0; p < SIDE * SIDE; p += SIDE)
        assert.ok(Math.min(...data.subarray(3 * p, 3 * p + 3)) > 250);
    });
  }

  it('lend what is half transparent no more than one sees', async () => {
    const pixels = Buffer.from([200, 0, 100, 1, 200, 0, 100, 254, 0, 0, 0, 127, 9, 9, 9, 0]);
    const { data } = await decodeImage(png({ width: 4, height: 1, depth: 8, colorType: 6, pixels }));
    assert.deepEqual([...data], [255, 254, 254, 200, 1, 101, 128, 128, 128, 255, 255, 255]);
  });
});
