/** The canvas that a crop is put on, as shops ask for: of one aspect or size, with a margin around what is shown. */
import { loadSharp } from '../../image/sharp.ts';
import type { RawImage } from '../../image/types.ts';
import { custom, type Extent, type Option } from '../options/option-table.ts';
import { badOption } from '../options/options.ts';
import type { Rgb } from '../options/palette.ts';

/** A size in pixels, or an aspect, width to height. */
export type CanvasSize = { width: number; height: number } | { aspect: number };

export interface Canvas {
  size: CanvasSize;
  /** On each side: pixels, or a share of the canvas' shorter side. */
  margin: Extent;
}

const MAX_SIDE = 16_384;
const MAX_ASPECT = 100;
/** Percent of the shorter side: something must be left between the margins. */
export const MAX_MARGIN = 45;

/** "square", "4:5" or "1080x1350". */
export const CANVAS_OPTION: Option<CanvasSize, string, string> = custom(readSize, {
  value: 'square',
  check: ['canvas'],
});

function readSize(name: string, given: unknown): CanvasSize {
  const text = given === undefined ? 'square' : given;
  if (typeof text === 'string') {
    const words = text.trim().toLowerCase();
    if (words === 'square') return { aspect: 1 };
    const [, width, sign, height] = /^(\d+(?:\.\d+)?)\s*([:x×])\s*(\d+(?:\.\d+)?)$/.exec(words) ?? [];
    const [w, h] = [Number(width), Number(height)];
    if (sign === ':' && w / h >= 1 / MAX_ASPECT && w / h <= MAX_ASPECT) return { aspect: w / h };
    const isSide = (side: number): boolean => Number.isInteger(side) && side >= 1 && side <= MAX_SIDE;
    if (sign !== undefined && sign !== ':' && isSide(w) && isSide(h)) return { width: w, height: h };
  }
  throw badOption(
    name,
    given,
    `"square", an aspect such as "4:5", or pixels such as "1080x1350", sides up to ${MAX_SIDE}`,
  );
}

/** What a crop of this size becomes: the canvas, and where on it the crop lies. */
export interface Placement {
  width: number;
  height: number;
  inner: { x: number; y: number; width: number; height: number };
}

/**
 * Where a crop lies: in the middle, as large as the margins let it be. A canvas of an aspect is as small as it may be for the crop
 * at its own size; on one of pixels the crop is made larger or smaller.
 */
export function placeOnCanvas(crop: { width: number; height: number }, { size, margin }: Canvas): Placement {
  if ('aspect' in size) return centred(crop, canvasAround(crop, size.aspect, margin));
  const least = Math.min(size.width, size.height);
  const wanted = 'share' in margin ? Math.round(margin.share * least) : margin.pixels;
  // Margins that leave nothing between them leave a pixel.
  const around = Math.min(wanted, Math.floor((least - 1) / 2));
  const room = { width: size.width - 2 * around, height: size.height - 2 * around };
  const scale = Math.min(room.width / crop.width, room.height / crop.height);
  const fitted = (side: number): number => Math.max(1, Math.round(side * scale));
  return centred({ width: fitted(crop.width), height: fitted(crop.height) }, size);
}

function centred(
  { width, height }: { width: number; height: number },
  canvas: { width: number; height: number },
): Placement {
  const x = Math.floor((canvas.width - width) / 2);
  const y = Math.floor((canvas.height - height) / 2);
  return { ...canvas, inner: { x, y, width, height } };
}

/** The smallest canvas of an aspect that holds the crop and its margins. */
function canvasAround(
  { width, height }: { width: number; height: number },
  aspect: number,
  margin: Extent,
): { width: number; height: number } {
  // A margin is so many pixels, or a share of the shorter side, which it makes longer itself.
  const [share, pixels] = 'share' in margin ? [margin.share, 0] : [0, margin.pixels];
  const [wide, high] = [width + 2 * pixels, height + 2 * pixels];
  if (aspect <= 1) {
    const least = Math.ceil(Math.max(wide / (1 - 2 * share), high / (1 / aspect - 2 * share)));
    return { width: least, height: Math.max(high, Math.round(least / aspect)) };
  }
  const least = Math.ceil(Math.max(high / (1 - 2 * share), wide / (aspect - 2 * share)));
  return { width: Math.max(wide, Math.round(least * aspect)), height: least };
}

/** `image` at its place on the canvas, on `fill` (null: on nothing). Off the main thread. */
export async function onCanvas(
  image: RawImage,
  { width, height, inner }: Placement,
  fill: Rgb | null,
): Promise<RawImage> {
  const sharp = await loadSharp();
  const [r, g, b] = fill ?? [0, 0, 0];
  const raw = { width: image.width, height: image.height, channels: image.channels };
  const placed = sharp(image.data, { raw, limitInputPixels: false })
    .resize({ width: inner.width, height: inner.height, fit: 'fill' })
    .extend({
      left: inner.x,
      top: inner.y,
      right: width - inner.x - inner.width,
      bottom: height - inner.y - inner.height,
      background: { r, g, b, alpha: fill === null ? 0 : 1 },
    });
  if (fill === null) placed.ensureAlpha();
  else if (image.channels === 3) placed.removeAlpha();
  const { data, info } = await placed.raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, channels: info.channels as RawImage['channels'], data };
}
