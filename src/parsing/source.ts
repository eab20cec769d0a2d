/** The picture that a parsing was made from, as pixels. */
import { M2fpError } from '../errors.ts';
import { decodeSmall } from '../image/decode.ts';
import { decodeVisible } from '../image/visible.ts';
import type { ImageLimits, RawImage } from '../image/types.ts';
import type { Parsing } from './types.ts';

/** The error where the parsing and its picture do not belong together. */
function mismatch({ width, height }: Parsing, actual: string, cause?: unknown): M2fpError {
  return new M2fpError(
    'M2FP_NO_PARSING',
    `The parsing is of a picture of ${width} x ${height} pixels, but its image ${actual}: ` +
      'leave the image in the parsing as the infer node set it.',
    { cause },
  );
}

/**
 * Decodes what is visible of the source picture of `parsing` (see {@link decodeVisible}), EXIF-turned. The pixels are
 * the caller's own: they may be written to.
 * @param invisible the opacity (0 to 254) up to which a pixel is invisible; default: what nobody sees
 * @throws {M2fpError} `M2FP_NO_PARSING` where its size is not that of the parsing; what decoding throws
 */
export async function decodeSource(parsing: Parsing, invisible?: number): Promise<RawImage> {
  const source = await decoded(parsing, (limits) => decodeVisible(parsing.image, limits, invisible));
  checkSize(parsing, source);
  return source;
}

/**
 * The source picture as one sees it, EXIF-turned and laid on white, no side longer than `maxSide` pixels.
 * @throws {M2fpError} as {@link decodeSource}
 */
export async function decodeSmallSource(parsing: Parsing, maxSide: number): Promise<RawImage> {
  const { pixels, full } = await decoded(parsing, (limits) => decodeSmall(parsing.image, limits, maxSide));
  checkSize(parsing, full);
  return pixels;
}

/** What `decode` gives, within the limits that the parsing itself sets. */
async function decoded<T>(parsing: Parsing, decode: (limits: ImageLimits) => Promise<T>): Promise<T> {
  const { image, width, height } = parsing;
  try {
    // It was decoded before, by whatever limits.
    return await decode({ maxBytes: image.length, maxPixels: width * height, maxMemory: Infinity });
  } catch (error) {
    const isLarger = error instanceof M2fpError && error.code === 'M2FP_IMAGE_TOO_LARGE';
    throw isLarger ? mismatch(parsing, 'has more', error) : error;
  }
}

function checkSize(parsing: Parsing, { width, height }: { width: number; height: number }): void {
  if (width !== parsing.width || height !== parsing.height)
    throw mismatch(parsing, `has ${width} x ${height}`);
}
