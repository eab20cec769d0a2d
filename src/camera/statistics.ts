/** What is told of a camera's frames. */
import type { Clock } from '../clock.ts';

/** Milliseconds over which the rate is counted. */
const WINDOW = 10_000;

export class FrameStatistics {
  readonly #clock: Clock;
  readonly #times: number[] = [];
  /** Frames that went out. */
  sent = 0;
  /** Frames that came while the one before was not done. */
  skipped = 0;
  /** Frames in which nothing had moved. */
  unchanged = 0;
  #began: number;
  #arrived: number | undefined;
  #sentAt: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#began = clock.now();
  }

  /** The camera was started. */
  begin(): void {
    this.#times.length = 0;
    this.#began = this.#clock.now();
  }

  /** A frame came. */
  arrive(): void {
    this.#arrived = this.#clock.now();
  }

  /** A frame went out. */
  send(): void {
    this.sent++;
    this.#sentAt = this.#clock.now();
    this.#times.push(this.#sentAt);
  }

  /** Frames a second that went out, over the last ten seconds. */
  get rate(): number {
    const now = this.#clock.now();
    while (this.#times.length > 0 && this.#times[0]! < now - WINDOW) this.#times.shift();
    const span = Math.min(WINDOW, Math.max(1000, now - this.#began));
    return (this.#times.length * 1000) / span;
  }

  /** Milliseconds since a frame went out; undefined: none yet. */
  get sinceSent(): number | undefined {
    return this.#sentAt === undefined ? undefined : this.#clock.now() - this.#sentAt;
  }

  /** Milliseconds since a frame came; undefined: none yet. */
  get age(): number | undefined {
    return this.#arrived === undefined ? undefined : this.#clock.now() - this.#arrived;
  }
}
