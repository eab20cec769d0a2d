/** All figures of one variant, scene by scene. */
import { M2fpError } from '../../src/errors.ts';
import { ParsingJudge } from './parsing-precision.ts';
import { PeopleJudge } from './people.ts';
import type { Prediction } from './prediction.ts';
import { RegionJudge } from './region-precision.ts';
import type { Scene } from './scenes.ts';
import { SemanticJudge } from './semantic.ts';

/** Shares of 1; null where there was nothing to judge. */
export interface Figures {
  miou: number | null;
  apP50: number | null;
  apPVol: number | null;
  pcp50: number | null;
  apR50: number | null;
  apR: number | null;
  apRVol: number | null;
  foregroundIou: number | null;
  personAp50: number | null;
  link: number | null;
  linkByMask: number | null;
  /** Counts, not shares. */
  linkedParts: number;
  people: number;
  /** IoU by label. */
  classes: Record<string, number | null>;
}

/** Keeps what the figures need, no pixel of a scene that was judged. */
export class Judge {
  readonly #labels: readonly string[];
  readonly #semantic: SemanticJudge;
  readonly #parsing: ParsingJudge;
  readonly #region: RegionJudge;
  readonly #people = new PeopleJudge();

  /** @param labels the parsing labels by index, background first, without the whole-person label */
  constructor(labels: readonly string[]) {
    this.#labels = labels;
    this.#semantic = new SemanticJudge(labels.length);
    this.#parsing = new ParsingJudge(labels.length);
    this.#region = new RegionJudge(labels.length);
  }

  /** @throws M2FP_BAD_IMAGE where the truth has a label that the model does not know */
  add({ name, truth }: Scene, prediction: Prediction): void {
    const unknown = truth.categories.find((label) => label >= this.#labels.length);
    if (unknown !== undefined) {
      throw new M2fpError(
        'M2FP_BAD_IMAGE',
        `The truth of ${name} has the label ${unknown}, the model knows 0 to ${this.#labels.length - 1}: ` +
          'model and pictures must have the same labels.',
      );
    }
    for (const judge of [this.#semantic, this.#parsing, this.#region, this.#people]) {
      judge.add(truth, prediction);
    }
  }

  figures(): Figures {
    const { miou, foregroundIou, classes } = this.#semantic.figures();
    const { apP50, apPVol, pcp50 } = this.#parsing.figures();
    return {
      miou,
      apP50,
      apPVol,
      pcp50,
      ...this.#region.figures(),
      foregroundIou,
      ...this.#people.figures(),
      classes: Object.fromEntries(this.#labels.map((label, i) => [label, classes[i] ?? null])),
    };
  }
}
