/** Makes regions of a picture unrecognisable, or gives them another colour. */
import { inSlices } from '../image/slices.ts';
import type { RawImage } from '../image/types.ts';
import type { Owners } from './owners.ts';
import type { Rgb } from './palette.ts';
import type { Box } from './types.ts';

/** Smaller cells would keep what a face of few pixels shows. */
const MIN_CELL = 8;

/** Red, green and blue weights of brightness (ITU-R BT.709). */
const LUMA = [0.2126, 0.7152, 0.0722] as const;

/** The mean colours of a grid of square cells over a box: all that blur and pixelate know of what was there. */
interface Grid {
  box: Box;
  /** Side of a cell, pixels. */
  cell: number;
  columns: number;
  rows: number;
  /** rows * columns * 3. */
  means: Float32Array;
}

/** Writes the colour of the pixel (x, y) of region `region` (from 0) to byte `at` of `data`. */
type Brush = (data: Buffer, at: number, x: number, y: number, region: number) => void;

export type Method = 'blur' | 'pixelate' | 'fill' | 'recolor' | 'remove';

/** Where a picture is changed. */
export interface Regions {
  owners: Owners;
  /** The box around each region's pixels; null for one that has none. */
  boxes: readonly (Box | null)[];
}

export interface Manner {
  method: Method;
  /** How many cells the longer side of each region's box is cut into, for blur and pixelate. */
  cells: number;
  /** Of fill and recolor. */
  color: Rgb;
}

/** Changes the pixels of `picture` that have an owner, in place. */
export async function obscure(picture: RawImage, regions: Regions, manner: Manner): Promise<void> {
  const brush = await brushFor(picture, regions, manner);
  const { owners } = regions;
  const { width, height, channels, data } = picture;
  await inSlices(height, 8 * width, (first, end) => {
    for (let y = first, p = first * width; y < end; y++) {
      for (let x = 0; x < width; x++, p++) {
        if (owners[p]! > 0) brush(data, p * channels, x, y, owners[p]! - 1);
      }
    }
  });
}

async function brushFor(
  picture: RawImage,
  { owners, boxes }: Regions,
  { method, cells, color }: Manner,
): Promise<Brush> {
  switch (method) {
    case 'fill':
      return (data, at) => {
        for (let channel = 0; channel < 3; channel++) data[at + channel] = color[channel]!;
      };
    case 'remove':
      // The colour goes, too: a viewer that ignores transparency would show it.
      return (data, at) => data.fill(0, at, at + 4);
    case 'recolor':
      return recolor(color, await meanBrightness(picture, owners, boxes.length));
    case 'pixelate':
      return pixelate(await gridsOf(picture, boxes, cells));
    default:
      return blur(await gridsOf(picture, boxes, cells));
  }
}

/** All grids are measured before the first pixel changes, because boxes may overlap. */
async function gridsOf(
  picture: RawImage,
  boxes: readonly (Box | null)[],
  cells: number,
): Promise<(Grid | null)[]> {
  const grids: (Grid | null)[] = [];
  for (const box of boxes) grids.push(box === null ? null : await measureGrid(picture, box, cells));
  return grids;
}

async function measureGrid(picture: RawImage, box: Box, cells: number): Promise<Grid> {
  const cell = Math.max(MIN_CELL, Math.ceil(Math.max(box.width, box.height) / cells));
  const columns = Math.ceil(box.width / cell);
  const rows = Math.ceil(box.height / cell);
  const sums = new Float64Array(rows * columns * 3);
  const { data, channels } = picture;
  await inSlices(box.height, 4 * box.width, (first, end) => {
    for (let dy = first; dy < end; dy++) {
      const row = Math.floor(dy / cell) * columns;
      let at = ((box.y + dy) * picture.width + box.x) * channels;
      for (let dx = 0; dx < box.width; dx++, at += channels) {
        const sum = 3 * (row + Math.floor(dx / cell));
        sums[sum]! += data[at]!;
        sums[sum + 1]! += data[at + 1]!;
        sums[sum + 2]! += data[at + 2]!;
      }
    }
  });
  const means = new Float32Array(sums.length);
  for (let row = 0; row < rows; row++) {
    const tall = Math.min(cell, box.height - row * cell);
    for (let column = 0; column < columns; column++) {
      const pixels = tall * Math.min(cell, box.width - column * cell);
      const at = 3 * (row * columns + column);
      for (let channel = 0; channel < 3; channel++) means[at + channel] = sums[at + channel]! / pixels;
    }
  }
  return { box, cell, columns, rows, means };
}

function pixelate(grids: readonly (Grid | null)[]): Brush {
  return (data, at, x, y, region) => {
    const { box, cell, columns, means } = grids[region]!;
    const from = 3 * (Math.floor((y - box.y) / cell) * columns + Math.floor((x - box.x) / cell));
    for (let channel = 0; channel < 3; channel++) data[at + channel] = Math.round(means[from + channel]!);
  };
}

/** Between the centres of four cells the colour changes evenly; past the outermost centres it stays. */
function blur(grids: readonly (Grid | null)[]): Brush {
  return (data, at, x, y, region) => {
    const { box, cell, columns, rows, means } = grids[region]!;
    const u = Math.min(Math.max((x - box.x + 0.5) / cell - 0.5, 0), columns - 1);
    const v = Math.min(Math.max((y - box.y + 0.5) / cell - 0.5, 0), rows - 1);
    const left = Math.floor(u);
    const top = Math.floor(v);
    const right = Math.min(left + 1, columns - 1);
    const bottom = Math.min(top + 1, rows - 1);
    const [du, dv] = [u - left, v - top];
    for (let channel = 0; channel < 3; channel++) {
      const above =
        means[3 * (top * columns + left) + channel]! * (1 - du) +
        means[3 * (top * columns + right) + channel]! * du;
      const below =
        means[3 * (bottom * columns + left) + channel]! * (1 - du) +
        means[3 * (bottom * columns + right) + channel]! * du;
      data[at + channel] = Math.round(above * (1 - dv) + below * dv);
    }
  };
}

function brightness(data: Buffer, at: number): number {
  return data[at]! * LUMA[0] + data[at + 1]! * LUMA[1] + data[at + 2]! * LUMA[2];
}

/** Of the pixels of each region. */
async function meanBrightness(picture: RawImage, owners: Owners, count: number): Promise<Float64Array> {
  const sums = new Float64Array(count);
  const pixels = new Uint32Array(count);
  const { width, height, channels, data } = picture;
  await inSlices(width * height, 3, (first, end) => {
    for (let p = first; p < end; p++) {
      if (owners[p] === 0) continue;
      sums[owners[p]! - 1]! += brightness(data, p * channels);
      pixels[owners[p]! - 1]!++;
    }
  });
  return sums.map((sum, region) => sum / Math.max(pixels[region]!, 1));
}

/**
 * The new colour, darker where a pixel is darker than its region's mean, and lighter (towards white) where it is
 * lighter: folds and shadows stay.
 */
function recolor(color: Rgb, means: Float64Array): Brush {
  return (data, at, _x, _y, region) => {
    const own = brightness(data, at);
    const mean = means[region]!;
    const isDark = own <= mean;
    const share = isDark ? own / Math.max(mean, 1) : (own - mean) / (255 - mean);
    for (let channel = 0; channel < 3; channel++) {
      const given = color[channel]!;
      data[at + channel] = Math.round(isDark ? given * share : given + (255 - given) * share);
    }
  };
}
