/** Workers on other machines in place of processes of one's own. */
import type { Timer } from '../../../clock.ts';
import { M2fpError } from '../../../errors.ts';
import type { ModelManifest } from '../../../m2fp/manifest.ts';
import type { Job } from '../../queue/job.ts';
import type { Pool, PoolFacts, PoolOwner, PoolState } from '../../queue/pool.ts';
import type { ChildParsing } from '../../protocol.ts';
import { Quarantine, type Suspect } from '../../queue/quarantine.ts';
import type { WorkerAddress, WorkerFacts, WorkerTransport } from './transport.ts';
import { WorkerMonitor, type RemoteTimeouts } from './worker-monitor.ts';
import type { Disconnection } from '../../types.ts';
import { RedisFailure } from '../redis/address.ts';
import { unanswered } from '../redis/errors.ts';

export interface RemotePoolOptions {
  link: WorkerTransport;
  address: WorkerAddress;
  /** Of the model that workers must have. */
  manifest: ModelManifest;
  /** Milliseconds from handing a picture over until it is answered; 0 = no limit. */
  timeout: () => number;
  /** What a picture may have. */
  maxPixels: () => number;
  timeouts: RemoteTimeouts;
  owner: PoolOwner;
}

/** A picture that was handed over. */
class RunningJob {
  readonly job: Job;
  /** Settles, never rejects, when the link is done with it. */
  ended: Promise<void> = Promise.resolve();
  readonly #abort = new AbortController();

  constructor(job: Job) {
    this.job = job;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Takes it back, from a worker that is at it too. */
  end(error: M2fpError): void {
    this.job.reject(error);
    this.#abort.abort(error);
  }
}

export class RemotePool implements Pool {
  /** The link tries again and again, whatever is wrong. */
  readonly retryIn = null;
  readonly #options: RemotePoolOptions;
  readonly #owner: PoolOwner;
  readonly #monitor: WorkerMonitor;
  readonly #runningJobs = new Set<RunningJob>();
  readonly #quarantine = new Quarantine();
  /** The worker that `facts` are told of: the first one of the list; kept after it has left. */
  #seen: WorkerFacts | null = null;
  /** What a step of the pump sets off calls for another step, not for one inside the first. */
  #pumping = false;
  #pumpAgain = false;

