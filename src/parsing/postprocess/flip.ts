/**
 * Flip test-time augmentation: the network sees the picture and its mirror image, and the two results become one.
 *
 * M2FP's published figures were measured this way (on CIHP 69.15 mIoU, at a short side of 640 pixels; `TEST.AUG` of
 * its configurations, and m2fp/test_time_augmentation.py). What it does there is done here, for `multi` and `single`:
 *
 * - The mirrored result is turned back, and labels that tell left from right change places.
 * - Per-class maps are averaged: the label of a pixel is the class with the highest mean of both. That is the method
 *   of the mIoU, a figure of semantic segmentation.
 * - Parts and persons of both results are merged class by class (see {@link mergeInstances}), so that one that was
 *   seen twice is there once, with an outline between the two.
 */
import type { MaskUpsampler } from './mask-upsampler.ts';
import type { Instance } from './instances.ts';
import { BACKGROUND_INDEX, labelKey } from '../options/options.ts';
import { RunCollector, type Runs, runsArea, runsOverlap } from '../masks/runs.ts';
import type { SemanticInput } from './semantic.ts';

/** Two instances of a class whose masks have at least this IoU are one. */
const SAME_IOU = 0.5;
/** How quickly an overlap lowers the score of the lesser one: exp(-IoU^2 / this). */
const DECAY = 0.5;

const OTHER_SIDE: Readonly<Record<string, string>> = { left: 'right', right: 'left', 左: '右', 右: '左' };
const SIDE = /(?<![a-z])(?:left|right)(?![a-z])|[左右]/g;

/**
 * For each label the one that it becomes in a mirror: "Left-arm" and "Right-arm" change places, as in the training of
 * all of M2FP's label sets (the `pairs` of models/labels), and all others stay. It goes by the names, so that it holds
 * for a user's own labels too; a side whose counterpart is missing stays. Of several labels of one name the first
 * changes places with the first of the other side, the second with the second, so that none is lost.
 */
export function mirroredLabels(labels: readonly string[]): number[] {
  const keys = labels.map(labelKey);
  const indices = new Map<string, number[]>();
  keys.forEach((key, index) => indices.set(key, [...(indices.get(key) ?? []), index]));
  return keys.map((key, index) => {
    const place = indices.get(key)!.indexOf(index);
    return indices.get(key.replaceAll(SIDE, (side) => OTHER_SIDE[side]!))?.[place] ?? index;
  });
}

/**
 * The mean of a class map and of that of the mirrored picture, turned back. As it is linear, averaging before the
 * resize to the source picture gives what M2FP gets after it.
 *
 * @param mirrored the class map of the mirrored picture, of the same sizes
 * @param swapped see {@link mirroredLabels}
 * @returns [classes, paddedHeight, paddedWidth]; outside of the crop, which nobody looks at, 0
 */
export function meanSemantic(
  { semantic, classes, paddedWidth, paddedHeight, crop }: Omit<SemanticInput, 'width' | 'height'>,
  mirrored: Float32Array,
  swapped: readonly number[],
): Float32Array {
  const mean = new Float32Array(semantic.length);
  const plane = paddedWidth * paddedHeight;
  for (let index = 0; index < classes; index++) {
    const shift = (swapped[index]! - index) * plane;
    for (let y = crop.y; y < crop.y + crop.height; y++) {
      const start = index * plane + y * paddedWidth + crop.x;
      let other = start + crop.width - 1 + shift;
      for (let at = start; at < start + crop.width; at++, other--) {
        mean[at] = (semantic[at]! + mirrored[other]!) / 2;
      }
    }
  }
  return mean;
}

/** An instance whose mask is the mean of several. */
export type MergedInstance = Omit<Instance, 'columns'>;

/**
 * Instances of one class that overlap become one, as M2FP merges them (predictions_merge in its m2fp/utils/utils.py):
 * best first, each takes in those with an IoU of at least 0.5; its mask is where the mean of their mask logits is above
 * 0, its score the highest of theirs. Every overlap with a better one lowers a score, by exp(-2 IoU^2), also where the
 * two stay apart, so that a score may fall below 0.1 here. It makes no difference whether two were seen in the same
 * picture or one in each: what the network itself finds twice becomes one too. The background is left out.
 */
