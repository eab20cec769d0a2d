/** Keeps the link to workers open while they are wanted, and says whether a worker is there or may still come. */
import { asM2fpError, M2fpError } from '../../../errors.ts';
import type { Clock, Timer } from '../../../clock.ts';
import type { ModelManifest } from '../../../m2fp/manifest.ts';
import type { WorkerAddress, WorkerFacts, WorkerTransport } from './transport.ts';
import { otherModel, unavailable } from '../redis/errors.ts';

/** Times in milliseconds. */
export interface RemoteTimeouts {
  /** What waits goes on waiting for so long while there is a connection, and no worker has told of itself. */
  workerTimeout: number;
  /** The same while there is no connection: long enough for a Redis that restarts. */
  connectionTimeout: number;
  /** Pause before the next try to connect, where the first connection could not be made. */
  retry: number;
  /** What runs gets to finish when the engine is unloaded. */
  shutdownGrace: number;
}

export const DEFAULT_REMOTE_TIMEOUTS: RemoteTimeouts = {
  workerTimeout: 30_000,
  connectionTimeout: 5000,
  retry: 1000,
  // Node-RED goes on without a close listener after 15 s.
  shutdownGrace: 10_000,
};

export interface WorkerMonitorOptions {
  link: WorkerTransport;
  address: WorkerAddress;
  /** Of the model that workers must have. */
  manifest: ModelManifest;
  clock: Clock;
  timeouts: RemoteTimeouts;
  /** Called where no worker came in time, or all have another model. */
  onUnavailable: (error: M2fpError) => void;
  /** Called after every change of what the getters say. */
  onChange: () => void;
}

interface Waiter {
  resolve: () => void;
  reject: (error: M2fpError) => void;
}

/** Keeps the link open while it is wanted, and knows who works there, or why nobody does. */
export class WorkerMonitor {
  readonly #options: WorkerMonitorOptions;
  /** The time from one opening to the closing that follows; null while nobody wants the link. */
  #generation: symbol | null = null;
  #unsubscribe: () => void = () => {};
  /** The end of the last closing. */
  #closing: Promise<void> = Promise.resolve();
  /** Why the connection could not be made. */
  #connectError: M2fpError | null = null;
  #failure: M2fpError | null = null;
  /** Whether there was no connection when it failed. */
  #wasDisconnected = false;
  /** Whether somebody worked there a moment ago, whose last word counts. */
  #hadWorkers = false;
  /** Ends the waiting for what is missing. */
  #patience: { timer: Timer; missing: 'worker' | 'connection' } | null = null;
  #retry: Timer | null = null;
  #waiters: Waiter[] = [];

  constructor(options: WorkerMonitorOptions) {
    this.#options = options;
  }

  get wanted(): boolean {
    return this.#generation !== null;
  }

  /** Those that have the model; none while the link is not wanted. */
  get workers(): readonly WorkerFacts[] {
    const { link, manifest } = this.#options;
    return this.wanted ? link.workers.filter((worker) => worker.manifest.digest === manifest.digest) : [];
  }

  /** True where workers are there, and all have another model. */
  get otherModel(): boolean {
    return this.wanted && this.workers.length === 0 && this.#options.link.workers.length > 0;
  }

  /** Why nobody is waited for any more; null while somebody may still come. */
  get failure(): M2fpError | null {
    return this.#failure;
  }

  /** Why there is no connection to where workers are found; null where there is one, and while nobody wants one. */
  get disconnected(): M2fpError | null {
    return this.wanted ? (this.#options.link.failure ?? this.#connectError) : null;
  }

  /** Opens the link where it is not; returns at once. */
  open(): void {
    if (this.wanted) return;
    const generation = Symbol('generation');
    this.#generation = generation;
    this.#unsubscribe = this.#options.link.subscribe(() => this.#look());
    void this.#connect(generation);
    this.#look();
  }

  /** Resolves when a worker with the model is there; waits anew after a failure. */
  load(): Promise<void> {
    this.#failure = null;
    this.open();
    if (this.#retry !== null) void this.#connect(this.#generation!);
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#look();
    });
  }

  /**
   * Nobody wants the link any more, which is closed after `work`; who opens it meanwhile keeps it.
   * Resolves when it is closed.
   */
  async close(work: Promise<void>): Promise<void> {
    this.#generation = null;
    this.#unsubscribe();
    this.#recover();
    this.#retry?.cancel();
    this.#retry = null;
    this.#connectError = null;
    const error = new M2fpError('M2FP_CANCELLED', 'The engine was unloaded.');
    for (const { reject } of this.#waiters.splice(0)) reject(error);
    const before = this.#closing;
    const end = async (): Promise<void> => {
      await Promise.all([before, work]);
      if (!this.wanted) await this.#options.link.close();
    };
    this.#closing = end();
    this.#options.onChange();
    await this.#closing;
  }

  async #connect(generation: symbol): Promise<void> {
    const { link, clock, timeouts } = this.#options;
    this.#retry?.cancel();
    this.#retry = null;
    let connectError: M2fpError | null = null;
    try {
      await this.#closing;
      if (generation !== this.#generation) return;
      await link.open();
    } catch (error) {
      connectError = asM2fpError(error, 'M2FP_ENGINE_UNAVAILABLE');
    }
    if (generation !== this.#generation) return;
    this.#connectError = connectError;
    if (connectError !== null) {
      this.#retry = clock.after(timeouts.retry, () => void this.#connect(generation), { background: true });
    }
    this.#look();
  }

  /** What the link says now. */
  #look(): void {
    if (!this.wanted) return;
    const { link, address, manifest } = this.#options;
    if (this.workers.length > 0) {
      this.#hadWorkers = true;
      this.#recover();
      for (const { resolve } of this.#waiters.splice(0)) resolve();
    } else if (this.otherModel) {
      this.#giveUp(otherModel(address, manifest, link.workers[0]!.manifest));
    } else if (this.#failure !== null && !(this.#wasDisconnected && this.disconnected === null)) {
      // The reason may have become another one.
      this.#giveUp(this.#absent());
    } else {
      this.#wait();
    }
    this.#options.onChange();
  }

  /**
   * For a worker, from the last word of one on; without a connection, for that. The time begins anew when it is the other that
   * is missing.
   */
  #wait(): void {
    const { clock, timeouts } = this.#options;
    const missing = this.disconnected === null ? 'worker' : 'connection';
    if (this.#patience?.missing === missing) return;
    // The connection is back: workers come back, too.
    this.#failure = null;
    this.#patience?.timer.cancel();
    const silentFor = this.#hadWorkers ? this.#options.link.silentFor : 0;
    this.#hadWorkers = false;
    const ms =
      missing === 'worker' ? Math.max(0, timeouts.workerTimeout - silentFor) : timeouts.connectionTimeout;
    const timer = clock.after(ms, () => {
      this.#giveUp(this.#absent());
      this.#options.onChange();
    });
    this.#patience = { timer, missing };
  }

  #absent(): M2fpError {
    return unavailable(this.#options.address, this.disconnected);
  }

  #giveUp(error: M2fpError): void {
    this.#recover();
    this.#failure = error;
    this.#wasDisconnected = this.disconnected !== null;
    for (const { reject } of this.#waiters.splice(0)) reject(error);
    this.#options.onUnavailable(error);
  }

  #recover(): void {
    this.#failure = null;
    this.#patience?.timer.cancel();
    this.#patience = null;
  }
}
