/** AP^r: how well each part of each person is found. */
import { AT_50, averagePrecision, type Found, mean, THRESHOLDS } from './average-precision.ts';
import type { Prediction } from './prediction.ts';
import type { Truth } from './scenes.ts';

export interface RegionFigures {
  /** AP^r at an IoU above 0.5. */
  apR50: number | null;
  /** Mean of AP^r over the thresholds 0.5 to 0.9. */
  apR: number | null;
  /** Mean of AP^r over the thresholds 0.1 to 0.9. */
  apRVol: number | null;
}

/** What was found of one label. */
interface Label {
  total: number;
  /** By threshold. */
  found: Found[][];
}

/** Number -> label and pixels of each part instance; its label is the one most of its pixels have. */
function trueParts({ categories, instances }: Truth): Map<number, { label: number; area: number }> {
  const counts = new Map<number, Map<number, number>>();
  for (let i = 0; i < instances.length; i++) {
    const number = instances[i]!;
    if (number === 0) continue;
    let labels = counts.get(number);
    if (labels === undefined) counts.set(number, (labels = new Map()));
    labels.set(categories[i]!, (labels.get(categories[i]!) ?? 0) + 1);
  }
  return new Map(
    [...counts].map(([number, labels]) => {
      const [label] = [...labels].reduce((best, next) => (next[1] > best[1] ? next : best));
      return [number, { label, area: [...labels.values()].reduce((sum, count) => sum + count, 0) }];
    }),
  );
}

/**
 * AP^r as Gong et al. define it for CIHP ("Instance-level Human Parsing via Part Grouping Network", 2018, section
 * 5.1, after Hariharan et al., "Simultaneous Detection and Segmentation", 2014): a part that was found is right if
 * its IoU with a true part instance of its label is above the threshold and that instance has not been met by a part
 * of a higher score; average precision over all pictures for each label, the mean over the labels (without
 * background) that the truth has. AP^r_vol is the mean over the thresholds 0.1, 0.2 .. 0.9.
 *
 * The parts are the parsing's `parts`, each with its own score and the whole of its mask, linked to somebody or not.
 * Duplicates are wrong, as in Hariharan's definition; the script published with CIHP forgets to check them, so that
 * it gives somewhat more to results with duplicates.
 */
export class RegionJudge {
  readonly #labels: Label[];

  /** @param classes number of labels, background included */
  constructor(classes: number) {
    this.#labels = Array.from({ length: classes }, () => ({ total: 0, found: THRESHOLDS.map(() => []) }));
  }

  add(truth: Truth, { parts }: Prediction): void {
    const wanted = trueParts(truth);
    for (const { label } of wanted.values()) this.#labels[label]!.total++;
    const met = THRESHOLDS.map(() => new Set<number>());
    for (const { index, score, mask } of parts.toSorted((a, b) => b.score - a.score)) {
      const common = new Map<number, number>();
      let area = 0;
      for (let i = 0; i < mask.length; i++) {
        if (mask[i] === 0) continue;
        area++;
        const number = truth.instances[i]!;
        if (number !== 0) common.set(number, (common.get(number) ?? 0) + 1);
      }
      let best = 0;
      let bestIou = 0;
      for (const [number, pixels] of common) {
        const part = wanted.get(number)!;
        const iou = pixels / (area + part.area - pixels);
        if (part.label === index && iou > bestIou) [best, bestIou] = [number, iou];
      }
      THRESHOLDS.forEach((threshold, t) => {
        const right = bestIou > threshold && !met[t]!.has(best);
        if (right) met[t]!.add(best);
        this.#labels[index]!.found[t]!.push({ score, right });
      });
    }
  }

  figures(): RegionFigures {
    const precisions = THRESHOLDS.map((_, t) =>
      mean(
        this.#labels
          .slice(1)
          .map(({ total, found }) => averagePrecision(found[t]!, total))
          .filter((ap) => ap !== null),
      ),
    ).filter((ap) => ap !== null);
    return {
      apR50: precisions[AT_50] ?? null,
      apR: mean(precisions.slice(AT_50)),
      apRVol: mean(precisions),
    };
  }
}
