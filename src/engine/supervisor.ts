/** Keeps one child process going: starts it when it is needed, ends it when told, and replaces it when it dies. */
import { M2fpError } from '../errors.ts';
import type { Clock } from '../clock.ts';
import { EngineProcess } from './process.ts';
import type { LoadMessage, ParseMessage, ReadyMessage, ResultMessage } from './protocol.ts';

/** Times in milliseconds. */
export interface Patience {
  /** Pause before the start that follows a crash; doubles with every crash, reset by a parsed picture. */
  firstDelay: number;
  maxDelay: number;
  /** So many crashes within `crashWindow`, and no further start is tried. */
  maxCrashes: number;
  crashWindow: number;
  /** A model that has not loaded by then never will. */
  loadTime: number;
  /** What a running picture gets to finish when the process is told to stop. */
  grace: number;
}

export const DEFAULT_PATIENCE: Patience = {
  firstDelay: 500,
  maxDelay: 30_000,
  maxCrashes: 5,
  crashWindow: 60_000,
  loadTime: 300_000,
  // Node-RED goes on without a close listener after 15 s.
  grace: 10_000,
};

export interface SupervisorOptions {
  /** The file that the child runs. */
  entry: string;
  load: Omit<LoadMessage, 'type' | 'id'>;
  clock: Clock;
  patience: Patience;
  /** Called after every change of what the getters say. */
  onChange: () => void;
}

