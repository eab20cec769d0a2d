import { M2fpError } from '../errors.ts';
import type { ImageLimits } from './types.ts';

/** 32 MiB encoded; 50 million pixels, which is 150 MB decoded. */
export const DEFAULT_LIMITS: Readonly<ImageLimits> = { maxBytes: 32 * 1024 * 1024, maxPixels: 50_000_000 };

/** Longest side of a picture, pixels: JPEG and GIF end there too, and the resizer's tables stay small. */
const MAX_SIDE = 65_535;

/** Throws M2FP_IMAGE_TOO_LARGE where an encoded picture has more bytes than allowed. */
export function checkBytes(bytes: number, { maxBytes }: ImageLimits): void {
  if (bytes <= maxBytes) return;
  throw new M2fpError(
    'M2FP_IMAGE_TOO_LARGE',
    `The picture has ${bytes} bytes; the limit is ${maxBytes}. Send a smaller one or raise the limit of bytes.`,
  );
}

/** Throws M2FP_IMAGE_TOO_LARGE where a picture has more pixels than allowed, or a side over 65535. */
export function checkPixels(width: number, height: number, { maxPixels }: ImageLimits): void {
  if (width * height > maxPixels) {
    throw new M2fpError(
      'M2FP_IMAGE_TOO_LARGE',
      `The picture is ${width} x ${height} pixels (${width * height}); the limit is ${maxPixels}. ` +
        'Send a smaller one or raise the limit of pixels.',
    );
  }
  if (Math.max(width, height) > MAX_SIDE) {
    throw new M2fpError(
      'M2FP_IMAGE_TOO_LARGE',
      `The picture is ${width} x ${height} pixels; no side may be longer than ${MAX_SIDE}.`,
    );
  }
}
