/** Time as a parameter, so that time limits, back-off and linger are tested without waiting for them. */

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Milliseconds since some fixed moment; never goes back. */
  now(): number;
  /** Calls `callback` once after `ms`. A `background` timer does not keep the process alive. */
  after(ms: number, callback: () => void, options?: { background?: boolean }): Timer;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, callback, { background = false } = {}) {
    const timer = setTimeout(callback, ms);
    if (background) timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
