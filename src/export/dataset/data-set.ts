/** A data set in a folder: pictures are added one by one, and whatever happens, its files are whole. */
import { mkdir, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Clock } from '../../clock.ts';
import { systemClock } from '../../clock.ts';
import { digestOf } from '../../engine/input-image.ts';
import { asM2fpError, M2fpError } from '../../errors.ts';
import { readOptions } from '../../parsing/options/option-table.ts';
import type { Parsing } from '../../parsing/types.ts';
import { type Lock, tryLock } from '../../store/lock.ts';
import {
  DATA_SET_OPTIONS,
  type DataSetOptions,
  type DataSetPlan,
  PICTURE_OPTIONS,
  type PictureOptions,
  readDataSetOptions,
} from '../export-options.ts';
import type { DataSetView, Place } from '../formats/format.ts';
import { FORMATS } from '../formats/index.ts';
import { pictureFile } from '../picture-file.ts';
import { type Sample, sampleOf } from '../sample.ts';
import { stemOf } from './file-names.ts';
import { Manifest } from './manifest.ts';
import { readmeOf } from './readme.ts';
import { WholeFiles } from './whole-files.ts';

/** What is ours alone, in the data set's folder. */
const OWN = '.m2fp';
const MANIFEST = 'manifest.jsonl';
const LOCK = 'lock';
const STAGING = 'partial';
const README = 'README.txt';

/** What became of a picture. */
export interface Added {
  outcome: 'added' | 'replaced' | 'skipped';
  /** The picture's number in the data set, from 1. */
  id: number;
  /** The name of its files, without an ending. */
  name: string;
  subset: Place['subset'];
  /** Annotations. */
  count: number;
  /** Absolute paths: the picture first, then what belongs to it alone. */
  files: string[];
}

/** Use {@link DataSet.open}. Calls work one after the other. */
export class DataSet {
  readonly folder: string;
  readonly #plan: DataSetPlan;
  readonly #lock: Lock;
  readonly #files: WholeFiles;
  readonly #manifest: Manifest;
  /** Whether the files about all pictures lag behind the manifest. */
  #stale = true;
  #last: Promise<unknown> = Promise.resolve();

  /**
   * Opens the data set in `folder`, or begins one where it is empty or not there.
   * @throws {M2fpError} `M2FP_BAD_OPTION` for a wrong option, another format than the set has, and a folder that holds something
   *   else; `M2FP_BUSY` where another process writes there; `M2FP_NOT_KEPT` where the folder cannot be written
   */
  static async open(folder: string, options: DataSetOptions, clock: Clock = systemClock): Promise<DataSet> {
    const path = resolve(folder);
    const plan = readDataSetOptions(options);
    const own = join(path, OWN);
    let lock: Lock | undefined;
    try {
      await mkdir(path, { recursive: true });
      const names = await readdir(path);
      if (!names.includes(OWN) && names.some((name) => !name.startsWith('.'))) throw foreign(path);
      lock = await tryLock(join(own, LOCK), clock);
      if (lock === undefined) throw busy(path);
      const files = await WholeFiles.open(path, join(own, STAGING));
      const manifest = await Manifest.open(join(own, MANIFEST));
      if (manifest.head !== undefined) {
        try {
          checkSame(path, manifest.head.plan, plan);
        } catch (error) {
          await manifest.close();
          throw error;
        }
      }
      return new DataSet(path, plan, { lock, files, manifest });
    } catch (error) {
      await lock?.release();
      throw unwritable(path, error);
    }
  }

  private constructor(
    folder: string,
    plan: DataSetPlan,
    { lock, files, manifest }: { lock: Lock; files: WholeFiles; manifest: Manifest },
  ) {
    this.folder = folder;
    this.#plan = plan;
    this.#lock = lock;
    this.#files = files;
    this.#manifest = manifest;
  }

  /** Pictures in it. */
  get size(): number {
    return this.#manifest.count();
  }

