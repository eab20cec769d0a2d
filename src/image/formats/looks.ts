/**
 * What tells pictures apart, read off their bytes without decoding anything: for pictures that are not trusted with
 * a decoder in this process.
 */
import { createHash } from 'node:crypto';
import { detectFormat } from './format.ts';
import { isNetworkInput } from '../network-input.ts';
import type { NetworkInput } from '../types.ts';

export interface Looks {
  /** The picture without what hangs behind its end, as a view. */
  bytes: Buffer;
  /** What decides the memory that it takes to decode, in words; null where that cannot be told. */
  kind: string | null;
}

/** As much of the formats without a plain header tells them apart: sizes and the like lie there. */
const HEAD_BYTES = 512;

const PNG_SIGNATURE = 8;
const SOS = 0xda;
const EOI = Buffer.from([0xff, 0xd9]);

/** Never throws: of what is no picture, `bytes` are all there are, and `kind` is null. */
export function looksOf(image: Buffer | NetworkInput): Looks {
  if (isNetworkInput(image)) return { bytes: image.data, kind: null };
  const format = detectFormat(image);
  if (format === null) return { bytes: image, kind: null };
  const known = format === 'jpeg' ? looksOfJpeg(image) : format === 'png' ? looksOfPng(image) : null;
  if (known !== null) return known;
  // A RIFF file tells how long it is.
  const bytes = format === 'webp' ? image.subarray(0, 8 + image.readUInt32LE(4)) : image;
  const head = createHash('sha256').update(bytes.subarray(0, HEAD_BYTES)).digest('hex').slice(0, 12);
  return { bytes, kind: `${format} with the header ${head}` };
}

/** Null where the header is broken. The end is the first that follows the pixels, so that what hangs on cannot move it. */
function looksOfJpeg(image: Buffer): Looks | null {
  let frame: string | null = null;
  for (let at = 2; at + 10 <= image.length;) {
    if (image[at] !== 0xff) return null;
    const marker = image[at + 1]!;
    if (marker === 0xff) {
      at++;
      continue;
    }
    // SOF0 to SOF15, without DHT, JPG and DAC that lie among them: precision, height, width.
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      const [height, width] = [image.readUInt16BE(at + 5), image.readUInt16BE(at + 7)];
      const how = [0xc2, 0xc6, 0xca, 0xce].includes(marker) ? ', progressive' : '';
      frame = `JPEG of ${width} x ${height} pixels${how}`;
    }
    if (marker === SOS) {
      const end = image.indexOf(EOI, at);
      return { bytes: end < 0 ? image : image.subarray(0, end + EOI.length), kind: frame };
    }
    at += 2 + image.readUInt16BE(at + 2);
  }
  return null;
}

/** Null where the header is broken. */
function looksOfPng(image: Buffer): Looks | null {
  if (image.length < 33) return null;
  const [width, height] = [image.readUInt32BE(16), image.readUInt32BE(20)];
  const interlaced = image[28] === 0 ? '' : ', interlaced';
  const kind = `PNG of ${width} x ${height} pixels, ${image[24]} bits, colour type ${image[25]}${interlaced}`;
  let end = image.length;
  for (let at = PNG_SIGNATURE; at + 12 <= image.length; at += 12 + image.readUInt32BE(at)) {
    if (image.toString('latin1', at + 4, at + 8) === 'IEND') {
      end = at + 12;
      break;
    }
  }
  return { bytes: image.subarray(0, end), kind };
}
