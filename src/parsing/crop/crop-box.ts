/** The rectangle that a crop shows. */
import type { CropPlan } from './crop-options.ts';
import type { Extent } from '../options/option-table.ts';
import type { Box } from '../types.ts';

type Size = { width: number; height: number };

/** `box` with a margin on each side. */
function pad(box: Box, padding: Extent): Box {
  const marginOf = (side: number): number =>
    'share' in padding ? Math.round(side * padding.share) : padding.pixels;
  const [dx, dy] = [marginOf(box.width), marginOf(box.height)];
  return { x: box.x - dx, y: box.y - dy, width: box.width + 2 * dx, height: box.height + 2 * dy };
}

/** The part of `box` inside the picture. */
export function clamp(box: Box, image: Size): Box {
  const x = Math.max(0, box.x);
  const y = Math.max(0, box.y);
  return {
    x,
    y,
    width: Math.min(image.width, box.x + box.width) - x,
    height: Math.min(image.height, box.y + box.height) - y,
  };
}

/** `box`, longer where it is too short for `aspect`, around the same centre. */
function stretch({ x, y, width, height }: Box, aspect: number): Box {
  if (width < height * aspect) {
    const wide = Math.max(width, Math.round(height * aspect));
    return { x: x - Math.floor((wide - width) / 2), y, width: wide, height };
  }
  const high = Math.max(height, Math.round(width / aspect));
  return { x, y: y - Math.floor((high - height) / 2), width, height: high };
}

/** `box` moved into the picture, and cut where it is larger. */
function moveInto(box: Box, image: Size): Box {
  const width = Math.min(box.width, image.width);
  const height = Math.min(box.height, image.height);
  return {
    x: Math.min(Math.max(0, box.x), image.width - width),
    y: Math.min(Math.max(0, box.y), image.height - height),
    width,
    height,
  };
}

/**
 * The rectangle that the crop of `box` shows: with its margin, then in its aspect. It lies inside the picture unless
 * the plan pads.
 */
export function frameOf(box: Box, plan: CropPlan, image: Size): Box {
  const padded = pad(box, plan.padding);
  const kept = plan.pads ? padded : clamp(padded, image);
  if (plan.aspect === null) return kept;
  const stretched = stretch(kept, plan.aspect);
  return plan.pads ? stretched : moveInto(stretched, image);
}
