/** Makes regions of a picture unrecognisable, or gives them another colour. */
import { forEachSlice } from '../../image/slices.ts';
import type { RawImage } from '../../image/types.ts';
import type { InstanceMap } from '../masks/instance-map.ts';
import type { Rgb } from '../options/palette.ts';
import type { Box } from '../types.ts';
import type { RedactPlan } from './redact-options.ts';

/** Smaller cells would keep what a face of few pixels shows. */
const MIN_CELL = 8;

/** Red, green and blue weights of brightness (ITU-R BT.709). */
const LUMA = [0.2126, 0.7152, 0.0722] as const;

/**
 * The mean colours of a grid of square cells over a box: all that blur and pixelate know of what was there. Of a picture
 * with alpha, a pixel counts as much as it is opaque.
 */
interface Grid {
  box: Box;
  /** Side of a cell, pixels. */
  cell: number;
  columns: number;
  rows: number;
  /**
   * rows * columns * {@link MEANS}: the means over the cell's pixels of red, green and blue, each times the opacity (0
   * to 1), of the opacity, and of whether a pixel is visible at all (0 or 1).
   */
  means: Float32Array;
}

const MEANS = 5;

/** Writes the colour of the pixel (x, y) of region `region` (from 0) to byte `at` of `data`. */
type PixelFn = (data: Buffer, at: number, x: number, y: number, region: number) => void;

/** Where a picture is changed. */
export interface Regions {
  owners: InstanceMap;
  /** The box around each region's pixels; null for one that has none. */
  boxes: readonly (Box | null)[];
}

export interface RedactionStyle {
  method: RedactPlan['method'];
  /** How many cells the longer side of each region's box is cut into, for blur and pixelate. */
  cells: number;
  /** Of fill and recolor. */
  color: Rgb;
}

/**
 * Changes the pixels of `image` that have an owner, in place. Wholly transparent ones stay as they are, so that
 * nothing shows where nothing was; others get the mean opacity of their surroundings with blur and pixelate, and of
 * their region with fill, because opacity can show an outline as well as colours do.
 */
export async function redactRegions(image: RawImage, regions: Regions, style: RedactionStyle): Promise<void> {
  const brush = await brushFor(image, regions, style);
  const { owners } = regions;
  const { width, height, channels, data } = image;
  await forEachSlice(height, 32 * width, (first, end) => {
    for (let y = first, p = first * width; y < end; y++) {
      for (let x = 0; x < width; x++, p++) {
        if (owners[p] === 0 || (channels === 4 && data[4 * p + 3] === 0)) continue;
        brush(data, p * channels, x, y, owners[p]! - 1);
      }
    }
  });
}

async function brushFor(
  image: RawImage,
  { owners, boxes }: Regions,
  { method, cells, color }: RedactionStyle,
): Promise<PixelFn> {
  switch (method) {
    // Over the colour, both are drawn afterwards: where they are transparent nothing shows through.
    case 'symbol':
    case 'picture':
    case 'fill': {
      const opacities = image.channels === 4 ? await meanOf(opacity, image, owners, boxes.length) : null;
      return (data, at, _x, _y, region) => {
        for (let channel = 0; channel < 3; channel++) data[at + channel] = color[channel]!;
        if (opacities !== null) data[at + 3] = Math.round(opacities[region]!);
      };
    }
    case 'remove':
      // The colour goes, too: a viewer that ignores transparency would show it.
      return (data, at) => data.fill(0, at, at + 4);
    case 'recolor':
      return recolor(color, await meanOf(brightness, image, owners, boxes.length));
    case 'pixelate':
      return pixelate(await gridsOf(image, boxes, cells), image.channels);
    case 'blur':
      return blur(await gridsOf(image, boxes, cells), image.channels);
    default: {
      // A method of the table that has no case here is a type error, and hides nothing in another method's way.
      const forgotten: never = method;
      throw new Error(`Redact has no way to ${String(forgotten)}.`);
    }
  }
}

/** All grids are measured before the first pixel changes, because boxes may overlap. */
async function gridsOf(
  image: RawImage,
  boxes: readonly (Box | null)[],
  cells: number,
): Promise<(Grid | null)[]> {
  const grids: (Grid | null)[] = [];
  for (const box of boxes) grids.push(box === null ? null : await measureGrid(image, box, cells));
  return grids;
}

