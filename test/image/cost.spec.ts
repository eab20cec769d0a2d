import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import sharp from 'sharp';
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

  it('is refused above ten bytes for each pixel that is allowed', async () => {
    const picture = sharp({ create: { width: 90, height: 90, channels: 3, background: '#123456' } });
    for (const image of [await picture.clone().png().toBuffer(), await picture.clone().jpeg().toBuffer()]) {
      assert.equal((await decodeImage(image, LIMITS)).width, 90);
    }
    const costly = [
      [await picture.clone().avif({ effort: 0 }).toBuffer(), /AVIF/],
      [
        await picture.clone().ensureAlpha().toColourspace('rgb16').png({ progressive: true }).toBuffer(),
        /interlaced 16 bits PNG/,
      ],
    ] as const;
    for (const [image, kind] of costly) {
      await assert.rejects(
        decodeImage(image, { ...LIMITS, maxPixels: 8100 }),
        failure('M2FP_IMAGE_TOO_LARGE', kind, /90 x 90/, /Largest picture/, /--max-megapixels/, /maxPixels/),
      );
    }
  });
});
