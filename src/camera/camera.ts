/** One camera: connects, takes the newest frame when it is wanted, connects again, and tells how it is. */
import { sleep } from '../async.ts';
import { type Clock, systemClock } from '../clock.ts';
import { pauseAfter } from './backoff.ts';
import { CameraError, type OfflineReason, reasonOf } from './camera-error.ts';
import { Session } from './session.ts';
import type { FrameLine } from './frame-line.ts';
import { FrameDelivery, type Motion } from './frame-delivery.ts';
import { FrameStatistics } from './statistics.ts';
import { type Pace, Turns } from './turns.ts';
import type { Frame, FrameSource } from './types.ts';

export interface CameraOptions {
  source: FrameSource;
  pace: Pace;
  /** Frames a second at most; undefined: as many as the source and the pace give. */
  rate: number | undefined;
  /** Keeps back what has not moved, but for one frame in `keepAlive` milliseconds. */
  motion?: Motion;
  /** Where cameras of the same model wait for one another, now; only with the pace `flow`. */
  line?: () => FrameLine | undefined;
  /**
   * Takes a frame that goes out; resolves when the flow is done with it, to the milliseconds for which it wants no other, and
   * does not reject. `onModel` is to be called when the frame has come to a model.
   */
  deliver: (frame: Frame, onModel: () => void) => Promise<number>;
  /** Told when {@link Camera.state} has changed. */
  onState: (state: CameraState) => void;
  clock?: Clock;
  random?: () => number;
}

export interface CameraState {
  state: 'online' | 'offline';
  /** Null while it is online. */
  reason: OfflineReason | null;
  /** The same in words, with what to do; null where there is nothing to do. */
  message: string | null;
  /** Since when, milliseconds since 1970. */
  since: number;
  /** Whether nothing moves: the last frame that went out still shows what there is. */
  still: boolean;
}

/** What waits for a frame that was asked for. */
type Wanted = PromiseWithResolvers<Frame>;

/** Milliseconds that a connection must have lasted for the next failure to count as the first. */
const STEADY = 10_000;

