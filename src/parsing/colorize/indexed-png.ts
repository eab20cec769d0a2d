/**
 * PNGs whose pixels are numbers, as the ground truth of CIHP and PASCAL-Person-Part is stored: one byte a pixel,
 * grey or with a palette. Written here (https://www.w3.org/TR/png-3/), because an image library is free to sort a
 * palette anew, and the numbers would be others.
 */
import { promisify } from 'node:util';
import { crc32, deflate } from 'node:zlib';
import { forEachSlice } from '../../image/slices.ts';
import type { Rgb } from '../options/palette.ts';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const GREYSCALE = 0;
const PALETTE = 3;

/** Off the main thread. */
const deflateAsync = promisify(deflate);

function chunk(type: string, content: Uint8Array): Buffer {
  const bytes = Buffer.alloc(12 + content.length);
  bytes.writeUInt32BE(content.length, 0);
  bytes.write(type, 4, 'latin1');
  bytes.set(content, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + content.length)), 8 + content.length);
  return bytes;
}

/**
 * A PNG of the numbers `values` (width * height bytes, row-major).
 * @param palette the colour of each number, up to 256, in which viewers show it; absent: a grey picture
 */
export async function encodeNumbers(
  values: Uint8Array,
  width: number,
  height: number,
  palette?: readonly Rgb[],
): Promise<Buffer> {
  // Each row has the number of its filter before it: 0, none.
  const rows = Buffer.alloc(height * (width + 1));
  await forEachSlice(height, width, (first, end) => {
    for (let y = first; y < end; y++) {
      rows.set(values.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
    }
  });
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, palette === undefined ? GREYSCALE : PALETTE, 0, 0, 0], 8);
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    ...(palette === undefined ? [] : [chunk('PLTE', Uint8Array.from(palette.flat()))]),
    chunk('IDAT', await deflateAsync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
