/** The data sets that this process writes: one for each folder, whoever adds to it. */
import { resolve } from 'node:path';
import { type Clock, systemClock, type Timer } from '../../clock.ts';
import type { Parsing } from '../../parsing/types.ts';
import type { DataSetOptions, PictureOptions } from '../export-options.ts';
import { type Added, DataSet } from './data-set.ts';

/** A data set to which nothing was added for so long is closed, and others may write it. Milliseconds. */
const QUIET = 2000;

/** Of the time, at most this share goes into writing the files about all pictures. */
const INDEX_SHARE = 0.1;

interface Open {
  set: Promise<DataSet>;
  /** Who adds something at the moment. */
  users: number;
  quiet: Timer | undefined;
  /** When the files about all pictures may be written next. Milliseconds. */
  indexDue: number;
}

export interface Request {
  folder: string;
  options: DataSetOptions;
  parsing: Parsing;
  /** See `DataSet.add`. */
  name: string;
  picture: PictureOptions;
}

export class DataSetPool {
  readonly #clock: Clock;
  readonly #open = new Map<string, Open>();
  /** Those that are being closed. */
  readonly #closing = new Map<string, Promise<void>>();

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /**
   * Adds a picture, see `DataSet.add`. The files about all pictures are written at once as long as that is quick, else now and
   * then, and when nothing has come for two seconds.
   */
  async add({ folder, options, parsing, name, picture }: Request): Promise<Added> {
    const path = resolve(folder);
    await this.#closing.get(path);
    const open = this.#opened(path, options);
    open.quiet?.cancel();
    open.users++;
    try {
      const set = await open.set;
      set.check(options);
      const added = await set.add(parsing, name, picture);
      if (this.#clock.now() >= open.indexDue) await this.#writeIndex(open, set);
      return added;
    } finally {
      open.users--;
      if (open.users === 0)
        open.quiet = this.#clock.after(QUIET, () => void this.#close(path, open).catch(() => {}));
    }
  }

  /** Closes the data set in `folder`, unless somebody adds to it at this moment. */
  async release(folder: string): Promise<void> {
    const path = resolve(folder);
    const open = this.#open.get(path);
    if (open !== undefined && open.users === 0) await this.#close(path, open);
    else await this.#closing.get(path);
  }

  #opened(path: string, options: DataSetOptions): Open {
    const there = this.#open.get(path);
    if (there !== undefined) return there;
    const open: Open = {
      set: DataSet.open(path, options, this.#clock),
      users: 0,
      quiet: undefined,
      indexDue: 0,
    };
    // What failed is tried anew by the next.
    open.set.catch(() => {
      if (this.#open.get(path) === open) this.#open.delete(path);
    });
    this.#open.set(path, open);
    return open;
  }

  async #writeIndex(open: Open, set: DataSet): Promise<void> {
    const start = this.#clock.now();
    await set.writeIndex();
    const end = this.#clock.now();
    open.indexDue = end + (end - start) / INDEX_SHARE;
  }

  #close(path: string, open: Open): Promise<void> {
    if (this.#open.get(path) !== open) return this.#closing.get(path) ?? Promise.resolve();
    open.quiet?.cancel();
    this.#open.delete(path);
    const closing = open.set
      .then(
        (set) => set.close(),
        () => {},
      )
      .finally(() => this.#closing.delete(path));
    this.#closing.set(path, closing);
    return closing;
  }
}

/** That of all nodes. */
export const dataSets = new DataSetPool();
