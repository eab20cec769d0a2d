/** The processes of an engine, and which of them takes what from the line. */
import type { M2fpError } from '../../errors.ts';
import type { Timer } from '../../clock.ts';
import type { CrashLog } from './crash-log.ts';
import { crashEvents, loadEvents, restartEvents } from '../events.ts';
import type { Job } from '../queue/job.ts';
import type { Pool, PoolFacts, PoolOwner, PoolState } from '../queue/pool.ts';
import { RunTimes } from './run-times.ts';
import type { PoolSize } from './sizing.ts';
import { MemoryExceeded, Supervisor, type SupervisorOptions } from './supervisor.ts';
import { Quarantine, type Suspect } from '../queue/quarantine.ts';

export interface PoolOptions {
  size: PoolSize;
  /** What all processes have in common. */
  supervisor: Omit<SupervisorOptions, 'clock' | 'onChange' | 'onCrash' | 'onReady' | 'onRestart'>;
  owner: PoolOwner;
}

/** One process and its work. */
interface Slot {
  readonly supervisor: Supervisor;
  /** What the child works on, even when its caller has given up. */
  running: Job | null;
  /** The start that waiting jobs depend on. */
  attempt: Promise<void> | null;
  /** Ends a run that nobody wants any more. */
  abandon: Timer | null;
}

/** Child processes on this machine, each with one picture at a time. */
export class ProcessPool implements Pool {
  readonly disconnected = null;
  readonly #owner: PoolOwner;
  readonly #crashes: CrashLog;
  readonly #threads: number;
  readonly #slots: readonly Slot[];
  readonly #times = new RunTimes();
  readonly #quarantine: Quarantine;
  /** The next try after too many crashes. */
  #retry: Timer | null = null;
  /** True from `stop` until something is wanted again: nothing is tried by itself then. */
  #stopped = false;
  /** What a step of the pump sets off calls for another step, not for one inside the first. */
  #pumping = false;
  #pumpAgain = false;

