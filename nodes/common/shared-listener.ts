/** Many who wait for one event of one emitter, by one listener: Node.js warns of more than ten. */

/** What is used of an emitter. */
interface Emitter {
  once(event: string, listener: () => void): unknown;
  off(event: string, listener: () => void): unknown;
}

/** Those who wait for the event of one emitter. */
interface Waiting {
  works: Set<() => void>;
  listener: () => void;
}

export class SharedListener {
  readonly #event: string;
  readonly #waiting = new WeakMap<Emitter, Waiting>();

  constructor(event: string) {
    this.#event = event;
  }

  /** Calls `work` with the next event of `emitter`, unless the function that it returns was called before. */
  add(emitter: Emitter, work: () => void): () => void {
    const waiting = this.#waiting.get(emitter) ?? this.#listen(emitter);
    waiting.works.add(work);
    return () => {
      waiting.works.delete(work);
      // The last one takes the listener along; after the event there is none, or that of others.
      if (waiting.works.size > 0 || this.#waiting.get(emitter) !== waiting) return;
      this.#waiting.delete(emitter);
      emitter.off(this.#event, waiting.listener);
    };
  }

  #listen(emitter: Emitter): Waiting {
    const works = new Set<() => void>();
    const listener = (): void => {
      this.#waiting.delete(emitter);
      for (const work of works) work();
    };
    const waiting = { works, listener };
    this.#waiting.set(emitter, waiting);
    emitter.once(this.#event, listener);
    return waiting;
  }
}
