/** Keeps one child process going: starts it when it is needed, ends it when told, and replaces it when it dies. */
import { raceSignal, sleep } from '../../async.ts';
import { M2fpError } from '../../errors.ts';
import { limitsFrom } from '../../image/limits.ts';
import type { ImageLimits } from '../../image/types.ts';
import type { RequestLimits } from '../types.ts';
import type { Clock, Timer } from '../../clock.ts';
import type { CrashLog } from './crash-log.ts';
import type { RestartPolicy } from './restart-policy.ts';
import type { RestartReason } from '../events.ts';
import { EngineProcess } from './process.ts';
import type { LoadMessage, ParseMessage, ReadyMessage, ResultMessage } from '../protocol.ts';
import { residentBytes } from './process-memory.ts';
import { OVERDRAFT } from './sizing.ts';

/** What one run may take; 0 = no limit. */
export interface RunLimits extends Partial<Pick<ImageLimits, 'maxBytes' | 'maxPixels'>> {
  /** Milliseconds. */
  timeout: number;
  /** MiB of resident memory. */
  maxMemory: number;
  /** Whether that was chosen for this machine: it is raised then for a model that needs more than was thought. */
  automatic?: boolean;
}

export interface SupervisorOptions {
  /** The file that the child runs. */
  entry: string;
  /** What the next process is told to load. */
  load: () => Omit<LoadMessage, 'type' | 'id'>;
  limits: () => RunLimits;
  clock: Clock;
  policy: RestartPolicy;
  /** Shared by all processes of an engine. */
  crashes: CrashLog;
  /** Called after every change of what the getters say. */
  onChange: () => void;
  /** Called when a process ends that was not told to, while it has its picture still. */
  onCrash: (error: M2fpError) => void;
  /** Called when a process is ready, with the milliseconds since it was started. */
  onReady: (facts: ReadyMessage, milliseconds: number) => void;
  /** Called when a process is started in place of one that was lost or given up. */
  onRestart: (reason: RestartReason) => void;
}

const MEBIBYTE = 2 ** 20;

