/** What a picture of a parsing shows at each pixel, before colours. */
import { forEachSlice } from '../../image/slices.ts';
import { eachColumnRun } from '../masks/masks.ts';
import { BACKGROUND_INDEX, firstOfName, personIndex } from '../options/options.ts';
import type { Parsing, Rle } from '../types.ts';

export interface Canvas {
  /**
   * width * height bytes, row-major: 0 nothing; by label: 1 + the index of the first label of that name, or the number of
   * labels + 1 for a label index that has no name; by index: 1 + the label index itself; by person: 1.
   */
  codes: Uint8Array;
  /** width * height bytes, row-major: id of the person whose pixel it is, 0 nobody's (and where `codes` is 0). */
  persons: Uint8Array;
}

export interface CanvasOptions {
  /**
   * `map`: the label map and the person map, in which each pixel has its most likely label. `parts`: the masks of the
   * parts, those of higher score over those of lower score.
   */
  paint: 'map' | 'parts';
  /** What is told apart. */
  by: 'label' | 'index' | 'person';
  /** Parts and persons below it are left out of `parts`. */
  minScore: number;
  /** Label indices to show; null for all but the background, and but the whole person where it goes by label. */
  chosen: ReadonlySet<number> | null;
}

/** Decides what each pixel shows. Whole persons, where they are shown, lie beneath the parts. */
export async function paintCanvas(parsing: Parsing, options: CanvasOptions): Promise<Canvas> {
  const { width, height } = parsing;
  const canvas = { codes: new Uint8Array(width * height), persons: new Uint8Array(width * height) };
  if (options.paint === 'map') await paintMaps(canvas, parsing, options);
  else await paintParts(canvas, parsing, options);
  return canvas;
}

/** The code of a label index and of whole persons; 0 for what is not shown. */
function codesOf(parsing: Parsing, { by, chosen }: CanvasOptions) {
  const { labels } = parsing;
  const human = personIndex(parsing);
  const firsts = by === 'index' ? [] : firstOfName(labels);
  const code = (index: number): number =>
    by === 'person' ? 1 : (firsts[index] ?? Math.min(index, labels.length)) + 1;
  const isPart = (index: number): boolean => index !== BACKGROUND_INDEX && index !== human;
  return {
    ofLabel: (index: number): number => ((chosen?.has(index) ?? isPart(index)) ? code(index) : 0),
    ofPersons: (chosen?.has(human) ?? by === 'person') ? code(human) : 0,
  };
}

async function paintMaps(
  { codes, persons }: Canvas,
  parsing: Parsing,
  options: CanvasOptions,
): Promise<void> {
  const { ofLabel, ofPersons } = codesOf(parsing, options);
  const table = Uint8Array.from({ length: 256 }, (_, index) => ofLabel(index));
  const { labelMap, personMap } = parsing;
  await forEachSlice(labelMap.length, 3, (first, end) => {
    for (let p = first; p < end; p++) {
      const person = personMap[p]!;
      const code = table[labelMap[p]!]! || (person > 0 ? ofPersons : 0);
      if (code === 0) continue;
      codes[p] = code;
      persons[p] = person;
    }
  });
}

function byScore(a: { score: number }, b: { score: number }): number {
  return a.score - b.score;
}

async function paintParts(
  { codes, persons }: Canvas,
  parsing: Parsing,
  options: CanvasOptions,
): Promise<void> {
  const { width } = parsing;
  const { ofLabel, ofPersons } = codesOf(parsing, options);
  const shown = <T extends { score: number }>(found: T[]) =>
    found.filter(({ score }) => score >= options.minScore).toSorted(byScore);
  const layers: { code: number; person: number; mask: Rle }[] = [
    ...shown(parsing.persons).map(({ id, mask }) => ({ code: ofPersons, person: id, mask })),
    ...shown(parsing.parts).map(({ index, person, mask }) => ({
      code: ofLabel(index),
      person: person ?? 0,
      mask,
    })),
  ];
  for (const { code, person, mask } of layers) {
    if (code === 0) continue;
    await eachColumnRun(mask, (x, top, bottom) => {
      for (let p = top * width + x; p < bottom * width; p += width) {
        codes[p] = code;
        persons[p] = person;
      }
    });
  }
}
