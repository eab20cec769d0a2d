/** What is hidden in one frame, carried to those beside it. */
import { hullOf } from '../../parsing/masks/hull.ts';
import { dilate, type InstanceMap, measureInstances } from '../../parsing/masks/instance-map.ts';
import type { Hidden } from '../../parsing/redact/find-hidden.ts';
import { forEachSlice } from '../../image/slices.ts';
import type { Box } from '../../parsing/types.ts';

/** Whoever is not found again for longer has gone, or is somebody else. */
const MOST_SECONDS = 1;

/** So many times as fast as somebody walks, somebody runs or rides a bicycle. */
const RUN = 4;

type HiddenPixels = Pick<Hidden, 'plan' | 'isWholeImage' | 'owners' | 'boxes'>;

/** What is hidden in a parsed frame. */
export interface Shade extends HiddenPixels {
  width: number;
  height: number;
  /** By the number of the region from 0, whose it is: the same person has the same name in all frames. */
  names: readonly string[];
  /** By the same number, pixels that whoever it is may go in a second. */
  strides: readonly number[];
}

/** All that is hidden in any of the frames. */
export type Carried = HiddenPixels & { names: readonly string[] };

/** All that is hidden in frames beside one that is shown. @param shades one at least, of frames of the same size */
export async function carryOver(shades: readonly Shade[]): Promise<Carried> {
  const [first] = shades as readonly [Shade];
  return shades.length === 1 ? first : finish(await layAll(shades), shades, 0);
}

/**
 * All that is hidden in one of two frames, and may be anywhere between them: of whoever is in both the straight way, of
 * others what they reach at walking pace, and the way to the edges where they may have run out of the picture, or into it.
 * @param seconds from one to the other
 * @param margin pixels that all grows by then
 */
export async function carryBetween(
  before: Shade,
  after: Shade,
  seconds: number,
  margin: number,
): Promise<Carried> {
  const shades = [before, after];
  const laid = await layAll(shades);
  if (!laid.isWholeImage) {
    const lost = new Set(laid.regions.keys());
    for (const [name, number] of laid.regions) {
      if (await sweep(laid.owners, shades, name, number)) lost.delete(name);
    }
    await spreadLost(laid, shades, lost, Math.min(seconds, MOST_SECONDS));
  }
  return finish(laid, shades, margin);
}

/** What several frames hide, in one. */
interface Laid {
  owners: InstanceMap;
  /** The number of each name's region. */
  regions: Map<string, number>;
  isWholeImage: boolean;
}

async function layAll(shades: readonly Shade[]): Promise<Laid> {
  const [{ width, height }] = shades as readonly [Shade];
  const isWholeImage = shades.some((shade) => shade.isWholeImage);
  const regions = new Map<string, number>();
  const numberOf = (name: string): number => {
    const number = regions.get(name) ?? regions.size + 1;
    regions.set(name, number);
    return number;
  };
  const owners: InstanceMap = new Uint16Array(width * height);
  for (const { owners: from, boxes, names } of shades) {
    await lay(
      owners,
      from,
      boxes.map((_, region) => numberOf(isWholeImage ? '' : names[region]!)),
    );
  }
  return { owners, regions, isWholeImage };
}

async function finish(
  { owners, regions, isWholeImage }: Laid,
  shades: readonly Shade[],
  margin: number,
): Promise<Carried> {
  const [first] = shades as readonly [Shade];
  const { plan } = shades.find((shade) => shade.isWholeImage) ?? first;
  const { width, height } = first;
  const grown = await dilate(owners, width, height, margin);
  const { boxes } = await measureInstances(grown, width, height, regions.size);
  return { plan, isWholeImage, owners: grown, boxes, names: isWholeImage ? [] : [...regions.keys()] };
}

/** Those who are in one of the frames only may have gone on, or come from somewhere. */
async function spreadLost(
  { owners, regions }: Laid,
  shades: readonly Shade[],
  lost: ReadonlySet<string>,
  seconds: number,
): Promise<void> {
  const [{ width, height }] = shades as readonly [Shade];
  const strides = shades.flatMap((shade) =>
    shade.strides.filter((_, region) => shade.boxes[region] !== null && lost.has(shade.names[region]!)),
  );
  const reach = Math.ceil(Math.max(0, ...strides) * seconds);
  if (reach === 0) return;
  const layer: InstanceMap = new Uint16Array(owners.length);
  for (const shade of shades) {
    const numbers = shade.names.map((name) => (lost.has(name) ? regions.get(name)! : 0));
    await lay(layer, shade.owners, numbers);
  }
  for (const shade of shades) {
    for (const [region, box] of shade.boxes.entries()) {
      const name = shade.names[region]!;
      if (box === null || !lost.has(name)) continue;
      for (const way of waysOut(box, shade, RUN * shade.strides[region]! * seconds)) {
        await eachRow(way, width, (_, p) => (layer[p] ||= regions.get(name)!));
      }
    }
  }
  const grown = await dilate(layer, width, height, reach);
  const numbers = Array.from({ length: regions.size }, (_, i) => i + 1);
  await lay(owners, grown, numbers);
}

/**
 * The straight ways out of the picture that are not too far: to the nearer side, over which nearly all go, and to the top or the
 * bottom where that is nearer still.
 * @param reach pixels
 */
function waysOut(box: Box, picture: { width: number; height: number }, reach: number): Box[] {
  const { x, y, width, height } = box;
  const [right, bottom] = [picture.width - x - width, picture.height - y - height];
  const [aside, upright] = [Math.min(x, right), Math.min(y, bottom)];
  const ways: Box[] = [];
  if (aside <= reach) ways.push({ ...box, x: x <= right ? 0 : x, width: width + aside });
  if (upright <= Math.min(aside, reach)) {
    ways.push({ ...box, y: y <= bottom ? 0 : y, height: height + upright });
  }
  return ways;
}

/** What is free gets the numbers of `from`. */
async function lay(owners: InstanceMap, from: InstanceMap, numbers: readonly number[]): Promise<void> {
  await forEachSlice(owners.length, 2, (start, end) => {
    for (let p = start; p < end; p++) {
      if (owners[p] === 0 && from[p] !== 0) owners[p] = numbers[from[p]! - 1]!;
    }
  });
}

/** Hides what lies between two places of one person. @returns whether there are two */
async function sweep(
  owners: InstanceMap,
  shades: readonly Shade[],
  name: string,
  number: number,
): Promise<boolean> {
  const places = shades.flatMap(({ names, boxes, owners: own }) =>
    boxes.flatMap((box, region) =>
      box !== null && names[region] === name ? [{ box, own, owner: region + 1 }] : [],
    ),
  );
  if (places.length < 2) return false;
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
  return true;
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
