/**
 * When it pays to kill a run whose caller has gone, from what runs and starts of this engine have taken.
 *
 * Killing costs what the next process needs to become as quick as this one: to start, to load the model, and the
 * extra time of its first run. Letting it finish costs what is left of the run. Measured with onnxruntime 1.30 on two
 * cores that had other work too, so that the ratios count more than the times:
 *
 *     model, input             start and load   first run   later runs
 *     bundled, 240 x 160            0.9 s         0.09 s    0.03-0.07 s
 *     full size, 960 x 640          2.8 s         8.8 s     5.0-5.6 s     (little other work)
 *     full size, 960 x 640          4.5 s        14.6 s    14.4-19.9 s    (much other work)
 *
 * A run of the bundled model is over long before another process could begin: it is never worth killing. A run of a
 * full-size model often is, where its caller leaves early in it. As that depends on machine, model, picture and on what
 * else goes on, nothing of it is fixed here: each engine goes by its own times.
 */

/** Weight of the newest run in the average. */
const NEWEST = 0.3;
/** How much cheaper than waiting a kill must look: times vary, and loading takes the cores from others. */
const MARGIN = 1.5;

export class RunTimes {
  #load = 0;
  #first: number | null = null;
  #typical: number | null = null;

  /** A process took so many milliseconds from its start until it was ready. */
  loaded(ms: number): void {
    this.#load = ms;
  }

  /** A picture took so many milliseconds; the first of a process takes longer than those that follow. */
  ran(ms: number, first: boolean): void {
    if (first) this.#first = ms;
    else this.#typical = this.#typical === null ? ms : NEWEST * ms + (1 - NEWEST) * this.#typical;
  }

  /**
   * Milliseconds to wait, while somebody else wants the process, before a run is killed that nobody wants any more
   * and that began `elapsed` milliseconds ago; 0 where to kill it now is cheaper than to wait for it.
   */
  killDelay(elapsed: number): number {
    const typical = this.#typical ?? this.#first;
    const slowStart = Math.max(0, (this.#first ?? 0) - (typical ?? 0));
    const price = this.#load + slowStart;
    const remaining = Math.max(0, (typical ?? 0) - elapsed);
    if (remaining > MARGIN * price) return 0;
    // One that is overdue may take any time: what waits for it then waits no longer than a new process takes, which
    // is at most twice what would have been best.
    return Math.max(1, remaining + price);
  }
}
