/** How far the model's pull has come, as messages. */
import type { PullProgress } from '../../src/store/progress.ts';

/** No more than two messages in a second, milliseconds. */
const INTERVAL = 500;

export class ProgressOutput {
  readonly #send: (progress: PullProgress) => void;
  #latest: PullProgress | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (progress: PullProgress) => void) {
    this.#send = send;
  }

  /** Sends it, or, too soon after the last one, a little later what is the latest then. */
  notify(progress: PullProgress): void {
    this.#latest = progress;
    if (this.#timer === undefined) this.#flush();
  }

  /** Sends what is left: nothing follows for now. */
  end(): void {
    const latest = this.#latest;
    this.close();
    if (latest) this.#send(latest);
  }

  /** Sends nothing any more. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#latest = undefined;
  }

  #flush(): void {
    this.#timer = undefined;
    const latest = this.#latest;
    if (latest === undefined) return;
    this.#latest = undefined;
    this.#timer = setTimeout(() => this.#flush(), INTERVAL);
    this.#timer.unref();
    this.#send(latest);
  }
}
