/** AP^p and PCP: how well each person is parsed. */
import { AT_50, averagePrecision, type Found, mean, THRESHOLDS } from './average-precision.ts';
import type { FoundPerson, Prediction } from './prediction.ts';
import type { Truth } from './scenes.ts';

export interface ParsingFigures {
  /** AP^p at a mean part IoU above 0.5. */
  apP50: number | null;
  /** Mean of AP^p over the thresholds 0.1 to 0.9. */
  apPVol: number | null;
  pcp50: number | null;
  /** Persons in the truth. */
  people: number;
}

/** A person of the truth: pixels of each label in their parsing. */
interface TruePerson {
  areas: Float64Array;
  /** Labels other than background. */
  parts: number;
}

/** One label of one person, found against true. Both absent: NaN. */
type LabelIous = Float64Array;

/** Persons with some labelled pixel, by their number. */
function truePersons({ categories, persons }: Truth, classes: number): Map<number, TruePerson> {
  const found = new Map<number, TruePerson>();
  for (let i = 0; i < persons.length; i++) {
    const [number, label] = [persons[i]!, categories[i]!];
    if (number === 0 || label === 0) continue;
    let person = found.get(number);
    if (person === undefined) found.set(number, (person = { areas: new Float64Array(classes), parts: 0 }));
    if (person.areas[label]!++ === 0) person.parts++;
  }
  return found;
}

/** IoU of each label, background included, of a found person with each true one. */
function labelIous(
  { labels }: FoundPerson,
  truth: Truth,
  people: ReadonlyMap<number, TruePerson>,
  classes: number,
): LabelIous[] {
  const { categories, persons } = truth;
  const areas = new Float64Array(classes);
  const common = new Map([...people.keys()].map((number) => [number, new Float64Array(classes)]));
  /** Pixels that are some part of both. */
  const overlap = new Map<number, number>();
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (label === 0) continue;
    areas[label]!++;
    const number = persons[i]!;
    if (number === 0 || categories[i] === 0) continue;
    overlap.set(number, (overlap.get(number) ?? 0) + 1);
    if (categories[i] === label) common.get(number)![label]!++;
  }
  const found = areas.reduce((sum, area) => sum + area, 0);
  return [...people].map(([number, person]) => {
    const both = overlap.get(number) ?? 0;
    const either = found + person.areas.reduce((sum, area) => sum + area, 0) - both;
    const shared = common.get(number)!;
    return Float64Array.from(areas, (area, label) => {
      if (label === 0) return (labels.length - either) / (labels.length - both);
      return shared[label]! / (area + person.areas[label]! - shared[label]!);
    });
  });
}

/** The mean over the labels that either of the two has. */
function meanIou(ious: LabelIous): number {
  return mean([...ious].filter((iou) => !Number.isNaN(iou))) ?? 0;
}

/**
 * AP^p and PCP as Li et al. define them ("Multiple-Human Parsing in the Wild", 2017, section 4.3), with the details
 * of their published evaluation, which Parsing R-CNN and M2FP report on CIHP:
 *
 * - A found person is compared with each person of the picture by the mean, over the labels that either has
 *   (background, which is the rest of the picture, among them), of the IoU of their pixels.
 * - In descending order of score, a found person is right if the best of these means is above the threshold and that
 *   true person has not been met before; duplicates are wrong. AP^p is the average precision over all pictures;
 *   AP^p_50 has the threshold 0.5, AP^p_vol is the mean over 0.1, 0.2 .. 0.9.
 * - PCP_50, percentage of correctly parsed parts: of a true person that was met at 0.5, the share of their labels
 *   (without background) with an IoU above 0.5; 0 for a person that was not met; the mean over all true persons.
 *
 * People without one labelled pixel do not count.
 */
export class ParsingJudge {
  readonly #classes: number;
  readonly #found: Found[][] = THRESHOLDS.map(() => []);
  #people = 0;
  #correct = 0;

  /** @param classes number of labels, background included */
  constructor(classes: number) {
    this.#classes = classes;
  }

  add(truth: Truth, { persons }: Prediction): void {
    const people = truePersons(truth, this.#classes);
    const parts = [...people.values()].map((person) => person.parts);
    this.#people += people.size;
    const met = THRESHOLDS.map(() => new Set<number>());
    for (const person of persons.toSorted((a, b) => b.score - a.score)) {
      const ious = labelIous(person, truth, people, this.#classes);
      const means = ious.map(meanIou);
      const best = means.indexOf(Math.max(...means));
      THRESHOLDS.forEach((threshold, t) => {
        const right = best >= 0 && means[best]! > threshold && !met[t]!.has(best);
        this.#found[t]!.push({ score: person.score, right });
        if (!right) return;
        met[t]!.add(best);
        if (t === AT_50) {
          this.#correct += ious[best]!.subarray(1).filter((iou) => iou > threshold).length / parts[best]!;
        }
      });
    }
  }

  figures(): ParsingFigures {
    const precisions = this.#found.map((found) => averagePrecision(found, this.#people));
    return {
      apP50: precisions[AT_50]!,
      apPVol: mean(precisions.filter((ap) => ap !== null)),
      pcp50: this.#people === 0 ? null : this.#correct / this.#people,
      people: this.#people,
    };
  }
}
