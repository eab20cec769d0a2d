import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import sharp, { type Sharp } from 'sharp';
import { decodingCost } from '../../src/image/formats/cost.ts';
import { decodeImage } from '../../src/image/decode.ts';
import { failure } from './support.ts';

const SIDE = { width: 1000, height: 1000, buffered: false };
const LIMITS = { maxBytes: 1e6, maxPixels: 1e4 };

describe('what decoding costs', () => {
  it('is some 4 bytes a pixel for most pictures, and more where all is kept in another form', () => {
    const each = (...args: Parameters<typeof decodingCost>): number => decodingCost(...args) / 1e6;
    assert.ok(each('jpeg', SIDE) < 4);
    assert.ok(each('png', { ...SIDE, depth: 'ushort' }) < 4);
    assert.ok(each('jpeg', { ...SIDE, buffered: true, chromaSubsampling: '4:2:0' }) > 6);
    assert.ok(each('png', { ...SIDE, isProgressive: true, channels: 4, depth: 'ushort' }) > 10);
    assert.ok(each('avif', SIDE) > 17);
    assert.ok(each('jpeg', { ...SIDE, orientation: 6 }) > each('jpeg', SIDE) + 2);
  });

  it('lets a photo of 50 megapixels pass by default', async () => {
    const image = readFileSync(new URL('fixtures/phone-50-megapixels.png', import.meta.url));
    const { width, height } = await decodeImage(image);
    assert.deepEqual([width, height], [8160, 6144]);
    const size = { width, height, buffered: true, chromaSubsampling: '4:2:0', orientation: 6 };
    assert.ok(decodingCost('jpeg', size) < 640e6);
  }).timeout(60_000);

  const plain = sharp({ create: { width: 90, height: 90, channels: 3, background: '#123456' } });

  for (const format of ['png', 'jpeg'] as const) {
    it(`is allowed to a usual picture: ${format}`, async () => {
      const image = await plain.clone().toFormat(format).toBuffer();
      assert.equal((await decodeImage(image, LIMITS)).width, 90);
    });
  }

  const costly: [kind: string, make: () => Sharp][] = [
    ['AVIF', () => plain.clone().avif({ effort: 0 })],
    [
      'interlaced 16 bits PNG',
      () => plain.clone().ensureAlpha().toColorspace('rgb16').png({ progressive: true }),
    ],
  ];
  for (const [kind, make] of costly) {
    it(`is refused above ten bytes for each pixel that is allowed: ${kind}`, async () => {
      await assert.rejects(
        decodeImage(await make().toBuffer(), { ...LIMITS, maxPixels: 8100 }),
        failure(
          'M2FP_IMAGE_TOO_LARGE',
          new RegExp(kind),
          /90 x 90/,
          /Largest picture/,
          /--max-megapixels/,
          /maxPixels/,
        ),
      );
    });
  }
});
