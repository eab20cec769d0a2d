import { M2fpError } from '../errors.ts';
import type { ImageLimits } from './types.ts';

/**
 * 32 MiB encoded; 64 million pixels, so that a phone's photo of 50 megapixels passes: 190 MB decoded, some 240 MB while
 * it is decoded, and never more than 640 MB, however it is stored (see cost.ts).
 */
export const DEFAULT_LIMITS: Readonly<ImageLimits> = { maxBytes: 32 * 1024 * 1024, maxPixels: 64_000_000 };

/** The same for pictures that no model looks at, such as those of a preview: whatever a model's form says. */
export const FIXED_LIMITS: Readonly<ImageLimits> = { ...DEFAULT_LIMITS, fixed: true };

/** Most that the limits can be set to: libvips and the maps of a parsing go no further. */
export const MOST_BYTES = 1024 * 1024 * 1024;
export const MOST_PIXELS = 500_000_000;
/** What no model takes, whatever its form says. */
export const MOST_LIMITS: Readonly<ImageLimits> = { maxBytes: MOST_BYTES, maxPixels: MOST_PIXELS };

/** Pixels that the short side of the network's input may have: more takes longer than anybody waits. */
export const MOST_SHORT_SIDE = 4096;

/** The limits that `given` names, and the default ones for the rest. */
export function limitsFrom({
  maxBytes,
  maxPixels,
}: Partial<Pick<ImageLimits, 'maxBytes' | 'maxPixels'>>): ImageLimits {
  return { maxBytes: maxBytes ?? DEFAULT_LIMITS.maxBytes, maxPixels: maxPixels ?? DEFAULT_LIMITS.maxPixels };
}

/** ", or" where the limit is raised; nothing where it cannot be. */
export function orRaise(limit: 'bytes' | 'pixels', { fixed = false }: ImageLimits): string {
  if (fixed) return '';
  return limit === 'bytes'
    ? ', or raise the limit of bytes: "Largest file" (maxImageSize) in the form of the model, --max-image-size of m2fp, or the option maxBytes of an engine'
    : ', or raise the limit of pixels: "Largest picture" (maxMegapixels) in the form of the model, --max-megapixels of m2fp, ' +
        'or the option maxPixels of an engine';
}

/** Longest side of a picture, pixels: JPEG and GIF end there too, and the resizer's tables stay small. */
const MAX_SIDE = 65_535;

/** Throws M2FP_IMAGE_TOO_LARGE where an encoded picture has more bytes than allowed. */
export function checkBytes(bytes: number, limits: ImageLimits): void {
  const { maxBytes } = limits;
  if (bytes <= maxBytes) return;
  throw new M2fpError(
    'M2FP_IMAGE_TOO_LARGE',
    `The picture has ${bytes} bytes; the limit is ${maxBytes}. Send a smaller one${orRaise('bytes', limits)}.`,
  );
}

/** Throws M2FP_IMAGE_TOO_LARGE where a picture has more pixels than allowed, or a side over 65535. */
export function checkPixels(width: number, height: number, limits: ImageLimits): void {
  const { maxPixels } = limits;
  if (width * height > maxPixels) {
    throw new M2fpError(
      'M2FP_IMAGE_TOO_LARGE',
      `The picture is ${width} x ${height} pixels (${width * height}); the limit is ${maxPixels}. ` +
        `Send a smaller one${orRaise('pixels', limits)}.`,
    );
  }
  if (Math.max(width, height) > MAX_SIDE) {
    throw new M2fpError(
      'M2FP_IMAGE_TOO_LARGE',
      `The picture is ${width} x ${height} pixels; no side may be longer than ${MAX_SIDE}.`,
    );
  }
}
