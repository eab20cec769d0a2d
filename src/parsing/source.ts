/** The picture that a parsing was made from, as pixels. */
import { M2fpError } from '../errors.ts';
import { decodeVisible } from '../image/visible.ts';
import type { RawImage } from '../image/types.ts';
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
  const { image, width, height } = parsing;
  let source: RawImage;
  try {
    source = await decodeVisible(
      image,
      {
        maxBytes: image.length,
        maxPixels: width * height,
        // It was decoded before, by whatever limits.
        maxMemory: Infinity,
      },
      invisible,
    );
  } catch (error) {
    const isLarger = error instanceof M2fpError && error.code === 'M2FP_IMAGE_TOO_LARGE';
    throw isLarger ? mismatch(parsing, 'has more', error) : error;
  }
  if (source.width !== width || source.height !== height) {
    throw mismatch(parsing, `has ${source.width} x ${source.height}`);
  }
  return source;
}
