/**
 * Characters that label-font.json has no outlines of, from the pixels of GNU Unifont: plainer than a font of outlines, but
 * all of Chinese, Japanese, Korean, Greek, Cyrillic and the other scripts in the space of a picture, and alike everywhere.
 */
import { brotliDecompressSync } from 'node:zlib';
import font from './pixel-font.json' with { type: 'json' };

/** Pixels of a glyph from its top to its bottom, and down to the line that it stands on. */
const HEIGHT = 16;
const ASCENT = 14;
/** In the unpacked font, the sizes of all characters come first. */
const CHARACTERS = 0x10000;

/** Unpacked (some 10 ms) with the first character that is asked for. */
let unpacked: { bytes: Buffer; starts: Uint32Array } | undefined;

function unpack(): NonNullable<typeof unpacked> {
  const bytes = brotliDecompressSync(Buffer.from(font.packed, 'base64'));
  const starts = new Uint32Array(CHARACTERS);
  for (let code = 0, at = CHARACTERS; code < CHARACTERS; at += bytes[code++]!) starts[code] = at;
  return { bytes, starts };
}

/**
 * The glyph of a character as a font of outlines has it, y upwards negative (SVG), or undefined where there is none.
 * @param unitsPerEm units of the outlines' height
 */
export function pixelGlyph(
  character: string,
  unitsPerEm: number,
): [advance: number, path: string] | undefined {
  const code = character.codePointAt(0)!;
  if (code >= CHARACTERS) return undefined;
  const { bytes, starts } = (unpacked ??= unpack());
  const size = bytes[code]!;
  if (size === 0) return undefined;
  const rowBytes = size / HEIGHT;
  const unit = unitsPerEm / HEIGHT;
  let path = '';
  for (let y = 0; y < HEIGHT; y++) {
    const row = bytes.readUIntBE(starts[code]! + y * rowBytes, rowBytes);
    const isSet = (x: number): boolean => x < 8 * rowBytes && (row & (1 << (8 * rowBytes - 1 - x))) !== 0;
    for (let x = 0; x < 8 * rowBytes; x++) {
      if (!isSet(x)) continue;
      const from = x;
      while (isSet(x)) x++;
      path += `M${from * unit} ${(y - ASCENT) * unit}h${(x - from) * unit}v${unit}h${(from - x) * unit}Z`;
    }
  }
  return [8 * rowBytes * unit, path];
}
