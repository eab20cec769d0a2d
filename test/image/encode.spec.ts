import assert from 'node:assert/strict';
import sharp from 'sharp';
import { decodeImage } from '../../src/image/decode.ts';
import { encodeImage, type EncodeOptions } from '../../src/image/encode.ts';
import type { RawImage } from '../../src/image/types.ts';
import { failure, noise, noiseImage } from './support.ts';

describe('encodeImage', () => {
  for (const options of [{ format: 'png' }, { format: 'png', quality: 1 }] as const) {
    it(`writes PNG without loss, ${'quality' in options ? 'with' : 'without'} a quality`, async () => {
      const image = noiseImage(31, 17);
      assert.deepEqual(await decodeImage(await encodeImage(image, options)), image);
    });
  }

  it('keeps alpha in PNG', async () => {
    const data = noise(8 * 4 * 4, 1);
    const image = await encodeImage({ width: 8, height: 4, channels: 4, data }, { format: 'png' });
    assert.deepEqual(await sharp(image).raw().toBuffer(), data);
  });

  for (const format of ['png', 'jpeg', 'webp'] as const) {
    it(`writes ${format} where that is asked for`, async () => {
      const header = await sharp(await encodeImage(noiseImage(10, 6), { format })).metadata();
      assert.deepEqual([header.format, header.width, header.height], [format, 10, 6]);
    });
  }

  for (const format of ['jpeg', 'webp'] as const) {
    it(`writes less for less quality: ${format}`, async () => {
      const small = await encodeImage(noiseImage(64, 64), { format, quality: 10 });
      const large = await encodeImage(noiseImage(64, 64), { format, quality: 95 });
      assert.ok(small.length < large.length / 2);
    });
  }

  it('lays alpha on white in a JPEG', async () => {
    const data = Buffer.alloc(16 * 16 * 4);
    const image = await encodeImage({ width: 16, height: 16, channels: 4, data }, { format: 'jpeg' });
    assert.deepEqual((await decodeImage(image)).data, Buffer.alloc(16 * 16 * 3, 255));
  });

  it('leaves the pixels alone', async () => {
    const image = noiseImage(20, 20);
    await encodeImage(image, { format: 'jpeg' });
    assert.deepEqual(image, noiseImage(20, 20));
  });

  const refused = [
    '{"format":"bmp"}',
    '{}',
    '{"format":"jpeg","quality":0}',
    '{"format":"webp","quality":101}',
    '{"format":"jpeg","quality":50.5}',
    '{"format":"jpeg","quality":"80"}',
  ];
  for (const json of refused) {
    it(`refuses ${json}`, async () => {
      const options: EncodeOptions = JSON.parse(json);
      await assert.rejects(encodeImage(noiseImage(2, 2), options), failure('M2FP_BAD_OPTION'), json);
    });
  }

  it('refuses a size that the format cannot hold', async () => {
    const wide: RawImage = { width: 16_384, height: 1, channels: 3, data: Buffer.alloc(16_384 * 3) };
    await assert.rejects(
      encodeImage(wide, { format: 'webp' }),
      failure('M2FP_BAD_OPTION', /16384 x 1/, /webp/),
    );
    assert.ok((await encodeImage(wide, { format: 'jpeg' })).length > 0);
  });

  it('refuses pixels that are not as many as said', async () => {
    await assert.rejects(
      encodeImage({ ...noiseImage(4, 4), height: 5 }, { format: 'png' }),
      failure('M2FP_BAD_IMAGE', /60 bytes, not 48/),
    );
  });
});
