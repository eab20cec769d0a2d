/** Many pictures, a few at a time; what was done before is not done again. */
import { digestOf } from '../../engine/input-image.ts';
import { asM2fpError, isOfOneImage, M2fpError, type M2fpErrorCode } from '../../errors.ts';
import type { Parsing } from '../../parsing/types.ts';
import type { WholeFiles } from '../dataset/whole-files.ts';
import { ContentDigest, isMade, type Kind, type MadeFile, removeMade } from './made-files.ts';
import type { Begun } from './begun.ts';
import { isDone, othersOf } from './earlier-runs.ts';
import { placeOf } from './known-pictures.ts';
import type { Report } from './report.ts';
import type { Source } from './sources.ts';

/** How far a batch is. Pictures. */
export interface BatchCounts {
  /** Parsed, and all files written. */
  done: number;
  /** Done by an earlier run. */
  skipped: number;
  /** Without those that came again, and were done then. */
  failed: number;
}

export interface BatchOptions {
  sources: AsyncIterable<Source> | Iterable<Source>;
  report: Report;
  begun: Begun;
  /** Where outputs are, absolute. */
  folder: string;
  /** Of options and model, see `ReportLine`. */
  options: string;
  read: (source: Source) => Promise<Buffer>;
  parse: (image: Buffer) => Promise<Parsing>;
  /** What `make` makes. */
  kinds: readonly Kind[];
  /** The name of what is made of a picture, unlike that of any other. Called in the order of the pictures. */
  name: (source: Source) => string;
  make: (parsing: Parsing, source: Source, name: string) => Promise<MadeFile[]>;
  files: WholeFiles;
  /** Adds the picture to a data set, if there is one; returns its files there, below `folder`, with slashes. */
  add: (parsing: Parsing, name: string) => Promise<string[]>;
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

/** What a picture waits for. */
interface Turn {
  /** The same picture as it was before, which may be under way: one that changes comes again. */
  same: Promise<void>;
  /** All that came before, so that data set and report have the order of the pictures, whichever is parsed first. */
  earlier: Promise<void>;
}

/**
 * Works through the pictures.
 * @throws what is no single picture's fault (the model, the disk, Redis), once those under way have ended
 */
export async function runBatch(batch: BatchOptions): Promise<BatchCounts> {
  const counts: BatchCounts = { done: 0, skipped: 0, failed: 0 };
  const failed = new Set<string>();
  const running = new Set<Promise<void>>();
  /** By picture, the last that was begun of it. */
  const latest = new Map<string, Promise<void>>();
  let earlier = Promise.resolve();
  let fault: { error: unknown } | undefined;
  const work = async (source: Source, turn: Turn): Promise<void> => {
    const name = batch.name(source);
    await turn.same;
    const outcome = await runOne(source, name, turn, batch);
    if (outcome === 'failed') failed.add(source.file);
    else {
      counts[outcome]++;
      failed.delete(source.file);
    }
    counts.failed = failed.size;
    batch.onProgress(counts);
  };
  const begin = (source: Source): void => {
    const one = work(source, { same: latest.get(source.file) ?? Promise.resolve(), earlier })
      .catch((error: unknown) => {
        fault ??= { error };
      })
      .finally(() => {
        running.delete(one);
        if (latest.get(source.file) === one) latest.delete(source.file);
      });
    running.add(one);
    latest.set(source.file, one);
    earlier = earlier.then(() => one);
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

async function runOne(
  source: Source,
  name: string,
  { earlier }: Turn,
  batch: BatchOptions,
): Promise<keyof BatchCounts> {
  const start = performance.now();
  const { report, begun, options, folder } = batch;
  const { file } = source;
  const place = placeOf(source);
  const known = await report.find(file);
  /** Files that there may be of the picture, old ones and new ones. */
  const there = new Set([...(known?.outputs ?? []), ...begun.of(file)]);
  let digest: string | null = null;
  const isOwn = await isMade(folder, source.path);
  try {
    if (isOwn) throw ownResult(file);
    const image = await batch.read(source);
    digest = await digestOf(image);
    if (known !== undefined && (await isDone(known, digest, batch))) {
      await removeMade(
        folder,
        begun.of(file).filter((path) => !known.outputs.includes(path)),
      );
      begun.end(file);
      return 'skipped';
    }
    const parsing = await batch.parse(image);
    const made = await batch.make(parsing, source, name);
    await begun.begin(
      file,
      made.map(({ path }) => path).filter((path) => !there.has(path)),
    );
    const contents = await writeAll(made, there, batch);
    const time = Math.round(performance.now() - start);
    await earlier;
    const now = new Set([...made.map(({ path }) => path), ...(await batch.add(parsing, name))]);
    // What other kinds a run has made of the same picture is as good as it was.
    for (const path of othersOf(known, digest, batch)) now.add(path);
    await removeMade(
      folder,
      [...there].filter((path) => !now.has(path)),
    );
    const [persons, parts] = [parsing.persons.length, parsing.parts.length];
    const outputs = [...now];
    await report.put({
      file,
      path: place,
      outcome: 'done',
      digest,
      options,
      persons,
      parts,
      outputs,
      contents,
      time,
    });
    begun.end(file);
    batch.onDone(file);
    return 'done';
  } catch (thrown) {
    const error = asM2fpError(thrown, 'M2FP_BAD_IMAGE');
    const { code, message } = error;
    const isKept = isOwn || (digest === null && isUnreadable(error));
    const isFault = !isOfOneImage(code) && !OF_ONE.has(code);
    const left = isKept || isFault ? (known?.outputs ?? []) : othersOf(known, digest, batch);
    // Its own result must not go, whatever was begun.
    const gone = isOwn ? [] : [...there].filter((path) => !left.includes(path));
    if (isFault) {
      await removeMade(folder, gone).catch(() => {});
      throw thrown;
    }
    const time = Math.round(performance.now() - start);
    await removeMade(folder, gone);
    await earlier;
    await report.put({
      file,
      path: place,
      outcome: 'failed',
      digest,
      options,
      outputs: left,
      time,
      error: { code, message },
    });
    if (!isOwn) begun.end(file);
    batch.onFailure(file, error);
    return 'failed';
  }
}

/** It may be what was made of another picture of that name, and would be written over. */
function ownResult(file: string): M2fpError {
  return new M2fpError(
    'M2FP_NO_IMAGE',
    `${file} lies in the folder of the output, among what was made: name another folder for the output`,
  );
}

/** Whether the picture is not to be had at the moment: a drive that is away says nothing about what was made of it. */
function isUnreadable({ cause }: M2fpError): boolean {
  return cause instanceof Error && 'syscall' in cause;
}

/**
 * Writes what was made of a picture.
 * @param there gets the path of each
 * @returns the digest of all
 */
async function writeAll(made: readonly MadeFile[], there: Set<string>, { files }: BatchOptions) {
  const digest = new ContentDigest();
  for (const { path, content } of made) {
    await files.write(path, content).catch((error: unknown) => {
      throw unwritten(path, error);
    });
    there.add(path);
    await digest.add({ path, content });
  }
  return digest.value();
}

/** A name that is too long is one picture's fault; a full disk is not. */
function unwritten(path: string, error: unknown): M2fpError {
  const isName = (error as NodeJS.ErrnoException).code === 'ENAMETOOLONG';
  return asM2fpError(error, isName ? 'M2FP_BAD_IMAGE' : 'M2FP_NOT_KEPT', `${path} cannot be written`);
}
