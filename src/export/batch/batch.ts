/** Many pictures, a few at a time; what was done before is not done again. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf } from '../../engine/input-image.ts';
import { asM2fpError, isOfOneImage, M2fpError, type M2fpErrorCode } from '../../errors.ts';
import type { Parsing } from '../../parsing/types.ts';
import type { Report } from './report.ts';
import type { Source } from './sources.ts';

/** How far a batch is. Pictures. */
export interface BatchCounts {
  /** Parsed, and all files written. */
  done: number;
  /** Done by an earlier run. */
  skipped: number;
  failed: number;
}

export interface BatchOptions {
  sources: AsyncIterable<Source>;
  report: Report;
  /** Where outputs are, absolute. */
  folder: string;
  /** Of options and model, see `ReportLine`. */
  options: string;
  read: (source: Source) => Promise<Buffer>;
  parse: (image: Buffer) => Promise<Parsing>;
  /** Writes what is made of a picture; returns the paths below `folder`, with slashes. */
  write: (parsing: Parsing, source: Source) => Promise<string[]>;
  /** How many pictures may be under way at the moment. */
  parallel: () => number;
  /** Aborting begins no picture any more; those under way end. */
  signal: AbortSignal;
  onProgress: (counts: BatchCounts) => void;
  /** Told of each picture that was done, and of each that failed. */
  onDone: (file: string) => void;
  onFailure: (file: string, error: M2fpError) => void;
}

/** Beside those of `isOfOneImage`, what a single picture may be to blame for where nothing else is. */
const OF_ONE: ReadonlySet<M2fpErrorCode> = new Set<M2fpErrorCode>(['M2FP_TIMEOUT', 'M2FP_NOTHING_FOUND']);

/**
 * Works through the pictures.
 * @throws what is no single picture's fault (the model, the disk, Redis), once those under way have ended
 */
export async function runBatch(batch: BatchOptions): Promise<BatchCounts> {
  const counts: BatchCounts = { done: 0, skipped: 0, failed: 0 };
  const running = new Set<Promise<void>>();
  let fault: { error: unknown } | undefined;
  const begin = (source: Source): void => {
    const one = runOne(source, batch, counts)
      .catch((error: unknown) => {
        fault ??= { error };
      })
      .finally(() => running.delete(one));
    running.add(one);
  };
  try {
    for await (const source of batch.sources) {
      while (running.size >= Math.max(1, batch.parallel())) await Promise.race(running);
      if (fault !== undefined || batch.signal.aborted) break;
      begin(source);
    }
  } finally {
    await Promise.all(running);
  }
  if (fault !== undefined) throw fault.error;
  return counts;
}

async function runOne(source: Source, batch: BatchOptions, counts: BatchCounts): Promise<void> {
  const start = performance.now();
  const { report, options } = batch;
  const { file } = source;
  let digest: string | null = null;
  try {
    const image = await batch.read(source);
    digest = await digestOf(image);
    if (await isDone(file, digest, batch)) {
      counts.skipped++;
      return;
    }
    const parsing = await batch.parse(image);
    const outputs = await batch.write(parsing, source);
    const [persons, parts] = [parsing.persons.length, parsing.parts.length];
    const time = Math.round(performance.now() - start);
    await report.put({ file, outcome: 'done', digest, options, persons, parts, outputs, time });
    counts.done++;
    batch.onDone(file);
  } catch (thrown) {
    const error = asM2fpError(thrown, 'M2FP_BAD_IMAGE');
    const { code, message } = error;
    if (!isOfOneImage(code) && !OF_ONE.has(code)) throw thrown;
    const time = Math.round(performance.now() - start);
    await report.put({
      file,
      outcome: 'failed',
      digest,
      options,
      outputs: [],
      time,
      error: { code, message },
    });
    counts.failed++;
    batch.onFailure(file, error);
  } finally {
    batch.onProgress(counts);
  }
}

/** Whether an earlier run has made all of the same picture, and all of it is still there. */
async function isDone(
  file: string,
  digest: string,
  { report, options, folder }: BatchOptions,
): Promise<boolean> {
  const known = await report.find(file);
  if (known?.outcome !== 'done' || known.digest !== digest || known.options !== options) return false;
  for (const output of known.outputs) {
    const isThere = await stat(join(folder, output)).then(
      () => true,
      () => false,
    );
    if (!isThere) return false;
  }
  return true;
}
