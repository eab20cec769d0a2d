/**
 * Boxes and text as an SVG picture. Text is drawn from the outlines in label-font.json, what they lack from the pixels in
 * pixel-font.json, and never from a font of the machine: a container may have none, and a picture shall look the same
 * everywhere.
 */
import font from './label-font.json' with { type: 'json' };
import { hexOf, type Rgb } from '../options/palette.ts';
import { pixelGlyph } from './pixel-font.ts';

type Glyph = readonly [advance: number, path: string];

const GLYPHS = new Map(Object.entries(font.glyphs as unknown as Readonly<Record<string, Glyph>>));
/** Shown for what neither font holds: emoji, rare ideographs. */
const SUBSTITUTE = '\ufffd';

/** The outlines of printable ASCII, and those of other characters that were asked for. */
function glyphOf(character: string): Glyph {
  let glyph = GLYPHS.get(character);
  if (glyph === undefined) {
    glyph = pixelGlyph(character, font.unitsPerEm) ?? pixelGlyph(SUBSTITUTE, font.unitsPerEm)!;
    GLYPHS.set(character, glyph);
  }
  return glyph;
}

/** An accent of its own becomes one with its letter, where there is such a letter. */
function charactersOf(text: string): string[] {
  return Array.from(text.normalize('NFC'));
}

/** Width of `text`, pixels. @param size font size, pixels */
export function textWidth(text: string, size: number): number {
  const units = charactersOf(text).reduce((sum, character) => sum + glyphOf(character)[0], 0);
  return (units * size) / font.unitsPerEm;
}

/** From the middle of a line of capitals and digits down to its baseline, in font sizes. */
const MIDDLE_TO_BASELINE = 0.355;

function short(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** Collects shapes; later ones lie over earlier ones. Sizes and places in pixels. */
export class Drawing {
  readonly #shapes: string[] = [];
  readonly #used = new Set<string>();

  rect(
    box: { x: number; y: number; width: number; height: number },
    look: { fill: Rgb; radius?: number; opacity?: number; stroke?: Rgb },
  ): void {
    const { fill, radius = 0, opacity = 1, stroke } = look;
    const border = stroke === undefined ? '' : ` stroke="${hexOf(stroke)}"`;
    this.#shapes.push(
      `<rect x="${short(box.x)}" y="${short(box.y)}" width="${short(box.width)}" height="${short(box.height)}" ` +
        `rx="${short(radius)}" fill="${hexOf(fill)}" fill-opacity="${short(opacity)}"${border}/>`,
    );
  }

  /** One line of text that begins at `x` and whose capitals are centred on `y`. */
  text(text: string, x: number, y: number, size: number, fill: Rgb): void {
    let at = 0;
    const uses = charactersOf(text).map((character) => {
      const from = at;
      const [advance, path] = glyphOf(character);
      at += advance;
      if (path === '') return '';
      this.#used.add(character);
      return `<use xlink:href="#c${character.codePointAt(0)}" x="${from}"/>`;
    });
    const scale = size / font.unitsPerEm;
    const baseline = y + size * MIDDLE_TO_BASELINE;
    this.#shapes.push(
      `<g transform="translate(${short(x)} ${short(baseline)}) scale(${scale})" fill="${hexOf(fill)}">${uses.join('')}</g>`,
    );
  }

  get isEmpty(): boolean {
    return this.#shapes.length === 0;
  }

  /** The SVG document of a transparent picture with the shapes. */
  toSvg(width: number, height: number): Buffer {
    const outlines = Array.from(
      this.#used,
      (character) => `<path id="c${character.codePointAt(0)}" d="${glyphOf(character)[1]}"/>`,
    );
    return Buffer.from(
      `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ` +
        `width="${width}" height="${height}"><defs>${outlines.join('')}</defs>${this.#shapes.join('')}</svg>`,
    );
  }
}

/** The relative luminance of sRGB (WCAG 2.2). */
function luminance(color: Rgb): number {
  const [red, green, blue] = color.map((channel) => {
    const value = channel / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

const BLACK: Rgb = [0, 0, 0];
const WHITE: Rgb = [255, 255, 255];

/** Black or white, whichever stands out more on `ground`: the contrast is at least 4.5 : 1. */
export function inkOn(ground: Rgb): Rgb {
  const light = luminance(ground) + 0.05;
  return light / 0.05 >= 1.05 / light ? BLACK : WHITE;
}
