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
const BLACK = 0.46;
const WHITE = 0.83;

/** Lightness below which yellow is a brown or a green; below which what is between orange and yellow is brown; and where
 * either has grey in it. */
const MUSTARD = 0.64;
const OCHRE = 0.78;
const KHAKI = 0.85;
/** Hue (degrees) from which on dark yellow is a green; up to the other, a green is dark where others are not yet. */
const OLIVE = 106;
const GRASS = 128;
const DARK_OLIVE = 0.62;

/** Lightness below which a term is dark, and from which on it is light; null: never. */
const SHADES: Readonly<Record<ColorTerm, readonly [dark: number | null, light: number | null]>> = {
  black: [null, null],
  white: [null, null],
  grey: [0.57, 0.76],
  red: [0.46, null],
  orange: [null, null],
  yellow: [null, null],
  green: [0.47, 0.82],
  blue: [0.44, 0.74],
  purple: [0.44, 0.69],
  pink: [null, 0.86],
  brown: [0.42, 0.67],
};

/** The term of a colour. */
export function termOf([lightness, a, b]: Oklab): ColorTerm {
  if (lightness < PITCH_BLACK) return 'black';
  const saturation = Math.hypot(a, b) / lightness;
  const hue = hueOf(a, b);
  if (saturation < leastSaturation(lightness, hue)) {
    if (lightness < BLACK) return 'black';
    return lightness < WHITE ? 'grey' : 'white';
  }
  return termOfHue(lightness, saturation, hue);
}

/** Degrees, 0 to 360. */
function hueOf(a: number, b: number): number {
  const degrees = (Math.atan2(b, a) * 180) / Math.PI;
  return degrees < 0 ? degrees + 360 : degrees;
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
  if (hue < 84) {
    if (lightness < (saturation < 0.17 ? KHAKI : OCHRE) || saturation < 0.12) return 'brown';
    return saturation < 0.17 ? 'yellow' : 'orange';
  }
  if (hue < 116) return yellowish(lightness, saturation, hue);
  if (hue < 195) return 'green';
  if (hue < 288) return 'blue';
  if (hue < 325 || (hue < 338 && saturation >= 0.27)) return 'purple';
  if (hue < 345) return lightness >= 0.58 ? 'pink' : 'purple';
  return reddish(lightness, saturation, hue - 360);
}

/**
 * What is yellow in the light is called olive, mustard or khaki in the dark: a green, the more so the greener it is, or a brown.
 * @param hue 84 to 116 degrees
 */
function yellowish(lightness: number, saturation: number, hue: number): ColorTerm {
  const isMuted = saturation < 0.14 && hue < 108;
  const least = Math.max(MUSTARD + 0.01 * Math.max(hue - OLIVE, 0), isMuted ? KHAKI : 0);
  const isCream = hue >= 100 && lightness >= 0.9;
  if (lightness >= least && (saturation >= 0.09 || isCream)) return 'yellow';
  return hue < OLIVE ? 'brown' : 'green';
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
  const [lightness, a, b] = color;
  const [usual, light] = SHADES[term];
  const dark = term === 'green' && hueOf(a, b) < GRASS ? DARK_OLIVE : usual;
  if (dark !== null && lightness < dark) return { term, shade: 'dark' };
  return { term, shade: light !== null && lightness >= light ? 'light' : null };
}
