/** Unloads and restarts of an engine: one after the other, each behind what was asked before it. */
import type { Job } from './job.ts';

export class Stops {
  /** Requests that have come and not ended. */
  readonly #open = new Set<Job>();
  /** Loads that have not ended. */
  readonly #loads = new Set<Promise<void>>();
  /** What the processes still take before they are stopped; null where they take all. */
  #last: ReadonlySet<Job> | null = null;
  /** The end of the newest unload or restart; never rejects; null where none is under way. */
  #newest: Promise<void> | null = null;

  opened(job: Job): void {
    this.#open.add(job);
  }

  ended(job: Job): void {
    this.#open.delete(job);
  }

  /** Begins a load when no unload or restart is under way. Rejects as `load` does. */
  async loaded(load: () => Promise<void>): Promise<void> {
    while (this.#newest !== null) await this.#newest;
    const loading = load();
    this.#loads.add(loading);
    try {
      await loading;
    } finally {
      this.#loads.delete(loading);
    }
  }

  /** Whether the processes take it before they are stopped. */
  readonly takes = (job: Job): boolean => this.#last === null || this.#last.has(job);

  /** One after the other; the first one begins at once. */
  async inTurn<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#newest;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#newest = promise;
    try {
      if (before !== null) await before;
      return await work();
    } finally {
      if (this.#newest === promise) this.#newest = null;
      resolve();
    }
  }

  /**
   * Resolves when all that was asked before has ended; null where nothing was, so that no time passes. What comes meanwhile
   * is not taken before {@link resume}.
   * @param withLoads also waits for loads that are under way
   */
  worked(withLoads: boolean): Promise<unknown> | null {
    const asked = new Set(this.#open);
    const loads = withLoads ? [...this.#loads] : [];
    if (asked.size + loads.length === 0) return null;
    this.#last = asked;
    return Promise.allSettled([...[...asked].map(({ promise }) => promise), ...loads]);
  }

  resume(): void {
    this.#last = null;
  }
}
