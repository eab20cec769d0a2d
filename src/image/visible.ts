/** What one sees of a picture, and nothing of what its transparency hides. */
import { decodeImage } from './decode.ts';
import { forEachSlice } from './slices.ts';
import type { ImageLimits, RawImage } from './types.ts';

/**
 * Opacity (0 to 255) up to which a pixel counts as invisible, where nothing else is asked for: a lossy AVIF makes 1 or 2 of 0, here and there 3, and nobody
 * sees a hundredth of a colour.
 */
const INVISIBLE = 3;

/**
 * What is left of a colour (0 to 255) at an opacity: as many shades as one can tell apart there.
 * Index: 256 * opacity + colour.
 */
const SEEN = Uint8Array.from({ length: 65_536 }, (_, i) => {
  const [alpha, color] = [i >> 8, i & 255];
  return alpha === 0 ? 0 : Math.round((Math.round((color * alpha) / 255) * 255) / alpha);
});

/**
 * The pixels of an encoded picture as its file has them, with its transparency: 4 channels where the
 * picture has a pixel that is not opaque, else 3. Of the colours that transparency hides nothing is left: an
 * invisible pixel is (0, 0, 0, 0), and one that is nearly so keeps no more shades than can be seen of it, for what was
 * invisible must not lie in a picture that is passed on. The pixels are the caller's own.
 *
 * @param invisible the opacity (0 to 254) up to which a pixel is invisible
 * @throws {M2fpError} what decoding throws
 */
export async function decodeVisible(
  image: Buffer,
  limits: ImageLimits,
  invisible = INVISIBLE,
): Promise<RawImage> {
  const raw = await decodeImage(image, limits, 'keep');
  if (raw.channels === 3) return raw;
  const { width, height, data } = raw;
  let isOpaque = true;
  await forEachSlice(width * height, 4, (first, end) => {
    for (let at = 4 * first; at < 4 * end; at += 4) {
      const alpha = data[at + 3]!;
      if (alpha === 255) continue;
      isOpaque = false;
      if (alpha <= invisible) {
        data.fill(0, at, at + 4);
        continue;
      }
      const row = alpha << 8;
      data[at] = SEEN[row + data[at]!]!;
      data[at + 1] = SEEN[row + data[at + 1]!]!;
      data[at + 2] = SEEN[row + data[at + 2]!]!;
    }
  });
  return isOpaque ? withoutAlpha(raw) : raw;
}

/** Of an opaque picture. */
async function withoutAlpha({ width, height, data }: RawImage): Promise<RawImage> {
  const rgb = Buffer.alloc(3 * width * height);
  await forEachSlice(width * height, 3, (first, end) => {
    for (let p = first; p < end; p++) {
      rgb[3 * p] = data[4 * p]!;
      rgb[3 * p + 1] = data[4 * p + 1]!;
      rgb[3 * p + 2] = data[4 * p + 2]!;
    }
  });
  return { width, height, channels: 3, data: rgb };
}
