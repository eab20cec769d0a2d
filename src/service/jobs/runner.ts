/**
 * Sends the pictures of jobs into a flow, a few at a time, and writes down what it makes of them. What a flow was given
 * comes back to line where the flow was stopped meanwhile; what never comes back is failed after a while.
 */
import { type Clock, systemClock, type Timer } from '../../clock.ts';
import { M2fpError } from '../../errors.ts';
import { afterTries, failed, interruptedTooOften } from './outcomes.ts';
import { type Claim, isGivenUp, type JobFailure, type JobOutcome, type JobStore } from './types.ts';

export interface RunnerOptions {
  store: JobStore;
  /** Pictures that are in the flow at once. */
  inFlight: number;
  /** Milliseconds that the flow has for a picture. */
  timeout: number;
  /** Gives a picture to the flow. `run` is told again with what comes of it. */
  send: (claim: Claim, run: number) => void;
  /** Whether the engine is down, so that what ends in its crash may not have been looked at. */
  isDown: () => Promise<boolean>;
  /** Told of what goes wrong with the store; the jobs in it wait. */
  onError: (error: unknown) => void;
  onChange?: () => void;
  clock?: Clock;
}

/** How often the store is looked at where nothing tells of a change, milliseconds. */
const POLL = 1000;
/** How often it is tidied. */
const SWEEP = 15_000;
/** The pause after a job was put back. */
const PAUSE = 2000;

/**
 * Failures that say nothing of the picture: the flow was stopped, too many others wait, no engine is there at the moment, or it
 * ended, for which somebody else may be to blame. The job waits for better times, as long as a job may; where the flow is
 * stopped or the engine ends over it again and again, it is given up before.
 */
const PASSING: ReadonlyMap<string, { counts: boolean }> = new Map([
  ['M2FP_CANCELLED', { counts: true }],
  ['M2FP_ENGINE_CRASHED', { counts: true }],
  ['M2FP_BUSY', { counts: false }],
  ['M2FP_ENGINE_UNAVAILABLE', { counts: false }],
  // A disk that is not mounted yet, a model that is being replaced: the picture is not to blame.
  ['M2FP_MODEL_NOT_FOUND', { counts: false }],
  ['M2FP_MODEL_INVALID', { counts: false }],
  ['M2FP_CHECKPOINT_INVALID', { counts: false }],
  ['M2FP_DOWNLOAD_FAILED', { counts: false }],
]);

/** A picture that is in the flow. */
interface Run {
  claim: Claim;
  number: number;
  timer: Timer;
  /** Aborts where nobody wants any more what the flow makes of it. */
  over: AbortController;
  /** Whether what the flow has made of it is being written down. */
  isEnding: boolean;
}

function over(): M2fpError {
  return new M2fpError('M2FP_CANCELLED', 'The job was taken back, or has an outcome already.');
}

/** Of all runners of this process: what was sent by one that has stopped may still come back. */
let lastRun = 0;

export class JobRunner {
  readonly #options: RunnerOptions;
  readonly #clock: Clock;
  readonly #running = new Map<string, Run>();
  #isStarted = false;
  #pumping: Promise<void> | undefined;
  #pumpAgain = false;
  #isPaused = false;
  #timers: Timer[] = [];
  #unsubscribe = (): void => {};

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Jobs that are in the flow. */
  get size(): number {
    return this.#running.size;
  }

