/** Pictures and symbols over what is hidden. */
import { asM2fpError } from '../../errors.ts';
import { DEFAULT_LIMITS } from '../../image/limits.ts';
import { loadSharp } from '../../image/sharp.ts';
import { forEachSlice } from '../../image/slices.ts';
import type { RawImage } from '../../image/types.ts';
import { decodeVisible } from '../../image/visible.ts';
import type { InstanceMap } from '../masks/instance-map.ts';
import type { Box } from '../types.ts';

/** In a square of 100 units a side. */
const DRAWN = {
  smile:
    '<circle cx="50" cy="50" r="49" fill="#ffcc33" stroke="#c98a00" stroke-width="2"/>' +
    '<ellipse cx="34" cy="38" rx="6" ry="9" fill="#4a3410"/><ellipse cx="66" cy="38" rx="6" ry="9" fill="#4a3410"/>' +
    '<path d="M24 58q26 34 52 0" fill="none" stroke="#4a3410" stroke-width="6" stroke-linecap="round"/>',
  silhouette:
    '<rect width="100" height="100" fill="#d0d5da"/><circle cx="50" cy="36" r="20" fill="#7b858f"/>' +
    '<path d="M12 100q0-38 38-38t38 38z" fill="#7b858f"/>',
  star: '<path d="M50 2l14 34 36 3-27 24 8 35-31-19-31 19 8-35-27-24 36-3z" fill="#ffcc33" stroke="#c98a00" stroke-width="2"/>',
  cross:
    '<rect width="100" height="100" fill="#20252a"/><path d="M22 22l56 56M78 22l-56 56" stroke="#ffffff" stroke-width="12" stroke-linecap="round"/>',
} as const;

export type SymbolName = keyof typeof DRAWN;
export const SYMBOLS = Object.keys(DRAWN) as [SymbolName, ...SymbolName[]];

/** Gives the overlay in a size, 4 channels. */
export type Overlay = (width: number, height: number) => Promise<Buffer>;

/** One of {@link SYMBOLS}. */
export function symbolOverlay(name: SymbolName): Overlay {
  return async (width, height) => {
    const sharp = await loadSharp();
    const size = `width="${width}" height="${height}" viewBox="0 0 100 100" preserveAspectRatio="none"`;
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${DRAWN[name]}</svg>`;
    return sharp(Buffer.from(svg), { limitInputPixels: false }).ensureAlpha().raw().toBuffer();
  };
}

/**
 * An encoded picture of any format that the nodes read.
 * @throws {M2fpError} what decoding throws: the picture is no picture, too large or damaged
 */
export async function pictureOverlay(encoded: Buffer): Promise<Overlay> {
  const { width, height, channels, data } = await decodeVisible(encoded, DEFAULT_LIMITS);
  const sharp = await loadSharp();
  return async (wide, high) => {
    try {
      return await sharp(data, { raw: { width, height, channels }, limitInputPixels: false })
        .resize(wide, high, { fit: 'fill' })
        .ensureAlpha()
        .raw()
        .toBuffer();
    } catch (error) {
      throw asM2fpError(error, 'M2FP_BAD_IMAGE', 'The picture to be laid over cannot be resized');
    }
  };
}

/**
 * Lays an overlay over each region, as large as the box around it, in place. Where the overlay is transparent stays what is
 * there, which must be hidden by then; what is transparent in `image` stays so.
 * @param isInside whether nothing is drawn beside the region's own pixels
 */
export async function drawOverlays(
  image: RawImage,
  { owners, boxes }: { owners: InstanceMap; boxes: readonly (Box | null)[] },
  overlay: Overlay,
  isInside: boolean,
): Promise<void> {
  for (const [region, box] of boxes.entries()) {
    if (box !== null)
      await draw(
        image,
        box,
        await overlay(box.width, box.height),
        (p) => !isInside || owners[p] === region + 1,
      );
  }
}

async function draw(
  { width, channels, data }: RawImage,
  box: Box,
  drawn: Buffer,
  isDrawn: (p: number) => boolean,
): Promise<void> {
  await forEachSlice(box.height, 16 * box.width, (first, end) => {
    for (let y = first; y < end; y++) {
      let from = 4 * y * box.width;
      let p = (box.y + y) * width + box.x;
      for (let x = 0; x < box.width; x++, p++, from += 4) {
        const at = p * channels;
        const opaque = drawn[from + 3]! / 255;
        if (opaque === 0 || (channels === 4 && data[at + 3] === 0) || !isDrawn(p)) continue;
        for (let c = 0; c < 3; c++)
          data[at + c] = Math.round(drawn[from + c]! * opaque + data[at + c]! * (1 - opaque));
      }
    }
  });
}
