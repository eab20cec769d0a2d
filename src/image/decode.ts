/** Encoded bytes to pixels. */
import { M2fpError } from '../errors.ts';
import { requireFormat, type PictureFormat } from './format.ts';
import { isSrgbProfile } from './icc.ts';
import { checkBytes, checkPixels, DEFAULT_LIMITS } from './limits.ts';
import { loadSharp } from './sharp.ts';
import type { ImageLimits, RawImage } from './types.ts';

const NAMES: Record<PictureFormat, string> = {
  jpeg: 'JPEG',
  png: 'PNG',
  webp: 'WebP',
  gif: 'GIF',
  tiff: 'TIFF',
  avif: 'AVIF',
};

/** True where a picture ends before its own structure says that it does. */
function isTruncated(format: PictureFormat, image: Buffer, reason: string): boolean {
  if (format === 'png') return image.lastIndexOf('IEND') === -1;
  if (format === 'webp') return image.length < 12 || image.readUInt32LE(4) + 8 > image.length;
  if (format === 'tiff' && image.length >= 8) {
    const little = image[0] === 0x49;
    if ((little ? image.readUInt32LE(4) : image.readUInt32BE(4)) >= image.length) return true;
  }
  return /premature end|unexpected end|bad seek|truncated/i.test(reason);
}

function undecodable(format: PictureFormat, image: Buffer, error: unknown): M2fpError {
  const reason = error instanceof Error ? error.message : String(error);
  const [firstLine] = reason.split('\n');
  const what = isTruncated(format, image, reason)
    ? `is truncated: its end is missing after ${image.length} bytes. It was cut off on the way (a size limit, an ` +
      'aborted upload) or not written wholly yet; send it again'
    : 'is damaged or of a kind that cannot be decoded; save it again with another program or send another';
  return new M2fpError('M2FP_BAD_IMAGE', `The ${NAMES[format]} ${what} (${firstLine}).`, { cause: error });
}

/**
 * The pixels of an encoded picture: 3 channels, 8 bits, sRGB, turned upright by its EXIF orientation; the first frame
 * or page only. Values are those of Pillow's `convert('RGB')` after `exif_transpose` for plain pictures (8-bit RGB
 * and greyscale, palettes, 16-bit RGB of which the high byte is kept): alpha is dropped and the colour under it
 * stays. It differs from Pillow where that gives wrong colours: an embedded profile other than sRGB is converted to
 * sRGB (Pillow ignores it), CMYK is converted by its profile (Pillow subtracts), 16-bit greyscale keeps the high
 * byte (Pillow clips at 255). AVIF with halved colour resolution differs in how colour is spread over the pixels.
 *
 * Bytes and pixels are checked against `limits` before anything is decoded. What a decoder only warns of (stray
 * bytes in a camera's JPEG) is accepted, damage and truncation are not.
 *
 * @throws M2FP_NO_IMAGE no bytes
 * @throws M2FP_UNSUPPORTED_FORMAT no picture of a supported format
 * @throws M2FP_IMAGE_TOO_LARGE over a limit
 * @throws M2FP_BAD_IMAGE truncated or damaged
 * @throws M2FP_ENGINE_UNAVAILABLE sharp does not load
 */
export async function decodePicture(image: Buffer, limits: ImageLimits = DEFAULT_LIMITS): Promise<RawImage> {
  if (image.length === 0) throw new M2fpError('M2FP_NO_IMAGE', 'The picture has 0 bytes.');
  checkBytes(image.length, limits);
  const format = requireFormat(image);
  // A PNG may claim sides that libvips cannot even express.
  if (format === 'png' && image.length >= 24) {
    checkPixels(image.readUInt32BE(16), image.readUInt32BE(20), limits);
  }
  const sharp = await loadSharp();
  const options = { failOn: 'error', limitInputPixels: false, autoOrient: true } as const;
  const header = await sharp(image, options)
    .metadata()
    .catch((error: unknown) => {
      throw undecodable(format, image, error);
    });
  checkPixels(header.width, header.height, limits);
  const ignoreIcc = header.icc === undefined || isSrgbProfile(header.icc);
  const picture = sharp(image, { ...options, limitInputPixels: limits.maxPixels, ignoreIcc })
    .removeAlpha()
    .toColourspace('srgb');
  // sharp takes 16-bit pictures with a profile to Display P3 and leaves them there, unless a profile is asked for.
  if (!ignoreIcc && header.space === 'rgb16') picture.withIccProfile('srgb', { attach: false });
  const { data, info } = await picture
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
    .catch((error: unknown) => {
      throw undecodable(format, image, error);
    });
  if (info.channels !== 3) {
    throw new M2fpError(
      'M2FP_BAD_IMAGE',
      `The ${NAMES[format]} has ${info.channels} channels; pictures are greyscale, RGB or CMYK.`,
    );
  }
  return { width: info.width, height: info.height, channels: 3, data };
}
