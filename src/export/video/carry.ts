/** What is hidden in one frame, carried to those beside it. */
import { hullOf } from '../../parsing/masks/hull.ts';
import { dilate, type InstanceMap, measureInstances } from '../../parsing/masks/instance-map.ts';
import type { Hidden } from '../../parsing/redact/find-hidden.ts';
import { forEachSlice } from '../../image/slices.ts';
import type { Box } from '../../parsing/types.ts';

type HiddenPixels = Pick<Hidden, 'plan' | 'isWholeImage' | 'owners' | 'boxes'>;

/** What is hidden in a parsed frame. */
export interface Shade extends HiddenPixels {
  width: number;
  height: number;
  /** By the number of the region from 0, whose it is: the same person has the same name in all frames. */
  names: readonly string[];
}

/** All that is hidden in any of the frames. */
export type Carried = HiddenPixels & { names: readonly string[] };

/**
 * @param shades one at least, of frames of the same size
 * @param isSwept whether somebody may be anywhere between two of them: what lies on the straight way is hidden, too
 * @param margin pixels that all grows by then
 */
export async function carry(shades: readonly Shade[], isSwept: boolean, margin: number): Promise<Carried> {
  const [first] = shades as readonly [Shade];
  const whole = shades.find(({ isWholeImage }) => isWholeImage);
  if (shades.length === 1 && margin === 0) return first;
  const { width, height } = first;
  const regions = new Map<string, number>();
  const numberOf = (name: string): number => {
    const number = regions.get(name) ?? regions.size + 1;
    regions.set(name, number);
    return number;
  };
  const owners: InstanceMap = new Uint16Array(width * height);
  for (const shade of shades) {
    const numbers = shade.boxes.map((_, region) => (whole ? numberOf('') : numberOf(shade.names[region]!)));
    await lay(owners, shade.owners, numbers);
  }
  if (isSwept && !whole) {
    for (const [name, number] of regions) await sweep(owners, shades, name, number);
  }
  const grown = await dilate(owners, width, height, margin);
  const { boxes } = await measureInstances(grown, width, height, regions.size);
  return {
    plan: (whole ?? first).plan,
    isWholeImage: whole !== undefined,
    owners: grown,
    boxes,
    names: whole ? [] : [...regions.keys()],
  };
}

/** What is free gets the numbers of `from`. */
async function lay(owners: InstanceMap, from: InstanceMap, numbers: readonly number[]): Promise<void> {
  await forEachSlice(owners.length, 2, (start, end) => {
    for (let p = start; p < end; p++) {
      if (owners[p] === 0 && from[p] !== 0) owners[p] = numbers[from[p]! - 1]!;
    }
  });
}

/** Hides what lies between two places of one person. */
async function sweep(
  owners: InstanceMap,
  shades: readonly Shade[],
  name: string,
  number: number,
): Promise<void> {
  const places = shades.flatMap(({ names, boxes, owners: own }) =>
    boxes.flatMap((box, region) =>
      box !== null && names[region] === name ? [{ box, own, owner: region + 1 }] : [],
    ),
  );
  if (places.length < 2) return;
  const { width } = shades[0]!;
  const box = boxAround(places.map((place) => place.box));
  const mask = new Uint8Array(box.width * box.height);
  for (const { own, owner } of places) {
    await eachRow(box, width, (at, p) => {
      if (own[p] === owner) mask[at] = 1;
    });
  }
  const hull = await hullOf(mask, box.width, box.height, 'all');
  await eachRow(box, width, (at, p) => {
    if (hull[at] === 1 && owners[p] === 0) owners[p] = number;
  });
}

/** Calls with the number of each pixel of a box, in the box and in the picture. */
async function eachRow(box: Box, width: number, work: (at: number, p: number) => void): Promise<void> {
  await forEachSlice(box.height, 4 * box.width, (start, end) => {
    for (let y = start; y < end; y++) {
      const [at, p] = [y * box.width, (box.y + y) * width + box.x];
      for (let x = 0; x < box.width; x++) work(at + x, p + x);
    }
  });
}

function boxAround(boxes: readonly Box[]): Box {
  const x = Math.min(...boxes.map((box) => box.x));
  const y = Math.min(...boxes.map((box) => box.y));
  return {
    x,
    y,
    width: Math.max(...boxes.map((box) => box.x + box.width)) - x,
    height: Math.max(...boxes.map((box) => box.y + box.height)) - y,
  };
}
