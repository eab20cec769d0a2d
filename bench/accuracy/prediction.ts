/** A parsing in the form in which it is judged. */
import { decodeRle } from '../../src/parsing/index.ts';
import type { Parsing } from '../../src/parsing/types.ts';

/** One byte a pixel, row-major; not 0 inside. */
export type Mask = Uint8Array;

export interface FoundPart {
  /** Label index. */
  index: number;
  score: number;
  mask: Mask;
  /** Index in `persons`; null for a part that nobody claims. */
  person: number | null;
}

export interface FoundPerson {
  score: number;
  mask: Mask;
  /** Label index of each pixel in this person's own parsing, 0 background. */
  labels: Uint8Array;
}

export interface Prediction {
  width: number;
  height: number;
  /** Best first. */
  persons: FoundPerson[];
  /** Best first. */
  parts: FoundPart[];
  /** The product's label map: label index of each pixel. */
  labels: Uint8Array;
}

/** The masks painted over each other in ascending order of score, so that the surest is on top. */
export function paint(parts: readonly FoundPart[], pixels: number): Uint8Array {
  const labels = new Uint8Array(pixels);
  for (const { index, mask } of parts.toSorted((a, b) => a.score - b.score)) {
    for (let i = 0; i < pixels; i++) if (mask[i] !== 0) labels[i] = index;
  }
  return labels;
}

/**
 * The persons and parts of a `multi` parsing, whatever their score (the product returns those from 0.1 on).
 *
 * A person's own parsing is painted from the parts whose `person` is that person, each part with the whole of its
 * mask, not cut by the person's own mask; a person without parts has an empty one.
 */
export function predictionOf({
  width,
  height,
  persons,
  parts,
  labelMap,
}: Pick<Parsing, 'width' | 'height' | 'persons' | 'parts' | 'labelMap'>): Prediction {
  const pixels = width * height;
  const indexOf = new Map(persons.map(({ id }, i) => [id, i]));
  const foundParts = parts
    .map(({ index, score, mask, person }) => ({
      index,
      score,
      mask: decodeRle(mask),
      person: person === null ? null : (indexOf.get(person) ?? null),
    }))
    .toSorted((a, b) => b.score - a.score);
  return {
    width,
    height,
    parts: foundParts,
    labels: labelMap,
    persons: persons.map(({ score, mask }, i) => ({
      score,
      mask: decodeRle(mask),
      labels: paint(
        foundParts.filter(({ person }) => person === i),
        pixels,
      ),
    })),
  };
}
