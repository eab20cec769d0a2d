/** Colours in Oklab, where as far apart means as different to the eye. */
import { convertOklabToRgb, convertRgbToOklab, formatHex } from 'culori/fn';

/** Lightness 0 (black) to 1 (white), green to red and blue to yellow, both about -0.4 to 0.4. */
export type Oklab = readonly [lightness: number, a: number, b: number];

/** An sRGB colour, bytes, in Oklab. */
export function oklabOf(red: number, green: number, blue: number): Oklab {
  const { l, a, b } = convertRgbToOklab({ r: red / 255, g: green / 255, b: blue / 255 });
  return [l, a, b];
}

/** `#rrggbb`, of the nearest colour that sRGB has. */
export function hexOf([l, a, b]: Oklab): string {
  return formatHex(convertOklabToRgb({ l, a, b }));
}

/**
 * The colour in light of another strength: that multiplies all three.
 * @param factor of lightness, the cube root of that of the light
 */
export function lit([lightness, a, b]: Oklab, factor: number): Oklab {
  return [lightness * factor, a * factor, b * factor];
}