  constructor(options: RemotePoolOptions) {
    const { link, address, manifest, timeouts, owner } = options;
    this.#options = options;
    this.#owner = owner;
    this.#monitor = new WorkerMonitor({
      link,
      address,
      manifest,
      clock: owner.clock,
      timeouts,
      onUnavailable: (error) => this.#giveUp(error),
      onChange: () => this.pump(),
    });
  }

  get state(): PoolState {
    if (this.#monitor.failure !== null) return 'failed';
    if (!this.#monitor.wanted) return this.running > 0 ? 'running' : 'idle';
    // Where the last worker has died, nobody works on what was handed over, until another one comes.
    if (this.#monitor.workers.length === 0 && this.disconnected === null) return 'loading';
    if (this.running > 0) return 'running';
    return this.#monitor.workers.length > 0 ? 'ready' : 'loading';
  }

  /** The workers. Which of them is at what nobody here knows: as many as there are pictures count as running. */
  get processes(): Pool['processes'] {
    return this.#monitor.workers.map(({ host, pid, rss, loadSeconds }, index) => {
      const idle = loadSeconds === null ? 'loading' : 'ready';
      return { host, pid, state: index < this.running ? 'running' : idle, restarts: 0, rss };
    });
  }

  /** Pictures that were handed over, also those that are being taken back. */
  get running(): number {
    return this.#runningJobs.size;
  }

  /** Where nobody has looked for workers yet, one picture may try. */
  get free(): number {
    return this.#monitor.wanted ? Math.max(0, this.#places - this.running) : 1;
  }

  get failure(): M2fpError | null {
    return this.#monitor.failure;
  }

  get disconnected(): Disconnection | null {
    const { disconnected } = this.#monitor;
    if (disconnected === null) return null;
    const code = disconnected instanceof RedisFailure ? disconnected.reason : 'redis-lost';
    return { code, message: disconnected.message };
  }

  get facts(): PoolFacts {
    const { provider = 'cpu', fallback = null, loadSeconds = null, threads = 1 } = this.#seen ?? {};
    return { provider, fallback, loadSeconds, threads };
  }

  /** Who could parse a picture that comes now; `unknown` where the link is not open. */
  get availability(): 'compatible' | 'incompatible' | 'none' | 'unknown' {
    if (!this.#monitor.wanted) return 'unknown';
    if (this.#monitor.workers.length > 0) return 'compatible';
    return this.#monitor.otherModel ? 'incompatible' : 'none';
  }

  /** Throws why nobody is waited for any more, and M2FP_BAD_IMAGE for a picture that has crashed two workers. */
  check(suspect: Suspect): void {
    if (this.#monitor.failure !== null) throw this.#monitor.failure;
    this.#quarantine.check(suspect);
  }

  /** Opens the link; rejects where no worker with the model comes in time. */
  load(): Promise<void> {
    this.#quarantine.forget();
    return this.#monitor.load();
  }

  /** Closes the link when what runs has been answered, or taken back after the grace time. */
  stop(): Promise<void> {
    return this.#monitor.close(this.#finish());
  }

  pump(): void {
    this.#pumpAgain = true;
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#pumpAgain) {
        this.#pumpAgain = false;
        this.#seen = this.#monitor.workers[0] ?? this.#seen;
        for (const runningJob of this.#runningJobs)
          if (!this.#owner.isWanted(runningJob.job)) runningJob.end(cancelled());
        if (this.#owner.waiting > 0) this.#monitor.open();
        while (this.#runningJobs.size < this.#places && this.#handOver());
      }
    } finally {
      // Whatever went wrong in this step, the next one is not to find the way blocked.
      this.#pumping = false;
    }
    this.#owner.onChange();
  }

  /** Pictures that all workers with the model can parse at the same time. */
  get #places(): number {
    return this.#monitor.workers.reduce((sum, { slots }) => sum + slots, 0);
  }

  /** Takes the next one out of the line; false where nobody waits. */
  #handOver(): boolean {
    const job = this.#owner.next();
    if (job === undefined) return false;
    const runningJob = new RunningJob(job);
    this.#runningJobs.add(runningJob);
    runningJob.ended = this.#run(runningJob);
    return true;
  }

  /** Never rejects: whatever happens, the job is told and the next one gets its turn. */
  async #run(runningJob: RunningJob): Promise<void> {
    const { link, manifest } = this.#options;
    const { job, signal } = runningJob;
    const request: Suspect = { image: job.image.payload, options: job.options };
    job.begun = this.#owner.clock.now();
    const timer = this.#watchTime(runningJob);
    try {
      // The one before it in line may have been the same.
      this.#quarantine.check(request);
      const parsing = await link.submit(
        { digest: manifest.digest, ...request, ...(job.trial && { trial: true }) },
        signal,
        { maxPixels: job.limits.maxPixels ?? this.#options.maxPixels(), model: manifest },
      );
      this.#quarantine.clear(request);
      this.#owner.onResult(job, parsing, this.#waited(job, parsing));
    } catch (error) {
      if (isCrash(error)) this.#quarantine.blame(request);
      job.reject(error);
    }
    timer?.cancel();
    this.#runningJobs.delete(runningJob);
    this.pump();
  }

  #watchTime(runningJob: RunningJob): Timer | null {
    const { address, timeout } = this.#options;
    const ms = runningJob.job.limits.timeout ?? timeout();
    if (ms === 0) return null;
    return this.#owner.clock.after(ms, () => runningJob.end(unanswered(address, ms)));
  }

  /** Milliseconds in the line here, in that of the workers, and on the way. */
  #waited({ since }: Job, { timing }: ChildParsing): number {
    const { decode, preprocess, inference, postprocess } = timing;
    const total = this.#owner.clock.now() - since;
    return Math.max(0, total - decode - preprocess - inference - postprocess);
  }

  /** What was handed over has no better chance than what waits, unless Redis only lacks memory for more. */
  #giveUp(error: M2fpError): void {
    const isFull = error instanceof RedisFailure && error.trouble === 'full';
    if (!isFull) for (const runningJob of this.#runningJobs) runningJob.end(error);
    this.#owner.onUnavailable(error);
  }

  /** Resolves when what runs now has ended. */
  async #finish(): Promise<void> {
    const runningJobs = [...this.#runningJobs];
    if (runningJobs.length === 0) return;
    const { shutdownGrace } = this.#options.timeouts;
    const timer = this.#owner.clock.after(shutdownGrace, () => {
      for (const runningJob of runningJobs) {
        runningJob.end(new M2fpError('M2FP_CANCELLED', 'The engine was unloaded.'));
      }
    });
    await Promise.all(runningJobs.map(({ ended }) => ended));
    timer.cancel();
  }
}

function isCrash(error: unknown): boolean {
  return error instanceof M2fpError && error.code === 'M2FP_ENGINE_CRASHED';
}

function cancelled(): M2fpError {
  return new M2fpError('M2FP_CANCELLED', 'The request was cancelled.');
}
