/** One rule for all kinds of damage: the picture's own data is all there, or the picture is refused. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { crc32, deflateSync } from 'node:zlib';
import sharp, { type JpegOptions } from 'sharp';
import { decodeImage } from '../../src/image/decode.ts';
import { failure, noiseImage } from './support.ts';
import { processorTime } from '../support/processor-time.ts';

const fixture = (name: string): Buffer => readFileSync(new URL(`fixtures/${name}`, import.meta.url));

const IMAGE = fixture('people.jpg');
const END = Buffer.from([0xff, 0xd9]);

/** The picture with `count` bytes less in the middle of its data. */
const without = (bytes: Buffer, count: number): Buffer => {
  const at = bytes.length >> 1;
  return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + count)]);
};

async function assertEqual(image: Buffer, expected: Buffer = IMAGE): Promise<void> {
  const { data } = await decodeImage(image);
  assert.ok(data.equals((await decodeImage(expected)).data));
}

/** A zTXt chunk of a PNG. */
function textChunk(text: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from('zTXtk\0\0', 'latin1'), deflateSync(text)]);
  const chunk = Buffer.alloc(body.length + 8);
  chunk.writeUInt32BE(body.length - 4);
  body.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(body), body.length + 4);
  return chunk;
}

describe('damaged pictures', () => {
  const kinds: [string, JpegOptions, RegExp][] = [
    ['baseline', {}, /truncated/],
    ['progressive', { progressive: true }, /truncated/],
    ['4:4:4', { chromaSubsampling: '4:4:4' }, /truncated/],
    ['optimised', { mozjpeg: true }, /truncated/],
  ];
  for (const [name, options] of kinds) {
    describe(`JPEG, ${name}`, () => {
      let image: Buffer;
      before(async () => {
        image = await sharp(IMAGE).jpeg(options).toBuffer();
      });

      for (const share of [0.2, 0.4, 0.6, 0.8, 0.95, 0.99]) {
        it(`is refused as truncated where ${100 * share} % of it are left, also where it was closed again`, async () => {
          const cut = image.subarray(0, Math.floor(image.length * share));
          for (const closed of [cut, Buffer.concat([cut, END])]) {
            await assert.rejects(decodeImage(closed), failure('M2FP_BAD_IMAGE', /is truncated/), `${share}`);
          }
        });
      }

      const breaks: [what: string, make: () => Buffer][] = [
        ['lost at 1400', () => without(image, 1400)],
        ['lost at 700', () => without(image, 700)],
        [
          'changed in the middle',
          () => Buffer.from(image).fill(0x55, image.length >> 1, (image.length >> 1) + 200),
        ],
      ];
      for (const [what, make] of breaks) {
        it(`is refused where bytes were ${what}`, async () => {
          await assert.rejects(decodeImage(make()), failure('M2FP_BAD_IMAGE', /damaged|truncated/));
        });
      }

      it('is taken where nothing but its end marker is missing, or half of it', async () => {
        await assertEqual(image.subarray(0, -2), image);
        await assertEqual(image.subarray(0, -1), image);
      });

      it('is taken with stray bytes before a marker and after the end', async () => {
        const scan = image.indexOf(Buffer.from([0xff, 0xda]));
        const strays = Buffer.alloc(4);
        await assertEqual(Buffer.concat([image.subarray(0, scan), strays, image.subarray(scan)]), image);
        await assertEqual(Buffer.concat([image.subarray(0, -2), strays, END]), image);
        await assertEqual(Buffer.concat([image, Buffer.alloc(4096)]), image);
        await assertEqual(Buffer.concat([image, Buffer.from('trailing text')]), image);
      });
    });
  }

  it('a JPEG of which a packet was lost is called damaged', async () => {
    await assert.rejects(decodeImage(without(IMAGE, 1400)), failure('M2FP_BAD_IMAGE', /is damaged/));
  });

  it('says how much of a JPEG is there', async () => {
    const cut = Buffer.concat([IMAGE.subarray(0, IMAGE.length * 0.6), END]);
    await assert.rejects(decodeImage(cut), failure('M2FP_BAD_IMAGE', /4\d % of it is there/));
  });

  it('a JPEG with restart markers is read, and refused where one of them was lost', async () => {
    const { width, height, data } = noiseImage(64, 64);
    const image = await sharp(data, { raw: { width, height, channels: 3 } })
      .jpeg()
      .toBuffer();
    await assertEqual(image, image);
    const frame = image.indexOf(Buffer.from([0xff, 0xc0]));
    const interval = Buffer.from([0xff, 0xdd, 0, 4, 0, 2]);
    const promised = Buffer.concat([image.subarray(0, frame), interval, image.subarray(frame)]);
    await assert.rejects(decodeImage(promised), failure('M2FP_BAD_IMAGE', /damaged|truncated/));
  });

  for (const progressive of [false, true]) {
    it(`a ${progressive ? 'progressive' : 'plain'} JPEG that claims 7000 x 7000 pixels in a few hundred bytes is refused at once`, async () => {
      const small = sharp({ create: { width: 16, height: 16, channels: 3, background: '#777' } });
      const image = await small.jpeg({ progressive }).toBuffer();
      const frame = image.indexOf(Buffer.from([0xff, progressive ? 0xc2 : 0xc0]));
      image.writeUInt16BE(7000, frame + 5);
      image.writeUInt16BE(7000, frame + 7);
      const busy = processorTime();
      await assert.rejects(decodeImage(image), failure('M2FP_BAD_IMAGE', /is (truncated|damaged)/));
      assert.ok(busy() < 500, `${busy()} ms`);
    });
  }

  it('a PNG that was filled with segments is read at once', async () => {
    const times = (bytes: Buffer, count: number): Buffer => Buffer.alloc(bytes.length * count, bytes);
    const png = await sharp(IMAGE).png().toBuffer();
    const text = textChunk(Buffer.alloc(8_000_000));
    const busy = processorTime();
    await assertEqual(Buffer.concat([png.subarray(0, 33), times(text, 2000), png.subarray(33)]), png);
    assert.ok(busy() < 5000, `${busy()} ms`);
  });

  for (const filling of ['fffe0002', 'ffd0']) {
    it(`a JPEG that was filled with segments (${filling}) is refused at once`, async () => {
      const times = (bytes: Buffer, count: number): Buffer => Buffer.alloc(bytes.length * count, bytes);
      const jpeg = await sharp(IMAGE).jpeg().toBuffer();
      const image = Buffer.concat([
        jpeg.subarray(0, 2),
        times(Buffer.from(filling, 'hex'), 3_000_000),
        jpeg.subarray(2),
      ]);
      const busy = processorTime();
      await assert.rejects(decodeImage(image), failure('M2FP_BAD_IMAGE', /more scans or segments/));
      assert.ok(busy() < 1000, `${busy()} ms`);
    });
  }

  for (const progressive of [false, true]) {
    it(`a ${progressive ? 'progressive' : 'plain'} JPEG of one colour is not taken for such a one`, async () => {
      const create = { width: 3000, height: 2000, channels: 3, background: '#777' } as const;
      const image = await sharp({ create }).jpeg({ progressive }).toBuffer();
      assert.equal((await decodeImage(image)).width, 3000);
    });
  }

  it('a grey JPEG with a gain map (Ultra HDR) is the JPEG that it is', async () => {
    const { width, height } = await decodeImage(fixture('grey-with-gain-map.jpg'));
    assert.deepEqual([width, height], [280, 290]);
  });

  it('says of an animated AVIF that it is one', async () => {
    await assert.rejects(
      decodeImage(fixture('animated.avif')),
      failure('M2FP_UNSUPPORTED_FORMAT', /animated AVIF.*send a still one/),
    );
  });

  it('says of an AVIF with damage inside that it is damaged', async () => {
    const image = await sharp(IMAGE).avif({ effort: 0 }).toBuffer();
    image.fill(0x55, image.length >> 1, (image.length >> 1) + 200);
    await assert.rejects(decodeImage(image), failure('M2FP_BAD_IMAGE', /damaged/));
  });

  it('a GIF that lost some of its codes is refused, one without its last byte is taken', async () => {
    const image = await sharp(IMAGE).gif().toBuffer();
    await assert.rejects(decodeImage(without(image, 1000)), failure('M2FP_BAD_IMAGE', /damaged/));
    await assertEqual(image.subarray(0, -1), image);
  });

  it('a PNG without its last chunk is taken, one without the end of its data is not', async () => {
    const image = await sharp(IMAGE).png().toBuffer();
    await assertEqual(image.subarray(0, -12), image);
    await assert.rejects(decodeImage(image.subarray(0, -20)), failure('M2FP_BAD_IMAGE', /truncated/));
  });

  for (const compression of ['none', 'lzw', 'jpeg', 'deflate'] as const) {
    it(`a TIFF (${compression}) is truncated where any of its data lies past its end`, async () => {
      const image = await sharp(IMAGE).tiff({ compression }).toBuffer();
      for (const missing of [1, 100, image.length >> 1]) {
        await assert.rejects(
          decodeImage(image.subarray(0, -missing)),
          failure('M2FP_BAD_IMAGE', /truncated/),
        );
      }
    });
  }
});
