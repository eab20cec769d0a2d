/** What the colour of hair is called: blond hair is no yellow, and red hair no orange. */
import type { Oklab } from '../colors/oklab.ts';
import { nameColor } from '../colors/terms.ts';
import type { SpokenColor } from '../colors/words.ts';

/** Hues (degrees) of hair that is not dyed. */
const NATURAL = { from: 20, to: 105 };
/** Saturation below which hair has no hue; where it is light, lamps show more. */
const GREY = { saturation: 0.05, light: 0.066 };
/** Lightness up to which what has no hue is black, from which on it counts as light, and as white. */
const [DARK, LIGHT, WHITE] = [0.46, 0.54, 0.97];
/** Brown of less lightness is black. */
const BLACK = 0.32;
const RED = { hue: 51, saturation: 0.145 };
const BLOND = { hue: 63, lightness: 0.55, saturation: 0.07 };
const LIGHT_BROWN = 0.6;

/** What people call it. @param colour in light of full strength */
export function nameHair(color: Oklab): SpokenColor {
  const [lightness, a, b] = color;
  const saturation = Math.hypot(a, b) / Math.max(lightness, 0.01);
  const hue = (Math.atan2(b, a) * 180) / Math.PI;
  if (saturation < (lightness < LIGHT ? GREY.saturation : GREY.light)) {
    const term = lightness < DARK ? 'black' : lightness < WHITE ? 'grey' : 'white';
    return { term, shade: null };
  }
  if (lightness < BLACK) return { term: 'black', shade: null };
  if (hue < NATURAL.from || hue > NATURAL.to) return nameColor(color);
  if (hue < RED.hue && saturation >= RED.saturation) return { term: 'red', shade: null };
  if (hue >= BLOND.hue && lightness >= BLOND.lightness && saturation >= BLOND.saturation)
    return { term: 'blond', shade: null };
  return { term: 'brown', shade: lightness >= LIGHT_BROWN ? 'light' : null };
}
