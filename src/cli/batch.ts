/** Many pictures with one command: where they come from, how far it is, what it leaves behind. */
import { mkdir, readFile, realpath, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { systemClock } from '../clock.ts';
import { asM2fpError, M2fpError } from '../errors.ts';
import { Begun } from '../export/batch/begun.ts';
import { type BatchCounts, runBatch, type BatchOptions } from '../export/batch/batch.ts';
import { isMade, KINDS } from '../export/batch/made-files.ts';
import { KnownPictures } from '../export/batch/known-pictures.ts';
import { OutputNames } from '../export/batch/output-names.ts';
import { Report } from '../export/batch/report.ts';
import { isPattern, outputStem, splitPattern, type Source } from '../export/batch/sources.ts';
import { watchPictures } from '../export/batch/watch.ts';
import { WholeFiles } from '../export/dataset/whole-files.ts';
import type { ImageLimits } from '../image/types.ts';
import { tryLock } from '../store/lock.ts';
import { sourcesOf, STANDARD_INPUT } from './batch-sources.ts';
import type { Terminal } from './command.ts';
import { Estimate } from './estimate.ts';
import { Stop } from './interrupt.ts';
import { ProgressBar } from './progress.ts';
import { readImage } from './read-image.ts';

/** The report in a folder that has nothing else than a batch's own. */
export const REPORT = 'report.jsonl';
const OWN = '.m2fp-batch';

/** What differs between commands. */
export type BatchWork = Pick<
  BatchOptions,
  'options' | 'read' | 'parse' | 'kinds' | 'make' | 'add' | 'parallel'
> & {
  /** All that may be made under a name, see `OutputNames.take`. */
  paths: (name: string) => readonly string[];
  /** What ends with the batch. */
  close: () => Promise<void>;
};

export interface BatchCommand {
  args: readonly string[];
  /** `--out`. */
  out: string;
  watch: boolean;
  /** The folder of the report and of what is being written, below the output; default: the output itself, and one of its own. */
  own?: string;
  /** Made when the folder is there, and locked. */
  open: (folder: string) => Promise<BatchWork>;
}

/**
 * Runs it, and tells how far it is.
 * @returns the exit code: 0 all, 1 some failed, 2 none was done
 * @throws M2fpError M2FP_BUSY where another run writes into the folder; M2FP_NOT_KEPT where it cannot be written; M2FP_NO_IMAGE
 *   where there are no pictures; M2FP_BAD_OPTION where they lie in that folder; the `Interruption`; what the work throws
 */
export async function runBatchCommand(command: BatchCommand, terminal: Terminal): Promise<number> {
  const { folder, lock, files } = await openFolder(command);
  const stop = new Stop();
  const bar = new ProgressBar(terminal.err);
  let report: Report | undefined;
  let begun: Begun | undefined;
  let work: BatchWork | undefined;
  try {
    await checkApart(command, folder);
    const names = new OutputNames();
    const pictures = new KnownPictures();
    report = await Report.open(reportIn(folder, command), (line) => {
      names.add(line.file, line.outputs);
      pictures.add(line);
    });
    begun = await Begun.open(begunIn(folder, command), ({ file, paths }) => names.add(file, paths));
    work = await command.open(folder);
    const { counts, problems } = await run(command, {
      folder,
      files,
      report,
      begun,
      names,
      pictures,
      work,
      stop,
      bar,
      terminal,
    });
    bar.close();
    const { done, skipped, failed } = counts;
    const told =
      `${done} done, ${skipped} done before, ${failed} failed` +
      (problems > 0 ? `, ${problems} ${problems === 1 ? 'folder' : 'folders'} not read` : '');
    if (stop.interruption !== undefined && !command.watch) {
      throw stop.interruption(`${told}: the same command goes on from there`);
    }
    // A list may have nothing today.
    if (done + skipped + failed === 0 && !command.watch && !command.args.includes(STANDARD_INPUT)) {
      throw new M2fpError('M2FP_NO_IMAGE', `There are no pictures in ${command.args.join(', ')}`);
    }
    terminal.err.write(`m2fp: ${told}. ${reportIn(command.out, command)} tells of each.\n`);
    if (failed > 0 && done + skipped === 0) return 2;
    return failed > 0 || problems > 0 ? 1 : 0;
  } finally {
    bar.close();
    stop.close();
    await work?.close();
    await report?.close();
    await begun?.close();
    await files.close();
    await lock.release();
  }
}

/**
 * What a batch would write over, or remove, must not be what it reads.
 * @throws M2fpError M2FP_BAD_OPTION where the pictures lie in the folder of the output itself, or in what was made of others
 */
async function checkApart({ args, out }: BatchCommand, folder: string): Promise<void> {
  for (const argument of args) {
    if (argument === STANDARD_INPUT) continue;
    const isOne = await stat(argument).then(
      (stats) => !stats.isDirectory(),
      () => false,
    );
    const named = !isOne && isPattern(argument) ? splitPattern(argument).folder : argument;
    if (await isMade(folder, named)) {
      throw new M2fpError(
        'M2FP_BAD_OPTION',
        `${argument} lies in the folder of the output, ${out}, where results are written over and removed: name another ` +
          'folder with --out',
      );
    }
    if ((await realpath(named).catch(() => undefined)) !== folder) continue;
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      `The pictures lie in the folder of the output, ${out}, which is not looked through: name another one with --out`,
    );
  }
}

