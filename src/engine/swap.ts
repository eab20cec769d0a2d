/** An engine that takes the place of another: the old one serves until the new one is loaded. */
import { Listeners } from '../async.ts';
import type { Engine, EngineInfo, EngineListener, ParseRequest, QueueOptions } from './types.ts';
import type { Parsing } from '../parsing/types.ts';

export class SwappingEngine implements Engine {
  readonly #old: Engine;
  readonly #next: Engine;
  readonly #onSwap: () => void;
  readonly #loaded: Promise<void>;
  readonly #listeners = new Listeners<EngineInfo>();
  #current: Engine;
  #unsubscribe: () => void;
  #disposed = false;

  /**
   * Begins to load `next` at once.
   * @param onSwap called once, when `next` has taken over and `old` gets no more requests
   */
  constructor(old: Engine, next: Engine, onSwap: () => void) {
    this.#old = old;
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

  async parse(request: ParseRequest): Promise<Parsing> {
    // The old one may still have an older picture of the same camera in line.
    if (this.#current === this.#next) this.#old.replaceOlder(request.queue ?? {});
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

  /** Before the new one serves, that is what it is about to do. */
  restart(): Promise<EngineInfo> {
    return this.#current === this.#next ? this.#next.restart() : this.load();
  }

  replaceOlder(queue: QueueOptions): void {
    this.#old.replaceOlder(queue);
    this.#next.replaceOlder(queue);
  }

  /** Ends the subscription to the engine that serves, for good: what loads later takes nobody's place any more. */
  dispose(): void {
    this.#disposed = true;
    this.#unsubscribe();
  }

  #swap(): void {
    if (this.#current === this.#next || this.#disposed) return;
    this.#unsubscribe();
    this.#current = this.#next;
    this.#unsubscribe = this.#follow(this.#next);
    this.#listeners.notify(this.#next.info());
    this.#onSwap();
  }

  #follow(engine: Engine): () => void {
    return engine.subscribe((info) => this.#listeners.notify(info));
  }
}
