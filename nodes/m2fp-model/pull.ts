/** The pull, or the conversion, of one config node's model: begun when the model is first needed, given up when nobody needs it. */
import { MemoizedPromise } from '../../src/async.ts';
import { M2fpError } from '../../src/errors.ts';
import type { LocalSource } from '../../src/store/local.ts';
import type { PullProgress } from '../../src/store/progress.ts';
import type { PulledModel } from '../../src/store/pull.ts';
import { services } from '../common/services.ts';
import { isRefusal } from '../common/failure.ts';
import type { ModelPresence, PublishedModel } from '../common/model.ts';

/** Whom a pull tells of itself. */
export interface PullListener {
  changed(presence: ModelPresence): void;
  failed(error: unknown): void;
  /** It made the model that was not there before. */
  made(model: PulledModel): void;
}

export class ModelPull {
  readonly #listener: PullListener;
  readonly #done = new MemoizedPromise<string>();
  #abort = new AbortController();
  #progress: PullProgress | undefined;
  #isCheckpoint = false;
  #failure: unknown;
  #running = 0;

  constructor(listener: PullListener) {
    this.#listener = listener;
  }

  /** Undefined while nothing is being pulled, and while the store is looked into. */
  get progress(): PullProgress | undefined {
    return this.#progress;
  }

  /** What the last try threw; undefined while another one is under way, and once one has succeeded. */
  get failure(): unknown {
    return this.#failure;
  }

  /** The folder of the model, when it is there. */
  run(model: PublishedModel | LocalSource): Promise<string> {
    return this.#done.get(() => this.#run(model, this.#abort.signal));
  }

  /** True from the first look into the store on. */
  get running(): boolean {
    return this.#running > 0;
  }

  /** Whoever needs the model next looks into the store again; a pull that is under way goes on. */
  lookAnew(): void {
    if (this.#running === 0) void this.#done.forget();
  }

  /** Forgets that the model was there, and resolves when a pull that is under way has ended. */
  async cancel(): Promise<void> {
    this.#abort.abort(
      new M2fpError('M2FP_CANCELLED', 'The model is no longer needed; what has arrived of it is kept.'),
    );
    this.#abort = new AbortController();
    this.#failure = undefined;
    const done = this.#done.forget();
    if (this.#progress !== undefined) {
      this.#progress = undefined;
      this.#listener.changed({ state: 'absent', ...(this.#isCheckpoint && { checkpoint: true }) });
    }
    // Whoever waited for it was told.
    await done?.catch(() => {});
  }

  async #run(model: PublishedModel | LocalSource, signal: AbortSignal): Promise<string> {
    this.#running++;
    this.#failure = undefined;
    this.#isCheckpoint = 'source' in model;
    const onProgress = (progress: PullProgress): void => {
      if (signal.aborted) return;
      this.#progress = progress;
      this.#listener.changed({ state: 'pulling', progress });
    };
    try {
      const pulled =
        'source' in model
          ? await services.convert(model, { signal, onProgress })
          : await services.pull({ ...model, signal, onProgress });
      signal.throwIfAborted();
      this.#progress = undefined;
      this.#listener.changed({ state: 'present' });
      if (pulled.made) this.#listener.made(pulled);
      return pulled.folder;
    } catch (thrown) {
      const error = ofModel(thrown);
      if (!signal.aborted) {
        this.#progress = undefined;
        this.#failure = error;
        this.#listener.failed(error);
      }
      throw error;
    } finally {
      this.#running--;
    }
  }
}

/**
 * What is wrong with the pictures that an int8 model is made with blames no picture that waits for the model, nor whoever
 * sent it.
 */
function ofModel(error: unknown): unknown {
  if (!(error instanceof M2fpError) || !isRefusal(error)) return error;
  const reason = `The int8 model is not there, and cannot be made. ${error.message}`;
  return new M2fpError('M2FP_MODEL_NOT_FOUND', reason, { cause: error });
}