async function measureGrid(image: RawImage, box: Box, cells: number): Promise<Grid> {
  const cell = Math.max(MIN_CELL, Math.ceil(Math.max(box.width, box.height) / cells));
  const columns = Math.ceil(box.width / cell);
  const rows = Math.ceil(box.height / cell);
  const sums = new Float64Array(rows * columns * MEANS);
  const { data, channels } = image;
  await forEachSlice(box.height, 8 * box.width, (first, end) => {
    for (let dy = first; dy < end; dy++) {
      const row = Math.floor(dy / cell) * columns;
      let at = ((box.y + dy) * image.width + box.x) * channels;
      for (let dx = 0; dx < box.width; dx++, at += channels) {
        const sum = MEANS * (row + Math.floor(dx / cell));
        const opaque = channels === 4 ? data[at + 3]! / 255 : 1;
        sums[sum]! += data[at]! * opaque;
        sums[sum + 1]! += data[at + 1]! * opaque;
        sums[sum + 2]! += data[at + 2]! * opaque;
        sums[sum + 3]! += opaque;
        if (opaque > 0) sums[sum + 4]!++;
      }
    }
  });
  const means = new Float32Array(sums.length);
  for (let row = 0; row < rows; row++) {
    const tall = Math.min(cell, box.height - row * cell);
    for (let column = 0; column < columns; column++) {
      const pixels = tall * Math.min(cell, box.width - column * cell);
      const at = MEANS * (row * columns + column);
      for (let i = 0; i < MEANS; i++) means[at + i] = sums[at + i]! / pixels;
    }
  }
  return { box, cell, columns, rows, means };
}

/** Writes the mean colour and opacity that `mean` gives, by their place in {@link Grid.means}. */
function write(data: Buffer, at: number, channels: number, mean: (i: number) => number): void {
  const opaque = channels === 4 ? mean(3) : 1;
  for (let channel = 0; channel < 3; channel++) data[at + channel] = Math.round(mean(channel) / opaque);
  if (channels === 4) data[at + 3] = Math.round((255 * opaque) / mean(4));
}

function pixelate(grids: readonly (Grid | null)[], channels: number): PixelFn {
  return (data, at, x, y, region) => {
    const { box, cell, columns, means } = grids[region]!;
    const from = MEANS * (Math.floor((y - box.y) / cell) * columns + Math.floor((x - box.x) / cell));
    write(data, at, channels, (i) => means[from + i]!);
  };
}

/** Between the centres of four cells the colour changes evenly; past the outermost centres it stays. */
function blur(grids: readonly (Grid | null)[], channels: number): PixelFn {
  return (data, at, x, y, region) => {
    const { box, cell, columns, rows, means } = grids[region]!;
    const u = Math.min(Math.max((x - box.x + 0.5) / cell - 0.5, 0), columns - 1);
    const v = Math.min(Math.max((y - box.y + 0.5) / cell - 0.5, 0), rows - 1);
    const left = Math.floor(u);
    const top = Math.floor(v);
    const right = Math.min(left + 1, columns - 1);
    const bottom = Math.min(top + 1, rows - 1);
    const [du, dv] = [u - left, v - top];
    const [topLeft, topRight] = [MEANS * (top * columns + left), MEANS * (top * columns + right)];
    const [bottomLeft, bottomRight] = [MEANS * (bottom * columns + left), MEANS * (bottom * columns + right)];
    write(data, at, channels, (i) => {
      const above = means[topLeft + i]! * (1 - du) + means[topRight + i]! * du;
      const below = means[bottomLeft + i]! * (1 - du) + means[bottomRight + i]! * du;
      return above * (1 - dv) + below * dv;
    });
  };
}

function brightness(data: Buffer, at: number): number {
  return data[at]! * LUMA[0] + data[at + 1]! * LUMA[1] + data[at + 2]! * LUMA[2];
}

function opacity(data: Buffer, at: number): number {
  return data[at + 3]!;
}

/** The mean of what `measure` gives, over the visible pixels of each region. */
async function meanOf(
  measure: (data: Buffer, at: number) => number,
  image: RawImage,
  owners: InstanceMap,
  count: number,
): Promise<Float64Array> {
  const sums = new Float64Array(count);
  const pixels = new Uint32Array(count);
  const { width, height, channels, data } = image;
  await forEachSlice(width * height, 3, (first, end) => {
    for (let p = first; p < end; p++) {
      if (owners[p] === 0 || (channels === 4 && data[4 * p + 3] === 0)) continue;
      sums[owners[p]! - 1]! += measure(data, p * channels);
      pixels[owners[p]! - 1]!++;
    }
  });
  return sums.map((sum, region) => sum / Math.max(pixels[region]!, 1));
}

/**
 * The new colour, darker where a pixel is darker than its region's mean, and lighter (towards white) where it is
 * lighter: folds and shadows stay.
 */
function recolor(color: Rgb, means: Float64Array): PixelFn {
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
