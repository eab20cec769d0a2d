/** What is done to an encoded picture before the decoder gets it. */
import { M2fpError } from '../../errors.ts';
import { isSequence, type ImageFormat } from '../formats/format.ts';
import { firstGifFrame } from '../formats/gif.ts';
import { checkJpeg, type JpegCheck } from '../formats/jpeg.ts';
import { withoutTexts } from '../formats/png.ts';
import { firstTiffPage } from '../formats/tiff.ts';
import { firstWebpFrame } from '../formats/webp.ts';

export const NAMES: Record<ImageFormat, string> = {
  jpeg: 'JPEG',
  png: 'PNG',
  webp: 'WebP',
  gif: 'GIF',
  tiff: 'TIFF',
  avif: 'AVIF',
};

/** A picture as the decoder takes it. */
export interface Readable {
  bytes: Buffer;
  /** JPEG only: the decoder keeps the coefficients of all pixels in memory. */
  buffered: boolean;
  /** JPEG only: whether its data is known to be all there, so that the decoder's warnings need not be heeded. */
  known: boolean;
}

const END_OF_JPEG = Buffer.from([0xff, 0xd9]);

export function truncated(format: ImageFormat, length: number, detail = ''): M2fpError {
  return new M2fpError(
    'M2FP_BAD_IMAGE',
    `The ${NAMES[format]} is truncated: its end is missing after ${length} bytes. It was cut off on the way (a size ` +
      `limit, an aborted upload) or not written wholly yet; send it again${detail}.`,
  );
}

export function damaged(format: ImageFormat, detail = ''): M2fpError {
  return new M2fpError(
    'M2FP_BAD_IMAGE',
    `The ${NAMES[format]} is damaged or of a kind that cannot be decoded; save it again with another program or send ` +
      `another${detail}.`,
  );
}

/**
 * The picture with its first frame or page alone, and with the end marker where nothing else is missing. One rule holds
 * for all formats: the data of the picture itself must be all there and be what its own tables and sums say; what
 * follows it may be missing, or be anything.
 *
 * @throws M2FP_BAD_IMAGE truncated or damaged, as far as it shows without decoding
 */
export async function readable(format: ImageFormat, image: Buffer): Promise<Readable> {
  const plain = { bytes: image, buffered: false, known: true };
  switch (format) {
    case 'jpeg': {
      const check = await checkJpeg(image, { deep: false });
      return withEnd(image, check);
    }
    case 'gif': {
      const { bytes, state } = await firstGifFrame(image);
      if (state === 'truncated') throw truncated(format, image.length);
      if (state === 'damaged') throw damaged(format);
      return { ...plain, bytes };
    }
    case 'tiff': {
      const page = firstTiffPage(image);
      if (page.truncated) throw truncated(format, image.length);
      return { ...plain, bytes: page.bytes };
    }
    case 'png':
      return { ...plain, bytes: await withoutTexts(image) };
    case 'webp':
      return { ...plain, bytes: firstWebpFrame(image) };
    default:
      return plain;
  }
}

/** Reads a JPEG bit by bit of which the decoder complained. @throws M2FP_BAD_IMAGE */
export async function readableAfterAll(image: Buffer): Promise<Readable> {
  return withEnd(image, await checkJpeg(image, { deep: true }));
}

function withEnd(image: Buffer, { state, share, end, buffered, known }: JpegCheck): Readable {
  const there = ` (${Math.floor(share * 100)} % of it is there)`;
  if (state === 'truncated') throw truncated('jpeg', image.length, there);
  if (state === 'damaged')
    throw damaged('jpeg', share < 1 ? ` (${Math.floor(share * 100)} % can be read)` : '');
  if (state === 'scans') throw damaged('jpeg', ' (it has more scans or segments than any picture needs)');
  const isOpen = state === 'whole' && end === null;
  return { bytes: isOpen ? Buffer.concat([image, END_OF_JPEG]) : image, buffered, known };
}

/** True where a picture ends before its own structure says that it does. */
export function isTruncated(format: ImageFormat, image: Buffer, reason: string): boolean {
  if (format === 'png') return image.lastIndexOf('IEND') === -1;
  if (format === 'webp') return image.length < 12 || image.readUInt32LE(4) + 8 > image.length;
  if (format === 'avif') return boxesEnd(image) > image.length;
  return /premature end|unexpected end|bad seek|truncated/i.test(reason);
}

/** Where the boxes of an ISO media file end, as they say themselves. */
function boxesEnd(image: Buffer): number {
  let at = 0;
  while (at + 16 <= image.length) {
    const size = image.readUInt32BE(at);
    // 0: to the end of the file; 1: the size is in the 8 bytes after the type.
    if (size === 0) return image.length;
    const length = size === 1 ? Number(image.readBigUInt64BE(at + 8)) : size;
    if (length < 8) return at;
    at += length;
  }
  return at;
}

/** The error for a picture that the decoder refuses, with what it said. */
export function undecodable(format: ImageFormat, image: Buffer, cause: unknown): M2fpError {
  if (format === 'avif' && isSequence(image)) {
    return new M2fpError(
      'M2FP_UNSUPPORTED_FORMAT',
      'This is an animated AVIF, which cannot be decoded: send a still one, for example its first frame as JPEG or PNG.',
      { cause },
    );
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  const detail = ` (${reason.split('\n')[0]})`;
  const error = isTruncated(format, image, reason)
    ? truncated(format, image.length, detail)
    : damaged(format, detail);
  error.cause = cause;
  return error;
}
