/** What decoding a picture takes, estimated from its header. */
import { M2fpError } from '../../errors.ts';
import type { ImageFormat } from './format.ts';
import { orRaise } from '../limits.ts';
import type { ImageLimits } from '../types.ts';

/**
 * Bytes of memory for each pixel while a picture is decoded, the 3 of the result among them. Measured with pictures of
 * 8160 x 6144 pixels, each in a process of its own (peak of its resident memory less that before decoding; sharp
 * 0.35.5, libvips 8.18.7):
 *
 * | picture                        | MB  | bytes a pixel | seconds |
 * | ------------------------------ | --- | ------------- | ------- |
 * | JPEG, baseline                 | 176 |           3.5 |     0.4 |
 * | JPEG, progressive, 4:2:0       | 319 |           6.4 |     1.6 |
 * | JPEG, CMYK                     | 182 |           3.6 |     9.2 |
 * | PNG, 8 bits                    | 171 |           3.4 |     1.1 |
 * | PNG, 8 bits, interlaced        | 302 |           6.0 |     5.2 |
 * | PNG, 16 bits                   | 187 |           3.7 |     2.8 |
 * | PNG, 16 bits, alpha, interlaced| 547 |          10.9 |     7.2 |
 * | TIFF, 8 bits, in strips        | 179 |           3.6 |     1.6 |
 * | TIFF, 16 bits, in strips       | 194 |           3.9 |     4.1 |
 * | WebP                           | 406 |           8.1 |     3.6 |
 * | WebP, lossless                 | 403 |           8.0 |     2.5 |
 * | GIF                            | 366 |           7.3 |     2.0 |
 * | AVIF                           | 885 |          17.7 |     8.4 |
 */
const PLAIN = 3.7;

/** What comes on top where the decoder keeps the whole picture in a form of its own. */
const EXTRA: Readonly<Partial<Record<ImageFormat, number>>> = { webp: 4.5, gif: 4, avif: 14.3 };

/** The fourth channel of a picture with transparency, until it is laid on white. */
const ALPHA = 1;

/** Turning by the EXIF orientation needs the whole picture twice. */
const TURN = 3;

/** Bytes of memory that decoding may take for each pixel that a picture may have. */
const PER_PIXEL = 10;

/** What a picture's header tells, as sharp names it. */
interface Header {
  width: number;
  height: number;
  channels?: number;
  /** 'uchar', 'ushort', 'float', ... */
  depth?: string;
  chromaSubsampling?: string;
  isProgressive?: boolean;
  hasAlpha?: boolean;
  orientation?: number;
  buffered: boolean;
}

const DEPTHS: Readonly<Record<string, number>> = {
  uchar: 1,
  char: 1,
  ushort: 2,
  short: 2,
  double: 8,
  complex: 8,
};

/** Estimated bytes of memory that decoding such a picture takes. */
export function decodingCost(format: ImageFormat, header: Header): number {
  const { width, height, channels = 3, depth = 'uchar', chromaSubsampling = '', orientation = 1 } = header;
  const raw = channels * (DEPTHS[depth] ?? 4);
  let each = PLAIN + (EXTRA[format] ?? 0);
  // Coefficients of 16 bits.
  if (format === 'jpeg' && header.buffered) each += chromaSubsampling.startsWith('4:2:0') ? 3 : 2 * channels;
  if (format === 'png' && header.isProgressive === true) each += raw;
  // It may be one single strip.
  if (format === 'tiff') each += raw;
  if (header.hasAlpha === true) each += ALPHA;
  if (orientation > 1) each += TURN;
  return width * height * each;
}

/**
 * @throws M2FP_IMAGE_TOO_LARGE decoding takes more than ten bytes of memory for each pixel of the limit: most pictures
 *   take 4, and reach the limit of pixels first
 */
export function checkCost(format: ImageFormat, header: Header, limits: ImageLimits): void {
  const cost = decodingCost(format, header);
  const allowed = limits.maxMemory ?? limits.maxPixels * PER_PIXEL;
  if (cost <= allowed) return;
  const megabytes = (bytes: number): number => Math.round(bytes / 1e6);
  throw new M2fpError(
    'M2FP_IMAGE_TOO_LARGE',
    `The picture is ${header.width} x ${header.height} pixels, and of its kind (${kind(format, header)}) that takes ` +
      `about ${megabytes(cost)} MB of memory to decode; ${megabytes(allowed)} MB are allowed at a limit of ` +
      `${limits.maxPixels} pixels. Send a smaller one, or a plain JPEG${orRaise('pixels', limits)}.`,
  );
}

function kind(format: ImageFormat, { depth, isProgressive, buffered }: Header): string {
  const words = [
    ...(isProgressive === true || buffered ? [format === 'png' ? 'interlaced' : 'progressive'] : []),
    ...(depth === undefined || depth === 'uchar' ? [] : [`${8 * (DEPTHS[depth] ?? 4)} bits`]),
    format.toUpperCase(),
  ];
  return words.join(' ');
}
