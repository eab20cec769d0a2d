/** What the editor's preview shows of a parsing: small pictures, and the facts of its legend. */
import { encodeImage } from '../../image/encode.ts';
import { FIXED_LIMITS } from '../../image/limits.ts';
import { loadSharp } from '../../image/sharp.ts';
import { forEachSlice } from '../../image/slices.ts';
import { decodeVisible } from '../../image/visible.ts';
import type { RawImage } from '../../image/types.ts';
import { type Canvas, paintCanvas } from './canvas.ts';
import { drawCanvas } from './colorize.ts';
import { readColorizeOptions } from './colorize-options.ts';
import { firstOfName } from '../options/options.ts';
import { hexOf, resolvePalette, UNKNOWN_COLOR } from '../options/palette.ts';
import { decodeSource } from '../source.ts';
import type { Box, Parsing } from '../types.ts';

/** What a thumbnail shows. */
export const PREVIEW_VIEWS = ['overlay', 'map', 'original'] as const;
export type PreviewView = (typeof PREVIEW_VIEWS)[number];

/** An encoded picture and its size in pixels. */
export interface PreviewImage {
  image: Buffer;
  width: number;
  height: number;
}

export interface PreviewLabel {
  /** Its value in the red channel of the maps. */
  code: number;
  name: string;
  /** `#rrggbb`. */
  color: string;
  /** Of the picture's pixels, 0 to 1. */
  share: number;
}

/** A parsing without pixels, as the preview shows it. */
export interface PreviewFacts {
  /** Of the source, pixels. */
  width: number;
  height: number;
  /** Those that the picture has, the largest first. */
  labels: PreviewLabel[];
  persons: { id: number; score: number; box: Box }[];
  /** `label`: the name that it has in `labels`. */
  parts: { label: string; person: number | null; score: number }[];
  model: string;
  /** Seconds that the parsing took. */
  seconds: number;
}

/** A small picture, and what its colours stand for. */
export interface PreviewThumbnail extends PreviewImage {
  /** The largest labels, the largest first. */
  legend: Pick<PreviewLabel, 'name' | 'color'>[];
  /** How many labels there are, also beyond those of the legend. */
  labels: number;
}

/** Every thumbnail's legend goes to every open editor: so long it may be. */
const LEGEND_LENGTH = 24;
const THUMBNAIL_QUALITY = 75;
const IMAGE_QUALITY = 85;

/**
 * A small JPEG of the parsing, no side of which is longer than `maxSide`.
 * @throws {M2fpError} where the parsing's picture cannot be decoded, or a mask is damaged
 */
export async function previewThumbnail(
  parsing: Parsing,
  { view, minScore, maxSide }: { view: PreviewView; minScore: number; maxSide: number },
): Promise<PreviewThumbnail> {
  const canvas = await canvasOf(parsing, minScore);
  const { labels } = await factsOf(parsing, canvas, minScore);
  const legend = labels.slice(0, LEGEND_LENGTH).map(({ name, color }) => ({ name, color }));
  const drawn =
    view === 'original'
      ? await decodeSource(parsing)
      : await drawCanvas(parsing, canvas, readColorizeOptions(parsing.labels, { mode: view, minScore }));
  return { ...(await shrink(drawn, maxSide, THUMBNAIL_QUALITY)), legend, labels: labels.length };
}

function canvasOf(parsing: Parsing, minScore: number): Promise<Canvas> {
  return paintCanvas(parsing, { paint: 'parts', by: 'label', minScore, chosen: null });
}

/** A small JPEG of any encoded picture. @throws {M2fpError} what decoding throws */
export async function imageThumbnail(image: Buffer, maxSide: number): Promise<PreviewImage> {
  return shrink(await decodeVisible(image, FIXED_LIMITS), maxSide, THUMBNAIL_QUALITY);
}

/** The source as a JPEG, no side of which is longer than `maxSide`. */
export async function previewSource(parsing: Parsing, maxSide: number): Promise<PreviewImage> {
  return shrink(await decodeSource(parsing), maxSide, IMAGE_QUALITY);
}

/** JPEG knows no transparency: pixels with alpha are laid on white. Pictures are not enlarged. */
async function shrink(
  { width, height, channels, data }: RawImage,
  maxSide: number,
  quality: number,
): Promise<PreviewImage> {
  const sharp = await loadSharp();
  const { data: image, info } = await sharp(data, {
    raw: { width, height, channels },
    limitInputPixels: false,
  })
    .flatten({ background: '#ffffff' })
    .resize({ width: maxSide, height: maxSide, fit: 'inside', withoutEnlargement: true })
    .jpeg({ quality })
    .toBuffer({ resolveWithObject: true });
  return { image, width: info.width, height: info.height };
}

/** What is where, and the legend to it. */
export interface PreviewMaps {
  /** PNG: red is the label's code, 0 for nothing, green the person's id, 0 for nobody. */
  maps: PreviewImage;
  facts: PreviewFacts;
}

/**
 * The maps in the size of a picture of the parsing, by the nearest pixel.
 * @param minScore parts below it are left out
 * @throws {M2fpError} `M2FP_NO_PARSING` where a mask is damaged
 */
export async function previewMaps(
  parsing: Parsing,
  minScore: number,
  { width, height }: { width: number; height: number },
): Promise<PreviewMaps> {
  const canvas = await canvasOf(parsing, minScore);
  const data = Buffer.alloc(width * height * 3);
  await forEachSlice(height, 2 * width, (first, end) => {
    for (let y = first, to = first * width * 3; y < end; y++) {
      const row = Math.floor(((y + 0.5) * parsing.height) / height) * parsing.width;
      for (let x = 0; x < width; x++, to += 3) {
        const from = row + Math.floor(((x + 0.5) * parsing.width) / width);
        data[to] = canvas.codes[from]!;
        data[to + 1] = canvas.persons[from]!;
      }
    }
  });
  const image = await encodeImage({ width, height, channels: 3, data }, { format: 'png' });
  return { maps: { image, width, height }, facts: await factsOf(parsing, canvas, minScore) };
}

async function factsOf(parsing: Parsing, { codes }: Canvas, minScore: number): Promise<PreviewFacts> {
  const { width, height, labels, persons, parts, model, timing } = parsing;
  const palette = resolvePalette(labels);
  const firsts = firstOfName(labels);
  const areas = new Uint32Array(256);
  await forEachSlice(codes.length, 1, (first, end) => {
    for (let p = first; p < end; p++) areas[codes[p]!]!++;
  });
  const shown = <T extends { score: number }>(found: readonly T[]): T[] =>
    found.filter(({ score }) => score >= minScore);
  return {
    width,
    height,
    labels: Array.from(areas, (area, code) => ({
      code,
      name: labels[code - 1] ?? `${code - 1}`,
      color: hexOf(palette[code - 1] ?? UNKNOWN_COLOR),
      share: area / codes.length,
    }))
      .filter(({ code, share }) => code > 0 && share > 0)
      .toSorted((a, b) => b.share - a.share),
    persons: shown(persons).map(({ id, score, box }) => ({ id, score, box })),
    parts: shown(parts).map(({ label, index, person, score }) => ({
      label: labels[firsts[index]!] ?? label,
      person,
      score,
    })),
    model: model.id,
    seconds: timing.total / 1000,
  };
}
