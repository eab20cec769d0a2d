/** Loading again, by itself, a model that did not load: whoever looks at the health sends no picture meanwhile. */
import { isRemote } from '../../src/engine/info.ts';
import type { EngineInfo } from '../../src/engine/types.ts';
import type { Retry } from './retry.ts';

/** Before the next look whether somebody has mended the model, milliseconds. Files that did not change are not read again. */
export const MODEL_PAUSE = 30_000;
/** Between tries to load a model that does not load although its files are as they should be, at most. */
const LONGEST_PAUSE = 600_000;

export class LoadRetry {
  readonly #retry: Retry;
  readonly #again: () => void;
  /** Before the next try, milliseconds. */
  #pause = MODEL_PAUSE;

  constructor(retry: Retry, again: () => void) {
    this.#retry = retry;
    this.#again = again;
  }

  /** Plans what has become necessary, or takes it back. Where the engine tries by itself, as after many crashes, it is left alone. */
  look(info: EngineInfo, isUsed: boolean): void {
    const { state, failure, retryIn } = info;
    if (state === 'ready' || state === 'running') this.reset();
    if (state !== 'failed') {
      if (state !== 'loading') this.#retry.cancel();
      return;
    }
    if (isRemote(info) || retryIn !== null || !isUsed) return;
    // What is wrong with the form is mended by a deploy only.
    if (failure?.code === 'M2FP_BAD_OPTION') return;
    this.#retry.plan(this.#again, this.#pause);
  }

  /** The files are as they should be: a try that fails now would fail soon again. */
  slower(): void {
    this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE);
  }

  reset(): void {
    this.#pause = MODEL_PAUSE;
  }
}