export class Camera {
  readonly #options: CameraOptions;
  readonly #clock: Clock;
  readonly #turns: Turns;
  readonly #delivery: FrameDelivery;
  readonly #wanted: Wanted[] = [];
  readonly statistics: FrameStatistics;
  #state: CameraState = {
    state: 'offline',
    reason: 'stopped',
    message: null,
    since: Date.now(),
    still: false,
  };
  #running: { abort: AbortController; ended: Promise<void> } | undefined;
  /** Of the run before: two never have a connection at once. */
  #ending: Promise<void> = Promise.resolve();
  #session: Session | undefined;
  #lastError: unknown;
  #wake = (): void => {};

  constructor(options: CameraOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#turns = new Turns(options.pace, options.rate, this.#clock, () => this.#wake(), options.line);
    this.statistics = new FrameStatistics(this.#clock);
    this.#delivery = new FrameDelivery({
      turns: this.#turns,
      statistics: this.statistics,
      motion: options.motion,
      isComplete: options.source.isComplete,
      onLook: (moved) => {
        const { state, reason, message, still } = this.#state;
        if (moved === still) this.#change(state, reason, message, !moved);
      },
      send: ({ image, time }, onModel) => options.deliver(this.#frame(image, time), onModel),
    });
  }

  get state(): CameraState {
    return this.#state;
  }

  /** Begins; nothing where it has begun. */
  start(): void {
    if (this.#running) return;
    const abort = new AbortController();
    abort.signal.addEventListener('abort', () => this.#wake());
    this.statistics.begin();
    this.#change('offline', 'connecting', null);
    this.#running = { abort, ended: this.#ending.then(() => this.#run(abort.signal)) };
  }

  /** Ends, and resolves when nothing is open any more. Who waits for a frame is told. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    this.#turns.stop();
    running?.abort.abort(stopped());
    this.#refuse(stopped());
    if (running) this.#ending = running.ended;
    await this.#ending;
    if (this.#running === undefined) this.#change('offline', 'stopped', null);
  }

  /**
   * One frame now, whatever the pace and the gate say: the newest one, or, of a camera that is stopped, one for which it
   * connects.
   * @throws {CameraError} where the camera gives none; the signal's reason
   */
  async next(signal: AbortSignal): Promise<Frame> {
    signal.throwIfAborted();
    if (!this.#running) return this.#takeOnce(signal);
    // One that waits before it connects again says why; one that only connects when it is asked does so.
    if (this.#session === undefined && this.#lastError !== undefined && !this.#isOnDemand)
      throw this.#lastError;
    const wanted = Promise.withResolvers<Frame>();
    const onAbort = (): void => wanted.reject(signal.reason);
    signal.addEventListener('abort', onAbort);
    this.#wanted.push(wanted);
    this.#wake();
    try {
      return await wanted.promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
      const index = this.#wanted.indexOf(wanted);
      if (index >= 0) this.#wanted.splice(index, 1);
    }
  }

  async #takeOnce(signal: AbortSignal): Promise<Frame> {
    const frames = this.#options.source.open(signal);
    try {
      const { value } = await frames.next();
      if (value === undefined) throw new CameraError('ended', 'The camera ended before there was a picture.');
      return this.#frame(value, Date.now());
    } finally {
      await frames.return();
    }
  }

  /** Whether it connects only for a frame that is asked for. */
  get #isOnDemand(): boolean {
    return this.#options.pace === 'manual' && !this.#options.source.isLive;
  }

  async #run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      const began = this.#clock.now();
      try {
        if (this.#isOnDemand) while (this.#wanted.length === 0) await this.#woken(signal);
        await this.#play(signal);
        return this.#end();
      } catch (error) {
        if (signal.aborted) return;
        this.#lastError = error;
        this.#refuse(error);
        this.#change('offline', reasonOf(error), error instanceof Error ? error.message : String(error));
        if (this.#clock.now() - began > STEADY) failures = 0;
        if (this.#isOnDemand) continue;
        const pause = pauseAfter(reasonOf(error), failures++, this.#options.random);
        await sleep(pause, { clock: this.#clock, signal, background: true }).catch(() => {});
      }
    }
  }

  /** A file that was played: it plays again when it is started. */
  #end(): void {
    const error = new CameraError('ended', 'The video is at its end.');
    this.#running = undefined;
    this.#turns.stop();
    this.#refuse(error);
    this.#change('offline', error.reason, error.message);
  }

  /** Takes frames of one connection until it ends. @throws what ended it */
  async #play(signal: AbortSignal): Promise<void> {
    const { source, pace } = this.#options;
    const session = new Session(source, signal, {
      onFrame: () => {
        this.#lastError = undefined;
        this.statistics.arrive();
        if (this.#state.state === 'offline') this.#change('online', null, null);
        this.#wake();
      },
      onSkip: () => void (pace === 'manual' || this.statistics.skipped++),
      onEnd: () => this.#wake(),
    });
    this.#session = session;
    try {
      for (;;) {
        if (this.#delivery.isWaitOver) await this.#delivery.sendWaiting();
        else if (session.hasFrame && this.#isFrameWanted) {
          const taken = await session.take();
          if (taken === undefined) return;
          const wanted = this.#wanted.shift();
          if (wanted) wanted.resolve(this.#frame(taken.image, taken.time));
          else await this.#delivery.offer(taken);
        } else if (session.hasEnded) {
          session.checkEnd();
          if (!this.#delivery.isWaiting) return;
          await this.#woken(signal);
        } else await this.#woken(signal);
      }
    } finally {
      this.#session = undefined;
      this.#delivery.drop();
      await session.close();
    }
  }

  get #isFrameWanted(): boolean {
    return this.#wanted.length > 0 || this.#delivery.wants(this.#state.state === 'online');
  }

  #frame(image: Buffer, time: number): Frame {
    this.statistics.send();
    return { image, time, number: this.statistics.sent };
  }

  #refuse(error: unknown): void {
    for (const wanted of this.#wanted.splice(0)) wanted.reject(error);
  }

  /** Resolves when something may have changed. @throws the signal's reason */
  async #woken(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    await promise;
    signal.throwIfAborted();
  }

  #change(
    state: CameraState['state'],
    reason: OfflineReason | null,
    message: string | null,
    still = false,
  ): void {
    const before = this.#state;
    const isSame = before.state === state && before.reason === reason;
    if (isSame && before.still === still && before.message === message) return;
    this.#state = { state, reason, message, still, since: isSame ? before.since : Date.now() };
    this.#options.onState(this.#state);
  }
}

function stopped(): CameraError {
  return new CameraError('stopped', 'The camera was stopped.');
}
