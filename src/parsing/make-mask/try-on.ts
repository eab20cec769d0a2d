/**
 * The masks that virtual try-on wants. The steps, sizes and thresholds are those of CatVTON and of IDM-VTON (OOTDiffusion has
 * the same ones). They know body parts under clothes (DensePose) or joints (OpenPose) besides; here the labels stand for both:
 * docs/try-on.md says what differs.
 */
import { forEachSlice } from '../../image/slices.ts';
import { blurAbove } from '../masks/gaussian.ts';
import { hullOf } from '../masks/hull.ts';
import { and, dilateMask, or, without } from '../masks/morphology.ts';
import { fillHoles, largestRegion } from '../masks/regions.ts';
import type { Box, Parsing } from '../types.ts';
import { extremitiesOf } from './extremities.ts';
import { type Garment, type Kind, RULES } from './garments.ts';
import { type PersonLabels, personLabels, pixelsOf, pixelsWhere } from './person-labels.ts';

export const RECIPES = ['catvton', 'idm-vton'] as const;
export type Recipe = (typeof RECIPES)[number];

export interface TryOnPlan {
  garment: Garment;
  recipe: Recipe;
  /** What of an arm is its hand at least, 0 to 1. */
  hands: number;
}

/** One person's mask, in a window of the picture. */
export interface TryOnMask {
  window: Box;
  /** window.width * window.height bytes, row-major: 1 where is to be painted. */
  mask: Uint8Array;
  /** The same: 1 where must not be painted, whatever is done to the mask afterwards. */
  kept: Uint8Array;
  /** Label indices of the garments that the person wears, of those that are painted. */
  worn: number[];
}

/** Of 255: what a blurred mask must have. */
const LEAST = 25;
/** CatVTON grows what it knows of the body at a quarter of the size, twice. */
const BODY_SCALE = 4;
/** IDM-VTON works at so many pixels of height. */
const IDM_SIDE = 512;

const odd = (value: number): number => (value % 2 === 1 ? value : value + 1);

/** Pixels that the recipes grow and blur by, for a picture whose longer side is `side`. */
function reachesOf(side: number): { grow: number; body: number; blur: number; scale: number } {
  const kernel = odd(Math.floor(side / 250));
  return {
    grow: (kernel - 1) / 2,
    body: BODY_SCALE * (kernel - 1),
    blur: odd(Math.floor(side / 25)),
    scale: side / IDM_SIDE,
  };
}

/**
 * The mask of the garment of one person.
 * @param person the id; null: all that the parsing has is of one person
 * @param extra pixels that the window has around what the recipe needs
 * @throws {M2fpError} `M2FP_NO_PARSING` where a mask is damaged
 */
export async function tryOnMask(
  parsing: Parsing,
  person: number | null,
  plan: TryOnPlan,
  extra: number,
): Promise<TryOnMask> {
  const { grow, body, blur, scale } = reachesOf(Math.max(parsing.width, parsing.height));
  const margin = Math.max(body + (blur - 1) / 2 + grow, Math.ceil(IDM_GROW.clothes * scale)) + 2 + extra;
  const labels = await personLabels(parsing, person, margin);
  const { window, width, height, others } = labels;
  const ends = await extremitiesOf(labels, plan.hands, Math.max(1, grow));
  const near = await and(await dilateMask(ends, width, height, grow), await pixelsOf(labels, ['arm', 'leg']));
  const kept = await or(await or(near, others), await pixelsOf(labels, ['face', 'hand', 'foot']));
  const make = plan.recipe === 'catvton' ? looseMask : tightMask;
  const mask = await make(labels, { kept, ends }, plan.garment);
  return { window, kept, mask, worn: await wornOf(labels, plan.garment) };
}

async function wornOf({ labels, kinds }: PersonLabels, garment: Garment): Promise<number[]> {
  const seen = new Set<number>();
  await forEachSlice(labels.length, 2, (first, end) => {
    let last = -1;
    for (let p = first; p < end; p++) if (labels[p] !== last) seen.add((last = labels[p]!));
  });
  return [...kinds.keys()].filter(
    (at) => at > 0 && seen.has(at) && RULES[garment].clothes.includes(kinds[at]!),
  );
}

interface Ends {
  /** Hands, bare feet, face, other people. */
  kept: Uint8Array;
  /** Hands and bare feet by themselves. */
  ends: Uint8Array;
}

/** As CatVTON makes it: wide enough for another cut. */
async function looseMask(labels: PersonLabels, { kept, ends }: Ends, garment: Garment): Promise<Uint8Array> {
  const { width, height, image } = labels;
  const { grow, body, blur } = reachesOf(Math.max(image.width, image.height));
  const { clothes, skin, body: bodyKinds } = RULES[garment];
  const own = await pixelsWhere(
    labels.labels,
    labels.kinds.map((_, index) => index > 0),
  );
  const paintable = await without(await pixelsOf(labels, [...clothes, ...skin]), kept);
  const avoided = await or(await without(own, paintable), kept);

  const bodyArea = await without(await pixelsOf(labels, bodyKinds), ends);
  const area = await or(paintable, await dilateMask(bodyArea, width, height, body));
  const hull = await without(await hullOf(area, width, height, 'each'), avoided);
  const blurred = await blurAbove(hull, width, height, blur, (LEAST - 0.5) / 255);
  const painted = await without(await or(blurred, await pixelsOf(labels, clothes)), kept);
  return without(await dilateMask(painted, width, height, grow), kept);
}

/** What IDM-VTON leaves as it is, beside what is always kept. */
const FIXED: Readonly<Record<Garment, readonly Kind[]>> = {
  upper: ['footwear', 'other', 'pants', 'skirt'],
  lower: ['footwear', 'other', 'upper', 'coat', 'arm'],
  dress: ['footwear', 'other'],
  inner: ['footwear', 'other', 'coat', 'dress', 'jumpsuit', 'pants', 'skirt'],
  outer: ['footwear', 'other', 'upper', 'dress', 'jumpsuit', 'pants', 'skirt'],
};

/** Pixels of {@link IDM_SIDE} by which IDM-VTON grows them. */
const IDM_GROW = { clothes: 10, arm: 8, torso: 2 } as const;

/** As IDM-VTON and OOTDiffusion make it: near to what is worn. */
async function tightMask(labels: PersonLabels, { kept, ends }: Ends, garment: Garment): Promise<Uint8Array> {
  const { width, height, image } = labels;
  const scale = Math.max(image.width, image.height) / IDM_SIDE;
  const { clothes, skin } = RULES[garment];
  const grown = async (kinds: readonly Kind[], by: number): Promise<Uint8Array> =>
    dilateMask(await without(await pixelsOf(labels, kinds), ends), width, height, Math.round(by * scale));

  const worn: readonly Kind[] = garment === 'lower' ? ['pants', 'skirt', 'leg'] : clothes;
  let mask = await grown(worn, IDM_GROW.clothes);
  if (skin.includes('arm')) mask = await or(mask, await grown(['arm'], IDM_GROW.arm));
  if (skin.includes('torso')) mask = await or(mask, await grown(['torso'], IDM_GROW.torso));
  const fixed = await or(kept, await pixelsOf(labels, FIXED[garment]));
  const filled = await fillHoles(await without(mask, fixed), width, height);
  return without(await largestRegion(filled, width, height), kept);
}
