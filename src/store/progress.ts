/** How far a pull has come: what is told to status lines and progress bars, and how often. */
import type { Clock, Timer } from '../clock.ts';
import type { Retry } from './retry.ts';

/** `wait`: another process is making the same model. */
export type PullPhase = 'wait' | 'list' | 'download' | 'verify' | 'convert' | 'quantize';

export interface PullProgress {
  phase: PullPhase;
  /** The file at hand, in `download` and `verify`. */
  file: string | null;
  /** Bytes of the phase done: of all files in `download`, of the file at hand in `verify`. */
  received: number;
  /** Bytes of the phase, where known. */
  total: number | null;
  /** Share of the phase done, 0 to 1, where known. */
  share: number | null;
  /** Over the last seconds, in `download`. */
  bytesPerSecond: number | null;
  /** Only while it waits before it asks the server again. */
  retry?: Retry;
}

/** Within a phase, no more often than this, in milliseconds. */
const INTERVAL = 250;
/** The speed is that of so many milliseconds. */
const WINDOW = 5000;

export class ProgressMeter {
  readonly #clock: Clock;
  readonly #notify: (progress: PullProgress) => void;
  #progress: PullProgress | null = null;
  #lastNotified = -Infinity;
  #timer: Timer | undefined;
  #samples: { at: number; received: number }[] = [];

  constructor(clock: Clock, notify: (progress: PullProgress) => void) {
    this.#clock = clock;
    this.#notify = notify;
  }

  /** Begins a phase, or a file within one: always told. */
  begin(phase: PullPhase, file: string | null = null): void {
    if (this.#progress?.phase !== phase) this.#samples = [];
    this.#set({ phase, file, received: 0, total: null, share: null, bytesPerSecond: null });
  }

  /** Told where the last time is long enough ago or the phase is complete, else a little later. */
  bytes(received: number, total: number | null): void {
    const share = total === null || total === 0 ? null : received / total;
    const bytesPerSecond = this.#progress?.phase === 'download' ? this.#speed(received) : null;
    this.#update({ received, total, share, bytesPerSecond });
  }

  /** For phases whose bytes nobody counts. */
  share(share: number): void {
    this.#update({ share });
  }

  /** A pause before the server is asked again, and null at its end: always told. */
  retry(retry: Retry | null): void {
    if (this.#progress === null) return;
    const { retry: _over, ...progress } = this.#progress;
    // Of a connection that stands still, the speed of the seconds before says nothing.
    this.#samples = [];
    this.#set({ ...progress, bytesPerSecond: null, ...(retry && { retry }) });
  }

  #update(part: Partial<PullProgress>): void {
    if (this.#progress === null) return;
    const progress = { ...this.#progress, ...part };
    const complete = progress.share === 1 && this.#progress.share !== 1;
    if (complete || this.#clock.now() - this.#lastNotified >= INTERVAL) {
      this.#set(progress);
      return;
    }
    this.#progress = progress;
    this.#timer ??= this.#clock.after(INTERVAL, () => this.#set(this.#progress!), { background: true });
  }

  /** Tells nothing any more. */
  end(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #set(progress: PullProgress): void {
    this.end();
    this.#progress = progress;
    this.#lastNotified = this.#clock.now();
    this.#notify(progress);
  }

  #speed(received: number): number | null {
    const at = this.#clock.now();
    const last = this.#samples.at(-1);
    // A download that starts over goes back.
    if (last !== undefined && received < last.received) this.#samples = [];
    if (last === undefined || at - last.at >= INTERVAL) this.#samples.push({ at, received });
    while (this.#samples.length > 2 && at - this.#samples[0]!.at > WINDOW) this.#samples.shift();
    const first = this.#samples[0];
    if (first === undefined || at <= first.at) return null;
    return ((received - first.received) * 1000) / (at - first.at);
  }
}
