/** The outcomes in a spool, without their bodies. */
import { isJobId } from '../ids.ts';
import { failed } from '../outcomes.ts';
import { DamagedRecord, exists, namesIn, readHead } from './record-file.ts';
import type { EndedHead, SpoolFiles } from './spool-files.ts';

export class SpoolOutcomes {
  readonly #files: SpoolFiles;
  readonly #retention: number;
  readonly #now: () => number;
  /** What was read: outcomes never change. */
  readonly #read = new Map<string, EndedHead>();

  /** @param retention milliseconds that one is kept */
  constructor(files: SpoolFiles, retention: number, now: () => number) {
    this.#files = files;
    this.#retention = retention;
    this.#now = now;
  }

  /** Also one that has expired: the job is over until it is forgotten. */
  async get(id: string): Promise<EndedHead | undefined> {
    const head = this.#read.get(id) ?? (await this.#readOne(id));
    if (!head) return undefined;
    // Another process may have forgotten it.
    if (!(await exists(this.#files.ended(id)))) {
      this.#read.delete(id);
      return undefined;
    }
    return head;
  }

  /** Those that are there now, by the id of the job. */
  async all(): Promise<ReadonlyMap<string, EndedHead>> {
    const ids = (await namesIn(this.#files.ended())).filter(isJobId);
    for (const id of ids) if (!this.#read.has(id)) await this.#readOne(id);
    const there = new Set(ids);
    for (const id of this.#read.keys()) if (!there.has(id)) this.#read.delete(id);
    return this.#read;
  }

  /** Its file was deleted. */
  forget(id: string): void {
    this.#read.delete(id);
  }

  async #readOne(id: string): Promise<EndedHead | undefined> {
    try {
      const head = await readHead<EndedHead>(this.#files.ended(id));
      if (head) this.#read.set(id, head);
      return head;
    } catch (error) {
      if (!(error instanceof DamagedRecord)) throw error;
      // It is an outcome all the same: the job is not done again.
      const now = this.#now();
      const { failure, state } = failed('M2FP_NOT_KEPT', 'The outcome that was kept is damaged.');
      const head: EndedHead = {
        bytes: 0,
        state,
        failure,
        result: null,
        webhook: null,
        started: null,
        attempts: 0,
        ended: now,
        expires: now + this.#retention,
      };
      this.#read.set(id, head);
      return head;
    }
  }
}
