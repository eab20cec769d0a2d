/** An engine whose model can be read anew while it serves. */
import { Listeners } from '../async.ts';
import { M2fpError } from '../errors.ts';
import type { Parsing } from '../parsing/types.ts';
import type { EngineLease } from './registry.ts';
import type { Engine, EngineInfo, EngineListener, ParseRequest, QueueOptions } from './types.ts';

/** Passes all on to the engine of its lease, which a reload may put another one in place of. */
export class ReloadableEngine implements Engine {
  readonly #listeners = new Listeners<EngineInfo>();
  #lease: EngineLease;
  #unsubscribe: () => void;
  /** Those of other models that still work off their lines. */
  #leaving: Engine[] = [];
  /** The end of the last reload; never rejects. */
  #reloaded: Promise<unknown> = Promise.resolve();
  #released = false;
  readonly #acquire: (() => Promise<EngineLease>) | undefined;
  /** The look that is under way whether another model lies there now; never rejects. */
  #looking: Promise<boolean> | undefined;

  /** @param acquire gives what lies there now, where the model that the engine is of cannot be loaded any more */
  constructor(lease: EngineLease, acquire?: () => Promise<EngineLease>) {
    this.#lease = lease;
    this.#acquire = acquire;
    this.#unsubscribe = this.#follow(lease);
  }

  /** Loads the model that lies there now, where that of the engine was replaced on disk. */
  async load(): Promise<EngineInfo> {
    for (;;) {
      const { engine } = this.#lease;
      try {
        return await engine.load();
      } catch (error) {
        if (engine === this.#lease.engine && !(await this.#replaced(error, engine))) throw error;
      }
    }
  }

  /** What an engine could not parse whose model was replaced on disk before it was loaded goes to the one that came after it. */
  async parse(request: ParseRequest): Promise<Parsing> {
    for (;;) {
      const { engine } = this.#lease;
      this.#leaving = this.#leaving.filter((old) => old.info().waiting > 0);
      for (const old of this.#leaving) old.replaceOlder(request.queue ?? {});
      try {
        return await engine.parse(request);
      } catch (error) {
        if (!(await this.#replaced(error, engine))) throw error;
      }
    }
  }

  info(): EngineInfo {
    return this.#lease.engine.info();
  }

  subscribe(listener: EngineListener): () => void {
    return this.#listeners.add(listener);
  }

  unload(): Promise<void> {
    return this.#lease.engine.unload();
  }

  restart(): Promise<EngineInfo> {
    return this.#lease.engine.restart();
  }

  replaceOlder(queue: QueueOptions): void {
    for (const engine of [...this.#leaving, this.#lease.engine]) engine.replaceOlder(queue);
  }

  /**
   * Takes what `acquire` gives, which reads the model anew, and loads it. The same model is started anew. Another one takes
   * over when it is loaded, or at once where the old one is not loaded; the old one works off its line and ends.
   * Where it fails before that, all stays as it was. One reload after the other.
   */
  reload(acquire: () => Promise<EngineLease>): Promise<EngineInfo> {
    const reloaded = this.#reloaded.then(() => this.#reload(acquire));
    this.#reloaded = reloaded.catch(() => {});
    return reloaded;
  }

  /** Gives the engine back, also one that a reload is about to take. */
  release(): void {
    this.#released = true;
    this.#unsubscribe();
    this.#lease.release();
  }

  async #reload(acquire: () => Promise<EngineLease>): Promise<EngineInfo> {
    const lease = await acquire();
    const { engine } = lease;
    const { manifest, state } = this.info();
    const isSame = engine.info().manifest.digest === manifest.digest;
    try {
      this.#checkHeld();
      if (!isSame && (state === 'ready' || state === 'running')) {
        await engine.load();
        this.#checkHeld();
      }
    } catch (error) {
      // One that was made for this is not needed by a deploy, either.
      lease.release({ retire: !isSame || engine.info().state === 'idle' });
      throw error;
    }
    this.#adopt(lease, !isSame);
    return isSame ? engine.restart() : this.load();
  }

  /** Whether `engine` failed because of its model, and another one has, or now takes, its place. */
  async #replaced(error: unknown, engine: Engine): Promise<boolean> {
    if (!isOfModel(error)) return false;
    if (engine !== this.#lease.engine) return true;
    // All that failed with it wait for one look.
    this.#looking ??= this.#lookFor(engine);
    return this.#looking;
  }

  async #lookFor(engine: Engine): Promise<boolean> {
    try {
      return await this.#adoptOther(engine);
    } finally {
      this.#looking = undefined;
    }
  }

  /** Takes the model that lies there now, where that is another one than that of `engine`. */
  async #adoptOther(engine: Engine): Promise<boolean> {
    const lease = await this.#acquire?.().catch(() => undefined);
    // A reload may have been faster.
    if (engine !== this.#lease.engine) {
      lease?.release();
      return true;
    }
    if (lease === undefined) return false;
    const isSame = lease.engine.info().manifest.digest === engine.info().manifest.digest;
    if (isSame || this.#released) {
      lease.release({ retire: !isSame });
      return false;
    }
    this.#adopt(lease, true);
    return true;
  }

  /** @param retire whether it is the engine of another model */
  #adopt(lease: EngineLease, retire: boolean): void {
    const old = this.#lease;
    this.#unsubscribe();
    this.#lease = lease;
    this.#unsubscribe = this.#follow(lease);
    this.#listeners.notify(lease.engine.info());
    if (retire) this.#leaving.push(old.engine);
    old.release({ retire });
  }

  #follow({ engine }: EngineLease): () => void {
    return engine.subscribe((info) => this.#listeners.notify(info));
  }

  #checkHeld(): void {
    if (this.#released) {
      throw new M2fpError(
        'M2FP_CANCELLED',
        'The model was stopped, or deployed anew, before it was reloaded.',
      );
    }
  }
}

/** Whether another model could do better. */
function isOfModel(error: unknown): boolean {
  return error instanceof M2fpError && ['M2FP_MODEL_INVALID', 'M2FP_MODEL_NOT_FOUND'].includes(error.code);
}
