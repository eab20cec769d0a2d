/** The mask of labels of the user's choice. */
import { forEachSlice } from '../../image/slices.ts';
import { clamp } from '../crop/crop-box.ts';
import { hullOf } from '../masks/hull.ts';
import { coverOf } from '../masks/masks.ts';
import { fillHoles, largestRegion } from '../masks/regions.ts';
import { BACKGROUND_INDEX, firstOfName, personIndex } from '../options/options.ts';
import type { Box, Parsing } from '../types.ts';
import type { MaskPlan } from './mask-options.ts';

export interface PartsMask {
  window: Box;
  /** window.width * window.height bytes, row-major: 1 inside. */
  mask: Uint8Array;
  /** Label indices that were found. */
  found: number[];
}

/**
 * The union of the chosen labels of `persons`, without holes, as its largest region, as its hull, in this order.
 * @param persons ids; null: everybody's, and nobody's
 * @param extra pixels that the window has around it
 * @returns null where there is none
 * @throws {M2fpError} `M2FP_NO_PARSING` where a mask is damaged
 */
export async function partsMask(
  parsing: Parsing,
  persons: ReadonlySet<number> | null,
  plan: Pick<MaskPlan, 'chosen' | 'fillHoles' | 'largest' | 'hull'>,
  extra: number,
): Promise<PartsMask | null> {
  const human = personIndex(parsing);
  const { chosen } = plan;
  const isChosen = (index: number): boolean =>
    chosen?.has(index) ?? (index !== BACKGROUND_INDEX && index !== human);
  const isTheirs = (id: number | null): boolean => persons === null || (id !== null && persons.has(id));
  const regions = [
    ...parsing.parts.filter(({ index, person }) => isChosen(index) && isTheirs(person)),
    ...(isChosen(human) ? parsing.persons.filter(({ id }) => isTheirs(id)) : []).map((person) => ({
      ...person,
      index: human,
    })),
  ].filter(({ area }) => area > 0);
  const withBackground = isChosen(BACKGROUND_INDEX);
  if (regions.length === 0 && !withBackground) return null;

  const window = withBackground ? wholeOf(parsing) : windowAround(regions, parsing, extra);
  const { width, height } = window;
  const { alpha } = await coverOf(
    regions.map(({ mask }) => mask),
    window,
  );
  await forEachSlice(height, 3 * width, (first, end) => {
    for (let y = first; y < end; y++) {
      let at = (window.y + y) * parsing.width + window.x;
      for (let p = y * width; p < (y + 1) * width; p++, at++) {
        const isBackground =
          withBackground && parsing.labelMap[at] === BACKGROUND_INDEX && parsing.personMap[at] === 0;
        alpha[p] = alpha[p] !== 0 || isBackground ? 1 : 0;
      }
    }
  });

  let mask = alpha;
  if (plan.fillHoles) mask = await fillHoles(mask, width, height);
  if (plan.largest) mask = await largestRegion(mask, width, height);
  if (plan.hull !== 'none') mask = await hullOf(mask, width, height, plan.hull);
  const firsts = firstOfName(parsing.labels);
  const found = [
    ...(withBackground ? [BACKGROUND_INDEX] : []),
    ...regions.map(({ index }) => firsts[index]!),
  ];
  return { window, mask, found: [...new Set(found)].toSorted((a, b) => a - b) };
}

function wholeOf({ width, height }: Parsing): Box {
  return { x: 0, y: 0, width, height };
}

/** One pixel more than was asked for, so that a hole is one although the mask fills its box. */
function windowAround(regions: readonly { box: Box }[], parsing: Parsing, extra: number): Box {
  const margin = extra + 1;
  const left = Math.min(...regions.map(({ box }) => box.x)) - margin;
  const top = Math.min(...regions.map(({ box }) => box.y)) - margin;
  const right = Math.max(...regions.map(({ box }) => box.x + box.width)) + margin;
  const bottom = Math.max(...regions.map(({ box }) => box.y + box.height)) + margin;
  return clamp({ x: left, y: top, width: right - left, height: bottom - top }, parsing);
}
