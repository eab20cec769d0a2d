/** An engine that takes the place of another: the old one serves until the new one is loaded. */
import { Listeners } from './listeners.ts';
import type { Engine, EngineInfo, EngineListener, ParseRequest } from './types.ts';
import type { Parsing } from '../parsing/types.ts';

export class SwappingEngine implements Engine {
  readonly #next: Engine;
  readonly #onSwap: () => void;
  readonly #loaded: Promise<void>;
  readonly #listeners = new Listeners();
  #current: Engine;
  #unsubscribe: () => void;

  /**
   * Begins to load `next` at once.
   * @param onSwap called once, when `next` has taken over and `old` gets no more requests
   */
  constructor(old: Engine, next: Engine, onSwap: () => void) {
    this.#current = old;
    this.#next = next;
    this.#onSwap = onSwap;
    this.#unsubscribe = this.#follow(old);
    // What keeps the new one from loading is its own to tell: the old one is not what was asked for.
    const swap = (): void => this.#swap();
    this.#loaded = next.load().then(swap, swap);
  }

  async load(): Promise<EngineInfo> {
    await this.#loaded;
    return this.#next.load();
  }

  parse(request: ParseRequest): Promise<Parsing> {
    return this.#current.parse(request);
  }

  info(): EngineInfo {
    return this.#current.info();
  }

  subscribe(listener: EngineListener): () => void {
    return this.#listeners.add(listener);
  }

  /** Unloads the new one; the old one gets no more requests. */
  async unload(): Promise<void> {
    this.#swap();
    await this.#next.unload();
  }

  /** Ends the subscription to the engine that serves. */
  dispose(): void {
    this.#unsubscribe();
  }

  #swap(): void {
    if (this.#current === this.#next) return;
    this.#unsubscribe();
    this.#current = this.#next;
    this.#unsubscribe = this.#follow(this.#next);
    this.#listeners.tell(this.#next.info());
    this.#onSwap();
  }

  #follow(engine: Engine): () => void {
    return engine.subscribe((info) => this.#listeners.tell(info));
  }
}
