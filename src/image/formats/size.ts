/** The size of a picture, without decoding it. */
import { detectFormat } from './format.ts';
import { loadSharp } from '../sharp.ts';

/**
 * The size that a picture has once it is decoded: of the first frame or page, turned upright, pixels.
 *
 * @returns null where its header cannot be read, or is of no supported format
 * @throws {M2fpError} `M2FP_ENGINE_UNAVAILABLE` where sharp does not load
 */
export async function imageSize(image: Buffer): Promise<{ width: number; height: number } | null> {
  if (detectFormat(image) === null) return null;
  const sharp = await loadSharp();
  const header = await sharp(image, { limitInputPixels: false, failOn: 'none' })
    .metadata()
    .catch(() => null);
  return header === null ? null : { width: header.autoOrient.width, height: header.autoOrient.height };
}
