/**
 * How people look: which colours head, clothes and shoes have, as histograms. They tell who is who where nobody is where he
 * was expected, as after an occlusion (the idea of N. Wojke et al., "Simple Online and Realtime Tracking with a Deep
 * Association Metric", 2017, with the parts of the parsing in place of a second network).
 */
import { loadSharp } from '../../image/sharp.ts';
import { partGroup } from '../../m2fp/labels.ts';
import type { Grid, Shape } from './grid.ts';

/** Bins for lightness and for the two axes of colour (of YCbCr). */
const LIGHT = 4;
const HUES = 8;
const BINS = LIGHT * HUES * HUES;
/** Colours farther from grey than this are rare, and count as this. */
const CHROMA = 72;
/** Histograms of fewer cells say nothing. */
const MIN_CELLS = 6;
/** How much of a new look goes into the one that is kept. */
const LEARN = 0.2;

/** Cells that both must have of what the upper body wears to say that it is another garment. */
const PLAIN_CELLS = 20;

/** The parts of the body that have a histogram each. */
const SLOTS = { head: 0, upperBody: 1, lowerBody: 2, legs: 2, shoes: 3 } as const;
const SLOT_COUNT = 4;

/** Normalised histograms by slot, and of how many cells they were made. */
export interface Look {
  bins: (Float32Array | null)[];
  cells: number[];
}

/** For each label the slot that it counts for, -1 for none: skin of arms and what is carried tell little. */
export function slotsOf(labels: readonly string[]): Int8Array {
  return Int8Array.from(labels, (label) => {
    const group = partGroup(label);
    return group !== undefined && Object.hasOwn(SLOTS, group) ? SLOTS[group as keyof typeof SLOTS] : -1;
  });
}

/**
 * The picture in the cells of the grid, 3 bytes each (RGB), decoded at a reduced size on sharp's own threads; null where it
 * cannot be read, or has other proportions: people are told apart by where they are, then.
 */
export async function colorsOf(image: Buffer, grid: Grid): Promise<Buffer | null> {
  try {
    const sharp = await loadSharp();
    const { data, info } = await sharp(image, { failOn: 'none', autoOrient: true, limitInputPixels: false })
      .resize(grid.width, grid.height, { fit: 'fill', kernel: 'linear', fastShrinkOnLoad: true })
      .flatten({ background: '#ffffff' })
      .toColorspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return info.channels === 3 ? data : null;
  } catch {
    return null;
  }
}

/**
 * @param shape the person
 * @param colors RGB of each cell
 * @param labelMap of the picture, its index for each cell in `grid.pixels`
 * @param slots by label, see {@link slotsOf}
 */
export function lookOf(
  shape: Shape,
  grid: Grid,
  colors: Buffer,
  labelMap: Uint8Array,
  slots: Int8Array,
): Look {
  const bins: (Float32Array | null)[] = Array<null>(SLOT_COUNT).fill(null);
  const cells = Array<number>(SLOT_COUNT).fill(0);
  for (let y = 0; y < shape.height; y++) {
    for (let x = 0; x < shape.width; x++) {
      if (shape.cells[y * shape.width + x] === 0) continue;
      const cell = (shape.y + y) * grid.width + shape.x + x;
      const slot = slots[labelMap[grid.pixels[cell]!]!] ?? -1;
      if (slot < 0) continue;
      cells[slot]!++;
      spread(
        (bins[slot] ??= new Float32Array(BINS)),
        colors[cell * 3]!,
        colors[cell * 3 + 1]!,
        colors[cell * 3 + 2]!,
      );
    }
  }
  for (let slot = 0; slot < SLOT_COUNT; slot++) {
    const histogram = bins[slot];
    if (!histogram) continue;
    if (cells[slot]! < MIN_CELLS) bins[slot] = null;
    else for (let i = 0; i < BINS; i++) histogram[i]! /= cells[slot]!;
  }
  return { bins, cells };
}

/** Adds a colour to the bins around it, so that a little more light moves it a little, not into another bin. */
function spread(histogram: Float32Array, red: number, green: number, blue: number): void {
  const light = ((0.299 * red + 0.587 * green + 0.114 * blue) / 255) * (LIGHT - 1);
  const cb = chromaBin(-0.169 * red - 0.331 * green + 0.5 * blue);
  const cr = chromaBin(0.5 * red - 0.419 * green - 0.081 * blue);
  const l0 = Math.min(Math.floor(light), LIGHT - 2);
  const b0 = Math.min(Math.floor(cb), HUES - 2);
  const r0 = Math.min(Math.floor(cr), HUES - 2);
  for (let l = 0; l < 2; l++) {
    const byLight = l === 0 ? 1 - light + l0 : light - l0;
    for (let b = 0; b < 2; b++) {
      const byBlue = byLight * (b === 0 ? 1 - cb + b0 : cb - b0);
      const at = ((l0 + l) * HUES + b0 + b) * HUES + r0;
      histogram[at]! += byBlue * (1 - cr + r0);
      histogram[at + 1]! += byBlue * (cr - r0);
    }
  }
}

function chromaBin(chroma: number): number {
  const clamped = Math.min(Math.max(chroma, -CHROMA), CHROMA);
  return ((clamped + CHROMA) / (2 * CHROMA)) * (HUES - 1);
}

/**
 * How alike two looks are, 0 to 1: the Bhattacharyya coefficient of the histograms that both have, weighted by their cells,
 * of how many cells that is, and how alike what the upper body wears is (1 where too little of it is seen); undefined where
 * they have nothing in common.
 */
export function likenessOf(
  a: Look | null,
  b: Look | null,
): { value: number; cells: number; garment: number } | undefined {
  if (a === null || b === null) return undefined;
  let sum = 0;
  let weights = 0;
  let cells = 0;
  let garment = 1;
  for (let slot = 0; slot < SLOT_COUNT; slot++) {
    const [p, q] = [a.bins[slot], b.bins[slot]];
    if (!p || !q) continue;
    let coefficient = 0;
    for (let i = 0; i < BINS; i++) coefficient += Math.sqrt(p[i]! * q[i]!);
    const common = Math.min(a.cells[slot]!, b.cells[slot]!);
    sum += Math.sqrt(common) * coefficient;
    weights += Math.sqrt(common);
    cells += common;
    if (slot === SLOTS.upperBody && common >= PLAIN_CELLS) garment = coefficient;
  }
  return weights === 0 ? undefined : { value: sum / weights, cells, garment };
}

/** What is kept of a person's look when it is seen once more; neither is written into. */
export function learned(kept: Look | null, seen: Look | null): Look | null {
  if (kept === null || seen === null) return seen ?? kept;
  const cells = kept.cells.map((count, slot) => Math.max(count, seen.cells[slot]!));
  const bins = kept.bins.map((old, slot) => {
    const fresh = seen.bins[slot] ?? null;
    if (!old || !fresh) return fresh ?? old ?? null;
    // What is half hidden says less.
    const share = LEARN * Math.min(1, seen.cells[slot]! / kept.cells[slot]!);
    return old.map((value, i) => value * (1 - share) + fresh[i]! * share);
  });
  return { bins, cells };
}
