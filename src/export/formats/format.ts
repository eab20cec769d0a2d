/** What a format of data sets is to the data set that is written in it. */
import type { Category } from '../categories.ts';
import type { DataSetPlan } from '../export-options.ts';
import type { Sample } from '../sample.ts';

/** A file that a data set gets. */
export interface OutputFile {
  /** In the data set's folder, with slashes. */
  path: string;
  content: Buffer | string;
}

/** Where a picture is in its data set. */
export interface Place {
  /** From 1, never used twice. */
  id: number;
  /** The name of its files, without an ending. */
  stem: string;
  subset: 'train' | 'val';
  /** The picture itself, in the data set's folder, with slashes. */
  image: string;
}

/** What one picture gives. */
export interface PictureOutput {
  files: OutputFile[];
  /** What the files that tell of all pictures need of this one; plain data. */
  entry?: unknown;
}

/** What is known of a picture once it is in its data set. */
export interface PictureRecord extends Place {
  /** Pixels. */
  width: number;
  height: number;
  /** The number of its first annotation, from 1; the others follow. */
  first: number;
  entry: unknown;
}

/** A data set as the files that tell of all its pictures need it. */
export interface DataSetView {
  plan: DataSetPlan;
  categories: readonly Category[];
  /** Those of one subset, or all, in the order in which they came. */
  records(subset?: Place['subset']): AsyncIterable<PictureRecord>;
  /** How many pictures there are. */
  count(subset?: Place['subset']): number;
}

/** A file about all pictures, in pieces: it may be larger than what fits into a string. */
export interface IndexFile {
  path: string;
  pieces: AsyncIterable<string> | Iterable<string>;
}

export interface Format {
  /** The folder of a subset's pictures, with a slash at its end; empty for the data set's own. */
  folder(subset: Place['subset']): string;
  /** What one picture gives, beside itself. */
  picture(sample: Sample, place: Place, plan: DataSetPlan): Promise<PictureOutput>;
  /** The files about all pictures. */
  index(view: DataSetView): IndexFile[];
  /** How to use it, for whoever opens the folder. */
  readme: string;
}

/** The subsets that have files about all their pictures: validation only where there is some. */
export function subsetsOf(view: DataSetView): Place['subset'][] {
  return view.plan.validation > 0 || view.count('val') > 0 ? ['train', 'val'] : ['train'];
}

/** `{…, "name": [a, b]}` piece by piece. */
export async function* jsonLists(
  head: object,
  lists: Readonly<Record<string, () => AsyncIterable<object>>>,
): AsyncIterable<string> {
  yield JSON.stringify(head).slice(0, -1);
  for (const [name, list] of Object.entries(lists)) {
    yield `,${JSON.stringify(name)}:[`;
    yield* jsonItems(list());
    yield ']';
  }
  yield '}\n';
}

/** The items of a JSON list, a line each. */
export async function* jsonItems(items: AsyncIterable<object>): AsyncIterable<string> {
  let separator = '\n';
  for await (const item of items) {
    yield separator + JSON.stringify(item);
    separator = ',\n';
  }
}