  /** Begins to send. Nothing is sent before, so that the flow has all its nodes by then. */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#unsubscribe = this.#options.store.subscribe(() => this.#pump());
    this.#every(POLL, () => this.#pump());
    this.#every(SWEEP, () => void this.#options.store.sweep().catch(this.#options.onError));
    this.#pump();
  }

  /**
   * What the flow made of a job. A result is taken from whoever has it; a failure only of the run that is going on: one
   * before it may have ended because the flow was stopped.
   * @returns whether it is the job's outcome now
   */
  async end(id: string, run: number, outcome: JobOutcome): Promise<boolean> {
    const current = this.#running.get(id);
    const isCurrent = current?.number === run;
    if (outcome.state !== 'done' && !isCurrent) return false;
    const passing = outcome.state === 'failed' ? PASSING.get(outcome.failure.code) : undefined;
    const { attempts: tries = 0, crashes = 0 } = current?.claim ?? {};
    if (passing) {
      const counts = passing.counts && !(outcome.state === 'failed' && (await this.#wasDown(outcome)));
      if (!counts || !isGivenUp(crashes + 1, 0)) {
        // Meanwhile it may have been stopped.
        if (this.#running.get(id) !== current) return false;
        this.#forget(id);
        this.#pause();
        return this.#putBack(current?.claim, counts);
      }
    }
    if (isCurrent) current.isEnding = true;
    return this.#write(id, passing ? interruptedTooOften(tries) : afterTries(outcome, tries));
  }

  /** Whether a picture was turned away for the crashes before it. */
  async #wasDown({ failure }: { failure: JobFailure }): Promise<boolean> {
    return failure.code === 'M2FP_ENGINE_CRASHED' && this.#options.isDown();
  }

  /** Aborts where the job has got another outcome than that of this run; undefined for a run that is not going on. */
  signalOf(id: string, run: number): AbortSignal | undefined {
    const current = this.#running.get(id);
    return current?.number === run ? current.over.signal : undefined;
  }

  /** Puts back what is in the flow, and sends it once more: the flow was deployed, and parts of it are new. */
  async restart(): Promise<void> {
    for (const [id, { claim }] of this.#running) {
      this.#forget(id);
      await claim.release(false).catch(this.#options.onError);
    }
    this.#pump();
  }

  /** Puts back what is in the flow, and sends no more. */
  async stop(): Promise<void> {
    this.#isStarted = false;
    this.#isPaused = false;
    this.#unsubscribe();
    for (const timer of this.#timers) timer.cancel();
    this.#timers = [];
    await this.#pumping;
    for (const [id, { claim }] of this.#running) {
      this.#forget(id);
      await claim.release(false).catch(this.#options.onError);
    }
  }

  async #write(id: string, outcome: JobOutcome): Promise<boolean> {
    const { store, onError } = this.#options;
    const { claim } = this.#running.get(id) ?? {};
    try {
      return await store.end(id, outcome);
    } catch (error) {
      onError(error);
      // There may be room for less. Where there is none at all, the job is done once more when there is.
      if (outcome.state === 'done') {
        const why = error instanceof Error ? error.message : String(error);
        const failure = failed('M2FP_NOT_KEPT', `There was a result, which could not be kept: ${why}`);
        return await store.end(id, failure).catch(() => this.#putBack(claim));
      }
      return this.#putBack(claim);
    } finally {
      this.#forget(id);
      this.#pump();
    }
  }

  async #putBack(claim: Claim | undefined, counts = true): Promise<false> {
    await claim?.release(counts).catch(this.#options.onError);
    return false;
  }

  /** Fills the flow; never more than one does so at a time. */
  #pump(): void {
    if (!this.#isStarted) return;
    this.#pumpAgain = true;
    this.#pumping ??= this.#fill().finally(() => {
      this.#pumping = undefined;
      // Somebody may have asked for it at the very end.
      if (this.#pumpAgain) this.#pump();
    });
  }

  async #fill(): Promise<void> {
    const { store, inFlight, onError } = this.#options;
    try {
      while (this.#pumpAgain) {
        this.#pumpAgain = false;
        while (this.#isStarted && !this.#isPaused && this.#running.size < inFlight) {
          const claim = await store.claim();
          if (!claim) break;
          this.#begin(claim);
        }
      }
    } catch (error) {
      // The next look, a second later, tries again.
      onError(error);
    }
  }

  #begin(claim: Claim): void {
    const { id } = claim;
    const number = ++lastRun;
    const { timeout, send, onChange } = this.#options;
    const timer = this.#clock.after(timeout, () => void this.#timeOut(id, number), { background: true });
    const run: Run = { claim, number, timer, over: new AbortController(), isEnding: false };
    this.#running.set(id, run);
    claim.lost.addEventListener(
      'abort',
      () => {
        if (!run.isEnding) run.over.abort(over());
        if (this.#running.get(id)?.number === number) this.#forget(id);
        this.#pump();
      },
      { once: true },
    );
    if (claim.lost.aborted) return this.#forget(id);
    onChange?.();
    send(claim, number);
  }

  async #timeOut(id: string, run: number): Promise<void> {
    const seconds = Math.round(this.#options.timeout / 1000);
    const why = `The flow gave no answer within ${seconds} seconds: does each way through it end in a parsing response node?`;
    const current = this.#running.get(id);
    await this.end(id, run, failed('M2FP_TIMEOUT', why)).catch(this.#options.onError);
    if (current?.number === run) current.over.abort(over());
  }

  #forget(id: string): void {
    this.#running.get(id)?.timer.cancel();
    this.#running.delete(id);
    this.#options.onChange?.();
  }

  /** Nothing is sent for a while. */
  #pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    const resume = (): void => {
      this.#isPaused = false;
      this.#pump();
    };
    this.#timers.push(this.#clock.after(PAUSE, resume, { background: true }));
  }

  #every(ms: number, work: () => void): void {
    const again = (): void => {
      const timer = this.#clock.after(
        ms,
        () => {
          this.#timers = this.#timers.filter((other) => other !== timer);
          work();
          if (this.#isStarted) again();
        },
        { background: true },
      );
      this.#timers.push(timer);
    };
    again();
  }
}
