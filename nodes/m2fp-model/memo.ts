/** A result that is worked out once, for all who ask. */
export class Memo<T> {
  #result: Promise<T> | undefined;

  /** The result, of `work` where there is none. A failure is not kept: who asks after it works again. */
  get(work: () => Promise<T>): Promise<T> {
    if (this.#result) return this.#result;
    const result = work();
    this.#result = result;
    result.catch(() => {
      if (this.#result === result) this.#result = undefined;
    });
    return result;
  }

  /** Returns the result that was kept, or is being worked out. */
  forget(): Promise<T> | undefined {
    const result = this.#result;
    this.#result = undefined;
    return result;
  }
}