interface Run {
  folder: string;
  files: WholeFiles;
  report: Report;
  begun: Begun;
  names: OutputNames;
  pictures: KnownPictures;
  work: BatchWork;
  stop: Stop;
  bar: ProgressBar;
  terminal: Terminal;
}

async function run(
  { args, watch }: BatchCommand,
  { folder, files, report, begun, names, pictures, work, stop, bar, terminal }: Run,
): Promise<{ counts: BatchCounts; problems: number }> {
  let problems = 0;
  const tell = (line: string): void => {
    bar.close();
    terminal.err.write(`m2fp: ${line}\n`);
  };
  const told = new Set<string>();
  const onProblem = ({ code, message }: M2fpError): void => {
    if (told.has(message)) return;
    told.add(message);
    problems++;
    tell(`${code}: ${message}`);
  };
  const except = ['', ...KINDS].map((kind) => join(folder, kind));
  const list = (): AsyncIterable<Source> => sourcesOf(args, { except, onProblem });
  const known = watch || args.includes(STANDARD_INPUT) ? undefined : await gather(list(), bar);
  const estimate = new Estimate(known?.length);
  const sources = known ?? (watch ? watchPictures(list, { signal: stop.signal }) : list());
  const counts = await runBatch({
    ...work,
    sources: pictures.named(sources, { report, read: work.read }),
    report,
    begun,
    folder,
    files,
    name: ({ file }) => names.take(file, outputStem(file), work.paths),
    signal: stop.signal,
    onProgress: (now) => bar.show('Parsing', estimate.share(now), estimate.note(now)),
    // A log has no bar, and nobody knows of what the pictures that come later are a share.
    onDone: (file) => known === undefined && !terminal.err.isTTY && tell(`${file}: done`),
    onFailure: (file, { code, message }) => tell(`${file}: ${code}: ${message}`),
  });
  return { counts, problems };
}

/** All of them before the first is done: one that is gone when its turn comes is told of, too. */
async function gather(sources: AsyncIterable<Source>, bar: ProgressBar): Promise<Source[]> {
  bar.show('Counting', null);
  const all: Source[] = [];
  for await (const source of sources) all.push(source);
  return all;
}

function reportIn(folder: string, { own = '' }: BatchCommand): string {
  return join(folder, own, REPORT);
}

function begunIn(folder: string, { own = OWN }: BatchCommand): string {
  return join(folder, own, 'batch.begun.jsonl');
}

async function openFolder({ out, own = OWN }: BatchCommand) {
  const given = resolve(out);
  try {
    await mkdir(given, { recursive: true });
    const folder = await realpath(given);
    const lock = await tryLock(join(folder, own, 'batch.lock'), systemClock);
    if (lock === undefined) {
      throw new M2fpError(
        'M2FP_BUSY',
        `Another run writes into ${out}: wait until it has ended, or name another folder`,
      );
    }
    return { folder, lock, files: await WholeFiles.open(folder, join(folder, own, 'batch.partial')) };
  } catch (error) {
    throw asM2fpError(error, 'M2FP_NOT_KEPT', `${out} cannot be written`);
  }
}

/**
 * The picture of a source.
 * @throws M2fpError M2FP_NO_IMAGE for what is no file: to read a pipe might never end; what `readImage` throws
 */
export async function readSource({ path, file }: Source, limits: Partial<ImageLimits>): Promise<Buffer> {
  if ((await stat(path).catch(() => undefined))?.isFIFO() === true) {
    throw new M2fpError('M2FP_NO_IMAGE', `${file} is a pipe, not a file`);
  }
  return readImage(path, limits);
}

/** Rather than like the name of a file. */
const LOOKS_LIKE_JSON = /^\s*([{["]|(null|true|false|-?\d+)\s*$)/;

/**
 * `--options`: a JSON text, or the file with one.
 * @throws M2fpError M2FP_BAD_OPTION
 */
export async function jsonOption(text: string): Promise<unknown> {
  try {
    return JSON.parse(LOOKS_LIKE_JSON.test(text) ? text : await readFile(text, 'utf8')) as unknown;
  } catch (error) {
    throw asM2fpError(error, 'M2FP_BAD_OPTION', '--options takes a JSON object, or a file with one');
  }
}
