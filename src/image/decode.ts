/** Encoded bytes to pixels. */
import { M2fpError } from '../errors.ts';
import { checkCost } from './formats/cost.ts';
import { requireFormat } from './formats/format.ts';
import { isSrgbProfile } from './formats/icc.ts';
import { checkBytes, checkPixels, DEFAULT_LIMITS } from './limits.ts';
import { NAMES, type Readable, readable, readableAfterAll, undecodable } from './source/readable.ts';
import { loadSharp } from './sharp.ts';
import type { AlphaMode, ImageLimits, RawImage } from './types.ts';
import { onWhite } from './on-white.ts';

/**
 * The pixels of an encoded picture as one sees them: 3 channels, 8 bits, sRGB, turned upright by its EXIF orientation,
 * laid on white where it is not opaque; the first frame or page only. A wholly transparent pixel is white, whatever
 * colour the file keeps there: what nobody sees must not reach the network, for what it finds there is passed on.
 *
 * Values of plain opaque pictures (8-bit RGB and greyscale, palettes, 16-bit RGB of which the high byte is kept) are
 * those of Pillow's `convert('RGB')` after `exif_transpose`, and with `drop` those of transparent ones, too. It differs from Pillow where that gives wrong colours: an embedded profile other than sRGB is converted to
 * sRGB (Pillow ignores it), CMYK is converted by its profile (Pillow subtracts), 16-bit greyscale keeps the high
 * byte (Pillow clips at 255). AVIF with halved colour resolution differs in how colour is spread over the pixels.
 *
 * Bytes, pixels and what decoding costs are checked against `limits` before anything is decoded. What stands between,
 * before or after the data of the picture is passed over (stray bytes in a camera's JPEG), and so is a missing end
 * marker; damage and truncation of the data itself are not (see {@link readable}).
 *
 * @param alpha `drop` leaves the hidden colours, as ModelScope's pipeline does; `keep` does so, too, and gives a picture
 *   that has alpha 4 channels, the fourth its opacity
 * @throws M2FP_NO_IMAGE no bytes
 * @throws M2FP_UNSUPPORTED_FORMAT no picture of a supported format, or an animated AVIF
 * @throws M2FP_IMAGE_TOO_LARGE over a limit
 * @throws M2FP_BAD_IMAGE truncated or damaged
 * @throws M2FP_ENGINE_UNAVAILABLE sharp does not load
 */
export async function decodeImage(
  image: Buffer,
  limits: ImageLimits = DEFAULT_LIMITS,
  alpha: AlphaMode = 'white',
): Promise<RawImage> {
  return (await decode(image, limits, alpha)).pixels;
}

/** A picture that was made smaller, and the size that it had, pixels. */
export interface SmallImage {
  pixels: RawImage;
  full: { width: number; height: number };
}

/**
 * The same, no side longer than `maxSide` pixels: a large JPEG is not even decoded in full. Means of neighbours, laid on
 * white.
 * @throws {M2fpError} as {@link decodeImage}
 */
export function decodeSmall(image: Buffer, limits: ImageLimits, maxSide: number): Promise<SmallImage> {
  return decode(image, limits, 'white', maxSide);
}

const AS_IT_IS = { limitInputPixels: false, autoOrient: true } as const;

/**
 * Refuses what no decoding could mend: no picture, more pixels than are allowed, a header that cannot be read. Nothing is
 * decoded, so that a picture that is cut off passes; nor is anything looked at where sharp does not load, since workers may have it.
 * @throws {M2fpError} as {@link decodeImage}
 */
export async function checkHeader(image: Buffer, limits: ImageLimits): Promise<void> {
  await headerOf(image, limits).catch((error: unknown) => {
    if (!(error instanceof M2fpError && error.code === 'M2FP_ENGINE_UNAVAILABLE')) throw error;
  });
}

async function headerOf(image: Buffer, limits: ImageLimits) {
  if (image.length === 0) throw new M2fpError('M2FP_NO_IMAGE', 'The picture has 0 bytes.');
  checkBytes(image.length, limits);
  const format = requireFormat(image);
  // A PNG may claim sides that libvips cannot even express.
  if (format === 'png' && image.length >= 24) {
    checkPixels(image.readUInt32BE(16), image.readUInt32BE(20), limits);
  }
  const sharp = await loadSharp();
  const ready = await readable(format, image);
  const header = await sharp(ready.bytes, { ...AS_IT_IS, failOn: 'error' })
    .metadata()
    .catch((error: unknown) => {
      throw undecodable(format, image, error);
    });
  checkPixels(header.width, header.height, limits);
  checkCost(format, { ...header, buffered: ready.buffered }, limits);
  return { sharp, format, ready, header };
}

async function decode(
  image: Buffer,
  limits: ImageLimits,
  alpha: AlphaMode,
  maxSide = Infinity,
): Promise<SmallImage> {
  const { sharp, format, ready, header } = await headerOf(image, limits);
  const ignoreIcc = header.icc === undefined || isSrgbProfile(header.icc);
  const { width: fullWidth, height: fullHeight } = header.autoOrient;
  const scale = Math.min(1, maxSide / Math.max(fullWidth, fullHeight));
  const read = ({ bytes, known }: Readable) => {
    const options = {
      ...AS_IT_IS,
      failOn: known ? 'error' : 'warning',
      limitInputPixels: limits.maxPixels,
    } as const;
    const pipeline = sharp(bytes, { ...options, ignoreIcc }).toColorspace('srgb');
    if (alpha === 'drop') pipeline.removeAlpha();
    if (scale < 1) {
      const side = (length: number): number => Math.max(1, Math.round(length * scale));
      pipeline.resize(side(fullWidth), side(fullHeight), { fit: 'fill', kernel: 'linear' });
    }
    // sharp takes 16-bit pictures with a profile to Display P3 and leaves them there, unless a profile is asked for.
    if (!ignoreIcc && header.space === 'rgb16') pipeline.withIccProfile('srgb', { attach: false });
    return pipeline.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  };
  const { data, info } = await read(ready)
    .catch(async (error: unknown) => {
      if (ready.known) throw error;
      return read(await readableAfterAll(image));
    })
    .catch((error: unknown) => {
      throw error instanceof M2fpError ? error : undecodable(format, image, error);
    });
  const { width, height, channels } = info;
  if (channels !== 3 && !(channels === 4 && alpha !== 'drop')) {
    throw new M2fpError(
      'M2FP_BAD_IMAGE',
      `The ${NAMES[format]} has ${channels} channels; pictures are greyscale, RGB or CMYK.`,
    );
  }
  const pixels: RawImage = { width, height, channels, data };
  const seen = channels === 4 && alpha === 'white' ? await onWhite(pixels) : pixels;
  return { pixels: seen, full: { width: fullWidth, height: fullHeight } };
}
