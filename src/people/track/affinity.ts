/** How well somebody in a frame fits somebody who was seen before. */
import type { Detection } from './detections.ts';
import { type Shape, shapeOverlap } from './grid.ts';
import { likenessOf, type Look } from './look.ts';
import type { Expected, Place } from './motion.ts';

/** What is known of somebody. */
export interface Known {
  expected: Expected;
  /** Where the shape was seen. */
  place: Place;
  shape: Shape;
  look: Look | null;
  /** Whether the edge of the picture cut it off. */
  cut: boolean;
  /** Seconds since then. */
  unseen: number;
}

/** Squared distance in standard deviations that 99 % stay within (chi-square, two dimensions). */
const GATE = 9.21;
/** Of heights: nobody grows or shrinks so much, but who is half hidden. */
const SIZE_GATE = Math.log(2.5);
/** Looks less alike are those of two people, unless they lie on one another. */
const STRANGER = 0.5;
/** From this overlap on it does not count how people look: shadow falls on them, they turn round. */
const SURE_OVERLAP = 0.5;
/** Somebody who was not seen for so many seconds must look alike. */
const FORGOTTEN = 0.6;
const ALIKE = 0.7;
/** A coat less alike is another one, whatever hair and trousers are: drawn people's own are alike by 0.65 and more. */
const OTHER_GARMENT = 0.3;
/** Cells of the grid of which looks must be made to say that two are not the same. */
const TELLING = 30;
/** What each second unseen costs: who was just there is likelier. */
const UNSEEN_COST = 0.04;

/** Of heights: how boxes sit on people. */
const AROUND = 0.08;
/** How much a box counts that lies in another one, beside one that is its equal. */
const PART = 0.8;

const WEIGHTS = { overlap: 0.35, near: 0.3, look: 0.35 };

/**
 * The cost of saying that they are the same, 0 to about 1.2; Infinity where they cannot be.
 * @param cells of the grid in a height of the picture
 */
export function costOf(known: Known, seen: Detection, cells: number): number {
  const { expected, unseen } = known;
  const around = AROUND * Math.max(expected.height, seen.place.height);
  // Of somebody who is half hidden or cut off, the middle lies elsewhere, by half of what is missing.
  const missingX = (seen.place.width - expected.width) / 2;
  const missingY = (seen.place.height - expected.height) / 2;
  const distance =
    ((seen.place.x - expected.x) / Math.hypot(expected.deviationX, around, missingX)) ** 2 +
    ((seen.place.y - expected.y) / Math.hypot(expected.deviationY, around, missingY)) ** 2;
  const overlap = overlapOf(known, seen, cells);
  const isPart = known.cut || seen.cut || overlap > SURE_OVERLAP;
  const growth = (before: number): number => Math.abs(Math.log(seen.place.height / before));
  const size = isPart ? 0 : Math.min(growth(expected.height), growth(known.place.height));
  if ((distance > GATE && overlap === 0) || size > SIZE_GATE) return Infinity;
  const likeness = likenessOf(known.look, seen.look);
  if (likeness !== undefined && likeness.cells >= TELLING && overlap < SURE_OVERLAP) {
    // Elsewhere somebody is followed through the worst of masks.
    if ((known.cut || seen.cut) && likeness.garment < OTHER_GARMENT) return Infinity;
    if (likeness.value < (unseen > FORGOTTEN ? ALIKE : STRANGER)) return Infinity;
  }
  // A sliver of somebody says little of where he is.
  const whole = wholeness(expected, seen.place);
  const near = Math.exp(-distance / 4) * (0.3 + 0.7 * whole);
  const parts = [
    { weight: WEIGHTS.overlap, value: overlap },
    { weight: WEIGHTS.near, value: near },
    ...(likeness === undefined
      ? []
      : [{ weight: WEIGHTS.look * Math.min(1, likeness.cells / TELLING), value: contrast(likeness.value) }]),
  ];
  const weights = parts.reduce((sum, { weight }) => sum + weight, 0);
  const fit = parts.reduce((sum, { weight, value }) => sum + weight * value, 0) / weights;
  return 1 - fit + UNSEEN_COST * Math.min(unseen, 5) + 0.1 * size;
}

/** The same by place alone, for those who may be nobody: ByteTrack's second round. */
export function overlapCostOf(known: Known, seen: Detection, cells: number): number {
  const overlap = overlapOf(known, seen, cells);
  return overlap < 0.3 ? Infinity : 1 - overlap;
}

/** Coefficients of people in clothes of other colours are about a half: from there to 1 is all the difference. */
function contrast(alike: number): number {
  return Math.max(0, (alike - STRANGER) / (1 - STRANGER));
}

/** How far somebody where he is expected covers who is seen: half by boxes, half by masks. */
function overlapOf({ expected, place, shape }: Known, seen: Detection, cells: number): number {
  const byBox = boxOverlap(expected, seen.place);
  if (byBox === 0) return 0;
  const dx = Math.round((expected.x - place.x) * cells);
  const dy = Math.round((expected.y - place.y) * cells);
  const whole = (byBox + shapeOverlap(shape, seen.shape, dx, dy)) / 2;
  // Of somebody half hidden, all that is seen lies where he is expected.
  const asPart = PART * wholeness(expected, seen.place) * boxOverlap(expected, seen.place, 'smaller');
  return Math.max(whole, asPart);
}

/** How near the sizes of two boxes are, 0 to 1: the root of the ratio of their areas. */
function wholeness(a: Place, b: Place): number {
  const ratio = (a.width * a.height) / (b.width * b.height);
  return Math.sqrt(Math.min(ratio, 1 / ratio));
}

/** Intersection over union of two boxes, given by their middles, or over the smaller of them. */
function boxOverlap(a: Place, b: Place, over: 'union' | 'smaller' = 'union'): number {
  const wide =
    Math.min(a.x + a.width / 2, b.x + b.width / 2) - Math.max(a.x - a.width / 2, b.x - b.width / 2);
  const high =
    Math.min(a.y + a.height / 2, b.y + b.height / 2) - Math.max(a.y - a.height / 2, b.y - b.height / 2);
  if (wide <= 0 || high <= 0) return 0;
  const both = wide * high;
  const areas = [a.width * a.height, b.width * b.height] as const;
  return both / (over === 'smaller' ? Math.min(...areas) : areas[0] + areas[1] - both);
}
