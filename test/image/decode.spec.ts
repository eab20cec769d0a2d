import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import sharp from 'sharp';
import { M2fpError } from '../../src/errors.ts';
import { decodeImage } from '../../src/image/decode.ts';
import { DEFAULT_LIMITS } from '../../src/image/limits.ts';
import { failure, JPEG, JPEG_PIXELS, noise, noiseImage, noisePng, png } from './support.ts';

const LIMITS = { maxBytes: 1_000_000, maxPixels: 10_000 };

const flat = (rgb: readonly number[], pixels: number): Buffer =>
  Buffer.concat(Array.from({ length: pixels }, () => Buffer.from(rgb)));

const tripled = (values: Buffer): Buffer =>
  Buffer.from([...values].flatMap((value) => [value, value, value]));

/** A one-coloured 16 x 16 picture for sharp. */
const color = (r: number, g: number, b: number) =>
  sharp({ create: { width: 16, height: 16, channels: 3, background: { r, g, b } } });

/** The mean of each channel. */
function means(data: Buffer): number[] {
  const sums = [0, 0, 0];
  data.forEach((value, i) => (sums[i % 3]! += value));
  return sums.map((sum) => (sum * 3) / data.length);
}

function assertNear(found: readonly number[], expected: readonly number[], tolerance: number): void {
  found.forEach((value, i) =>
    assert.ok(
      Math.abs(value - expected[i]!) <= tolerance,
      `${found.join(', ')} is not ${expected.join(', ')}`,
    ),
  );
}

/** Decodes or fails with an M2fpError; mocha itself fails on unhandled rejections. */
async function decodes(image: Uint8Array): Promise<void> {
  try {
    const { width, height, channels, data } = await decodeImage(Buffer.from(image), LIMITS);
    assert.equal(data.length, width * height * channels);
  } catch (error) {
    assert.ok(error instanceof M2fpError, String(error));
  }
}

