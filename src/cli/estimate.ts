/** How far a batch is, in a few words. */
import type { BatchCounts } from '../export/batch/batch.ts';

/** How long it will take yet. What was done before takes no time worth mentioning. */
export class Estimate {
  readonly #total: number | undefined;
  readonly #now: () => number;
  readonly #start: number;

  /** @param now milliseconds */
  constructor(total: number | undefined, now: () => number = () => performance.now()) {
    this.#total = total;
    this.#now = now;
    this.#start = now();
  }

  share({ done, skipped, failed }: BatchCounts): number | null {
    return this.#total === undefined
      ? null
      : Math.min(1, (done + skipped + failed) / Math.max(1, this.#total));
  }

  note({ done, skipped, failed }: BatchCounts): string {
    const all = done + skipped + failed;
    const seconds = (this.#now() - this.#start) / 1000;
    const rate = seconds > 0 ? (done + failed) / seconds : 0;
    const left = this.#total === undefined || rate === 0 ? undefined : (this.#total - all) / rate;
    return [
      `${all}${this.#total === undefined ? '' : ` of ${this.#total}`}`,
      ...(failed > 0 ? [`${failed} failed`] : []),
      ...(rate > 0 ? [`${rate.toFixed(1)} a second`] : []),
      ...(left !== undefined && left >= 1 ? [`${duration(left)} left`] : []),
    ].join(', ');
  }
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
}
