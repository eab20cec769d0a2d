/** Drawn people, and reading back what was written of them: by rules of the formats' own, not by the code that writes. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { DataSet } from '../../src/export/dataset/data-set.ts';
import type { DataSetOptions } from '../../src/export/export-options.ts';
import { decodeRle, encodeRle, rleArea, rleBox } from '../../src/parsing/masks/rle.ts';
import type { Parsing } from '../../src/parsing/types.ts';
import { CIHP } from '../parsing/support.ts';

export const WIDTH = 150;
export const HEIGHT = 110;

type Inside = (x: number, y: number) => boolean;

const disc =
  (cx: number, cy: number, rx: number, ry = rx): Inside =>
  (x, y) =>
    ((x + 0.5 - cx) / rx) ** 2 + ((y + 0.5 - cy) / ry) ** 2 <= 1;
const box =
  (left: number, top: number, right: number, bottom: number): Inside =>
  (x, y) =>
    x >= left && x < right && y >= top && y < bottom;
const without =
  (a: Inside, b: Inside): Inside =>
  (x, y) =>
    a(x, y) && !b(x, y);
const either =
  (...all: Inside[]): Inside =>
  (x, y) =>
    all.some((inside) => inside(x, y));

function regionOf(inside: Inside) {
  const bytes = Uint8Array.from({ length: WIDTH * HEIGHT }, (_, p) =>
    inside(p % WIDTH, Math.floor(p / WIDTH)) ? 1 : 0,
  );
  const mask = encodeRle(bytes, WIDTH, HEIGHT);
  return { mask, box: rleBox(mask), area: rleArea(mask), bytes };
}

interface DrawnPart {
  label: string;
  person: number | null;
  score: number;
  inside: Inside;
}

/** Hair with a hole (the face), arms in two pieces, a coat over a shirt, a scarf of nobody. */
const PARTS: readonly DrawnPart[] = [
  { label: 'Hair', person: 1, score: 0.9, inside: without(disc(40, 22, 16, 18), disc(40, 26, 9, 10)) },
  { label: 'Face', person: 1, score: 0.8, inside: disc(40, 26, 9, 10) },
  { label: 'UpperClothes', person: 1, score: 0.6, inside: box(28, 40, 52, 80) },
  { label: 'Coat', person: 1, score: 0.7, inside: without(box(24, 42, 56, 78), box(36, 50, 44, 78)) },
  { label: 'Left-arm', person: 1, score: 0.75, inside: either(box(14, 45, 22, 60), box(14, 64, 22, 80)) },
  { label: 'Left-shoe', person: 1, score: 0.5, inside: box(28, 98, 36, 104) },
  { label: 'Right-shoe', person: 1, score: 0.55, inside: box(44, 98, 52, 104) },
  { label: 'Face', person: 2, score: 0.85, inside: disc(110, 30, 12, 14) },
  {
    label: 'Dress',
    person: 2,
    score: 0.95,
    inside: (x, y) => y >= 46 && y < 100 && Math.abs(x - 110) < 8 + (y - 46) / 3,
  },
  { label: 'Scarf', person: null, score: 0.3, inside: box(70, 80, 84, 86) },
];

const PERSONS: readonly Inside[] = [
  either(...PARTS.filter(({ person }) => person === 1).map(({ inside }) => inside)),
  either(...PARTS.filter(({ person }) => person === 2).map(({ inside }) => inside)),
];

/** @param seed another picture for each */
export async function drawnParsing(seed = 0, format: 'png' | 'jpeg' | 'webp' = 'png'): Promise<Parsing> {
  const parts = PARTS.map(({ label, person, score, inside }, i) => {
    const { mask, box: around, area } = regionOf(inside);
    return { id: i + 1, label, index: CIHP.indexOf(label), person, score, box: around, area, mask };
  });
  const persons = PERSONS.map((inside, i) => {
    const { mask, box: around, area } = regionOf(inside);
    return { id: i + 1, score: 0.9 - i / 10, box: around, area, mask };
  });
  const labelMap = Buffer.alloc(WIDTH * HEIGHT);
  for (const { mask, index } of parts.toSorted((a, b) => a.score - b.score)) {
    decodeRle(mask).forEach((value, p) => value !== 0 && (labelMap[p] = index));
  }
  const personMap = Buffer.alloc(WIDTH * HEIGHT);
  for (const { mask, id } of persons)
    decodeRle(mask).forEach((value, p) => value !== 0 && (personMap[p] = id));
  const pixels = Buffer.from(
    Array.from(labelMap, (label) => [label * 12, (seed * 37) % 256, 255 - label * 12]).flat(),
  );
  const image = await sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
    .toFormat(format)
    .toBuffer();
  return {
    image,
    width: WIDTH,
    height: HEIGHT,
    labels: CIHP,
    labelMap,
    personMap,
    persons,
    parts,
    doubtful: { persons: [], parts: [] },
    model: { id: 'drawn', digest: '0', precision: 'fp32', provider: 'cpu' },
    cached: false,
    timing: { queue: 0, decode: 0, preprocess: 0, inference: 0, postprocess: 0, total: 0 },
  };
}

/** What each test writes into, and is removed. */
export class Folder {
  path = '';

  async make(): Promise<void> {
    this.path = await mkdtemp(join(tmpdir(), 'm2fp-export-'));
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }

  async text(...names: string[]): Promise<string> {
    return readFile(join(this.path, ...names), 'utf8');
  }

  async json<T>(...names: string[]): Promise<T> {
    return JSON.parse(await this.text(...names)) as T;
  }

  async bytes(...names: string[]): Promise<Buffer> {
    return readFile(join(this.path, ...names));
  }
}

/** A data set with the drawn people, closed. */
export async function exported(folder: Folder, options: DataSetOptions): Promise<Parsing> {
  const parsing = await drawnParsing();
  const set = await DataSet.open(folder.path, options);
  await set.add(parsing, 'people');
  await set.close();
  return parsing;
}

/** Pixels whose middle the ring holds, by counting the edges to the left of it: one byte a pixel. */
export function insideOf(ring: readonly (readonly number[])[], width = WIDTH, height = HEIGHT): Uint8Array {
  const pixels = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const crossings = ring.flatMap(([x1, y1], i) => {
      const [x0, y0] = ring.at(i - 1)!;
      const middle = y + 0.5;
      return y0! > middle === y1! > middle ? [] : [x0! + ((middle - y0!) * (x1! - x0!)) / (y1! - y0!)];
    });
    for (let x = 0; x < width; x++) {
      pixels[y * width + x] = crossings.filter((crossing) => crossing < x + 0.5).length % 2;
    }
  }
  return pixels;
}

export function union(masks: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(WIDTH * HEIGHT);
  for (const mask of masks) mask.forEach((value, p) => (all[p]! |= value === 0 ? 0 : 1));
  return all;
}

/** Pixels in both, by pixels in either. */
export function iouOf(a: Uint8Array, b: Uint8Array): number {
  let [both, any] = [0, 0];
  a.forEach((value, p) => {
    both += value !== 0 && b[p] !== 0 ? 1 : 0;
    any += value !== 0 || b[p] !== 0 ? 1 : 0;
  });
  return any === 0 ? 1 : both / any;
}

/** x, y, x, y, … as points. */
export function pairs(values: readonly number[]): number[][] {
  return Array.from({ length: values.length / 2 }, (_, i) => values.slice(2 * i, 2 * i + 2));
}
