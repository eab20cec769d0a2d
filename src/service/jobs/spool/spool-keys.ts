/** Which job of a spool an idempotency key stands for. That is read from the jobs themselves, so it lasts as long as they do. */
import { DamagedRecord, namesIn, readHead } from './record-file.ts';
import { isJobId } from '../ids.ts';
import type { EndedHead, QueuedHead, SpoolFiles } from './spool-files.ts';
import type { Once } from '../types.ts';

export class SpoolKeys {
  readonly #files: SpoolFiles;
  /** What was read of jobs, which never changes; null: no key, or nothing that can be read. */
  readonly #known = new Map<string, Once | null>();

  constructor(files: SpoolFiles) {
    this.#files = files;
  }

  /** The job that came last of those with the key; another process may have added it. */
  async find(key: string): Promise<{ id: string; digest: string } | undefined> {
    const names = [...(await namesIn(this.#files.queued())), ...(await namesIn(this.#files.ended()))];
    const there = new Set(names.filter(isJobId));
    for (const id of this.#known.keys()) if (!there.has(id)) this.#known.delete(id);
    for (const id of there) if (!this.#known.has(id)) this.#known.set(id, await this.#read(id));
    const ids = [...this.#known.keys()].filter((id) => this.#known.get(id)?.key === key);
    const id = ids.toSorted().at(-1);
    const once = id === undefined ? undefined : this.#known.get(id);
    return id !== undefined && once ? { id, digest: once.digest } : undefined;
  }

  async #read(id: string): Promise<Once | null> {
    for (const file of [this.#files.queued(id), this.#files.ended(id)]) {
      try {
        const head = await readHead<QueuedHead | EndedHead>(file);
        if (head) return head.once ?? null;
      } catch (error) {
        if (!(error instanceof DamagedRecord)) throw error;
      }
    }
    return null;
  }
}
