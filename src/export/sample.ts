/** One picture's annotations, as all formats are written from them. */
import { M2fpError } from '../errors.ts';
import { eachColumnRun } from '../parsing/masks/masks.ts';
import type { Box, Parsing, Rle } from '../parsing/types.ts';
import { type Category, categoriesOf } from './categories.ts';
import type { DataSetPlan } from './export-options.ts';

/** What is annotated. */
export interface Region {
  /** Its place in the categories. */
  category: number;
  /** The person that it is or belongs to; null where nobody claims it. */
  person: number | null;
  /** 0 to 1. */
  score: number;
  box: Box;
  /** Pixels. */
  area: number;
  mask: Rle;
}

export interface Sample {
  /** Pixels. */
  width: number;
  height: number;
  categories: readonly Category[];
  /** None is empty. */
  regions: readonly Region[];
  /** For formats that are made of maps; see `Parsing`. */
  parsing: Parsing;
}

/**
 * @param minScore regions of a lower score are left out
 * @throws {M2fpError} `M2FP_BAD_OPTION` where the model has no labels of that kind
 */
export function sampleOf(parsing: Parsing, { content }: Pick<DataSetPlan, 'content'>, minScore = 0): Sample {
  const { width, height, labels, persons, parts } = parsing;
  const { list, ofLabel } = categoriesOf(labels, content);
  if (list.length === 0) {
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      `Option "content" is "${content}", but the model knows none: its labels are ${labels.join(', ')}. Choose parts or persons.`,
    );
  }
  const found =
    content === 'persons'
      ? persons.map((person) => ({ ...person, category: 0, person: person.id }))
      : parts.map((part) => ({ ...part, category: ofLabel[part.index] ?? -1 }));
  const regions = found
    .filter(({ category, area, score }) => category >= 0 && area > 0 && score >= minScore)
    .map(({ category, person, score, box, area, mask }) => ({ category, person, score, box, area, mask }));
  return { width, height, categories: list, regions, parsing };
}

/**
 * Which region each pixel belongs to where each has only one: the one with the highest score.
 * @returns width * height numbers, row-major: place in `sample.regions`, from 1; 0 is none
 */
export async function paintRegions({ width, height, regions }: Sample): Promise<Uint16Array> {
  const owners = new Uint16Array(width * height);
  const ascending = regions.map((region, place) => ({ region, place })).toSorted(byScore);
  for (const { region, place } of ascending) {
    await eachColumnRun(region.mask, (x, top, bottom) => {
      for (let y = top, at = top * width + x; y < bottom; y++, at += width) owners[at] = place + 1;
    });
  }
  return owners;
}

/** Of equal scores the first one lies on top. */
function byScore(a: { region: Region; place: number }, b: { region: Region; place: number }): number {
  return a.region.score - b.region.score || b.place - a.place;
}
