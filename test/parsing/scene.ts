/** Hand-made parsings and a way to look at the pictures that come out of them. */
import sharp from 'sharp';
import { encodeRle, rleArea, rleBox } from '../../src/parsing/masks/rle.ts';
import type { Parsing, Part, Person } from '../../src/parsing/types.ts';

/** Rows of a mask: '#' inside, anything else outside. */
export type Rows = readonly string[];

type Region = { score?: number; rows: Rows };

export interface Scene {
  labels: string[];
  /** Rows of label indices, one character each ('0' to '9', then 'a' for 10 ...); absent: all background. */
  labelRows?: Rows;
  /** Rows of person ids in the same form; absent: nobody. */
  personRows?: Rows;
  persons?: Region[];
  parts?: (Region & { index: number; person?: number | null })[];
  /** The encoded source; absent: {@link sourceColor} at each pixel, as PNG. */
  image?: Buffer;
  width: number;
  height: number;
}

/** The source's colour at a pixel: all three channels tell where it was. */
export function sourceColor(x: number, y: number): [number, number, number] {
  return [(10 + 7 * x) % 256, (200 + 5 * y) % 256, (50 + 3 * x + 11 * y) % 256];
}

/**
 * A PNG that is stored 2 wide and 3 high, [100 x, 50 y, 77], and to be turned clockwise (EXIF orientation 6): 3 wide
 * and 2 high, the left bottom pixel first.
 */
export function turned(): Promise<Buffer> {
  const stored = paint(2, 3, (x, y) => [100 * x, 50 * y, 77]);
  return sharp(stored, { raw: { width: 2, height: 3, channels: 3 } })
    .withMetadata({ orientation: 6 })
    .png()
    .toBuffer();
}

/** Interleaved bytes of a picture whose pixels `color` gives. */
export function paint(
  width: number,
  height: number,
  color: (x: number, y: number) => readonly number[],
): Buffer {
  const pixels = Array.from({ length: width * height }, (_, p) => color(p % width, Math.floor(p / width)));
  return Buffer.from(pixels.flat());
}

function mapOf(rows: Rows | undefined, width: number, height: number): Buffer {
  if (rows === undefined) return Buffer.alloc(width * height);
  return Buffer.from(Array.from(rows.join(''), (digit) => Number.parseInt(digit, 36)));
}

function regionOf({ score = 0.5, rows }: Region, width: number, height: number) {
  const mask = encodeRle(
    Uint8Array.from(Array.from(rows.join('')), (char) => (char === '#' ? 1 : 0)),
    width,
    height,
  );
  return { score, box: rleBox(mask), area: rleArea(mask), mask };
}

export async function parsingOf(scene: Scene): Promise<Parsing> {
  const { labels, width, height } = scene;
  const image =
    scene.image ??
    (await sharp(paint(width, height, sourceColor), { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer());
  const persons = (scene.persons ?? []).map((person, i): Person => ({
    id: i + 1,
    ...regionOf(person, width, height),
  }));
  const parts = (scene.parts ?? []).map((part, i): Part => ({
    id: i + 1,
    label: labels[part.index] ?? `unknown ${part.index}`,
    index: part.index,
    person: part.person ?? null,
    ...regionOf(part, width, height),
  }));
  return {
    image,
    width,
    height,
    labels,
    labelMap: mapOf(scene.labelRows, width, height),
    personMap: mapOf(scene.personRows, width, height),
    persons,
    parts,
    doubtful: { persons: [], parts: [] },
    model: { id: 'test', digest: '0', precision: 'fp32', provider: 'cpu' },
    cached: false,
    timing: { queue: 0, decode: 0, preprocess: 0, inference: 0, postprocess: 0, total: 0 },
  };
}

export interface Pixels {
  width: number;
  height: number;
  channels: number;
  /** The channels at a pixel. */
  at: (x: number, y: number) => number[];
  /** A character for each pixel, row by row: the key of `legend` whose colour it has, '?' where none fits. */
  rows(legend: Readonly<Record<string, readonly number[]>>): string[];
}

/** Decodes a picture to look at its pixels. */
export async function pixelsOf(image: Buffer): Promise<Pixels> {
  const { data, info } = await sharp(image).raw().toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const at = (x: number, y: number) => [
    ...data.subarray((y * width + x) * channels, (y * width + x + 1) * channels),
  ];
  const rows: Pixels['rows'] = (legend) => {
    const names = new Map(Object.entries(legend).map(([name, color]) => [color.join(), name]));
    return Array.from({ length: height }, (_, y) =>
      Array.from({ length: width }, (_unused, x) => names.get(at(x, y).join()) ?? '?').join(''),
    );
  };
  return { width, height, channels, at, rows };
}

/** The format that a file's first bytes say. */
export function formatOf(image: Buffer): string {
  if (image.subarray(1, 4).toString('latin1') === 'PNG') return 'png';
  if (image.subarray(0, 3).toString('hex') === 'ffd8ff') return 'jpeg';
  if (image.subarray(8, 12).toString('latin1') === 'WEBP') return 'webp';
  return 'unknown';
}
