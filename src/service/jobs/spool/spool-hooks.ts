/** Which webhooks of a spool are to be called, and how far that has come. */
import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from './record-file.ts';
import { type EndedHead, endedJob, type HookProgress, type SpoolFiles } from './spool-files.ts';
import type { Delivery } from '../types.ts';

export class SpoolHooks {
  readonly #files: SpoolFiles;
  readonly #now: () => number;
  /** What is known of their progress; another process may be further. */
  readonly #progress = new Map<string, HookProgress>();
  readonly #calling = new Set<string>();

  constructor(files: SpoolFiles, now: () => number) {
    this.#files = files;
    this.#now = now;
  }

  /** The first one that is due, for this process alone. */
  async due(ended: ReadonlyMap<string, EndedHead>): Promise<Delivery | undefined> {
    for (const id of this.#progress.keys()) if (!ended.has(id)) this.#progress.delete(id);
    for (const [id, head] of ended) {
      if (head.webhook === null || this.#calling.has(id)) continue;
      if (!this.#isDue(this.#progress.get(id) ?? (await this.#read(id)))) continue;
      this.#calling.add(id);
      const delivery = await this.#claim(id, head, head.webhook).catch((error: unknown) => {
        this.#calling.delete(id);
        throw error;
      });
      if (delivery) return delivery;
      this.#calling.delete(id);
    }
    return undefined;
  }

  async #claim(id: string, head: EndedHead, url: string): Promise<Delivery | undefined> {
    const lock = await this.#files.lock(`${id}.hook`);
    if (!lock) return undefined;
    const progress = await this.#read(id);
    if (!this.#isDue(progress)) {
      await lock.release();
      return undefined;
    }
    const settle = async (next: number, isOver: boolean, counts = true): Promise<void> => {
      try {
        await this.#write(id, { attempts: progress.attempts + (counts ? 1 : 0), next, isOver });
      } finally {
        await lock.release();
        this.#calling.delete(id);
      }
    };
    return {
      job: endedJob(id, head),
      url,
      attempts: progress.attempts,
      finish: () => settle(0, true),
      retry: (at, counts) => settle(at, false, counts),
    };
  }

  #isDue({ next, isOver }: HookProgress): boolean {
    return !isOver && next <= this.#now();
  }

  async #read(id: string): Promise<HookProgress> {
    let progress: HookProgress = { attempts: 0, next: 0, isOver: false };
    try {
      progress = JSON.parse(await readFile(this.#files.hook(id), 'utf8')) as HookProgress;
    } catch (error) {
      // One that is damaged begins anew: receivers know a call again by its id.
      if (!isMissing(error) && !(error instanceof SyntaxError)) throw error;
    }
    this.#progress.set(id, progress);
    return progress;
  }

  async #write(id: string, progress: HookProgress): Promise<void> {
    this.#progress.set(id, progress);
    const partial = join(this.#files.beside, `${id}.hook.${randomUUID()}`);
    try {
      await writeFile(partial, JSON.stringify(progress), { mode: 0o600, flush: true });
      await rename(partial, this.#files.hook(id));
    } finally {
      await rm(partial, { force: true });
    }
  }
}