/** Requests are the caller's to line up: `run` takes one at a time, and only while `ready`. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #cancelled = () => new M2fpError('M2FP_CANCELLED', 'The engine was unloaded.');
  /** The process forked last, until it is gone; the next fork waits for that, to not hold two models at once. */
  #latest: EngineProcess | null = null;
  /** `latest` while it has its model and takes requests. */
  #serving: EngineProcess | null = null;
  #starting: { promise: Promise<void>; cancel: AbortController } | null = null;
  #ready: ReadyMessage | null = null;
  #failure: M2fpError | null = null;
  #down = false;
  #crashTimes: number[] = [];
  #delay: number;
  #notBefore = 0;
  #replacing = false;
  #restarts = 0;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#delay = options.patience.firstDelay;
  }

  get ready(): boolean {
    return this.#serving?.usable ?? false;
  }

  get starting(): boolean {
    return this.#starting !== null;
  }

  /** Why the last start failed, or why no further one is tried; null otherwise. */
  get failure(): M2fpError | null {
    return this.#failure;
  }

  /** The failure that `start` repeats after too many crashes, until {@link Supervisor.forgive}; null otherwise. */
  get refusal(): M2fpError | null {
    return this.#down ? this.#failure : null;
  }

  /** What the child said when it had loaded the model the last time; null before. */
  get facts(): ReadyMessage | null {
    return this.#ready;
  }

  /** Null while no process lives. */
  get pid(): number | null {
    return this.#latest?.pid ?? null;
  }

  /** Starts that followed a crash or a kill for a time limit. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Ends the refusal that repeated crashes led to. */
  forgive(): void {
    if (!this.#down) return;
    this.#down = false;
    this.#crashTimes = [];
    this.#delay = this.#options.patience.firstDelay;
    this.#notBefore = 0;
  }

  /**
   * Resolves when a process is ready; all callers share one attempt, and the next call after a failed one makes
   * a new attempt. Rejects with what the child reports, M2FP_ENGINE_CRASHED, M2FP_TIMEOUT or M2FP_CANCELLED.
   */
  start(): Promise<void> {
    if (this.refusal !== null) return Promise.reject(this.refusal);
    if (this.#starting !== null) return this.#starting.promise;
    if (this.ready) return Promise.resolve();
    const cancel = new AbortController();
    const promise = this.#bringUp(cancel.signal).then(
      () => this.#started(cancel, null),
      (error: M2fpError) => {
        this.#started(cancel, error);
        throw error;
      },
    );
    this.#starting = { promise, cancel };
    this.#failure = null;
    this.#options.onChange();
    return promise;
  }

  /** Parses one picture; `limit` in milliseconds, 0 = none: past it, the process is killed and M2FP_TIMEOUT thrown. */
  async run(request: Omit<ParseMessage, 'type' | 'id'>, limit: number): Promise<ResultMessage> {
    const process = this.#serving;
    if (process === null) throw new M2fpError('M2FP_ENGINE_CRASHED', 'The engine process is not running.');
    const timer =
      limit > 0
        ? this.#options.clock.after(limit, () => {
            this.#serving = null;
            this.#replacing = true;
            process.kill(
              new M2fpError(
                'M2FP_TIMEOUT',
                `The picture took longer than ${limit} ms and its process was killed: allow more time, or parse smaller pictures.`,
              ),
            );
          })
        : null;
    try {
      const result = await process.parse(request);
      this.#delay = this.#options.patience.firstDelay;
      return result;
    } finally {
      timer?.cancel();
    }
  }

  /** Ends the process: at once while it loads, after the running picture else. Resolves when it is gone. */
  async stop(): Promise<void> {
    this.#starting?.cancel.abort();
    this.#starting = null;
    this.#serving?.stop(this.#options.patience.grace, this.#cancelled());
    this.#serving = null;
    if (!this.#down) this.#failure = null;
    this.#options.onChange();
    await this.#latest?.ended;
  }

  async #bringUp(signal: AbortSignal): Promise<void> {
    await this.#latest?.ended;
    await this.#pause(signal);
    if (signal.aborted) throw this.#cancelled();
    if (this.#replacing) this.#restarts++;
    this.#replacing = false;
    const { entry, clock, patience, load } = this.#options;
    const process = new EngineProcess({ entry, clock, onCrash: (error) => this.#crashed(error) });
    this.#latest = process;
    void this.#forget(process);
    const cancel = () => process.kill(this.#cancelled());
    signal.addEventListener('abort', cancel, { once: true });
    const timer = clock.after(patience.loadTime, () =>
      process.kill(new M2fpError('M2FP_TIMEOUT', `The model did not load within ${patience.loadTime} ms.`)),
    );
    try {
      this.#ready = await process.load(load);
      this.#serving = process;
    } catch (error) {
      // A process that failed to load is never used again.
      process.kill(this.#cancelled());
      throw error;
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', cancel);
    }
  }

  async #forget(process: EngineProcess): Promise<void> {
    await process.ended;
    if (this.#latest === process) this.#latest = null;
  }

  /** Waits until the back-off after the last crash is over. */
  #pause(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const rest = this.#notBefore - clock.now();
    if (rest <= 0 || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = clock.after(rest, resolve);
      signal.addEventListener(
        'abort',
        () => {
          timer.cancel();
          resolve();
        },
        { once: true },
      );
    });
  }

  /** A cancelled start is no longer the current one, and its end concerns only those who wait for it. */
  #started(cancel: AbortController, error: M2fpError | null): void {
    if (this.#starting?.cancel !== cancel) return;
    this.#starting = null;
    if (!this.#down) this.#failure = error;
    this.#options.onChange();
  }

  #crashed(error: M2fpError): void {
    const { clock, patience } = this.#options;
    const now = clock.now();
    this.#serving = null;
    this.#replacing = true;
    this.#crashTimes = [...this.#crashTimes.filter((time) => now - time < patience.crashWindow), now];
    this.#notBefore = now + this.#delay;
    this.#delay = Math.min(this.#delay * 2, patience.maxDelay);
    if (this.#crashTimes.length >= patience.maxCrashes) {
      this.#down = true;
      this.#failure = new M2fpError(
        'M2FP_ENGINE_CRASHED',
        `The engine process crashed ${patience.maxCrashes} times within ${patience.crashWindow / 1000} s and stays down until it is told to load again. The last time: ${error.message}`,
        { cause: error },
      );
    }
    this.#options.onChange();
  }
}
