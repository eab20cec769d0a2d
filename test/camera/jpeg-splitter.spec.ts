import assert from 'node:assert/strict';
import fc from 'fast-check';
import sharp from 'sharp';
import { isCutOff, JpegSplitter } from '../../src/camera/jpeg-splitter.ts';
import { jpegOf, noisyJpeg } from './support/jpegs.ts';

const MEBIBYTE = 2 ** 20;

/** What comes out of a stream that arrives in pieces of so many bytes. */
function split(bytes: Buffer, size = 777, maxBytes = 4 * MEBIBYTE): Buffer[] {
  const splitter = new JpegSplitter(maxBytes);
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) found.push(...splitter.push(bytes.subarray(at, at + size)));
  return found;
}

const part = (image: Buffer, length = image.length): Buffer =>
  Buffer.concat([Buffer.from(`--x\r\nContent-Type: image/jpeg\r\nContent-Length: ${length}\r\n\r\n`), image]);

describe('JpegSplitter', () => {
  let images: Buffer[];

  before(async () => {
    const withThumbnail = await sharp(await noisyJpeg(64, 48))
      .withExif({ IFD0: { Copyright: 'camera' } })
      .jpeg()
      .toBuffer();
    images = [
      await jpegOf(1),
      await noisyJpeg(),
      await sharp(await noisyJpeg())
        .jpeg({ progressive: true })
        .toBuffer(),
      withThumbnail,
      await sharp(await noisyJpeg())
        .greyscale()
        .jpeg()
        .toBuffer(),
    ];
  });

  for (const size of [1, 2, 3, 100, 65_536]) {
    it(`finds pictures that arrive in pieces of ${size} bytes`, () => {
      assert.deepEqual(split(Buffer.concat(images), size), images);
    });
  }

  it('does not mind boundaries, headers and wrong lengths', () => {
    const stream = images.flatMap((image, index) => [part(image, index * 100), Buffer.from('\r\n')]);
    assert.deepEqual(split(Buffer.concat(stream)), images);
  });

  it('passes a picture over that was cut off, and finds the next', () => {
    const [small, large] = [images[0]!, images[1]!];
    for (const kept of [3, 20, 200, 700, large.length - 2]) {
      const stream = Buffer.concat([
        part(large.subarray(0, kept)),
        Buffer.from('\r\n'),
        part(small),
        part(large),
      ]);
      assert.deepEqual(split(stream), [small, large], `after ${kept} bytes`);
    }
  });

  it('finds what stands between any garbage', async () => {
    const image = images[0]!;
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.integer({ min: 1, max: 999 }),
        async (bytes, size) => {
          const garbage = Buffer.from(bytes);
          // What begins like a picture takes what follows for its own; the next one is found.
          fc.pre(!garbage.includes(Buffer.from([0xff, 0xd8])) && garbage.at(-1) !== 0xff);
          assert.deepEqual(split(Buffer.concat([garbage, image, garbage, image]), size), [image, image]);
        },
      ),
    );
  });

  it('gives pictures that stay as they are when more comes', () => {
    const splitter = new JpegSplitter(MEBIBYTE);
    const [first] = splitter.push(images[1]!);
    splitter.push(images[2]!);
    assert.deepEqual(first, images[1]);
  });

  it('refuses a picture that has no end', () => {
    const endless = Buffer.concat([images[1]!.subarray(0, -2), Buffer.alloc(2 * MEBIBYTE, 0x55)]);
    assert.throws(() => split(endless, 65_536, MEBIBYTE), {
      code: 'M2FP_CAMERA_OFFLINE',
      reason: 'too-large',
    });
  });

  it('refuses what is no stream of pictures', () => {
    assert.throws(() => split(Buffer.alloc(MEBIBYTE, 'a')), { reason: 'no-picture' });
    const endlessHeaders = Buffer.from(`--x\r\n${'X-Header: 1\r\n'.repeat(50_000)}`);
    assert.throws(() => split(endlessHeaders), { reason: 'no-picture' });
  });
});

describe('isCutOff', () => {
  it('tells a JPEG without its end from a whole one, and says nothing of others', async () => {
    const image = await noisyJpeg();
    assert.equal(isCutOff(image), false);
    assert.equal(isCutOff(image.subarray(0, -2)), true);
    assert.equal(isCutOff(image.subarray(0, 1000)), true);
    assert.equal(isCutOff(await sharp(image).png().toBuffer()), false);
  });
});
