import assert from 'node:assert/strict';
import sharp from 'sharp';
import { withoutMetadata } from '../../../src/image/formats/jpeg-metadata.ts';

async function jpegWith(progressive: boolean): Promise<Buffer> {
  const pixels = Buffer.from(Array.from({ length: 64 * 48 * 3 }, (_, i) => (i * 7) % 256));
  return sharp(pixels, { raw: { width: 64, height: 48, channels: 3 } })
    .jpeg({ progressive })
    .withExif({ IFD0: { Copyright: 'secret owner' }, IFD3: { GPSLatitude: '48/1 0/1 0/1' } })
    .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/">secret place</x:xmpmeta>')
    .withIccProfile('p3')
    .toBuffer();
}

describe('a JPEG without metadata', () => {
  for (const progressive of [false, true]) {
    it(`has the same pixels and colours, and nothing else: ${progressive ? 'progressive' : 'baseline'}`, async () => {
      const jpeg = Buffer.concat([await jpegWith(progressive), Buffer.from('secret tail')]);
      assert.ok(jpeg.includes('secret owner') && jpeg.includes('secret place'));
      const bare = (await withoutMetadata(jpeg))!;
      for (const secret of ['secret', 'Exif', 'xmpmeta']) assert.ok(!bare.includes(secret), secret);
      const { exif, xmp, icc } = await sharp(bare).metadata();
      assert.deepEqual([exif, xmp], [undefined, undefined]);
      assert.deepEqual(icc, (await sharp(jpeg).metadata()).icc);
      assert.deepEqual(await sharp(bare).raw().toBuffer(), await sharp(jpeg).raw().toBuffer());
    });
  }

  it('is none of one that is cut off', async () => {
    const jpeg = await jpegWith(false);
    assert.equal(await withoutMetadata(jpeg.subarray(0, jpeg.length - 300)), null);
  });
});
