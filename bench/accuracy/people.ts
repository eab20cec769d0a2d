/** This project's own figures for persons and the link from part to person. */
import { averagePrecision, type Found } from './average-precision.ts';
import type { FoundPart, FoundPerson, Mask, Prediction } from './prediction.ts';
import type { Truth } from './scenes.ts';

export interface PeopleFigures {
  personAp50: number | null;
  /** Share of the parts judged that the product's own `person` gives to the right one. */
  link: number | null;
  /** The same where the part goes to the person whose mask holds most of it, as models/training judges. */
  linkByMask: number | null;
  /** Parts that both shares are over. */
  linkedParts: number;
  /** Persons in the truth of at least 64 pixels. */
  people: number;
}

const MIN_PERSON_PIXELS = 64;
const MIN_PART_PIXELS = 32;
const MIN_IOU = 0.5;

/** Index of the largest, the first of equals; -1 of nothing. */
function largest(values: readonly number[]): number {
  return values.reduce((best, value, i) => (best < 0 || value > values[best]! ? i : best), -1);
}

/** Set pixels, and those of them for which `inside` holds. */
function count(mask: Mask, inside: (i: number) => boolean): { area: number; common: number } {
  let area = 0;
  let common = 0;
  for (let i = 0; i < mask.length; i++) {
    if (mask[i] === 0) continue;
    area++;
    if (inside(i)) common++;
  }
  return { area, common };
}

/** Pixels of each value. */
function histogram(values: Uint16Array): Map<number, number> {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

/** IoU of each found person's mask with each of the true persons. */
function overlaps(
  persons: readonly FoundPerson[],
  truth: Truth,
  people: readonly (readonly [number: number, area: number])[],
): number[][] {
  return persons.map(({ mask }) =>
    people.map(([number, size]) => {
      const { area, common } = count(mask, (i) => truth.persons[i] === number);
      return common / Math.max(1, area + size - common);
    }),
  );
}

/**
 * Person AP50: average precision of the person masks. In descending order of score, one is right if the true person
 * (of at least 64 pixels) with the largest IoU has 0.5 or more of it and was not met before.
 *
 * Link: for each true person that some person's mask meets (IoU 0.5 or more) and each of their labels of at least 32
 * pixels, the found part of that label with the largest IoU, if that is 0.5 or more: does it belong to a person whose
 * best match is this one? `link` takes the person that the parsing names (the product's rule; nobody is wrong),
 * `linkByMask` the one with the largest (share of the part inside its mask) x (0.5 + 0.5 x score).
 *
 * Both as models/training/parse.py has them, whose `link` is `linkByMask` here.
 */
export class PeopleJudge {
  readonly #found: Found[] = [];
  #people = 0;
  #parts = 0;
  #linked = 0;
  #linkedByMask = 0;

  add(truth: Truth, { persons, parts }: Prediction): void {
    const people = [...histogram(truth.persons)].filter(
      ([number, area]) => number !== 0 && area >= MIN_PERSON_PIXELS,
    );
    this.#people += people.length;
    const ordered = persons
      .map((person, i) => ({ person, i }))
      .toSorted((a, b) => b.person.score - a.person.score);
    const ious = overlaps(persons, truth, people);
    const matches = ious.map(largest);
    const met = new Set<number>();
    for (const { person, i } of ordered) {
      const match = matches[i]!;
      const right = match >= 0 && ious[i]![match]! >= MIN_IOU && !met.has(match);
      if (right) met.add(match);
      this.#found.push({ score: person.score, right });
    }
    people.forEach(([number], j) => {
      if (ious.some((row) => row[j]! >= MIN_IOU)) this.#link(truth, number, j, { persons, parts, matches });
    });
  }

  /** The parts of the true person `number`, which is `match` in `matches`. */
  #link(
    { categories, persons: owners }: Truth,
    number: number,
    match: number,
    found: { persons: readonly FoundPerson[]; parts: readonly FoundPart[]; matches: readonly number[] },
  ): void {
    const areas = histogram(categories.filter((_, i) => owners[i] === number));
    for (const [label, size] of areas) {
      if (label === 0 || size < MIN_PART_PIXELS) continue;
      const candidates = found.parts.filter(({ index }) => index === label);
      const ious = candidates.map(({ mask }) => {
        const { area, common } = count(mask, (i) => owners[i] === number && categories[i] === label);
        return common / (area + size - common);
      });
      const best = largest(ious);
      if (best < 0 || ious[best]! < MIN_IOU) continue;
      const { mask, person } = candidates[best]!;
      const holder = largest(
        found.persons.map(({ mask: body, score }) => {
          const { area, common } = count(mask, (i) => body[i] !== 0);
          return (common / area) * (0.5 + 0.5 * score);
        }),
      );
      this.#parts++;
      if (found.matches[holder] === match) this.#linkedByMask++;
      if (person !== null && found.matches[person] === match) this.#linked++;
    }
  }

  figures(): PeopleFigures {
    const share = (linked: number) => (this.#parts === 0 ? null : linked / this.#parts);
    return {
      personAp50: averagePrecision(this.#found, this.#people),
      link: share(this.#linked),
      linkByMask: share(this.#linkedByMask),
      linkedParts: this.#parts,
      people: this.#people,
    };
  }
}
