/** The messages that wait for something: each may give up, and is told of nothing then. */
export class WaitingRoom {
  readonly #places = new Set<object>();

  get size(): number {
    return this.#places.size;
  }

  /** What `result` comes to, or the reason of `signal` as soon as it aborts. */
  async wait<T>(result: Promise<T>, signal?: AbortSignal): Promise<T> {
    if (signal?.aborted) {
      result.catch(() => {});
      throw signal.reason as Error;
    }
    const place = {};
    this.#places.add(place);
    let onAbort = (): void => {};
    try {
      return await new Promise<T>((resolve, reject) => {
        onAbort = () => {
          // At once, so that whoever counts the places after the abort does not count this one.
          this.#places.delete(place);
          reject(signal?.reason as Error);
        };
        signal?.addEventListener('abort', onAbort, { once: true });
        result.then(resolve, reject);
      });
    } finally {
      this.#places.delete(place);
      signal?.removeEventListener('abort', onAbort);
    }
  }
}
