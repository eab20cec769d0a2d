/** Those who want to know how an engine is doing. */
import type { EngineInfo, EngineListener } from '../types.ts';

export class Listeners {
  readonly #listeners = new Set<EngineListener>();

  /** Returns the function that ends the subscription. */
  add(listener: EngineListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  notify(info: EngineInfo): void {
    for (const listener of this.#listeners) {
      try {
        listener(info);
      } catch (error) {
        // A listener's fault must not stop the line; thrown later it would end the process.
        process.emitWarning(error instanceof Error ? error : String(error));
      }
    }
  }
}
