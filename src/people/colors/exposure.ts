/** How bright a picture was taken: white in the dark is as dark as grey in daylight. */
import type { RawImage } from '../../image/types.ts';
import { oklabOf } from './oklab.ts';

/** Almost the brightest of a picture is taken for almost white; the very brightest may be a lamp. */
const BRIGHT = 0.985;
/** Lightness in Oklab of what is almost white: it gives back nine tenths of the light. */
const ALMOST_WHITE = Math.cbrt(0.9);
/** Not every picture has something white in it. */
const MOST = Math.cbrt(3);
const LEAST = Math.cbrt(1 / 1.3);
/** Pixels that are looked at. */
const SAMPLES = 4000;

/**
 * By what the lightness of the colours of a picture is to be multiplied before they are named, 0.9 to 1.4. The light's
 * colour is left as it is: what takes its cast away for a whole picture (grey world and its kin) was wrong more often than
 * the camera (docs/recipes.md has the figures).
 *
 * @param image opaque
 */
export function exposureOf({ width, height, channels, data }: RawImage): number {
  const pixels = width * height;
  const step = Math.max(1, Math.floor(pixels / SAMPLES));
  const lightness = new Float32Array(Math.ceil(pixels / step));
  for (let p = 0, i = 0; p < pixels; p += step, i++) {
    const at = p * channels;
    lightness[i] = luminanceOf(data[at]!, data[at + 1]!, data[at + 2]!);
  }
  lightness.sort();
  const bright = Math.cbrt(lightness[Math.floor(BRIGHT * (lightness.length - 1))]!);
  return Math.min(Math.max(ALMOST_WHITE / Math.max(bright, 0.01), LEAST), MOST);
}

/** Linear light of each byte of an sRGB channel, 0 to 1: of grey, lightness is its cube root. */
const LINEAR = Float64Array.from({ length: 256 }, (_, byte) => oklabOf(byte, byte, byte)[0] ** 3);

/** Luminance (ITU-R BT.709), 0 to 1. */
function luminanceOf(red: number, green: number, blue: number): number {
  return 0.2126 * LINEAR[red]! + 0.7152 * LINEAR[green]! + 0.0722 * LINEAR[blue]!;
}
