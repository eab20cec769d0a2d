/** The config node's one lease on the engine; one that could not be had is tried again. */
import { MemoizedPromise, raceSignal } from '../../src/async.ts';
import type { Clock } from '../../src/clock.ts';
import type { EngineLease } from '../../src/engine/index.ts';
import { ReloadableEngine } from '../../src/engine/reload.ts';
import type { RemoteEngineOptions } from '../../src/engine/remote/redis/settings.ts';
import type { Engine, EngineInfo } from '../../src/engine/types.ts';
import { M2fpError } from '../../src/errors.ts';
import { services } from '../common/services.ts';
import { codeOf } from '../common/failure.ts';
import { LoadRetry, MODEL_PAUSE } from './load-retry.ts';
import { Retry } from './retry.ts';
import type { LocalSettings, ModelSettings } from './settings.ts';

/** What the holder of an engine is told and asked. */
export interface EngineHolder {
  changed(info: EngineInfo): void;
  /** The engine could not be had: the model is damaged, or workers are not reached. */
  failed(reason: unknown): void;
  /** Whether there is anybody to have it for. */
  isUsed(): boolean;
}

export class EngineLeaseHolder {
  /** The config node's id. */
  readonly #owner: string;
  readonly #settings: () => ModelSettings;
  readonly #folder: (settings: LocalSettings) => Promise<string>;
  readonly #holder: EngineHolder;
  readonly #engine = new MemoizedPromise<ReloadableEngine>();
  readonly #retry: Retry;
  readonly #loads: LoadRetry;
  #info: EngineInfo | undefined;
  #failure: unknown;
  /** That of the try to reach workers that is under way. */
  #reaching: AbortSignal | undefined;
  /** Aborted when the engine that is being acquired is not wanted any more. */
  #wanted = new AbortController();

  /**
   * @param settings throws where the configuration is wrong
   * @param folder where the model lies, once it is there
   */
  constructor(
    owner: string,
    settings: () => ModelSettings,
    folder: (settings: LocalSettings) => Promise<string>,
    holder: EngineHolder,
    clock: Clock,
  ) {
    this.#owner = owner;
    this.#settings = settings;
    this.#folder = folder;
    this.#holder = holder;
    this.#retry = new Retry(clock);
    this.#loads = new LoadRetry(this.#retry, () => void this.#loadAgain());
  }

  get info(): EngineInfo | undefined {
    return this.#info;
  }

  /** What the last try to have the engine threw; undefined once one has succeeded. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Milliseconds until it is tried again; undefined where that is not planned. */
  get retryIn(): number | undefined {
    return this.#retry.remaining;
  }

  /** Whether there is an engine. */
  get isHeld(): boolean {
    return this.#info !== undefined;
  }

  get isReaching(): boolean {
    return this.#reaching !== undefined;
  }

  /** Takes the lease with the first call. */
  async get(): Promise<Engine> {
    return this.#held();
  }

  /** Loads the model as it lies there now; where it cannot be had, the engine that there is goes on. */
  async reload(): Promise<void> {
    const engine = await this.#held();
    await engine.reload(() => this.#obtain(this.#settings()));
  }

  /** Somebody uses it: what failed is tried again by itself. */
  wake(): void {
    if (this.#info !== undefined) this.#loads.look(this.#info, this.#holder.isUsed());
    else if (this.#failure !== undefined) this.#planGet(this.#failure);
  }

  /** Tries no more by itself. */
  rest(): void {
    this.#retry.cancel();
  }

  /** Gives the engine back, once, also one that is just being acquired; resolves when that is done. */
  async release(): Promise<void> {
    this.#wanted.abort(new M2fpError('M2FP_CANCELLED', 'The model was stopped, or deployed anew.'));
    this.#wanted = new AbortController();
    this.#retry.cancel();
    this.#failure = undefined;
    this.#loads.reset();
    const engine = this.#engine.forget();
    this.#info = undefined;
    await engine?.then(
      (taken) => taken.release(),
      // Whoever asked for the engine was told.
      () => {},
    );
  }

  #held(): Promise<ReloadableEngine> {
    return this.#engine.get(() => this.#acquire());
  }

  async #acquire(): Promise<ReloadableEngine> {
    const settings = this.#settings();
    const lease =
      settings.source === 'remote'
        ? await this.#reach(settings)
        : await this.#take(await this.#here(settings));
    const engine = new ReloadableEngine(lease, () => this.#obtain(this.#settings()));
    // Nothing comes from it once it is released.
    engine.subscribe((info) => this.#changed(info));
    this.#changed(engine.info());
    return engine;
  }

  /** Tells nobody of a failure. */
  async #obtain(settings: ModelSettings): Promise<EngineLease> {
    return settings.source === 'remote'
      ? services.acquireRemote(settings.engine, this.#owner)
      : services.acquire(await this.#here(settings), this.#owner);
  }

  /** The options of the engine, when its model lies on this machine. */
  async #here(settings: LocalSettings): Promise<LocalSettings['engine']> {
    return { ...settings.engine, model: await this.#folder(settings) };
  }

  /** The engine of this machine. */
  async #take(options: LocalSettings['engine']): Promise<EngineLease> {
    const { signal } = this.#wanted;
    this.#retry.cancel();
    try {
      const lease = await services.acquire(options, this.#owner);
      if (!signal.aborted) this.#failure = undefined;
      return lease;
    } catch (error) {
      if (!signal.aborted) this.#missed(error, MODEL_PAUSE);
      throw error;
    }
  }

  /** The engine that workers make up. */
  async #reach({ engine: options }: { engine: RemoteEngineOptions }): Promise<EngineLease> {
    const { signal } = this.#wanted;
    this.#retry.cancel();
    this.#reaching = signal;
    const coming = services.acquireRemote(options, this.#owner);
    try {
      // Do not make a stopping node wait: a lease that comes too late goes back.
      const lease = await raceSignal(coming, signal);
      this.#failure = undefined;
      return lease;
    } catch (error) {
      if (!signal.aborted) this.#missed(error);
      else void coming.then((lease) => lease.release()).catch(() => {});
      throw error;
    } finally {
      if (this.#reaching === signal) this.#reaching = undefined;
    }
  }

  /** @param pause before the next try, milliseconds */
  #missed(reason: unknown, pause?: number): void {
    this.#failure = reason;
    this.#holder.failed(reason);
    this.#planGet(reason, pause);
  }

  #planGet(reason: unknown, pause?: number): void {
    // What is wrong with the form is mended by a deploy only.
    if (!this.#holder.isUsed() || codeOf(reason) === 'M2FP_BAD_OPTION') return;
    this.#retry.plan(() => {
      // It is told by the try itself.
      this.get().catch(() => {});
    }, pause);
  }

  #changed(info: EngineInfo): void {
    this.#info = info;
    this.#holder.changed(info);
    this.#loads.look(info, this.#holder.isUsed());
  }

  /** Never rejects. Starts no process before the files are as they should be. */
  async #loadAgain(): Promise<void> {
    try {
      const settings = this.#settings();
      if (settings.source === 'remote') return;
      await services.readManifest(await this.#folder(settings), true);
      if (this.#info?.state !== 'failed') return;
      this.#loads.slower();
      await (await this.get()).load();
    } catch {
      if (this.#info !== undefined) this.#loads.look(this.#info, this.#holder.isUsed());
    }
  }
}
