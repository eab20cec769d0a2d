/** What earlier runs have made of a picture: whether it holds still, and what of it is not this run's to make. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOfFiles, type Kind, kindOf } from './made-files.ts';
import type { ReportLine } from './report.ts';

/** This run. */
interface Run {
  /** What it makes. */
  kinds: readonly Kind[];
  /** See `ReportLine`. */
  options: string;
  /** Where outputs are, absolute. */
  folder: string;
}

/** What runs have made of the same picture that this one makes none of. */
export function othersOf(known: ReportLine | undefined, digest: string | null, run: Run): string[] {
  if (known === undefined || digest === null || known.digest !== digest) return [];
  return known.outputs.filter((path) => isOther(path, run));
}

/** Whether a file is one that this run makes none of, but another did. */
function isOther(path: string, { kinds }: Run): boolean {
  const kind = kindOf(path);
  return kind !== undefined && !kinds.includes(kind);
}

/** Whether an earlier run has made all of the same picture, and all of it is still as it was. */
export async function isDone(known: ReportLine, digest: string, run: Run): Promise<boolean> {
  const { options, folder } = run;
  if (known.outcome !== 'done' || known.digest !== digest || known.options !== options) return false;
  const outputs = known.outputs.filter((path) => !isOther(path, run));
  for (const path of outputs) {
    // Annotations in a data set may be put right by hand.
    const isThere = await stat(join(folder, path)).then(
      () => true,
      () => false,
    );
    if (!isThere) return false;
  }
  const own = outputs.filter((path) => kindOf(path) !== undefined);
  return (await digestOfFiles(folder, own)) === known.contents;
}
