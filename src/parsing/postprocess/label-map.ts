/** One label and one person for every pixel, where instances overlap. */
import type { MaskUpsampler } from './mask-upsampler.ts';
import type { Instance } from './instances.ts';
import { sigmoidOfPositive } from './interpolate.ts';
import { type Runs, paintRuns, transpose } from '../masks/runs.ts';

/** Which instances enter the label map, and where. */
export interface LabelRule {
  /** Least score of an instance. */
  minScore: number;
  /** An instance counts at a pixel where sigmoid(mask logit) * score is above this, and the logit above 0. */
  minConfidence: number;
}

/** An instance that counts, and where. */
interface Entry {
  instance: Instance;
  /** Least mask logit of a pixel at which it counts. */
  cut: number;
  /** Columns [from, to) of the picture. */
  from: number;
  to: number;
}

/** The instances that enter the map, by class, and of each class by view. */
function classesOf(
  views: readonly (readonly Instance[])[],
  humanIndex: number | null,
  rule: LabelRule,
  sampler: MaskUpsampler,
): Map<number, Entry[][]> {
  const classes = new Map<number, Entry[][]>();
  for (const [view, instances] of views.entries()) {
    for (const instance of instances) {
      const { index, score, columns } = instance;
      // sigmoid(m) * score > c where m > ln(c / (score - c)); nowhere for score <= c.
      if (index === humanIndex || score < rule.minScore || score <= rule.minConfidence) continue;
      const cut = Math.max(0, Math.log(rule.minConfidence / (score - rule.minConfidence)));
      let seen = classes.get(index);
      if (seen === undefined) classes.set(index, (seen = views.map(() => [])));
      seen[view]!.push({ instance, cut, ...sampler.extent(columns) });
    }
  }
  return classes;
}

/**
 * The label of every pixel: the class with the highest mean of sigmoid(mask logit) * score over its instances
 * that count at the pixel, the lower index where two are equal, 0 where none counts. With
 * `{ minScore: parsing_ins_score_thr, minConfidence: 0.5 }` this is the argmax of M2FP's own per-class map
 * (ModelScope computes it as `semantic_outputs`). Persons do not take part. Of several views of the picture (itself
 * and its mirror image) the means are averaged.
 *
 * @param views the instances of each view.
 * @returns width * height bytes, row-major.
 */
export function labelMap(
  views: readonly (readonly Instance[])[],
  humanIndex: number | null,
  rule: LabelRule,
  sampler: MaskUpsampler,
  size: { width: number; height: number },
): Buffer {
  const { width, height } = size;
  const ascending = [...classesOf(views, humanIndex, rule, sampler)].toSorted(([a], [b]) => a - b);

  const map = new Uint8Array(width * height);
  const best = new Float64Array(height);
  const totals = new Float64Array(height);
  const sums = new Float64Array(height);
  const counts = new Uint16Array(height);
  const values = sampler.values;
  for (let x = 0; x < width; x++) {
    const column = map.subarray(x * height, (x + 1) * height);
    best.fill(0);
    for (const [index, seen] of ascending) {
      let top = height;
      let bottom = 0;
      for (const entries of seen) {
        let first = height;
        let end = 0;
        for (const { instance, cut, from, to } of entries) {
          if (x < from || x >= to || !sampler.sample(instance.columns, x)) continue;
          first = Math.min(first, sampler.from);
          end = Math.max(end, sampler.to);
          for (let y = sampler.from; y < sampler.to; y++) {
            const value = values[y]!;
            if (!(value > cut)) continue;
            sums[y]! += sigmoidOfPositive(value) * instance.score;
            counts[y]!++;
          }
        }
        for (let y = first; y < end; y++) {
          if (counts[y] === 0) continue;
          totals[y]! += sums[y]! / counts[y]!;
          sums[y] = counts[y] = 0;
        }
        top = Math.min(top, first);
        bottom = Math.max(bottom, end);
      }
      for (let y = top; y < bottom; y++) {
        // As many views for every class: the highest sum of means is the highest mean of means.
        if (totals[y]! > best[y]!) {
          best[y] = totals[y]!;
          column[y] = index;
        }
        totals[y] = 0;
      }
    }
  }
  return transpose(map, width, height);
}

/**
 * The person of every pixel: n for the n-th mask, 0 for nobody. Where masks overlap, the earlier one wins.
 *
 * @param masks at most 255, best first.
 * @returns width * height bytes, row-major.
 */
export function personMap(masks: readonly Runs[], width: number, height: number): Buffer {
  if (masks.length === 0) return Buffer.alloc(width * height);
  const map = new Uint8Array(width * height);
  for (let i = masks.length - 1; i >= 0; i--) paintRuns(masks[i]!, map, i + 1);
  return transpose(map, width, height);
}
