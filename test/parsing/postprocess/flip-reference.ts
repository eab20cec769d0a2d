/** Flip test-time augmentation in the plainest form: whole pictures, one step after the other. */
import { interpolate, iou, type Planes, type ReferenceInstance, sigmoid, crop } from './reference.ts';

/** Each row of each channel from right to left. */
export function mirrored({ data, channels, height, width }: Planes): Planes {
  const turned = new Float32Array(data.length);
  for (let row = 0; row < channels * height; row++) {
    turned.set(data.subarray(row * width, (row + 1) * width).toReversed(), row * width);
  }
  return { data: turned, channels, height, width };
}

/** What the network found in the mirrored picture, as if it had seen the picture. */
export function turnedBack(
  found: readonly ReferenceInstance[],
  width: number,
  pairs: readonly (readonly number[])[],
): ReferenceInstance[] {
  return found.map((instance) => {
    const pair = pairs.find((labels) => labels.includes(instance.index));
    const index = pair === undefined ? instance.index : pair.find((label) => label !== instance.index)!;
    const planes = { data: instance.logits, channels: 1, height: instance.logits.length / width, width };
    const logits = mirrored(planes).data;
    return { ...instance, index, logits, mask: Uint8Array.from(logits, (m) => (m > 0 ? 1 : 0)) };
  });
}

export interface ReferenceMerged {
  index: number;
  score: number;
  /** Mean of the logits of those that it was made of. */
  logits: Float64Array;
  parts: number;
}

/**
 * The instances of both results, class by class. `ious` are all that decided.
 * Scores are lowered in place and flags tell who is gone, as in M2FP's own description of the steps.
 */
export function merged(found: readonly ReferenceInstance[]): {
  instances: ReferenceMerged[];
  ious: number[];
} {
  const instances: ReferenceMerged[] = [];
  const ious: number[] = [];
  for (const index of new Set(found.map((instance) => instance.index))) {
    const sorted = found.filter((instance) => instance.index === index);
    sorted.sort((a, b) => b.score - a.score);
    const scores = sorted.map(({ score }) => score);
    const gone = sorted.map(() => false);
    sorted.forEach((first, i) => {
      if (gone[i]) return;
      const keep = [i];
      for (let j = i + 1; j < sorted.length; j++) {
        if (gone[j]) continue;
        const overlap = iou(first.mask, sorted[j]!.mask);
        ious.push(overlap);
        scores[j]! *= Math.exp((-overlap * overlap) / 0.5);
        if (overlap >= 0.5) {
          gone[j] = true;
          keep.push(j);
        }
      }
      const logits = new Float64Array(first.logits.length);
      for (const k of keep) sorted[k]!.logits.forEach((m, p) => (logits[p]! += m / keep.length));
      instances.push({ index, score: Math.max(...keep.map((k) => scores[k]!)), logits, parts: keep.length });
    });
  }
  return { instances, ious };
}

/** M2FP's per-class map of one result: [classes, pixels]. */
export function classMaps(
  found: readonly ReferenceInstance[],
  classes: number,
  pixels: number,
  rule: { minScore: number; minConfidence: number },
): Float64Array[] {
  return Array.from({ length: classes }, (_, c) => {
    const map = new Float64Array(pixels);
    const members = found.filter(({ index, score }) => index === c && score >= rule.minScore);
    for (let p = 0; p < pixels; p++) {
      const values = members
        .filter(({ logits }) => logits[p]! > 0)
        .map(({ logits, score }) => sigmoid(logits[p]!) * score)
        .filter((value) => value > rule.minConfidence);
      map[p] = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
    }
    return map;
  });
}

/** The mean of two class maps of a single person at the picture's size, the second one of the mirrored picture. */
export function meanMap(
  map: Planes,
  ofMirrored: Planes,
  box: { x: number; y: number; width: number; height: number },
  source: { width: number; height: number },
  pairs: readonly (readonly number[])[],
): Planes {
  const size = source.width * source.height;
  const own = interpolate(crop(map, box), source.height, source.width);
  const other = mirrored(interpolate(crop(ofMirrored, box), source.height, source.width));
  for (const [a, b] of pairs as [number, number][]) {
    const left = other.data.slice(a * size, (a + 1) * size);
    other.data.copyWithin(a * size, b * size, (b + 1) * size);
    other.data.set(left, b * size);
  }
  return { ...own, data: own.data.map((value, i) => (value + other.data[i]!) / 2) };
}
