/** Hands and bare feet, which the labels of arms and legs include: the ends of limbs, by geometry. */
import { forEachSlice, turns } from '../../image/slices.ts';
import { boxOfAlpha } from '../masks/feather.ts';
import { dilateMask } from '../masks/morphology.ts';
import { regionsIn, sortByRegion } from '../masks/regions.ts';
import type { Box } from '../types.ts';
import { type PersonLabels, pixelsOf, pixelsWhere } from './person-labels.ts';

/** Of a person's height: what a face has, which is as long as a hand, where none is seen. */
const FACE_SHARE = 0.11;
/** Of a leg's length, as {@link Limb.share}. */
const FOOT_SHARE = 0.1;

interface Limb {
  /** 1 where a limb of this kind is. */
  pixels: Uint8Array;
  /** Of the limb's length, how much its end has at least, 0 to 1. */
  share: number;
  /** 1 near what the end would lie in: gloves, shoes. A limb that touches it has no end of its own. */
  covered: Uint8Array;
  /** 1 near what a hand may lie at, though the limb's other end is nearer: the face. */
  touched: Uint8Array | null;
  /** Whether a limb that the picture's edge cuts off has no end. */
  endsAtEdge: boolean;
}

/**
 * The pixels of hands and bare feet. The end of a limb is what lies farthest from where the limb is nearest to the face,
 * along the limb: as much as the face is high, and at least `hands` of an arm's length, a tenth of a leg's. So an arm of
 * which a sleeve leaves no more than a hand is all hand.
 * @param hands 0 to 1; 0: nothing is taken for a hand
 * @param reach pixels within which labels count as touching
 */
export async function extremitiesOf(person: PersonLabels, hands: number, reach: number): Promise<Uint8Array> {
  const { window, image, width, height, labels, kinds } = person;
  const face = await pixelsOf(person, ['face']);
  const body = await boxOfAlpha(labels, width, height);
  const found = new Uint8Array(width * height);
  if (body === undefined || hands === 0) return found;
  const faceBox = await boxOfAlpha(face, width, height);
  const length = Math.max(1, Math.round(faceBox?.height ?? FACE_SHARE * body.height));
  const top = faceBox ?? body;
  const origin = { x: top.x + top.width / 2, y: faceBox === undefined ? body.y : faceBox.y + faceBox.height };

  const near = (mask: Uint8Array): Promise<Uint8Array> => dilateMask(mask, width, height, reach);
  const limbs = async (
    kind: 'arm' | 'leg',
    { covered, touched, ...rule }: Omit<Limb, 'pixels'>,
  ): Promise<void> => {
    for (const index of kinds.keys()) {
      if (index === 0 || kinds[index] !== kind) continue;
      const pixels = await pixelsWhere(
        labels,
        kinds.map((_, other) => other === index),
      );
      const box = await boxOfAlpha(pixels, width, height);
      if (box === undefined) continue;
      const cut = (mask: Uint8Array): Uint8Array => pieceOf(mask, width, box);
      const limb = { ...rule, pixels: cut(pixels), covered: cut(covered), touched: touched && cut(touched) };
      const from = { x: origin.x - box.x, y: origin.y - box.y };
      const place = { ...box, x: window.x + box.x, y: window.y + box.y };
      const ends = await endsOf(limb, place, image, from, length);
      await forEachSlice(box.height, box.width, (first, end) => {
        for (let y = first; y < end; y++) {
          const row = (box.y + y) * width + box.x;
          for (let x = 0; x < box.width; x++) found[row + x]! |= ends[y * box.width + x]!;
        }
      });
    }
  };
  await limbs('arm', {
    share: hands,
    covered: await near(await pixelsOf(person, ['hand'])),
    touched: await near(face),
    endsAtEdge: false,
  });
  await limbs('leg', {
    share: FOOT_SHARE,
    covered: await near(await pixelsOf(person, ['foot', 'footwear'])),
    touched: null,
    endsAtEdge: true,
  });
  return found;
}

function pieceOf(mask: Uint8Array, stride: number, { x, y, width, height }: Box): Uint8Array {
  const piece = new Uint8Array(width * height);
  for (let row = 0; row < height; row++) {
    const from = (y + row) * stride + x;
    piece.set(mask.subarray(from, from + width), row * width);
  }
  return piece;
}

/**
 * The ends of all connected pieces of a limb.
 * @param place where the masks of `limb` lie in the picture
 * @param origin what the beginning of a limb is nearest to, pixels of `place`
 * @param length of an end, at least, pixels
 */
