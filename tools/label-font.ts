/**
 * `node tools/label-font.ts FONT.woff NAME LICENCE SOURCE`: writes the outlines of a font's printable ASCII to
 * src/parsing/colorize/label-font.json, so that names are drawn on pictures alike on every machine, also on those without
 * fonts. Reads WOFF 1 with TrueType outlines (https://www.w3.org/TR/WOFF/, OpenType's `glyf`).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { inflateSync } from 'node:zlib';

const FIRST = 32;
const LAST = 126;

const [file, name, licence, source] = process.argv.slice(2);
if (file === undefined || source === undefined) {
  throw new Error('Usage: node tools/label-font.ts FONT.woff NAME LICENCE SOURCE');
}

/** The tables of a WOFF file by tag. */
function tablesOf(woff: Buffer): Map<string, Buffer> {
  if (woff.toString('latin1', 0, 4) !== 'wOFF') throw new Error('not a WOFF 1 file');
  return new Map(
    Array.from({ length: woff.readUInt16BE(12) }, (_, i): [string, Buffer] => {
      const entry = 44 + 20 * i;
      const offset = woff.readUInt32BE(entry + 4);
      const packed = woff.subarray(offset, offset + woff.readUInt32BE(entry + 8));
      const isPacked = packed.length < woff.readUInt32BE(entry + 12);
      return [woff.toString('latin1', entry, entry + 4), isPacked ? inflateSync(packed) : packed];
    }),
  );
}

const tables = tablesOf(readFileSync(file));
function table(tag: string): Buffer {
  const found = tables.get(tag);
  if (found === undefined) throw new Error(`the font has no ${tag}`);
  return found;
}

/** The glyph of a character, from a format 4 subtable of `cmap`. */
function glyphOf(code: number): number {
  const cmap = table('cmap');
  for (let i = 0; i < cmap.readUInt16BE(2); i++) {
    const at = cmap.readUInt32BE(4 + 8 * i + 4);
    if (cmap.readUInt16BE(at) !== 4) continue;
    const segments = cmap.readUInt16BE(at + 6) / 2;
    for (let s = 0; s < segments; s++) {
      const end = cmap.readUInt16BE(at + 14 + 2 * s);
      const startAt = at + 16 + 2 * segments + 2 * s;
      const start = cmap.readUInt16BE(startAt);
      if (code < start || code > end) continue;
      const delta = cmap.readUInt16BE(startAt + 2 * segments);
      const rangeAt = startAt + 4 * segments;
      const range = cmap.readUInt16BE(rangeAt);
      if (range === 0) return (code + delta) & 0xffff;
      return (cmap.readUInt16BE(rangeAt + range + 2 * (code - start)) + delta) & 0xffff;
    }
  }
  throw new Error(`the font has no character ${code}`);
}

interface Point {
  x: number;
  y: number;
  on: boolean;
}

/** The closed contours of a glyph, y upwards. */
function contoursOf(glyph: number): Point[][] {
  const loca = table('loca');
  const isLong = table('head').readInt16BE(50) === 1;
  const offset = (i: number): number => (isLong ? loca.readUInt32BE(4 * i) : 2 * loca.readUInt16BE(2 * i));
  const data = table('glyf').subarray(offset(glyph), offset(glyph + 1));
  if (data.length === 0) return [];
  const count = data.readInt16BE(0);
  return count < 0 ? compositeOf(data) : simpleOf(data, count);
}

function simpleOf(data: Buffer, count: number): Point[][] {
  const ends = Array.from({ length: count }, (_, i) => data.readUInt16BE(10 + 2 * i));
  const total = ends.at(-1)! + 1;
  let at = 10 + 2 * count;
  at += 2 + data.readUInt16BE(at);
  const flags: number[] = [];
  while (flags.length < total) {
    const flag = data[at++]!;
    const repeats = flag & 8 ? data[at++]! : 0;
    for (let i = 0; i <= repeats; i++) flags.push(flag);
  }
  const coordinates = (short: number, same: number): number[] => {
    let value = 0;
    return flags.map((flag) => {
      if (flag & short) value += flag & same ? data[at++]! : -data[at++]!;
      else if (!(flag & same)) {
        value += data.readInt16BE(at);
        at += 2;
      }
      return value;
    });
  };
  const xs = coordinates(2, 16);
  const ys = coordinates(4, 32);
  return ends.map((end, i) => {
    const points: Point[] = [];
    for (let p = i === 0 ? 0 : ends[i - 1]! + 1; p <= end; p++) {
      points.push({ x: xs[p]!, y: ys[p]!, on: (flags[p]! & 1) === 1 });
    }
    return points;
  });
}

/** Glyphs moved and put together; ASCII needs no scaling. */
function compositeOf(data: Buffer): Point[][] {
  const contours: Point[][] = [];
  for (let at = 10, flags = 32; flags & 32;) {
    flags = data.readUInt16BE(at);
    const glyph = data.readUInt16BE(at + 2);
    if (!(flags & 2) || flags & (8 | 64 | 128)) throw new Error('a composite glyph that is not only moved');
    const [dx, dy] =
      flags & 1
        ? [data.readInt16BE(at + 4), data.readInt16BE(at + 6)]
        : [data.readInt8(at + 4), data.readInt8(at + 5)];
    contours.push(
      ...contoursOf(glyph).map((points) => points.map((p) => ({ ...p, x: p.x + dx, y: p.y + dy }))),
    );
    at += flags & 1 ? 8 : 6;
  }
  return contours;
}

/** A contour as SVG path data, y downwards. Between two control points lies a point of the curve. */
function pathOf(points: readonly Point[]): string {
  const middle = (a: Point, b: Point): Point => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, on: true });
  const full = points.flatMap((point, i) => {
    const next = points[(i + 1) % points.length]!;
    return point.on || next.on ? [point] : [point, middle(point, next)];
  });
  const first = full.findIndex((point) => point.on);
  const turned = [...full.slice(first), ...full.slice(0, first), full[first]!];
  const text = ({ x, y }: Point): string => `${Math.round(x)} ${Math.round(-y)}`;
  let path = `M${text(turned[0]!)}`;
  for (let i = 1; i < turned.length; i++) {
    const point = turned[i]!;
    if (point.on) path += `L${text(point)}`;
    else path += `Q${text(point)} ${text(turned[++i]!)}`;
  }
  return `${path}Z`;
}

const metrics = table('hmtx');
const wide = table('hhea').readUInt16BE(34);
const glyphs = Object.fromEntries(
  Array.from({ length: LAST - FIRST + 1 }, (_, i): [string, [number, string]] => {
    const glyph = glyphOf(FIRST + i);
    const advance = metrics.readUInt16BE(4 * Math.min(glyph, wide - 1));
    return [String.fromCharCode(FIRST + i), [advance, contoursOf(glyph).map(pathOf).join('')]];
  }),
);
writeFileSync(
  new URL('../src/parsing/colorize/label-font.json', import.meta.url),
  `${JSON.stringify(
    {
      name,
      licence,
      source,
      unitsPerEm: table('head').readUInt16BE(18),
      ascender: table('hhea').readInt16BE(4),
      descender: table('hhea').readInt16BE(6),
      glyphs,
    },
    undefined,
    2,
  )}\n`,
);
