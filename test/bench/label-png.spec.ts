import { deepEqual, throws } from 'node:assert/strict';
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { readLabelPng } from '../../bench/accuracy/label-png.ts';
import { M2fpError } from '../../src/errors.ts';

/** A PNG of this header and these packed rows: sharp would choose filters and colours itself. */
function byHand(header: number[], rows: number[]): Buffer {
  const chunk = (type: string, content: Buffer) => {
    const named = Buffer.concat([Buffer.from(type, 'latin1'), content]);
    const out = Buffer.alloc(named.length + 8);
    out.writeUInt32BE(content.length, 0);
    named.copy(out, 4);
    out.writeUInt32BE(crc32(named), named.length + 4);
    return out;
  };
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', Buffer.from(header)),
    chunk('PLTE', Buffer.from([255, 0, 0, 0, 255, 0])),
    chunk('IDAT', deflateSync(Buffer.from(rows))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

const refused = (message: RegExp) => (error: unknown) =>
  error instanceof M2fpError && error.code === 'M2FP_BAD_IMAGE' && message.test(error.message);

describe('readLabelPng', () => {
  for (const adaptiveFiltering of [false, true]) {
    it(`reads what another program wrote, ${adaptiveFiltering ? 'filtered' : 'not filtered'}`, async () => {
      const width = 37;
      const height = 41;
      const values = Uint8Array.from({ length: width * height }, (_, i) => (i * i + (i >> 3)) % 251);
      const png = await sharp(values, { raw: { width, height, channels: 1 } })
        .toColorspace('b-w')
        .png({ adaptiveFiltering })
        .toBuffer();
      const image = readLabelPng(png, 'a.png');
      deepEqual([image.width, image.height], [width, height]);
      deepEqual([...image.data], [...values]);
    });
  }

  it('undoes each filter', async () => {
    // Rows: none, sub, up, average, Paeth.
    const rows = [0, 10, 20, 30, 1, 5, 5, 5, 2, 1, 1, 1, 3, 7, 0, 250, 4, 3, 3, 3];
    const png = byHand([0, 0, 0, 3, 0, 0, 0, 5, 8, 0, 0, 0, 0], rows);
    deepEqual(
      [...readLabelPng(png, 'a.png').data],
      [10, 20, 30, 5, 10, 15, 6, 11, 16, 10, 10, 7, 13, 16, 19],
    );
  });

  it('gives indices of a palette, not colours, and reads several pixels a byte', async () => {
    const png = byHand([0, 0, 0, 5, 0, 0, 0, 2, 4, 3, 0, 0, 0], [0, 0x12, 0x3f, 0x40, 0, 0xab, 0xcd, 0xe0]);
    deepEqual([...readLabelPng(png, 'a.png').data], [1, 2, 3, 15, 4, 10, 11, 12, 13, 14]);
  });

  it('reads numbers above 255', async () => {
    const png = byHand([0, 0, 0, 2, 0, 0, 0, 1, 16, 0, 0, 0, 0], [0, 1, 44, 0, 7]);
    deepEqual([...readLabelPng(png, 'a.png').data], [300, 7]);
  });

  it('refuses what is no label image, naming the file', async () => {
    const color = await sharp({ create: { width: 2, height: 2, channels: 3, background: '#123456' } })
      .png()
      .toBuffer();
    throws(() => readLabelPng(color, 'b.png'), refused(/^b\.png: it holds colours/));
    throws(() => readLabelPng(Buffer.from('GIF89a'), 'b.png'), refused(/not a PNG/));
    const grey = [0, 0, 0, 2, 0, 0, 0, 1, 8, 0, 0, 0];
    const good = byHand([...grey, 0], [0, 1, 2]);
    throws(() => readLabelPng(good.subarray(0, good.length - 20), 'b.png'), refused(/cut off/));
    const damaged = Buffer.from(good);
    damaged[damaged.length - 24]! ^= 1;
    throws(() => readLabelPng(damaged, 'b.png'), refused(/damaged/));
    throws(() => readLabelPng(good.subarray(0, 8), 'b.png'), refused(/no header/));
    const interlaced = byHand([...grey, 1], [0, 1, 2]);
    throws(() => readLabelPng(interlaced, 'b.png'), refused(/interlaced/));
    const short = byHand([...grey, 0], [0, 1]);
    throws(() => readLabelPng(short, 'b.png'), refused(/too few/));
    const long = byHand([...grey, 0], [0, 1, 2, 3, 4]);
    throws(() => readLabelPng(long, 'b.png'), refused(/cannot be unpacked/));
    const filter = byHand([...grey, 0], [9, 1, 2]);
    throws(() => readLabelPng(filter, 'b.png'), refused(/unknown filter 9/));
    const huge = byHand([0x7f, 0, 0, 0, 0x7f, 0, 0, 0, 8, 0, 0, 0, 0], [0]);
    throws(() => readLabelPng(huge, 'b.png'), refused(/size makes no sense/));
  });
});
