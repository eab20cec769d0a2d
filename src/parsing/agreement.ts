/** How far two parsings of the same picture agree: those of two models, precisions or settings. */
import type { Agreement, MatchFigures } from '../m2fp/int8-origin.ts';
import { median } from '../numbers.ts';
import { rleToRuns } from './masks/rle.ts';
import { type Runs, runsArea, runsByLabel, runsOverlap } from './masks/runs.ts';
import { BACKGROUND_INDEX } from './options/options.ts';
import type { Parsing, Rle } from './types.ts';

export type { Agreement, MatchFigures };

/** Two masks whose intersection over union is less show different things. */
const MIN_IOU = 0.5;

/** A person or part, to be compared. */
interface Instance {
  /** Index of a part's label; of all persons the same. */
  index: number;
  score: number;
  mask: Rle;
}

/** What is kept of a parsing to compare it later: some kilobytes, however large the picture. */
export interface Outline {
  width: number;
  height: number;
  /** Label index -> its pixels in the label map. */
  labels: ReadonlyMap<number, Runs>;
  persons: readonly Instance[];
  parts: readonly Instance[];
}

/** A person or part that both found. */
export interface Pair {
  /** Intersection over union of the two masks, at least 0.5. */
  iou: number;
  /** The score that the reference has, and the other. */
  scores: readonly [reference: number, other: number];
}

/** Of one picture. */
export interface InstanceAgreement {
  /** Those that count in the reference, with and without a partner. */
  reference: number;
  /** Those that count in the other. */
  other: number;
  pairs: Pair[];
}

/** Of one picture. */
export interface PictureAgreement {
  /** Share of the pixels that have the same label in both label maps. */
  pixels: number;
  /** The same of those pixels alone that are no background in one of them or both; null where there are none. */
  foreground: number | null;
  persons: InstanceAgreement;
  parts: InstanceAgreement;
}

/**
 * What {@link agreementOf} needs of a parsing.
 * @throws M2fpError M2FP_NO_PARSING where a mask is damaged
 */
export function outlineOf({
  width,
  height,
  labelMap,
  persons,
  parts,
}: Pick<Parsing, 'width' | 'height' | 'labelMap' | 'persons' | 'parts'>): Outline {
  return {
    width,
    height,
    labels: runsByLabel(labelMap, width, height),
    persons: persons.map(({ score, mask }) => ({ index: 0, score, mask })),
    parts: parts.map(({ index, score, mask }) => ({ index, score, mask })),
  };
}

/**
 * Compares the parsings of one picture. Persons, and parts of the same label, are matched one to one, those that overlap
 * most first, where the intersection over union of their masks is at least 0.5.
 * @param least persons and parts count from this score on; one of a pair has to reach it. So a score that moves a little
 *   around it makes no difference. Both parsings should hold what lies below it.
 * @throws RangeError for pictures of different sizes; M2fpError M2FP_NO_PARSING where a mask is damaged
 */
export function agreementOf(reference: Outline, other: Outline, least = 0): PictureAgreement {
  const { width, height } = reference;
  if (width !== other.width || height !== other.height) {
    throw new RangeError(
      `a parsing of ${width} x ${height} pixels cannot be compared with one of ${other.width} x ${other.height}`,
    );
  }
  const pixels = width * height;
  let same = 0;
  for (const [label, runs] of reference.labels) same += runsOverlap(runs, other.labels.get(label) ?? NONE);
  const [empty, otherEmpty] = [reference, other].map(({ labels }) => labels.get(BACKGROUND_INDEX) ?? NONE);
  const bothEmpty = runsOverlap(empty!, otherEmpty!);
  return {
    pixels: same / pixels,
    foreground: bothEmpty === pixels ? null : (same - bothEmpty) / (pixels - bothEmpty),
    persons: match(reference.persons, other.persons, least),
    parts: match(reference.parts, other.parts, least),
  };
}

const NONE: Runs = new Uint32Array();

function match(
  references: readonly Instance[],
  others: readonly Instance[],
  least: number,
): InstanceAgreement {
  const [left, right] = [references, others].map((instances) =>
    instances.map((instance) => {
      const runs = rleToRuns(instance.mask);
      return { ...instance, runs, area: runsArea(runs) };
    }),
  );
  const candidates = left!
    .flatMap((reference) =>
      right!
        .filter(({ index }) => index === reference.index)
        .map((other) => {
          const common = runsOverlap(reference.runs, other.runs);
          return { reference, other, iou: common / Math.max(1, reference.area + other.area - common) };
        }),
    )
    .filter(({ iou }) => iou >= MIN_IOU)
    .toSorted((a, b) => b.iou - a.iou);
  const met = new Set<object>();
  const pairs: Pair[] = [];
  for (const { reference, other, iou } of candidates) {
    if (met.has(reference) || met.has(other)) continue;
    met.add(reference).add(other);
    if (Math.max(reference.score, other.score) >= least)
      pairs.push({ iou, scores: [reference.score, other.score] });
  }
  const alone = (instances: readonly Instance[]) =>
    instances.filter((instance) => !met.has(instance) && instance.score >= least).length;
  return { reference: pairs.length + alone(left!), other: pairs.length + alone(right!), pairs };
}

/** The figures of several pictures. */
export function agreementOverall(pictures: readonly PictureAgreement[]): Agreement {
  const shares = pictures.map(({ pixels }) => pixels);
  return {
    pictures: pictures.length,
    pixels: mean(shares),
    medianPixels: shares.length === 0 ? null : median(shares),
    leastPixels: shares.length === 0 ? null : Math.min(...shares),
    foreground: mean(pictures.map(({ foreground }) => foreground).filter((share) => share !== null)),
    persons: figuresOf(pictures.map(({ persons }) => persons)),
    parts: figuresOf(pictures.map(({ parts }) => parts)),
  };
}

function figuresOf(pictures: readonly InstanceAgreement[]): MatchFigures {
  const pairs = pictures.flatMap((picture) => picture.pairs);
  const differences = pairs.map(({ scores: [reference, other] }) => Math.abs(reference - other));
  return {
    reference: pictures.reduce((sum, { reference }) => sum + reference, 0),
    other: pictures.reduce((sum, { other }) => sum + other, 0),
    matched: pairs.length,
    iou: mean(pairs.map(({ iou }) => iou)),
    meanScoreDifference: mean(differences),
    greatestScoreDifference: differences.length === 0 ? null : Math.max(...differences),
  };
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
