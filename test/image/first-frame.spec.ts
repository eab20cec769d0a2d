/** Of animations and documents only the first picture is read, however many there are. */
import assert from 'node:assert/strict';
import sharp from 'sharp';
import { decodeImage } from '../../src/image/decode.ts';
import { processorTime } from '../support/processor-time.ts';

const solid = (background: string): Promise<Buffer> =>
  sharp({ create: { width: 8, height: 8, channels: 3, background } })
    .png()
    .toBuffer();

async function assertFirst(image: Buffer, background = '#cc0000'): Promise<void> {
  const busy = processorTime();
  const { data } = await decodeImage(image);
  // 250,000 pages took 23 s, as many frames of a WebP minutes.
  assert.ok(busy() < 2000, `${busy()} ms`);
  assert.ok(data.equals((await decodeImage(await solid(background))).data));
}

describe('the first frame', () => {
  it('of a GIF with 200,000 frames', async () => {
    const one = await sharp(await solid('#cc0000'))
      .gif()
      .toBuffer();
    const other = await sharp(await solid('#0000cc'))
      .gif()
      .toBuffer();
    const frame = (image: Buffer): Buffer => image.subarray(image.indexOf(0x2c, 13), -1);
    const more = Array<Buffer>(200_000).fill(frame(other));
    await assertFirst(Buffer.concat([one.subarray(0, -1), ...more, Buffer.from([0x3b])]));
    // A cut-off frame after it is none of its own data.
    await assertFirst(Buffer.concat([one.subarray(0, -1), frame(other).subarray(0, 14)]));
  });

  it('of a WebP with 200,000 frames', async () => {
    const image = await sharp([await solid('#cc0000'), await solid('#0000cc')], { join: { animated: true } })
      .webp({ lossless: true })
      .toBuffer();
    await assertFirst(image);
    const last = image.lastIndexOf('ANMF');
    const more = Array<Buffer>(200_000).fill(image.subarray(last));
    const long = Buffer.concat([image, ...more]);
    long.writeUInt32LE(long.length - 8, 4);
    await assertFirst(long);
  });

  it('of a WebP keeps what is told behind the frames', async () => {
    const wide = sharp({ create: { width: 12, height: 8, channels: 3, background: '#cc0000' } });
    const image = await sharp([await wide.clone().png().toBuffer(), await wide.negate().png().toBuffer()], {
      join: { animated: true },
    })
      .withMetadata({ orientation: 6 })
      .webp({ lossless: true })
      .toBuffer();
    const { width, height } = await decodeImage(image);
    const { autoOrient } = await sharp(image).metadata();
    assert.deepEqual([width, height], [autoOrient.width, autoOrient.height]);
  });

  for (const [name, bigtiff] of [
    ['TIFF', false],
    ['BigTIFF', true],
  ] as const) {
    it(`of a ${name} with 50,000 pages`, async () => {
      const one = await sharp(await solid('#cc0000'))
        .tiff({ compression: 'none', bigtiff })
        .toBuffer();
      await assertFirst(one);
      const [countBytes, entryBytes, offsetBytes] = bigtiff ? [8, 20, 8] : [2, 12, 4];
      const read = (at: number): number => (bigtiff ? Number(one.readBigUInt64LE(at)) : one.readUInt32LE(at));
      const write = (bytes: Buffer, value: number, at: number): void => {
        if (bigtiff) bytes.writeBigUInt64LE(BigInt(value), at);
        else bytes.writeUInt32LE(value, at);
      };
      const page = read(bigtiff ? 8 : 4);
      const count = bigtiff ? read(page) : one.readUInt16LE(page);
      const size = countBytes + count * entryBytes + offsetBytes;
      const pages = Buffer.alloc(size * 50_000);
      for (let i = 0; i < 50_000; i++) {
        one.copy(pages, i * size, page, page + size);
        write(pages, i === 49_999 ? 0 : one.length + (i + 1) * size, (i + 1) * size - offsetBytes);
      }
      const image = Buffer.concat([one, pages]);
      write(image, one.length, page + size - offsetBytes);
      const before = Buffer.from(image);
      await assertFirst(image);
      assert.ok(image.equals(before), 'nobody writes into a Buffer that came in');
    });
  }
});