  /** Throws unless `options` are those of this set. @throws {M2fpError} `M2FP_BAD_OPTION` */
  check(options: DataSetOptions): void {
    checkSame(this.folder, this.#plan, readDataSetOptions(options));
  }

  /**
   * Adds a picture. It is known by its bytes: one that the set has already is replaced or skipped.
   * @param name of its files, as `stemOf` reads it; another one is made of it where it is taken
   * @throws {M2fpError} `M2FP_BAD_OPTION` for a wrong option, and for a model with other labels than the set has;
   *   `M2FP_NO_PARSING` for damaged masks; `M2FP_NOT_KEPT` where the files cannot be written
   */
  add(parsing: Parsing, name: string, options?: PictureOptions): Promise<Added> {
    return this.#inTurn(() => this.#add(parsing, name, options));
  }

  /** Writes the files about all pictures, where something has changed. Returns their absolute paths. */
  writeIndex(): Promise<string[]> {
    return this.#inTurn(() => this.#writeIndex());
  }

  /** Writes the files about all pictures, and lets others write. */
  close(): Promise<void> {
    return this.#inTurn(async () => {
      try {
        await this.#writeIndex();
      } finally {
        await this.#manifest.close();
        await this.#files.close();
        await this.#lock.release();
      }
    });
  }

  /** A failure is the caller's own. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work).catch((error: unknown) => {
      throw unwritable(this.folder, error);
    });
    this.#last = result.catch(() => {});
    return result;
  }

  async #add(parsing: Parsing, name: string, options: PictureOptions | undefined): Promise<Added> {
    const { minScore, duplicates, subset } = readOptions(PICTURE_OPTIONS, options);
    const digest = await digestOf(parsing.image);
    const known = this.#manifest.find(digest);
    if (known !== undefined && duplicates === 'skip') {
      const { count, files } = (await this.#manifest.entry(digest))!;
      const { id, stem } = known;
      return {
        outcome: 'skipped',
        id,
        name: stem,
        subset: known.subset,
        count,
        files: this.#absolute(files),
      };
    }
    const sample = sampleOf(parsing, this.#plan, minScore);
    await this.#begin(sample);
    // A file that is moved to the other subset would be there twice: a picture stays where it is.
    const chosen = known?.subset ?? (subset === 'auto' ? this.#subsetOf(digest) : subset);
    const picture = await pictureFile(parsing);
    const { id, stem } = known ?? this.#manifest.reserve(stemOf(name));
    const format = FORMATS[this.#plan.format];
    const image = `${format.folder(chosen)}${stem}${picture.extension}`;
    const place = { id, stem, subset: chosen, image };
    const { files, entry = null } = await format.picture(sample, place, this.#plan);
    await this.#lock.check();
    // The picture last: one without its annotations would count as one that shows nobody.
    for (const { path, content } of [...files, { path: image, content: picture.content }]) {
      await this.#files.write(path, content);
    }
    const paths = [image, ...files.map(({ path }) => path)];
    const { width, height, regions } = sample;
    const count = regions.length;
    await this.#manifest.put({ ...place, digest, width, height, count, files: paths, entry });
    this.#stale = true;
    const outcome = known === undefined ? 'added' : 'replaced';
    return { outcome, id, name: stem, subset: chosen, count, files: this.#absolute(paths) };
  }

  /** The first picture decides on the categories. */
  async #begin({ categories }: Sample): Promise<void> {
    const { head } = this.#manifest;
    if (head === undefined) return this.#manifest.begin(this.#plan, categories);
    const names = (list: Sample['categories']): string =>
      list.map(({ id, name }) => `${id} ${name}`).join(', ');
    if (names(head.categories) === names(categories)) return;
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      `The data set in ${this.folder} has the categories ${names(head.categories)}, and this model has ${names(categories)}: ` +
        'choose another folder for it.',
    );
  }

  /**
   * By the picture's own bytes, as far as the share is kept: of all pictures so far, neither one too many nor one too few is for
   * validation. With ten percent it is one of the first ten.
   */
  #subsetOf(digest: string): Place['subset'] {
    const share = this.#plan.validation / 100;
    // In whole numbers as far as it goes: 100 * 0.07 is a little more than 7.
    const wanted = ((this.size + 1) * this.#plan.validation) / 100;
    const has = this.#manifest.count('val');
    if (has < Math.floor(wanted)) return 'val';
    const isDrawn = Number.parseInt(digest.slice(0, 8), 16) / 2 ** 32 < share;
    return isDrawn && has < Math.ceil(wanted) ? 'val' : 'train';
  }

  async #writeIndex(): Promise<string[]> {
    const { head } = this.#manifest;
    if (head === undefined) return [];
    const view: DataSetView = {
      plan: this.#plan,
      categories: head.categories,
      records: (subset) => this.#manifest.records(subset),
      count: (subset) => this.#manifest.count(subset),
    };
    const format = FORMATS[this.#plan.format];
    const files = [...format.index(view), { path: README, pieces: [readmeOf(view, format.readme)] }];
    if (this.#stale) {
      await this.#lock.check();
      for (const { path, pieces } of files) await this.#files.write(path, pieces);
      this.#stale = false;
    }
    return this.#absolute(files.map(({ path }) => path));
  }

  #absolute(paths: readonly string[]): string[] {
    return paths.map((path) => join(this.folder, path));
  }
}

/** @throws {M2fpError} `M2FP_BAD_OPTION` naming what differs */
function checkSame(folder: string, has: DataSetPlan, wanted: DataSetPlan): void {
  for (const name of Object.keys(DATA_SET_OPTIONS) as (keyof DataSetPlan)[]) {
    if (has[name] === wanted[name]) continue;
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      `Option "${name}" is ${JSON.stringify(wanted[name])}, and the data set in ${folder} was begun with ` +
        `${JSON.stringify(has[name])}: choose another folder, or the same ${name}.`,
    );
  }
}

function foreign(folder: string): M2fpError {
  return new M2fpError(
    'M2FP_BAD_OPTION',
    `${folder} holds something else than a data set of this package: choose an empty folder, or one that is not there yet.`,
  );
}

function busy(folder: string): M2fpError {
  return new M2fpError(
    'M2FP_BUSY',
    `Another process writes the data set in ${folder}: wait until it has ended, or choose another folder.`,
  );
}

function unwritable(folder: string, error: unknown): M2fpError {
  return asM2fpError(error, 'M2FP_NOT_KEPT', `The data set in ${folder} cannot be written`);
}
