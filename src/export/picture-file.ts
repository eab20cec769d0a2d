/** The picture itself, as a data set gets it. */
import { encodeImage } from '../image/encode.ts';
import { detectFormat } from '../image/formats/format.ts';
import { withoutMetadata } from '../image/formats/jpeg-metadata.ts';
import { loadSharp } from '../image/sharp.ts';
import { decodeSource } from '../parsing/source.ts';
import type { Parsing } from '../parsing/types.ts';

export interface PictureFile {
  /** With its dot. */
  extension: '.jpg' | '.png';
  content: Buffer;
}

const TURNED_QUALITY = 95;

/**
 * The picture as every reader sees it alike: an upright JPEG stays as it is, bit for bit, without its metadata; one that is to be
 * turned is encoded once more; any other format becomes a PNG, without what its transparency hides.
 * @throws {M2fpError} what decoding throws
 */
export async function pictureFile(parsing: Parsing): Promise<PictureFile> {
  const { image } = parsing;
  const isJpeg = detectFormat(image) === 'jpeg';
  if (isJpeg && (await isUpright(image))) {
    const content = await withoutMetadata(image);
    if (content !== null) return { extension: '.jpg', content };
  }
  const source = await decodeSource(parsing);
  return isJpeg
    ? { extension: '.jpg', content: await encodeImage(source, { format: 'jpeg', quality: TURNED_QUALITY }) }
    : { extension: '.png', content: await encodeImage(source, { format: 'png' }) };
}

async function isUpright(jpeg: Buffer): Promise<boolean> {
  const sharp = await loadSharp();
  const { orientation = 1 } = await sharp(jpeg, { limitInputPixels: false, failOn: 'none' }).metadata();
  return orientation <= 1;
}