describe('decodeImage', () => {
  describe('gives the pixels of the file', () => {
    it('RGB PNG', async () => {
      assert.deepEqual(await decodeImage(noisePng(13, 7)), noiseImage(13, 7));
    });

    it('JPEG, as Pillow reads it', async () => {
      const { data, ...size } = await decodeImage(JPEG);
      assert.deepEqual(size, { width: 24, height: 18, channels: 3 });
      assert.equal(createHash('sha256').update(data).digest('hex'), JPEG_PIXELS);
    });

    for (const format of ['webp', 'tiff', 'avif', 'gif'] as const) {
      it(format, async () => {
        const image = await color(200, 100, 50).toFormat(format, { lossless: true }).toBuffer();
        const { data, ...size } = await decodeImage(image);
        assert.deepEqual(size, { width: 16, height: 16, channels: 3 });
        assertNear(means(data), [200, 100, 50], format === 'avif' ? 2 : 0);
      });
    }

    it('greyscale, 8 and 16 bits: one value for the three channels, the high byte', async () => {
      const bytes = noise(5 * 4, 1);
      const wide = noise(5 * 4 * 2, 2);
      const grey = await decodeImage(png({ width: 5, height: 4, depth: 8, colorType: 0, pixels: bytes }));
      const grey16 = await decodeImage(png({ width: 5, height: 4, depth: 16, colorType: 0, pixels: wide }));
      assert.deepEqual(grey.data, tripled(bytes));
      assert.deepEqual(grey16.data, tripled(Buffer.from(wide.filter((_, i) => i % 2 === 0))));
    });

    it('16-bit RGB: the high bytes', async () => {
      const pixels = noise(9 * 5 * 6, 3);
      const { data } = await decodeImage(png({ width: 9, height: 5, depth: 16, colorType: 2, pixels }));
      assert.deepEqual(data, Buffer.from(pixels.filter((_, i) => i % 2 === 0)));
    });

    const transparent = () => {
      const pixels = noise(6 * 6 * 4, 4);
      pixels[3] = 0;
      pixels[7] = 128;
      pixels[11] = 255;
      return { pixels, image: png({ width: 6, height: 6, depth: 8, colorType: 6, pixels }) };
    };

    it('laid on white where it is not opaque', async () => {
      const { pixels, image } = transparent();
      const { data, channels } = await decodeImage(image);
      const expected = Buffer.from(pixels.filter((_, i) => i % 4 !== 3)).map((value, i) => {
        const alpha = pixels[4 * Math.floor(i / 3) + 3]!;
        return Math.round((value * alpha + 255 * (255 - alpha)) / 255);
      });
      assert.equal(channels, 3);
      assert.deepEqual([...data], [...expected]);
      assert.deepEqual([...data.subarray(0, 3)], [255, 255, 255]);
      assert.deepEqual([...data.subarray(6, 9)], [...pixels.subarray(8, 11)]);
    });

    it('an opaque alpha channel changes nothing', async () => {
      const pixels = noise(6 * 6 * 4, 4).map((value, i) => (i % 4 === 3 ? 255 : value));
      const image = png({ width: 6, height: 6, depth: 8, colorType: 6, pixels: Buffer.from(pixels) });
      assert.deepEqual((await decodeImage(image)).data, Buffer.from(pixels.filter((_, i) => i % 4 !== 3)));
    });

    it('alpha dropped, the colour under it kept, where ModelScope is matched', async () => {
      const { pixels, image } = transparent();
      const { data } = await decodeImage(image, DEFAULT_LIMITS, 'drop');
      assert.deepEqual(data, Buffer.from(pixels.filter((_, i) => i % 4 !== 3)));
    });

    it('greyscale with alpha', async () => {
      const pixels = Buffer.from([10, 0, 200, 255]);
      const image = png({ width: 2, height: 1, depth: 8, colorType: 4, pixels });
      assert.deepEqual([...(await decodeImage(image)).data], [255, 255, 255, 200, 200, 200]);
      const dropped = await decodeImage(image, DEFAULT_LIMITS, 'drop');
      assert.deepEqual([...dropped.data], [10, 10, 10, 200, 200, 200]);
    });

    it('palette, with transparent entries', async () => {
      const chunks = {
        PLTE: Buffer.from([1, 2, 3, 40, 50, 60, 255, 0, 9]),
        tRNS: Buffer.from([255, 0, 128]),
      };
      const pixels = Buffer.from([2, 1, 0, 1]);
      const image = png({ width: 4, height: 1, depth: 8, colorType: 3, pixels, chunks });
      const white = [255, 255, 255];
      assert.deepEqual([...(await decodeImage(image)).data], [255, 127, 132, ...white, 1, 2, 3, ...white]);
      const dropped = await decodeImage(image, DEFAULT_LIMITS, 'drop');
      assert.deepEqual([...dropped.data], [255, 0, 9, 40, 50, 60, 1, 2, 3, 40, 50, 60]);
    });

    it('1 x 1 and 1 x 5000', async () => {
      assert.deepEqual(await decodeImage(noisePng(1, 1)), noiseImage(1, 1));
      assert.deepEqual(await decodeImage(noisePng(1, 5000)), noiseImage(1, 5000));
    });
  });

  describe('colour spaces', () => {
    for (const profile of [undefined, 'cmyk']) {
      // Print cannot show every colour: these are such as it can, and far from their negatives.
      for (const [r, g, b, tolerance] of [
        [255, 255, 255, 3],
        [60, 90, 120, 16],
        [200, 180, 160, 16],
      ] as const) {
        it(`turns CMYK into RGB, with ${profile === undefined ? 'no' : 'its own'} profile: ${r}, ${g}, ${b}`, async () => {
          const pipeline = color(r, g, b).toColorspace('cmyk').jpeg({ quality: 100 });
          const image = await (
            profile === undefined ? pipeline : pipeline.withIccProfile(profile)
          ).toBuffer();
          const header = await sharp(image).metadata();
          assert.deepEqual([header.space, header.hasProfile], ['cmyk', profile !== undefined]);
          const { channels, data } = await decodeImage(image);
          assert.equal(channels, 3);
          assertNear(means(data), [r, g, b], tolerance);
        });
      }
    }

    it('turns Lab into sRGB', async () => {
      const image = await color(10, 200, 90).toColorspace('lab').tiff({ compression: 'lzw' }).toBuffer();
      assert.equal((await sharp(image).metadata()).space, 'lab');
      assertNear(means((await decodeImage(image)).data), [10, 200, 90], 1);
    });

    for (const depth of [8, 16]) {
      const pixels = { raw: { width: 16, height: 16, channels: 3 } } as const;
      const tagged = async (profile: string, data: Buffer): Promise<Buffer> => {
        const pipeline = sharp(data, pixels);
        if (depth === 16) pipeline.toColorspace('rgb16');
        return pipeline.withIccProfile(profile).png().toBuffer();
      };

      it(`turns Display P3 into sRGB, ${depth} bits`, async () => {
        const data = flat([200, 100, 50], 256);
        const image = await tagged('p3', data);
        const stored = await sharp(image, { ignoreIcc: true }).raw({ depth: 'uchar' }).toBuffer();
        assert.ok(Math.abs(stored[0]! - 200) > 5, 'the file holds no P3 values, so nothing is tested');
        assertNear(means((await decodeImage(image)).data), [200, 100, 50], 1);
      });

      it(`takes the values of a picture with an sRGB profile as they stand, ${depth} bits`, async () => {
        const image = await tagged('srgb', noiseImage(16, 16).data);
        const { hasProfile } = await sharp(image).metadata();
        assert.ok(hasProfile);
        const stored = await sharp(image, { ignoreIcc: true }).raw({ depth: 'uchar' }).toBuffer();
        assert.deepEqual((await decodeImage(image)).data, stored);
      });
    }
  });

  describe('orientation', () => {
    // Where the pixels of the stored a b c / d e f end up (Exif 2.32, 4.6.4: row 0 and column 0 are at ...).
    const TURNED: Record<number, string[]> = {
      1: ['abc', 'def'],
      2: ['cba', 'fed'],
      3: ['fed', 'cba'],
      4: ['def', 'abc'],
      5: ['ad', 'be', 'cf'],
      6: ['da', 'eb', 'fc'],
      7: ['fc', 'eb', 'da'],
      8: ['cf', 'be', 'ad'],
    };
    const stored = noiseImage(3, 2);
    for (const [orientation, rows] of Object.entries(TURNED)) {
      it(`applies EXIF orientation ${orientation}`, async () => {
        const image = await sharp(stored.data, { raw: { width: 3, height: 2, channels: 3 } })
          .withMetadata({ orientation: Number(orientation) })
          .png()
          .toBuffer();
        const pixels = rows
          .join('')
          .split('')
          .map((name) => {
            const at = 'abcdef'.indexOf(name) * 3;
            return stored.data.subarray(at, at + 3);
          });
        assert.deepEqual(await decodeImage(image), {
          width: rows[0]!.length,
          height: rows.length,
          channels: 3,
          data: Buffer.concat(pixels),
        });
      });
    }

    it('turns a JPEG too', async () => {
      const image = await sharp(JPEG).withMetadata({ orientation: 6 }).jpeg().toBuffer();
      const { width, height } = await decodeImage(image);
      assert.deepEqual([width, height], [18, 24]);
    });
  });

  for (const format of ['gif', 'webp', 'tiff'] as const) {
    it(`takes the first of several frames or pages: ${format}`, async () => {
      const frames = [await color(255, 0, 0).png().toBuffer(), await color(0, 0, 255).png().toBuffer()];
      const image = await sharp(frames, { join: { animated: true } })
        .toFormat(format, { lossless: true, compression: 'lzw' })
        .toBuffer();
      assert.equal((await sharp(image).metadata()).pages, 2, format);
      const { data, ...size } = await decodeImage(image);
      assert.deepEqual(size, { width: 16, height: 16, channels: 3 });
      assertNear(means(data), [255, 0, 0], 0);
    });
  }

  describe('limits', () => {
    it('refuses a PNG of 30000 x 30000 by its header', async () => {
      const image = png({
        width: 30_000,
        height: 30_000,
        depth: 8,
        colorType: 2,
        pixels: Buffer.alloc(90_000),
      });
      await assert.rejects(
        decodeImage(image),
        failure(
          'M2FP_IMAGE_TOO_LARGE',
          /30000 x 30000/,
          /64000000/,
          /Largest picture/,
          /--max-megapixels/,
          /maxPixels/,
        ),
      );
    });

    it('refuses sides beyond all measure', async () => {
      const image = png({ width: 2 ** 31 - 1, height: 1, depth: 8, colorType: 0, pixels: Buffer.alloc(9) });
      await assert.rejects(decodeImage(image), failure('M2FP_IMAGE_TOO_LARGE'));
      await assert.rejects(decodeImage(noisePng(65_536, 1)), failure('M2FP_IMAGE_TOO_LARGE', /65535/));
    });

    for (const format of ['jpeg', 'webp', 'gif', 'tiff', 'avif'] as const) {
      it(`refuses ${format} by its header too`, async () => {
        const large = sharp({ create: { width: 101, height: 100, channels: 3, background: '#123456' } });
        const image = await large.clone().toFormat(format).toBuffer();
        await assert.rejects(decodeImage(image, LIMITS), failure('M2FP_IMAGE_TOO_LARGE', /101 x 100/));
      });
    }

    it('takes what is just within', async () => {
      const image = noisePng(100, 100);
      assert.equal((await decodeImage(image, { ...LIMITS, maxBytes: image.length })).width, 100);
    });

    it('refuses one byte too many', async () => {
      const image = noisePng(10, 10);
      await assert.rejects(
        decodeImage(image, { ...LIMITS, maxBytes: image.length - 1 }),
        failure('M2FP_IMAGE_TOO_LARGE', new RegExp(`${image.length} bytes`)),
      );
    });
  });

  describe('damage', () => {
    for (const format of ['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const) {
      it(`says of ${format} that it is truncated`, async () => {
        const whole = sharp(noiseImage(64, 48).data, { raw: { width: 64, height: 48, channels: 3 } });
        const pipeline = whole.clone();
        const image = await (
          format === 'tiff' ? pipeline.tiff({ compression: 'lzw' }) : pipeline[format]()
        ).toBuffer();
        await assert.rejects(
          decodeImage(image.subarray(0, image.length >> 1)),
          failure('M2FP_BAD_IMAGE', /is truncated/, new RegExp(`${image.length >> 1} bytes`)),
          format,
        );
      });
    }

    it('does not call damage in the middle a truncation', async () => {
      const image = noisePng(40, 40);
      image.fill(0x55, image.length >> 1, (image.length >> 1) + 20);
      await assert.rejects(decodeImage(image), (error: Error) => {
        assert.doesNotMatch(error.message, /truncated/);
        return failure('M2FP_BAD_IMAGE', /PNG is damaged/)(error);
      });
    });

    it('takes a JPEG with stray bytes between its segments, as cameras write them', async () => {
      const scan = JPEG.indexOf(Buffer.from([0xff, 0xda]));
      const image = Buffer.concat([JPEG.subarray(0, scan), Buffer.alloc(4), JPEG.subarray(scan)]);
      assert.deepEqual(await decodeImage(image), await decodeImage(JPEG));
    });

    it('takes what follows the end of a picture for nothing', async () => {
      const image = Buffer.concat([JPEG, Buffer.from('\r\n--frame')]);
      assert.deepEqual(await decodeImage(image), await decodeImage(JPEG));
    });

    it('refuses what is no picture', async () => {
      await assert.rejects(decodeImage(Buffer.alloc(0)), failure('M2FP_NO_IMAGE'));
      await assert.rejects(decodeImage(Buffer.from('hello')), failure('M2FP_UNSUPPORTED_FORMAT'));
      const svg = '<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>';
      await assert.rejects(decodeImage(Buffer.from(svg)), failure('M2FP_UNSUPPORTED_FORMAT', /SVG/));
    });
  });

  describe('whatever comes', () => {
    const PNG = noisePng(24, 18);

    for (const [name, image] of [
      ['JPEG', JPEG],
      ['PNG', PNG],
    ] as const) {
      it(`survives a ${name} cut anywhere`, async () => {
        await fc.assert(
          fc.asyncProperty(fc.nat(image.length), (end) => decodes(image.subarray(0, end))),
          { numRuns: 150 },
        );
      });

      it(`survives a ${name} with changed bytes`, async () => {
        const changes = fc.array(fc.tuple(fc.nat(image.length - 1), fc.nat(255)), {
          minLength: 1,
          maxLength: 8,
        });
        await fc.assert(
          fc.asyncProperty(changes, (list) => {
            const copy = Buffer.from(image);
            for (const [at, value] of list) copy[at] = value;
            return decodes(copy);
          }),
          { numRuns: 150 },
        );
      });

      it(`survives random bytes after the start of a ${name}`, async () => {
        await fc.assert(
          fc.asyncProperty(fc.nat(40), fc.uint8Array({ maxLength: 300 }), (length, rest) =>
            decodes(Buffer.concat([image.subarray(0, length), rest])),
          ),
          { numRuns: 150 },
        );
      });
    }
  });
});
