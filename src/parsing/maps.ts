/** One label and one person for every pixel, where instances overlap. */
import type { ColumnSampler } from './columns.ts';
import type { Instance } from './instances.ts';
import { sigmoidOfPositive } from './interpolate.ts';
import { type Runs, paintRuns, transpose } from './runs.ts';

/** Which instances enter the label map, and where. */
export interface LabelRule {
  /** Least score of an instance. */
  minScore: number;
  /** An instance counts at a pixel where sigmoid(mask logit) * score is above this, and the logit above 0. */
  minConfidence: number;
}

/**
 * The label of every pixel: the class with the highest mean of sigmoid(mask logit) * score over its instances
 * that count at the pixel, the lower index where two are equal, 0 where none counts. With
 * `{ minScore: parsing_ins_score_thr, minConfidence: 0.5 }` this is the argmax of M2FP's own per-class map
 * (ModelScope computes it as `semantic_outputs`). Persons do not take part.
 *
 * @returns width * height bytes, row-major.
 */
export function labelMap(
  instances: readonly Instance[],
  humanIndex: number | null,
  rule: LabelRule,
  sampler: ColumnSampler,
  size: { width: number; height: number },
): Buffer {
  const { width, height } = size;
  const classes = new Map<number, { instance: Instance; cut: number; from: number; to: number }[]>();
  for (const instance of instances) {
    const { index, score, columns } = instance;
    // sigmoid(m) * score > c where m > ln(c / (score - c)); nowhere for score <= c.
    if (index === humanIndex || score < rule.minScore || score <= rule.minConfidence) continue;
    const cut = Math.max(0, Math.log(rule.minConfidence / (score - rule.minConfidence)));
    const entry = { instance, cut, ...sampler.extent(columns) };
    const others = classes.get(index);
    if (others === undefined) classes.set(index, [entry]);
    else others.push(entry);
  }
  const ascending = [...classes].toSorted(([a], [b]) => a - b);

  const map = new Uint8Array(width * height);
  const best = new Float64Array(height);
  const sums = new Float64Array(height);
  const counts = new Uint16Array(height);
  const values = sampler.values;
  for (let x = 0; x < width; x++) {
    const column = map.subarray(x * height, (x + 1) * height);
    best.fill(0);
    for (const [index, entries] of ascending) {
      let top = height;
      let bottom = 0;
      for (const { instance, cut, from, to } of entries) {
        if (x < from || x >= to || !sampler.sample(instance.columns, x)) continue;
        top = Math.min(top, sampler.from);
        bottom = Math.max(bottom, sampler.to);
        for (let y = sampler.from, end = sampler.to; y < end; y++) {
          const value = values[y]!;
          if (!(value > cut)) continue;
          sums[y]! += sigmoidOfPositive(value) * instance.score;
          counts[y]!++;
        }
      }
      for (let y = top; y < bottom; y++) {
        if (counts[y] === 0) continue;
        const mean = sums[y]! / counts[y]!;
        sums[y] = counts[y] = 0;
        if (mean > best[y]!) {
          best[y] = mean;
          column[y] = index;
        }
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
