/** One connection to a camera. */
import type { TakenFrame } from './frame-delivery.ts';
import type { FrameSource } from './types.ts';

interface SessionListeners {
  onFrame: () => void;
  /** A frame was replaced by a newer one before anybody took it. */
  onSkip: () => void;
  /** The source has ended, or failed: {@link Session.checkEnd} says so. */
  onEnd: () => void;
}

export class Session {
  readonly #listeners: SessionListeners;
  readonly #abort = new AbortController();
  readonly #frames: AsyncGenerator<Buffer, void>;
  readonly #isLive: boolean;
  readonly #signal: AbortSignal;
  readonly #onAbort: () => void;
  readonly #reading: Promise<void>;
  #newest: TakenFrame | undefined;
  #end: { error?: unknown } | undefined;

  constructor(source: FrameSource, signal: AbortSignal, listeners: SessionListeners) {
    this.#listeners = listeners;
    this.#signal = signal;
    this.#onAbort = () => this.#abort.abort(signal.reason);
    signal.addEventListener('abort', this.#onAbort);
    this.#isLive = source.isLive;
    this.#frames = source.open(this.#abort.signal);
    this.#reading = this.#isLive ? this.#read() : Promise.resolve();
  }

  /** Whether there is one to {@link take}. What is not live is asked then. */
  get hasFrame(): boolean {
    return !this.#isLive || this.#newest !== undefined;
  }

  /** Whether no frame comes any more; what is not live tells that when it is asked. */
  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  /** @throws what ended the connection, where that was no good end */
  checkEnd(): void {
    if (this.#end && 'error' in this.#end) throw this.#end.error;
  }

  /** The newest frame that was not taken; undefined: there is none any more. @throws what ended the connection */
  async take(): Promise<TakenFrame | undefined> {
    if (!this.#isLive) {
      const { done, value } = await this.#frames.next();
      if (done === true) return undefined;
      this.#listeners.onFrame();
      return { image: value, time: Date.now() };
    }
    const newest = this.#newest;
    this.#newest = undefined;
    return newest;
  }

  /** Reads on while nobody takes: a camera's own buffers would give old frames later. */
  async #read(): Promise<void> {
    try {
      for await (const image of this.#frames) {
        if (this.#newest) this.#listeners.onSkip();
        this.#newest = { image, time: Date.now() };
        this.#listeners.onFrame();
      }
      this.#end = {};
    } catch (error) {
      this.#end = { error };
    }
    this.#listeners.onEnd();
  }

  /** Resolves when nothing of it is open any more. */
  async close(): Promise<void> {
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#abort.abort(
      this.#signal.aborted ? this.#signal.reason : new Error('The connection is not needed any more.'),
    );
    await this.#reading;
    await this.#frames.return().catch(() => {});
  }
}
