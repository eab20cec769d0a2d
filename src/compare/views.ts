/** Small pictures of two parsings of one photo: the photo, what each found, and where they differ. */
import { encodeImage } from '../image/encode.ts';
import { loadSharp } from '../image/sharp.ts';
import { BACKGROUND_INDEX } from '../parsing/options/options.ts';
import { resolvePalette, type Rgb, UNKNOWN_COLOR } from '../parsing/options/palette.ts';
import { decodeSource } from '../parsing/source.ts';
import type { Parsing } from '../parsing/types.ts';

/** JPEGs of one size. */
export interface Views {
  width: number;
  height: number;
  photo: Buffer;
  a: Buffer;
  b: Buffer;
  difference: Buffer;
}

/** Pixels of the longer side. */
const SIDE = 480;
const OPACITY = 0.6;
/** Where the label maps differ; nothing else that is drawn has this colour. */
const DIFFERENT: Rgb = [255, 0, 128];

/** Draws the label maps of `a` and `b`, which are of the same picture. */
export async function drawViews(a: Parsing, b: Parsing): Promise<Views> {
  const { width, height, pixels } = await shrunk(a);
  const column = Array.from({ length: width }, (_, x) => Math.floor(((x + 0.5) * a.width) / width));
  const row = Array.from({ length: height }, (_, y) => Math.floor(((y + 0.5) * a.height) / height));
  const palette = resolvePalette(a.labels);
  const encode = (color: (at: number, photo: Rgb) => Rgb) => {
    const data = Buffer.alloc(pixels.length);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const p = 3 * (y * width + x);
        data.set(color(row[y]! * a.width + column[x]!, [pixels[p]!, pixels[p + 1]!, pixels[p + 2]!]), p);
      }
    }
    return encodeImage({ width, height, channels: 3, data }, { format: 'jpeg' });
  };
  const painted = (map: Uint8Array) => (at: number, photo: Rgb) => {
    const label = map[at]!;
    return label === BACKGROUND_INDEX ? photo : mix(photo, palette[label] ?? UNKNOWN_COLOR);
  };
  return {
    width,
    height,
    photo: await encode((_, photo) => photo),
    a: await encode(painted(a.labelMap)),
    b: await encode(painted(b.labelMap)),
    difference: await encode((at, photo) => (a.labelMap[at] === b.labelMap[at] ? grey(photo) : DIFFERENT)),
  };
}

function mix(photo: Rgb, color: Rgb): Rgb {
  const [r, g, b] = photo.map((value, i) => value + OPACITY * (color[i]! - value));
  return [r!, g!, b!];
}

/** As bright as the photo, and pale. */
function grey([r, g, b]: Rgb): Rgb {
  const value = 110 + (0.299 * r + 0.587 * g + 0.114 * b) / 2;
  return [value, value, value];
}

/** The photo of a parsing, three channels, white where it is transparent. */
async function shrunk(parsing: Parsing): Promise<{ width: number; height: number; pixels: Buffer }> {
  const sharp = await loadSharp();
  const { width, height, channels, data } = await decodeSource(parsing);
  const { data: pixels, info } = await sharp(data, {
    raw: { width, height, channels },
    limitInputPixels: false,
  })
    .flatten({ background: '#ffffff' })
    .resize({ width: SIDE, height: SIDE, fit: 'inside', withoutEnlargement: true })
    .toColorspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, pixels };
}
