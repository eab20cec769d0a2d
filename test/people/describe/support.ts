/** People of rectangles, and what is told of them. */
import sharp from 'sharp';
import { encodeRle } from '../../../src/parsing/masks/rle.ts';
import { LABEL_SETS } from '../../../src/m2fp/labels.ts';
import type { Box, Parsing } from '../../../src/parsing/types.ts';

export type Rectangle = readonly [x: number, y: number, width: number, height: number];

export interface Painted {
  label: string;
  at: Rectangle;
  /** Any colour that sharp knows. */
  color: string;
  /** Of the person; null: nobody's. */
  person?: number | null;
  score?: number;
}

export interface Picture {
  width: number;
  height: number;
  persons: { at: Rectangle; score?: number; track?: number }[];
  parts: Painted[];
  labels?: readonly string[];
  /** What is behind, white where nothing else is told. */
  background?: string;
}

/** A parsing of rectangles; what comes later lies on what came before. */
export async function painted({
  width,
  height,
  persons,
  parts,
  labels = LABEL_SETS.cihp.labels,
  background = '#ffffff',
}: Picture): Promise<Parsing> {
  const [labelMap, personMap] = [Buffer.alloc(width * height), Buffer.alloc(width * height)];
  const region = ([x, y, w, h]: Rectangle, score = 0.9) => {
    const mask = new Uint8Array(width * height);
    each([x, y, w, h], width, (p) => (mask[p] = 1));
    const box: Box = { x, y, width: w, height: h };
    return { score, box, area: w * h, mask: encodeRle(mask, width, height) };
  };
  for (const [i, { at }] of persons.entries()) each(at, width, (p) => (personMap[p] = i + 1));
  for (const { label, at } of parts) each(at, width, (p) => (labelMap[p] = labels.indexOf(label)));
  const image = await sharp({ create: { width, height, channels: 3, background } })
    .composite(
      await Promise.all(
        parts.map(async ({ at: [left, top, w, h], color }) => ({
          left,
          top,
          input: await sharp({ create: { width: w, height: h, channels: 3, background: color } })
            .png()
            .toBuffer(),
        })),
      ),
    )
    .png()
    .toBuffer();
  return {
    image,
    width,
    height,
    labels: [...labels],
    labelMap,
    personMap,
    persons: persons.map(({ at, score, track }, i) => ({
      id: i + 1,
      ...(track !== undefined && { track }),
      ...region(at, score),
    })),
    parts: parts.map(({ label, at, person = 1, score }, i) => ({
      id: i + 1,
      label,
      index: labels.indexOf(label),
      person,
      ...region(at, score),
    })),
    doubtful: { persons: [], parts: [] },
    model: { id: 'test', digest: '0', precision: 'fp32', provider: 'cpu' },
    cached: false,
    timing: { queue: 0, decode: 0, preprocess: 0, inference: 0, postprocess: 0, total: 0 },
  };
}

function each([x, y, width, height]: Rectangle, stride: number, visit: (p: number) => void): void {
  for (let row = y; row < y + height; row++) {
    for (let column = x; column < x + width; column++) visit(row * stride + column);
  }
}
