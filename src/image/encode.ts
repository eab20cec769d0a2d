/** Pixels to encoded bytes. */
import { asM2fpError, M2fpError } from '../errors.ts';
import { loadSharp } from './sharp.ts';
import type { RawImage } from './types.ts';

export const ENCODED_FORMATS = ['png', 'jpeg', 'webp'] as const;

export interface EncodeOptions {
  format: (typeof ENCODED_FORMATS)[number];
  /** 1 (smallest) to 100 (best) for jpeg and webp, 85 if absent. PNG is lossless and takes no notice of it. */
  quality?: number;
}

const DEFAULT_QUALITY = 85;

/** Pixels a side, where a format has a bound that pictures may meet. */
const MOST_PIXELS: Readonly<Partial<Record<EncodeOptions['format'], number>>> = { webp: 16383, jpeg: 65500 };

/**
 * A picture as PNG, JPEG or WebP. JPEG knows no transparency: pixels with alpha are laid on white.
 *
 * @throws M2FP_BAD_OPTION an unknown format, a quality outside 1..100, a size that the format cannot hold
 * @throws M2FP_BAD_IMAGE `raw.data` has another number of bytes than its size says
 * @throws M2FP_ENGINE_UNAVAILABLE sharp does not load
 */
export async function encodeImage(raw: RawImage, options: EncodeOptions): Promise<Buffer> {
  const { format, quality = DEFAULT_QUALITY } = options;
  if (!ENCODED_FORMATS.includes(format)) {
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      `The format must be one of ${ENCODED_FORMATS.join(', ')}, not ${JSON.stringify(format)}.`,
    );
  }
  if (!Number.isInteger(quality) || quality < 1 || quality > 100) {
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      `The quality must be a whole number from 1 to 100, not ${JSON.stringify(quality)}.`,
    );
  }
  const { width, height, channels, data } = raw;
  if (width < 1 || height < 1 || data.length !== width * height * channels) {
    throw new M2fpError(
      'M2FP_BAD_IMAGE',
      `${width} x ${height} pixels of ${channels} channels are ${width * height * channels} bytes, not ${data.length}.`,
    );
  }
  const most = MOST_PIXELS[format] ?? Infinity;
  if (Math.max(width, height) > most) {
    const others = ENCODED_FORMATS.filter(
      (other) => Math.max(width, height) <= (MOST_PIXELS[other] ?? Infinity),
    );
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      `Option "format" is "${format}"; allowed: ${others.join(' or ')}, since the picture has ${width} x ${height} pixels, ` +
        `and ${format} at most ${most} a side.`,
    );
  }
  const sharp = await loadSharp();
  const image = sharp(data, { raw: { width, height, channels }, limitInputPixels: false });
  if (format === 'png') image.png();
  else if (format === 'webp') image.webp({ quality });
  else image.flatten({ background: '#ffffff' }).jpeg({ quality });
  try {
    return await image.toBuffer();
  } catch (error) {
    throw asM2fpError(error, 'M2FP_BAD_OPTION', `${width} x ${height} pixels cannot be written as ${format}`);
  }
}
