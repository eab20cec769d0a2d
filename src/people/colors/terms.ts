/**
 * What a colour is called: the eleven basic colour terms of Berlin and Kay, and whether it is dark or light.
 *
 * Light and shade multiply what a cloth gives back, which leaves hue and saturation (chroma by lightness, in Oklab) as
 * they are: so these decide wherever they can, and lightness only between black, grey and white, brown and orange, purple
 * and pink. The limits were found on drawn clothes of known paints under five lights (bench/describe), others than those
 * that it judges by.
 */
import type { Oklab } from './oklab.ts';

export const COLOUR_TERMS = [
  'black',
  'white',
  'grey',
  'red',
  'orange',
  'yellow',
  'green',
  'blue',
  'purple',
  'pink',
  'brown',
] as const;
export type ColorTerm = (typeof COLOUR_TERMS)[number];

export type Shade = 'dark' | 'light';

export interface ColorName {
  term: ColorTerm;
  /** Null: neither dark nor light for its term. */
  shade: Shade | null;
}

/** Below this lightness everything is black. */
const PITCH_BLACK = 0.17;
/** Up to this lightness what has no hue is black, and from the other on it is white. */
const BLACK = 0.42;
const WHITE = 0.77;

/** Lightness below which a term is dark, and from which on it is light; null: never. */
const SHADES: Readonly<Record<ColorTerm, readonly [dark: number | null, light: number | null]>> = {
  black: [null, null],
  white: [null, null],
  grey: [0.52, 0.7],
  red: [0.44, null],
  orange: [null, null],
  yellow: [null, null],
  green: [0.45, 0.78],
  blue: [0.42, 0.7],
  purple: [0.42, 0.66],
  pink: [null, 0.82],
  brown: [0.4, 0.64],
};

/** The term of a colour. */
export function termOf([lightness, a, b]: Oklab): ColorTerm {
  if (lightness < PITCH_BLACK) return 'black';
  const saturation = Math.hypot(a, b) / lightness;
  const degrees = (Math.atan2(b, a) * 180) / Math.PI;
  const hue = degrees < 0 ? degrees + 360 : degrees;
  if (saturation < leastSaturation(lightness, hue)) {
    if (lightness < BLACK) return 'black';
    return lightness < WHITE ? 'grey' : 'white';
  }
  return termOfHue(lightness, saturation, hue);
}

/** What has less has no hue. Lamps and shade turn grey to yellow and to blue, so there it takes more; and in the dark. */
function leastSaturation(lightness: number, hue: number): number {
  const isDark = lightness < BLACK;
  if (hue >= 52 && hue < 112) return isDark ? 0.075 : 0.068;
  if (hue >= 225 && hue < 292) return isDark ? 0.075 : 0.048;
  return isDark ? 0.06 : 0.04;
}

function termOfHue(lightness: number, saturation: number, hue: number): ColorTerm {
  if (hue < 36) return reddish(lightness, saturation, hue);
  if (hue < 76) {
    if (hue < 44 && saturation >= 0.275) return 'red';
    // Dark, or with grey in it: brown.
    const isOrange =
      (lightness >= 0.48 && saturation + 0.15 * (lightness - 0.6) >= 0.208) ||
      (lightness >= 0.72 && saturation >= 0.13);
    return isOrange ? 'orange' : 'brown';
  }
  if (hue < 88) {
    if (lightness < 0.7 || saturation < 0.12) return 'brown';
    return saturation < 0.17 ? 'yellow' : 'orange';
  }
  if (hue < 116) {
    if (lightness >= 0.46 && saturation >= 0.09) return 'yellow';
    return hue < 100 ? 'brown' : 'green';
  }
  if (hue < 195) return 'green';
  if (hue < 288) return 'blue';
  if (hue < 325 || (hue < 338 && saturation >= 0.27)) return 'purple';
  if (hue < 345) return lightness >= 0.58 ? 'pink' : 'purple';
  return reddish(lightness, saturation, hue - 360);
}

/** @param hue -15 to 36 degrees */
function reddish(lightness: number, saturation: number, hue: number): ColorTerm {
  if (saturation >= 0.255) return hue < 8 && lightness > 0.52 ? 'pink' : 'red';
  if (hue >= 20 && lightness < 0.62) return hue >= 30 || saturation < 0.2 ? 'brown' : 'red';
  if (lightness >= 0.46) return 'pink';
  return hue < 8 ? 'purple' : 'red';
}

/** Term and shade of a colour. */
export function nameColor(color: Oklab): ColorName {
  const term = termOf(color);
  const [dark, light] = SHADES[term];
  const [lightness] = color;
  if (dark !== null && lightness < dark) return { term, shade: 'dark' };
  return { term, shade: light !== null && lightness >= light ? 'light' : null };
}
