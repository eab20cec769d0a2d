/** A parsing in the form of ModelScope's image-segmentation pipeline. */
import type { Parsing, Rle } from './types.ts';

/** Parallel lists; the masks are COCO run-length encoding where ModelScope has arrays of 0 and 1. */
export interface ModelScopeResult {
  labels: string[];
  scores: number[];
  masks: Rle[];
}

/**
 * What ModelScope's pipeline returns for the same picture: parts first, then persons (labelled with the model's
 * last label, "Human"). The order within either is that of the parsing; ModelScope's own is unspecified.
 */
export function toModelScope(parsing: Pick<Parsing, 'labels' | 'parts' | 'persons'>): ModelScopeResult {
  const { labels, parts, persons } = parsing;
  const human = labels.at(-1)!;
  return {
    labels: [...parts.map((part) => part.label), ...persons.map(() => human)],
    scores: [...parts, ...persons].map(({ score }) => score),
    masks: [...parts, ...persons].map(({ mask }) => mask),
  };
}