async function endsOf(
  limb: Limb,
  place: Box,
  image: { width: number; height: number },
  origin: { x: number; y: number },
  length: number,
): Promise<Uint8Array> {
  const { width, height } = place;
  const { pixels, covered, touched } = limb;
  const regions = await regionsIn(pixels, width, height, { value: 1, diagonal: true });
  const { starts, runs, rows } = await sortByRegion(regions);
  const ends = new Uint8Array(pixels.length);
  const flood = new Flood(pixels, width);
  const turn = turns();
  const isAtEdge = (p: number): boolean => {
    const [x, y] = [place.x + (p % width), place.y + Math.floor(p / width)];
    return x === 0 || y === 0 || x === image.width - 1 || y === image.height - 1;
  };
  for (let region = 0; region + 1 < starts.length; region++) {
    let [start, least, isCovered] = [-1, Infinity, false];
    const contacts: number[] = [];
    for (let i = starts[region]!; i < starts[region + 1]!; i++) {
      const [y, from, to] = [rows[i]!, regions.from[runs[i]!]!, regions.to[runs[i]!]!];
      const x = Math.min(Math.max(Math.floor(origin.x), from), to - 1);
      const distance = (x - origin.x) ** 2 + (y - origin.y) ** 2;
      if (distance < least) [start, least] = [y * width + x, distance];
      for (let p = y * width + from; p < y * width + to; p++) {
        if (covered[p] === 1) isCovered = true;
        if (touched?.[p] === 1) contacts.push(p);
      }
      await turn();
    }
    if (isCovered) continue;
    const farthest = await flood.from([start], Infinity);
    const reached = flood.reached();
    if (limb.endsAtEdge && reached.some((p) => flood.distance(p) === farthest && isAtEdge(p))) continue;
    const reach = Math.max(Math.round(limb.share * farthest), length);
    for (const p of reached) if (flood.distance(p) >= farthest - reach) ends[p] = 1;
    if (contacts.length === 0) continue;
    flood.clear();
    await flood.from(contacts, reach);
    for (const p of flood.reached()) ends[p] = 1;
  }
  return ends;
}

/**
 * How far the pixels of a mask lie from some of them, along the mask, in pixels: four and eight neighbours in turn, which is
 * within a tenth of the true distance.
 */
class Flood {
  readonly #mask: Uint8Array;
  readonly #width: number;
  /** The distance of each pixel and 1; 0 for those that were not reached. */
  readonly #steps: Uint32Array;
  readonly #queue: Uint32Array;
  #count = 0;

  constructor(mask: Uint8Array, width: number) {
    this.#mask = mask;
    this.#width = width;
    this.#steps = new Uint32Array(mask.length);
    this.#queue = new Uint32Array(mask.length);
  }

  distance(pixel: number): number {
    return this.#steps[pixel]! - 1;
  }

  /** The pixels that the last flood reached. */
  reached(): Uint32Array {
    return this.#queue.subarray(0, this.#count);
  }

  /** Takes back what the last flood noted. */
  clear(): void {
    for (const pixel of this.reached()) this.#steps[pixel] = 0;
  }

  /** @returns the largest distance, at most `limit` */
  async from(pixels: readonly number[], limit: number): Promise<number> {
    this.#count = 0;
    for (const pixel of pixels) this.#add(pixel, 1);
    const turn = turns();
    let [before, last, farthest, idle] = [0, 0, 0, 0];
    for (let distance = 1; distance <= limit && idle < 2; distance++) {
      const end = this.#count;
      const withCorners = distance % 2 === 0;
      // Corners of those that were reached last but one were not looked at yet.
      for (let at = withCorners ? before : last; at < end; at++) {
        this.#spread(this.#queue[at]!, distance + 1, withCorners);
      }
      [before, last] = [last, end];
      idle = this.#count > end ? 0 : idle + 1;
      if (idle === 0) farthest = distance;
      await turn();
    }
    return farthest;
  }

  #spread(pixel: number, step: number, withCorners: boolean): void {
    const width = this.#width;
    const x = pixel % width;
    for (let dy = -1; dy <= 1; dy++) {
      for (let dx = -1; dx <= 1; dx++) {
        if ((!withCorners && dx !== 0 && dy !== 0) || x + dx < 0 || x + dx >= width) continue;
        this.#add(pixel + dy * width + dx, step);
      }
    }
  }

  #add(pixel: number, step: number): void {
    if (this.#mask[pixel] !== 1 || this.#steps[pixel] !== 0) return;
    this.#steps[pixel] = step;
    this.#queue[this.#count++] = pixel;
  }
}
