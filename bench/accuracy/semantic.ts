/** How well the label of each pixel is met, whosesoever it is. */
import { mean } from './average-precision.ts';
import type { Prediction } from './prediction.ts';
import type { Truth } from './scenes.ts';

export interface SemanticFigures {
  miou: number | null;
  foregroundIou: number | null;
  /** By label index; null for a label that is neither in the truth nor in a result. */
  classes: (number | null)[];
}

/**
 * mIoU as Long et al. define it ("Fully Convolutional Networks for Semantic Segmentation", section 5), which CIHP
 * and the parsing papers report: over all pixels of all pictures, pixels that are the label in truth and result over
 * those that are it in either; the mean over the labels 0 .. classes - 1, background included. Labels that occur
 * nowhere are left out of the mean.
 *
 * Foreground IoU (ours): the same for "is some part", background against all others.
 */
export class SemanticJudge {
  readonly #classes: number;
  /** Pixels by truth (row) and result (column). */
  readonly #confusion: Float64Array;

  /** @param classes number of labels, background included */
  constructor(classes: number) {
    this.#classes = classes;
    this.#confusion = new Float64Array(classes * classes);
  }

  add({ categories }: Truth, { labels }: Prediction): void {
    for (let i = 0; i < labels.length; i++) this.#confusion[categories[i]! * this.#classes + labels[i]!]!++;
  }

  figures(): SemanticFigures {
    const classes = this.#classes;
    const at = (truth: number, result: number) => this.#confusion[truth * classes + result]!;
    const indices = Array.from({ length: classes }, (_, index) => index);
    const ious = indices.map((index) => {
      const either = indices.reduce(
        (sum, other) => sum + at(index, other) + at(other, index),
        -at(index, index),
      );
      return either === 0 ? null : at(index, index) / either;
    });
    const all = this.#confusion.reduce((sum, count) => sum + count, 0);
    const missed = indices.slice(1).reduce((sum, index) => sum + at(index, 0) + at(0, index), 0);
    const either = all - at(0, 0);
    return {
      miou: mean(ious.filter((iou) => iou !== null)),
      foregroundIou: either === 0 ? null : (either - missed) / either,
      classes: ious,
    };
  }
}