/** A run that took too much memory: as with a crash, the picture may be to blame. */
export class MemoryExceeded extends M2fpError {
  constructor(bytes: number, limit: number, automatic = false) {
    const took = Math.round(bytes / MEBIBYTE);
    const why = automatic
      ? `a limit of ${limit} MiB, chosen for this machine`
      : `the option maxMemory at ${limit} MiB`;
    const more = automatic ? 'allow more with the option maxMemory' : 'allow more';
    super(
      'M2FP_ENGINE_CRASHED',
      `The engine process took ${took} MiB of memory for the picture, with ${why}, and was killed: ${more}, or parse smaller pictures.`,
    );
  }
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
  /** Why the next start is a restart. */
  #replacing: RestartReason | null = null;
  #restarts = 0;
  #rss: number | null = null;
  #runs = 0;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  get ready(): boolean {
    return this.#serving?.usable ?? false;
  }

  get starting(): boolean {
    return this.#starting !== null;
  }

  /** Why the process was lost or given up whose place the next one takes; null where none was. */
  get replacing(): RestartReason | null {
    return this.#replacing;
  }

  /** Why the last start failed, or why no further one is tried for now; null otherwise. */
  get failure(): M2fpError | null {
    if (this.ready || this.starting) return null;
    return this.#options.crashes.refusal ?? this.#failure;
  }

  /** What the child said when it had loaded the model the last time; null before. */
  get facts(): ReadyMessage | null {
    return this.#ready;
  }

  /** Null while no process lives. */
  get pid(): number | null {
    return this.#latest?.pid ?? null;
  }

  /** Starts that followed a crash or a kill. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Bytes of resident memory as of the last answer; null while no process lives. */
  get rss(): number | null {
    return this.#latest === null ? null : this.#rss;
  }

  /** Pictures that the process was given since it is ready. */
  get runs(): number {
    return this.#runs;
  }

  /**
   * Resolves when a process is ready; all callers share one attempt, and the next call after a failed one makes
   * a new attempt. Rejects with what the child reports, M2FP_ENGINE_CRASHED, M2FP_TIMEOUT, M2FP_CANCELLED or
   * M2FP_BAD_OPTION.
   */
  start(): Promise<void> {
    const { refusal } = this.#options.crashes;
    if (refusal !== null) return Promise.reject(refusal);
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

  /**
   * Parses one picture. Past the time limit, or far past that of memory, the process is killed and M2FP_TIMEOUT or
   * {@link MemoryExceeded} thrown; one that has come past its memory limit is replaced when it has answered.
   * @param own limits of who asks, in place of the engine's
   */
  async run(
    request: Omit<ParseMessage, 'type' | 'id' | 'limits'>,
    own: RequestLimits = {},
  ): Promise<ResultMessage> {
    const process = this.#serving;
    if (process === null) throw new M2fpError('M2FP_ENGINE_CRASHED', 'The engine process is not running.');
    this.#runs++;
    const allowed = { ...this.#options.limits(), ...own };
    const watches = [this.#watchTime(process, allowed.timeout), this.#watchMemory(process)];
    try {
      const limits = limitsFrom(allowed);
      const result = await process.parse({ ...request, limits });
      this.#rss = result.rss;
      this.#options.crashes.succeeded();
      return result;
    } catch (error) {
      this.#look(process);
      throw error;
    } finally {
      for (const watch of watches) watch?.cancel();
      if (process.usable && this.#isOver(this.#rss, 1)) this.#giveUp(process, 'memory', this.#cancelled());
    }
  }

  /** Kills the process for a run that nobody wants any more. */
  abandon(): void {
    if (this.#serving !== null) {
      this.#giveUp(this.#serving, 'cancelled', new M2fpError('M2FP_CANCELLED', 'The request was cancelled.'));
    }
  }

  /** Ends the process: at once while it loads, after the running picture else. Resolves when it is gone. */
  async stop(): Promise<void> {
    this.#starting?.cancel.abort(this.#cancelled());
    this.#starting = null;
    this.#serving?.stop(this.#options.policy.shutdownGrace, this.#cancelled());
    this.#serving = null;
    this.#failure = null;
    this.#replacing = null;
    this.#options.onChange();
    await this.#latest?.ended;
  }

  async #bringUp(signal: AbortSignal): Promise<void> {
    await this.#latest?.ended;
    const { entry, clock, crashes, policy, load } = this.#options;
    signal.throwIfAborted();
    if (crashes.pause > 0) await sleep(crashes.pause, { clock, signal });
    this.#countRestart();
    const begun = clock.now();
    const process = new EngineProcess({ entry, clock, onCrash: (error) => this.#crashed(error) });
    this.#latest = process;
    void this.#forget(process);
    const timer = clock.after(policy.loadTime, () =>
      process.kill(new M2fpError('M2FP_TIMEOUT', `The model did not load within ${policy.loadTime} ms.`)),
    );
    try {
      const facts = await raceSignal(process.load(load()), signal);
      this.#checkSize(facts.rss);
      this.#ready = facts;
      this.#rss = facts.rss;
      this.#runs = 0;
      this.#serving = process;
      this.#options.onReady(facts, clock.now() - begun);
    } catch (error) {
      // A process that failed to load is never used again.
      process.kill(this.#cancelled());
      throw error;
    } finally {
      timer.cancel();
    }
  }

  #countRestart(): void {
    if (this.#replacing === null) return;
    this.#restarts++;
    this.#options.onRestart(this.#replacing);
    this.#replacing = null;
  }

  /** A limit that the model alone does not keep would have it loaded again after every picture. */
  #checkSize(rss: number): void {
    const { maxMemory, automatic } = this.#options.limits();
    if (automatic || !this.#isOver(rss, 1)) return;
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      `The option maxMemory allows ${maxMemory} MiB, but the loaded model alone takes ${Math.round(rss / MEBIBYTE)} MiB: allow more.`,
    );
  }

  async #forget(process: EngineProcess): Promise<void> {
    await process.ended;
    if (this.#latest === process) this.#latest = null;
  }

  /** A cancelled start is no longer the current one, and its end concerns only those who wait for it. */
  #started(cancel: AbortController, error: M2fpError | null): void {
    if (this.#starting?.cancel !== cancel) return;
    this.#starting = null;
    this.#failure = error;
    this.#options.onChange();
  }

  #watchTime(process: EngineProcess, timeout: number): Timer | null {
    if (timeout === 0) return null;
    return this.#options.clock.after(timeout, () => {
      const text = `The picture took longer than ${timeout} ms and its process was killed: allow more time, or parse smaller pictures.`;
      this.#giveUp(process, 'timeout', new M2fpError('M2FP_TIMEOUT', text));
    });
  }

  #watchMemory(process: EngineProcess): Timer | null {
    if (this.#options.limits().maxMemory === 0) return null;
    let timer: Timer;
    const look = (): void => {
      this.#look(process);
      if (this.#isOver(this.#rss, OVERDRAFT)) {
        const error = new MemoryExceeded(this.#rss!, this.#maxMemory, this.#options.limits().automatic);
        this.#giveUp(process, 'memory', error);
      } else {
        arm();
      }
    };
    const arm = (): void => {
      timer = this.#options.clock.after(this.#options.policy.memoryPoll, look);
    };
    arm();
    return { cancel: () => timer.cancel() };
  }

  #look({ pid }: EngineProcess): void {
    this.#rss = (pid === null ? null : residentBytes(pid)) ?? this.#rss;
  }

  /** MiB; 0 = no limit. */
  get #maxMemory(): number {
    const { maxMemory, automatic } = this.#options.limits();
    if (!automatic || this.#ready === null) return maxMemory;
    return Math.max(maxMemory, Math.round((this.#ready.rss * OVERDRAFT) / MEBIBYTE));
  }

  #isOver(rss: number | null, overdraft: number): boolean {
    const maxMemory = this.#maxMemory;
    return maxMemory > 0 && rss !== null && rss > maxMemory * MEBIBYTE * overdraft;
  }

  /** One that was told to stop is killed, but not replaced. */
  #giveUp(process: EngineProcess, reason: RestartReason, error: M2fpError): void {
    if (this.#serving === process) {
      this.#serving = null;
      this.#replacing = reason;
    }
    process.kill(error);
  }

  #crashed(error: M2fpError): void {
    this.#serving = null;
    this.#replacing = 'crash';
    this.#options.crashes.add(error);
    this.#options.onCrash(error);
    this.#options.onChange();
  }
}
