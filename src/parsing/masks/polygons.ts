/** Masks as polygons, for whoever draws or labels rather than computes with pixels. */
import { forEachSlice, turns } from '../../image/slices.ts';
import { badOption } from '../options/options.ts';
import type { Box, MaskPolygon, Rle } from '../types.ts';
import { coverOf } from './masks.ts';
import { rleBox } from './rle.ts';
import { type Ring, simplify, traceRings } from './rings.ts';

export interface PolygonOptions {
  /**
   * How well the polygons meet the mask: pixels in both, by pixels in either, at least; 0 to 1. A pixel is a polygon's
   * whose middle is. 1: every step of the mask's border is kept.
   */
  iou?: number;
}

/** As far as nobody sees it. */
export const DEFAULT_IOU = 0.98;

/** Distances from the border that are tried first for {@link DEFAULT_IOU}, by the square root of the mask's area. */
const COARSEST = 0.02;
/** And for whatever is to be met less well. */
const COARSEST_OF_ALL = 0.5;
/** Pixels: below it a step of the border is not left out. */
const FINEST = 0.4;
/** Pixels: less than any edge misses the middle of a pixel by that it does not run through. */
const NUDGE = 1e-6;

/**
 * The regions of `mask` (those that touch at a corner only are two), largest first, with as few corners as meet the mask
 * well enough. Pixel work goes in slices between turns of the event loop.
 * @throws {M2fpError} `M2FP_NO_PARSING` where the mask is damaged; `M2FP_BAD_OPTION` for an `iou` beyond 0 to 1
 */
export async function polygonsOf(
  mask: Rle,
  { iou = DEFAULT_IOU }: PolygonOptions = {},
): Promise<MaskPolygon[]> {
  if (!(iou >= 0 && iou <= 1)) throw badOption('iou', iou, 'a number from 0 to 1');
  const window = rleBox(mask);
  const { alpha, area } = await coverOf([mask], window);
  const exact = await traceRings(alpha, window.width, window.height);
  let rings = exact;
  if (iou < 1) {
    // What a border of some length misses grows with the distance.
    const share = Math.min(COARSEST_OF_ALL, COARSEST * Math.max(1, (1 - iou) / (1 - DEFAULT_IOU)));
    for (let tolerance = Math.sqrt(area) * share; tolerance >= FINEST; tolerance /= 2) {
      const coarse = await simplify(exact, tolerance);
      // Readers differ in what they do with a pixel whose middle an edge runs through: the polygons must do for both.
      const isClose =
        (await overlap(coarse, alpha, window, -NUDGE)) >= iou &&
        (await overlap(coarse, alpha, window, NUDGE)) >= iou;
      if (isClose) {
        rings = coarse;
        break;
      }
    }
  }
  return regionsOf(rings, window);
}

function regionsOf(rings: readonly Ring[], { x, y }: Box): MaskPolygon[] {
  const moved = ({ corners }: Ring): number[] => corners.map((value, at) => value + (at % 2 === 0 ? x : y));
  const regions = rings.map((ring) => (ring.owner === ring ? { outer: moved(ring), holes: [] } : undefined));
  const at = new Map(rings.map((ring, index) => [ring.origin, index]));
  for (const ring of rings) {
    const region = ring.owner === ring ? undefined : regions[at.get(ring.owner.origin) ?? -1];
    (region?.holes as number[][] | undefined)?.push(moved(ring));
  }
  const sizes = new Map(
    regions.flatMap((region) => (region ? [[region, areaOf(region.outer)] as const] : [])),
  );
  return [...sizes].toSorted(([, a], [, b]) => b - a).map(([region]) => region);
}

function areaOf(corners: readonly number[]): number {
  let sum = 0;
  for (let i = 0, last = corners.length - 2; i < corners.length; last = i, i += 2) {
    sum += corners[last]! * corners[i + 1]! - corners[i]! * corners[last + 1]!;
  }
  return sum / 2;
}

/** Pixels in the mask and in the rings, moved to the right by `nudge`, by pixels in either. */
async function overlap(
  rings: readonly Ring[],
  alpha: Uint8Array,
  { width, height }: Box,
  nudge: number,
): Promise<number> {
  // What changes between inside and outside from left to right in each row.
  const toggles = new Uint8Array((width + 1) * height);
  const turn = turns();
  for (const { corners } of rings) {
    for (let i = 0, last = corners.length - 2; i < corners.length; last = i, i += 2) {
      const [x0, x1] = [corners[last]! + nudge, corners[i]! + nudge];
      toggleAlong(toggles, width + 1, x0, corners[last + 1]!, x1, corners[i + 1]!);
      await turn();
    }
  }
  let both = 0;
  let either = 0;
  await forEachSlice(height, 3 * width, (first, end) => {
    for (let y = first; y < end; y++) {
      let inside = 0;
      for (let x = 0, p = y * width, t = y * (width + 1); x < width; x++, p++, t++) {
        inside ^= toggles[t]!;
        const isSet = alpha[p]! & 1;
        both += inside & isSet;
        either += inside | isSet;
      }
    }
  });
  return either === 0 ? 1 : both / either;
}

function toggleAlong(
  toggles: Uint8Array,
  stride: number,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
): void {
  if (y0 === y1) return;
  const [top, bottom] = y0 < y1 ? [y0, y1] : [y1, y0];
  const slope = (x1 - x0) / (y1 - y0);
  for (let y = Math.ceil(top - 0.5); y < bottom - 0.5; y++) {
    const x = x0 + (y + 0.5 - y0) * slope;
    toggles[y * stride + Math.min(stride - 1, Math.max(0, Math.ceil(x - 0.5)))]! ^= 1;
  }
}