  constructor({ size, supervisor: common, owner }: PoolOptions) {
    this.#owner = owner;
    this.#crashes = common.crashes;
    this.#threads = size.threads;
    const { clock, labels: engine } = owner;
    this.#quarantine = new Quarantine(clock);
    this.#slots = Array.from({ length: size.processes }, () => {
      const supervisor = new Supervisor({
        ...common,
        clock,
        onChange: () => this.pump(),
        onCrash: ({ message }) => {
          if (slot.running === null && !supervisor.starting) crashEvents.publish({ engine, message });
        },
        onReady: ({ loadSeconds }, milliseconds) => {
          this.#times.loaded(milliseconds);
          loadEvents.publish({ engine, seconds: loadSeconds });
        },
        onRestart: (reason) => restartEvents.publish({ engine, reason }),
      });
      const slot: Slot = { supervisor, running: null, attempt: null, abandon: null };
      return slot;
    });
  }

  get state(): PoolState {
    const states = this.processes.map(({ state }) => state);
    return (
      (['running', 'ready', 'loading', 'failed'] as const).find((state) => states.includes(state)) ?? 'idle'
    );
  }

  get processes(): Pool['processes'] {
    return this.#slots.map(({ supervisor, running }) => ({
      pid: supervisor.pid,
      state: stateOf(supervisor, running),
      restarts: supervisor.restarts,
      rss: supervisor.rss,
    }));
  }

  /** Pictures that processes work on, also those that nobody wants any more. */
  get running(): number {
    return this.#slots.filter(({ running }) => running !== null).length;
  }

  /** Processes, started or not, without a picture. */
  get free(): number {
    return this.#slots.length - this.running;
  }

  /** Why the last start of a process failed; null where none did, or one works. */
  get failure(): M2fpError | null {
    return this.#slots.find(({ supervisor }) => supervisor.failure !== null)?.supervisor.failure ?? null;
  }

  get retryIn(): number | null {
    return this.#stopped ? null : this.#crashes.retryIn;
  }

  /** What a child said when it had loaded the model. */
  get facts(): PoolFacts {
    const started = this.#slots.find(({ supervisor }) => supervisor.facts !== null)?.supervisor.facts;
    const { provider = 'cpu', fallback = null, loadSeconds = null } = started ?? {};
    return { provider, fallback, loadSeconds, threads: this.#threads };
  }

  /** Throws M2FP_BAD_IMAGE for a picture that crashed two processes, M2FP_ENGINE_CRASHED after repeated crashes. */
  check(suspect: Suspect): void {
    this.#quarantine.check(suspect);
    const { refusal } = this.#crashes;
    if (refusal !== null) throw refusal;
  }

  /** Starts all processes; rejects where not one of them comes up. */
  async load(): Promise<void> {
    this.#stopped = false;
    this.#crashes.reset();
    this.#quarantine.forget();
    const starts = await Promise.allSettled(this.#slots.map(({ supervisor }) => supervisor.start()));
    const failed = starts.filter((start) => start.status === 'rejected');
    if (failed.length === starts.length) throw failed[0]!.reason;
  }

  /** Ends all processes; those that run a picture may finish it within the grace time. Nothing must wait. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const slot of this.#slots) slot.attempt = null;
    await Promise.all(this.#slots.map(({ supervisor }) => supervisor.stop()));
  }

  /** To be called after every change of the line. Gives it processes, in the same step in which they are ready. */
  pump(): void {
    this.#pumpAgain = true;
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#pumpAgain) {
        this.#pumpAgain = false;
        for (const slot of this.#slots) {
          if (slot.running === null && slot.supervisor.ready) this.#runNext(slot);
        }
        this.#startMissing();
        this.#reconsider();
      }
    } finally {
      // Whatever went wrong in this step, the next one is not to find the way blocked.
      this.#pumping = false;
    }
    this.#planRetry();
    this.#owner.onChange();
  }

  #runNext(slot: Slot): void {
    const job = this.#owner.next();
    if (job !== undefined) void this.#run(slot, job);
  }

  /** Never rejects: whatever happens, the job is told and the next one gets its turn. */
  async #run(slot: Slot, job: Job): Promise<void> {
    const { clock } = this.#owner;
    const { supervisor } = slot;
    const request: Suspect = { image: job.image.payload, options: job.options };
    const begun = clock.now();
    const first = supervisor.runs === 0;
    slot.running = job;
    job.begun = begun;
    try {
      // The one before it in line may have been the same.
      this.#quarantine.check(request);
      const result = await supervisor.run(request, job.limits);
      this.#times.ran(clock.now() - begun, first);
      this.#quarantine.clear(request);
      this.#owner.onResult(job, result.parsing, job.queued);
    } catch (error) {
      // What the system kills may have had bad neighbours: only of what was measured is the kind to blame.
      const forMemory = error instanceof MemoryExceeded;
      if (supervisor.replacing === 'crash' || forMemory) this.#quarantine.blame(request, forMemory);
      job.reject(error);
    }
    slot.running = null;
    this.pump();
  }

  /** As many processes as there is work for, and those that were given up for their memory between two pictures. */
  #startMissing(): void {
    let wanted = this.#owner.waiting - this.#slots.filter(({ attempt }) => attempt !== null).length;
    for (const slot of this.#slots) {
      const { running, supervisor, attempt } = slot;
      if (running !== null || attempt !== null || supervisor.ready) continue;
      if (wanted > 0 && this.#mayStart(slot)) wanted--;
      else if (supervisor.replacing !== 'memory') continue;
      this.#start(slot);
    }
  }

  /** One that could not be started is left alone while others do the work. */
  #mayStart({ supervisor }: Slot): boolean {
    return supervisor.starting || supervisor.failure === null || !this.#slots.some(isAlive);
  }

  /** All that wait share the fate of the last process that can be started; a start that `stop` ended is not theirs. */
  #start(slot: Slot): void {
    this.#stopped = false;
    const attempt = slot.supervisor.start();
    slot.attempt = attempt;
    const settle = (error: M2fpError | null) => {
      if (slot.attempt !== attempt) return;
      slot.attempt = null;
      if (error !== null && !this.#slots.some(isAlive)) this.#owner.onUnavailable(error);
      this.pump();
    };
    attempt.then(() => settle(null), settle);
  }

  /** After too many crashes one process is tried when the pause is over, whether or not anybody asks. */
  #planRetry(): void {
    const { retryIn } = this;
    this.#retry?.cancel();
    this.#retry =
      retryIn === null
        ? null
        : this.#owner.clock.after(
            retryIn,
            () => {
              this.#retry = null;
              const [slot] = this.#slots;
              // A timer may come a fraction of a millisecond early: then the next one is planned below.
              if (this.retryIn === null && !this.#slots.some(isAlive)) this.#start(slot!);
              this.pump();
            },
            { background: true },
          );
  }

  /** Runs that nobody wants any more are ended where that is the quicker way for those who wait. */
  #reconsider(): void {
    const wanted = this.#owner.waiting > this.#slots.filter(isComing).length;
    for (const slot of this.#slots) {
      const { running } = slot;
      if (running === null || !wanted || this.#owner.isWanted(running)) {
        slot.abandon?.cancel();
        slot.abandon = null;
      } else if (slot.abandon === null) {
        const { clock } = this.#owner;
        const policy = this.#times.killDelay(clock.now() - running.begun!);
        if (policy === 0) slot.supervisor.abandon();
        else slot.abandon = clock.after(policy, () => slot.supervisor.abandon(), { background: true });
      }
    }
  }
}

function isAlive({ running, supervisor, attempt }: Slot): boolean {
  return running !== null || supervisor.ready || supervisor.starting || attempt !== null;
}

/** Whether it will take a picture without anybody's doing. */
function isComing({ running, supervisor, attempt }: Slot): boolean {
  return running === null && (supervisor.starting || attempt !== null);
}

function stateOf(supervisor: Supervisor, running: Job | null): PoolState {
  if (running !== null) return 'running';
  if (supervisor.starting) return 'loading';
  if (supervisor.ready) return 'ready';
  return supervisor.failure === null ? 'idle' : 'failed';
}