export function mergeInstances(
  instances: readonly Instance[],
  sampler: MaskUpsampler,
  height: number,
): MergedInstance[] {
  const classes = new Map<number, Instance[]>();
  for (const instance of instances) {
    if (instance.index === BACKGROUND_INDEX) continue;
    const others = classes.get(instance.index);
    if (others === undefined) classes.set(instance.index, [instance]);
    else others.push(instance);
  }
  const collector = new RunCollector();
  return [...classes.values()].flatMap((members) =>
    groupsOf(members).map(({ score, group }): MergedInstance => {
      const [only, ...more] = group;
      const runs = more.length === 0 ? only!.runs : meanRuns(group, sampler, height, collector);
      return { index: only!.index, score, runs };
    }),
  );
}

/** The instances of one class in groups of which each becomes one, with its score. */
function groupsOf(members: readonly Instance[]): { score: number; group: Instance[] }[] {
  const groups: { score: number; group: Instance[] }[] = [];
  let left = members.toSorted((a, b) => b.score - a.score).map((instance) => measured(instance));
  while (left.length > 0) {
    const [best, ...others] = left;
    let score = best!.score;
    const group = [best!.instance];
    left = [];
    for (const other of others) {
      const iou = intersectionOverUnion(best!, other);
      other.score *= Math.exp(-(iou ** 2) / DECAY);
      if (iou < SAME_IOU) left.push(other);
      else {
        group.push(other.instance);
        score = Math.max(score, other.score);
      }
    }
    groups.push({ score, group });
  }
  return groups;
}

interface Measured {
  instance: Instance;
  /** Its own, lowered by the better ones that it overlaps. */
  score: number;
  area: number;
}

const measured = (instance: Instance): Measured => ({
  instance,
  score: instance.score,
  area: runsArea(instance.runs),
});

function intersectionOverUnion(a: Measured, b: Measured): number {
  const overlap = runsOverlap(a.instance.runs, b.instance.runs);
  return overlap === 0 ? 0 : overlap / (a.area + b.area - overlap);
}

/**
 * Where the mean of the masks' logits is above 0: nowhere but where one of them is, and wherever all are. What is
 * between, a thin line mostly, is computed.
 */
function meanRuns(
  group: readonly Instance[],
  sampler: MaskUpsampler,
  height: number,
  collector: RunCollector,
): Runs {
  const spans = group.map(({ runs }) => new ColumnSpans(runs, height));
  const last = Math.max(...group.map(({ runs }) => Math.ceil(runs.at(-1)! / height)));
  const sums = new Float64Array(height);
  const compute = (x: number, from: number, to: number) => {
    if (from >= to) return;
    sums.fill(0, from, to);
    for (const { columns } of group) sampler.add(columns, x, { from, to }, sums);
    for (let y = from; y < to; y++) {
      if (!(sums[y]! > 0)) continue;
      const start = y;
      while (y < to && sums[y]! > 0) y++;
      collector.add(x * height + start, x * height + y);
    }
  };
  for (let x = Math.min(...group.map(({ runs }) => Math.floor(runs[0]! / height))); x < last; x++) {
    let [top, bottom] = [height, 0];
    let [allTop, allBottom] = [0, height];
    for (const span of spans) {
      const found = span.find(x);
      if (found) [top, bottom] = [Math.min(top, span.top), Math.max(bottom, span.bottom)];
      if (found && span.isSolid) {
        [allTop, allBottom] = [Math.max(allTop, span.top), Math.min(allBottom, span.bottom)];
      } else {
        allBottom = 0;
      }
    }
    if (allTop < allBottom) {
      compute(x, top, allTop);
      collector.add(x * height + allTop, x * height + allBottom);
      compute(x, allBottom, bottom);
    } else {
      compute(x, top, bottom);
    }
  }
  return collector.take();
}

/** The rows [top, bottom) between which a mask lies in a column; columns are asked for from left to right. */
class ColumnSpans {
  top = 0;
  bottom = 0;
  /** Whether all rows between are in the mask. */
  isSolid = true;
  readonly #runs: Runs;
  readonly #height: number;
  /** The first run that does not end before the column. */
  #at = 0;

  constructor(runs: Runs, height: number) {
    this.#runs = runs;
    this.#height = height;
  }

  /** False where the mask has nothing in column `x`. */
  find(x: number): boolean {
    const runs = this.#runs;
    const start = x * this.#height;
    const end = start + this.#height;
    while (this.#at < runs.length && runs[this.#at + 1]! <= start) this.#at += 2;
    if (this.#at >= runs.length || runs[this.#at]! >= end) return false;
    let last = this.#at;
    while (last + 2 < runs.length && runs[last + 2]! < end) last += 2;
    this.top = Math.max(runs[this.#at]! - start, 0);
    this.bottom = Math.min(runs[last + 1]!, end) - start;
    this.isSolid = last === this.#at;
    return true;
  }
}
