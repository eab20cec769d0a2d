/**
 * PNGs whose pixels are numbers, not colours: label maps. Image libraries turn the indices of a palette into its
 * colours, so the numbers are read here, as they are stored (https://www.w3.org/TR/png-3/).
 */
import { crc32, inflateSync } from 'node:zlib';
import { M2fpError } from '../../src/errors.ts';

/** One number a pixel, row-major. */
export interface LabelImage {
  width: number;
  height: number;
  data: Uint16Array;
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const GREYSCALE = 0;
const PALETTE = 3;
/** Larger than any annotated picture; a damaged header must not ask for gigabytes. */
const MAX_PIXELS = 1e8;

function bad(file: string, what: string): M2fpError {
  return new M2fpError(
    'M2FP_BAD_IMAGE',
    `${file}: ${what}. A label image is a PNG with one number a pixel (greyscale or palette, not interlaced).`,
  );
}

/** The header's fields and all of the compressed pixels. */
function chunks(png: Buffer, file: string): { header: Buffer; pixels: Buffer } {
  if (!png.subarray(0, SIGNATURE.length).equals(SIGNATURE)) throw bad(file, 'it is not a PNG');
  let header: Buffer | undefined;
  const pixels: Buffer[] = [];
  for (let at = SIGNATURE.length; at + 12 <= png.length;) {
    const length = png.readUInt32BE(at);
    const type = png.toString('latin1', at + 4, at + 8);
    const end = at + 8 + length;
    if (end + 4 > png.length) throw bad(file, 'it is cut off');
    if (crc32(png.subarray(at + 4, end)) !== png.readUInt32BE(end)) throw bad(file, `its ${type} is damaged`);
    const content = png.subarray(at + 8, end);
    if (type === 'IHDR' && length === 13) header = content;
    if (type === 'IDAT') pixels.push(content);
    at = end + 4;
  }
  if (header === undefined || pixels.length === 0) throw bad(file, 'it has no header or no pixels');
  return { header, pixels: Buffer.concat(pixels) };
}

/** The predictor of filter type 4. */
function paeth(left: number, up: number, upLeft: number): number {
  const guess = left + up - upLeft;
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - upLeft)];
  if (a <= b && a <= c) return left;
  return b <= c ? up : upLeft;
}

/** Undoes the filters of the rows in place; each row has its filter's number before it. */
function unfilter(rows: Buffer, rowBytes: number, pixelBytes: number, file: string): void {
  const stride = rowBytes + 1;
  for (let start = 0; start < rows.length; start += stride) {
    const filter = rows[start]!;
    if (filter > 4) throw bad(file, `it has the unknown filter ${filter}`);
    for (let i = 1; i <= rowBytes; i++) {
      const at = start + i;
      const left = i > pixelBytes ? rows[at - pixelBytes]! : 0;
      const up = start > 0 ? rows[at - stride]! : 0;
      const upLeft = i > pixelBytes && start > 0 ? rows[at - stride - pixelBytes]! : 0;
      const predicted = [0, left, up, (left + up) >> 1, paeth(left, up, upLeft)][filter]!;
      rows[at] = rows[at]! + predicted;
    }
  }
}

/**
 * The numbers of a greyscale or palette PNG of 1 to 16 bits a pixel.
 * @param file its name, for messages
 * @throws M2FP_BAD_IMAGE for any other PNG and for a damaged one
 */
export function readLabelPng(png: Buffer, file: string): LabelImage {
  const { header, pixels } = chunks(png, file);
  const width = header.readUInt32BE(0);
  const height = header.readUInt32BE(4);
  const [bits, colour, , , interlaced] = header.subarray(8) as unknown as number[];
  if (width === 0 || height === 0 || width * height > MAX_PIXELS) throw bad(file, 'its size makes no sense');
  if ((colour !== GREYSCALE && colour !== PALETTE) || ![1, 2, 4, 8, 16].includes(bits!)) {
    throw bad(file, 'it holds colours');
  }
  if (interlaced !== 0) throw bad(file, 'it is interlaced');
  const rowBytes = Math.ceil((width * bits!) / 8);
  const size = height * (rowBytes + 1);
  let rows: Buffer;
  try {
    rows = inflateSync(pixels, { maxOutputLength: size });
  } catch (error) {
    throw bad(file, `its pixels cannot be unpacked (${(error as Error).message})`);
  }
  if (rows.length !== size) throw bad(file, 'it has too few pixels');
  unfilter(rows, rowBytes, Math.max(1, bits! / 8), file);

  const data = new Uint16Array(width * height);
  const mask = (1 << bits!) - 1;
  for (let y = 0; y < height; y++) {
    const start = y * (rowBytes + 1) + 1;
    for (let x = 0; x < width; x++) {
      const bit = x * bits!;
      const byte = start + (bit >> 3);
      data[y * width + x] =
        bits === 16 ? rows.readUInt16BE(byte) : (rows[byte]! >> (8 - bits! - (bit & 7))) & mask;
    }
  }
  return { width, height, data };
}
