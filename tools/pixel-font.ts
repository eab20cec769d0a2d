/**
 * `node tools/pixel-font.ts UNIFONT.hex VERSION`: writes the glyphs of GNU Unifont (https://unifoundry.com/unifont/, its
 * `.hex` file) to src/parsing/colorize/pixel-font.json, so that names in other scripts than ASCII are drawn on every machine, also
 * on those without fonts.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { brotliCompressSync } from 'node:zlib';

const [file, version] = process.argv.slice(2);
if (file === undefined || version === undefined)
  throw new Error('Usage: node tools/pixel-font.ts UNIFONT.hex VERSION');

/** Rare ideographs, and what has no glyph of its own. */
const LEFT_OUT = [
  [0x3400, 0x4dbf],
  [0xd800, 0xf8ff],
] as const;

/** How many bytes the glyph of each character has: 0, 16 (8 x 16 pixels) or 32 (16 x 16); then all glyphs. */
const sizes = Buffer.alloc(0x10000);
const glyphs: Buffer[] = [];
for (const line of readFileSync(file, 'utf8').trim().split('\n').toSorted()) {
  const [code, bitmap] = line.split(':') as [string, string];
  const character = parseInt(code, 16);
  if (character > 0xffff || LEFT_OUT.some(([from, to]) => character >= from && character <= to)) continue;
  const glyph = Buffer.from(bitmap, 'hex');
  sizes[character] = glyph.length;
  glyphs.push(glyph);
}
writeFileSync(
  new URL('../src/parsing/colorize/pixel-font.json', import.meta.url),
  `${JSON.stringify(
    {
      name: 'GNU Unifont',
      licence: 'SIL Open Font License 1.1; see pixel-font.NOTICE',
      source: `unifont.hex of GNU Unifont ${version}; made by tools/pixel-font.ts`,
      packed: brotliCompressSync(Buffer.concat([sizes, ...glyphs])).toString('base64'),
    },
    undefined,
    2,
  )}\n`,
);
