/** Notices that a camera sends no more frames: a timer for each topic. */

/** Milliseconds that setTimeout can wait. */
const MAX_DELAY = 2 ** 31 - 1;

export class SilenceTimers {
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #onSilence: (topic: string, seconds: number) => void;

  /** @param onSilence told of a topic without a frame for some seconds */
  constructor(onSilence: (topic: string, seconds: number) => void) {
    this.#onSilence = onSilence;
  }

  /** A frame has come. @param seconds without one more after which that is told; 0: never */
  restart(topic: string, seconds: number): void {
    this.cancel(topic);
    if (seconds === 0) return;
    const timer = setTimeout(
      () => {
        this.#timers.delete(topic);
        this.#onSilence(topic, seconds);
      },
      Math.min(seconds * 1000, MAX_DELAY),
    );
    timer.unref();
    this.#timers.set(topic, timer);
  }

  /** Of a topic, or of all. */
  cancel(topic?: string): void {
    for (const name of topic === undefined ? [...this.#timers.keys()] : [topic]) {
      clearTimeout(this.#timers.get(name));
      this.#timers.delete(name);
    }
  }
}
