/** The colours of a patch of pixels, by name and share. */
import { clustersOf, litColorOf } from './clusters.ts';
import { hexOf, lit, type Oklab } from './oklab.ts';
import type { ColorTerm, Shade } from './terms.ts';

export interface NamedColor<Term extends string = ColorTerm> {
  term: Term;
  /** Null: neither dark nor light for its term. */
  shade: Shade | null;
  /** `#rrggbb`, as it is in the picture. */
  hex: string;
  /** Of the patch, 0 to 1, two decimals. */
  share: number;
}

export interface ColorOptions<Term extends string> {
  /** Colours told at most. */
  max: number;
  /** What takes less of the patch, 0 to 1, is not told. */
  minShare: number;
  /** See {@link exposureOf}. */
  exposure: number;
  /** What a colour is called, such as {@link nameColor}. */
  name: (color: Oklab) => { term: Term; shade: Shade | null };
}

/** Between the saturations of light and shade on one cloth is less. */
const SAME_SATURATION = 0.07;
/** A shade is no darker than this, by the lightness of what is lit. */
const DEEPEST_SHADE = 0.5;

interface Group {
  samples: number[];
  color: Oklab;
}

/**
 * The colours of a patch, the one with the largest share first. What is one colour in light and in shade, and what has one
 * name, counts as one; mixtures at the border between two colours, and what is small, are left out.
 *
 * @param samples three numbers a pixel, Oklab; the pixels of the patch, or some hundred evenly among them
 */
export function colorsOf<Term extends string>(
  samples: Float32Array,
  { max, minShare, exposure, name }: ColorOptions<Term>,
): NamedColor<Term>[] {
  const size = samples.length / 3;
  // One more than is told, for the mixtures at the borders; two also where one is told: their mean is neither.
  const groups = clustersOf(samples, Math.max(max, 2) + 1);
  const colors = new Map(groups.map((group) => [group, litColorOf(samples, group)]));
  // Nothing gives back more light than falls on it: beside white stripes, grey ones stay grey.
  const named = (color: Oklab): { term: Term; shade: Shade | null } => {
    const others = [...colors.values()].filter((other) => !isOne(other, color));
    const brightest = Math.max(0.01, ...others.map(([lightness]) => lightness));
    return name(lit(color, Math.min(exposure, 1 / brightest)));
  };
  const merged: Group[] = [];
  for (const group of groups.toSorted((g, h) => h.length - g.length)) {
    const color = colors.get(group)!;
    const same = merged.find(
      (other) => isOne(other.color, color) || named(other.color).term === named(color).term,
    );
    if (same === undefined) merged.push({ samples: group, color });
    else same.samples.push(...group);
  }
  return merged
    .map(({ samples: own }) => ({ color: litColorOf(samples, own), share: own.length / size }))
    .toSorted((g, h) => h.share - g.share)
    .filter(({ share }, rank) => rank === 0 || share >= minShare)
    .slice(0, max)
    .map(({ color, share }) => ({
      ...named(color),
      hex: hexOf(color),
      share: Math.round(100 * share) / 100,
    }));
}

/** Whether two colours may be one cloth in light and in shade. */
function isOne([l1, a1, b1]: Oklab, [l2, a2, b2]: Oklab): boolean {
  const [dark, light] = [Math.max(Math.min(l1, l2), 0.01), Math.max(l1, l2, 0.01)];
  const apart = Math.hypot(
    a1 / Math.max(l1, 0.01) - a2 / Math.max(l2, 0.01),
    b1 / Math.max(l1, 0.01) - b2 / Math.max(l2, 0.01),
  );
  return dark / light > DEEPEST_SHADE && apart < SAME_SATURATION;
}
