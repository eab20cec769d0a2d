/**
 * Multi-human output -> instances: section "Multi" of ModelScope's M2FP post-processing. Every (query, class)
 * pair is an instance of its class, with the query's mask at the picture's size and a score of class
 * probability times mean confidence inside the mask.
 */
import { BACKGROUND_INDEX } from '../options/options.ts';
import { bestCandidates } from './top-k.ts';
import { MaskUpsampler, type MaskColumns, type MaskGeometry, maskColumns } from './mask-upsampler.ts';
import { sigmoidOfPositive } from './interpolate.ts';
import { RunCollector, type Runs, runsArea } from '../masks/runs.ts';

/** ModelScope drops parts below this score, and persons that do not exceed it. */
export const MIN_SCORE = 0.1;

export interface Instance {
  /** Class index. */
  index: number;
  /** Above 0, at most 1. */
  score: number;
  /** Where the query's mask logit is above 0; instances of one query share it. */
  runs: Runs;
  columns: MaskColumns;
}

/** Runs of the positive pixels of a mask, and the sum of their sigmoids. */
function measure(sampler: MaskUpsampler, mask: MaskColumns, height: number, collector: RunCollector) {
  const { from, to } = sampler.extent(mask);
  const values = sampler.values;
  let sum = 0;
  for (let x = from; x < to; x++) {
    if (!sampler.sample(mask, x)) continue;
    const origin = x * height;
    for (let y = sampler.from, end = sampler.to; y < end; y++) {
      if (!(values[y]! > 0)) continue;
      const start = y;
      for (; y < end; y++) {
        const value = values[y]!;
        if (!(value > 0)) break;
        sum += sigmoidOfPositive(value);
      }
      collector.add(origin + start, origin + y);
    }
  }
  return { runs: collector.take(), sum };
}

/**
 * The instances with a score of at least 0.1, in the order of their class probability, background included.
 *
 * No mask is computed for a pair whose class probability is below 0.1: its score, the product with a mean of
 * sigmoids, cannot be higher. A query's mask is computed once, whatever number of classes it serves.
 *
 * @param logits [queries, classes + 1].
 * @param masks [queries, maskHeight, maskWidth], logits.
 * @param swapped where the network saw the mirrored picture, the label that each becomes when it is turned back.
 */
export function findInstances(
  logits: Float32Array,
  masks: Float32Array,
  shape: { queries: number; classes: number },
  geometry: MaskGeometry,
  sampler: MaskUpsampler,
  swapped?: readonly number[],
): Instance[] {
  const { maskWidth, maskHeight } = geometry;
  const collector = new RunCollector();
  const byQuery = new Map<number, { runs: Runs; columns: MaskColumns; confidence: number }>();
  const instances: Instance[] = [];
  for (const { query, index, probability } of bestCandidates(
    logits,
    shape.queries,
    shape.classes,
    MIN_SCORE,
  )) {
    let found = byQuery.get(query);
    if (found === undefined) {
      const size = maskWidth * maskHeight;
      const mask = masks.subarray(query * size, (query + 1) * size);
      const columns = maskColumns(mask, maskWidth, maskHeight, swapped !== undefined);
      const { runs, sum } = measure(sampler, columns, geometry.height, collector);
      found = { runs, columns, confidence: sum / (runsArea(runs) + 1e-6) };
      byQuery.set(query, found);
    }
    const score = probability * found.confidence;
    if (score < MIN_SCORE) continue;
    instances.push({ index: swapped?.[index] ?? index, score, runs: found.runs, columns: found.columns });
  }
  return instances;
}

/** Parts and persons. */
export interface Split<T> {
  parts: T[];
  persons: T[];
}

/**
 * Splits what ModelScope returns into parts and persons, those of at least `threshold` and the doubtful ones below it.
 */
export function splitInstances<T extends Pick<Instance, 'index' | 'score'>>(
  instances: readonly T[],
  humanIndex: number | null,
  threshold: number,
): { certain: Split<T>; doubtful: Split<T> } {
  const certain: Split<T> = { parts: [], persons: [] };
  const doubtful: Split<T> = { parts: [], persons: [] };
  for (const instance of instances) {
    // Merging may have lowered a score.
    if (instance.score < MIN_SCORE) continue;
    const { parts, persons } = instance.score < threshold ? doubtful : certain;
    if (instance.index === humanIndex) {
      if (instance.score > MIN_SCORE) persons.push(instance);
    } else if (instance.index !== BACKGROUND_INDEX) {
      parts.push(instance);
    }
  }
  return { certain, doubtful };
}
