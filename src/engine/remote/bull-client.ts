/** A client's side of a queue, from the moment that it is connected: who works, and what has become of its jobs. */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { Queue, QueueEvents } from 'bullmq';
import { systemClock, type Timer } from '../../clock.ts';
import { M2fpError } from '../../errors.ts';
import type { ChildParsing } from '../protocol.ts';
import { Connection } from './connection.ts';
import type { RemoteTask, WorkerAddress, WorkerFacts } from './link.ts';
import { namesOf, type Names } from './names.ts';
import { readWorkers } from './presence.ts';
import type { Times } from './times.ts';
import { packTask, unpackAnswer } from './wire.ts';

/** How often a task goes out in all where Redis forgets it. */
const MAX_SENDS = 3;

/** Events that Redis keeps for clients that were away; what is older, a client finds out by looking. */
const KEPT_EVENTS = 1000;

/** Milliseconds that saying goodbye may take. */
const GOODBYE = 1000;

/** A task on its way. */
interface Submission {
  readonly id: string;
  readonly blob: Buffer;
  readonly resolve: (parsing: ChildParsing) => void;
  readonly reject: (error: unknown) => void;
  /** How often Redis has taken it. */
  sends: number;
  /** While it is given to Redis, or its state is asked for. */
  busy: Promise<void> | null;
}

export class BullClient {
  readonly #names: Names;
  readonly #times: Times;
  readonly #onChange: () => void;
  readonly #submissions = new Map<string, Submission>();
  /** What is being forgotten, there. */
  readonly #recalls = new Set<Promise<void>>();
  #connection!: Connection;
  #queue!: Queue;
  #events!: QueueEvents;
  #workers: WorkerFacts[] = [];
  #timer: Timer | null = null;
  #closed = false;

  private constructor(names: Names, times: Times, onChange: () => void) {
    this.#names = names;
    this.#times = times;
    this.#onChange = onChange;
  }

  /**
   * Resolves when it is known who works.
   * @param onChange called after every change of `workers` and `failure`
   * @param signal aborting ends the attempt, and rejects with the signal's reason
   * @throws {M2fpError} as {@link Connection.open}
   */
  static async open(
    address: WorkerAddress,
    times: Times,
    onChange: () => void,
    signal: AbortSignal,
  ): Promise<BullClient> {
    const names = namesOf(address.queue);
    const client = new BullClient(names, times, onChange);
    client.#connection = await Connection.open(
      address,
      times,
      [names.news],
      {
        onChange: () => client.#connectionChanged(),
        onMessage: () => void client.#lookForWorkers(),
      },
      signal,
    );
    try {
      await client.#start();
    } catch (error) {
      await client.close();
      throw client.#connection.explain(error);
    }
    return client;
  }

  get workers(): readonly WorkerFacts[] {
    return this.failure === null ? this.#workers : [];
  }

  get failure(): M2fpError | null {
    return this.#connection.failure;
  }

  submit(task: RemoteTask, signal: AbortSignal): Promise<ChildParsing> {
    const blob = packTask(task);
    let abort: () => void;
    const parsing = new Promise<ChildParsing>((resolve, reject) => {
      const submission: Submission = { id: randomUUID(), blob, resolve, reject, sends: 0, busy: null };
      this.#submissions.set(submission.id, submission);
      abort = () => {
        if (!this.#settle(submission)) return;
        reject(signal.reason as Error);
        this.#recall(submission);
      };
      signal.addEventListener('abort', abort);
      this.#occupy(submission, () => this.#send(submission));
    });
    return parsing.finally(() => signal.removeEventListener('abort', abort));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    const submissions = [...this.#submissions.values()];
    for (const submission of submissions) {
      this.#settle(submission);
      submission.reject(
        new M2fpError(
          'M2FP_CANCELLED',
          'The connection to the workers was closed while the picture was with them.',
        ),
      );
    }
    // Where there is no connection, what was sent is looked after no more, and expires.
    if (this.failure === null) {
      for (const submission of submissions) this.#recall(submission);
      await Promise.race([Promise.all(this.#recalls), after(GOODBYE)]);
    }
    const ends = [this.#events?.close(), this.#queue?.close()].map((end) => end?.catch(ignore));
    this.#connection.end();
    await Promise.all(ends);
  }

  async #start(): Promise<void> {
    const { commands } = this.#connection;
    const options = { connection: commands, prefix: this.#names.prefix, skipVersionCheck: true };
    // What happens between here and the first look at the events must not be missed.
    const [last] = await commands.xrevrange(this.#names.events, '+', '-', 'COUNT', 1);
    this.#queue = new Queue(this.#names.jobs, { ...options, streams: { events: { maxLen: KEPT_EVENTS } } });
    this.#events = new QueueEvents(this.#names.jobs, { ...options, lastEventId: last?.[0] ?? '0-0' });
    // The connection tells of what goes wrong with it; without a listener, BullMQ would print it.
    this.#queue.on('error', ignore);
    this.#events.on('error', ignore);
    this.#events.on('completed', ({ jobId }) => this.#ended(jobId));
    this.#events.on('failed', ({ jobId, failedReason }) => this.#ended(jobId, failedReason));
    this.#workers = await readWorkers(commands, this.#names);
    this.#tick();
  }

  #tick(): void {
    this.#timer = systemClock.after(
      this.#times.check,
      () => {
        this.#look();
        this.#tick();
      },
      { background: true },
    );
  }

  /** Looks after everything that events tell, for those that were lost. */
  #look(): void {
    if (this.#closed || this.failure !== null) return;
    void this.#lookForWorkers();
    for (const submission of this.#submissions.values())
      this.#occupy(submission, () => this.#check(submission));
  }

  #connectionChanged(): void {
    this.#onChange();
    this.#look();
  }

  async #lookForWorkers(): Promise<void> {
    const workers = await readWorkers(this.#connection.commands, this.#names).catch(() => this.#workers);
    if (this.#closed || isDeepStrictEqual(workers, this.#workers)) return;
    this.#workers = workers;
    this.#onChange();
  }

  /** One thing at a time with each submission: `work` is left out where another is under way. */
  #occupy(submission: Submission, work: () => Promise<void>): void {
    if (submission.busy !== null) return;
    submission.busy = work()
      .catch((error: unknown) => this.#failed(submission, error))
      .finally(() => (submission.busy = null));
  }

  async #send(submission: Submission): Promise<void> {
    const { id, blob } = submission;
    await this.#connection.commands.set(this.#names.task(id), blob, 'PX', this.#times.task);
    await this.#queue.add('parse', {}, { jobId: id, removeOnComplete: true, removeOnFail: true });
    submission.sends++;
  }

  /** A command failed: with the connection that is waited for, else for good. */
  #failed(submission: Submission, error: unknown): void {
    if (this.#connection.commands.status !== 'ready') return;
    if (!this.#settle(submission)) return;
    submission.reject(this.#connection.explain(error));
    this.#recall(submission);
  }

  /** BullMQ says that a job has come to an end. */
  #ended(id: string, failure?: string): void {
    const submission = this.#submissions.get(id);
    if (submission === undefined) return;
    if (failure === undefined) {
      // What it is busy with may have looked a moment too early.
      void (submission.busy ?? Promise.resolve()).then(() =>
        this.#occupy(submission, () => this.#check(submission)),
      );
      return;
    }
    if (!this.#settle(submission)) return;
    submission.reject(
      failure.includes('stalled')
        ? new M2fpError('M2FP_ENGINE_CRASHED', 'Two workers died over the picture, one after the other.')
        : new M2fpError('M2FP_ENGINE_UNAVAILABLE', `The worker could not deliver its answer: ${failure}`),
    );
    this.#recall(submission);
  }

  /** Takes the answer where there is one, and sends the task anew where Redis knows nothing of it any more. */
  async #check(submission: Submission): Promise<void> {
    if (!this.#submissions.has(submission.id)) return;
    const { id, blob } = submission;
    const { commands } = this.#connection;
    const [answer, task, job] = await results(
      commands
        .multi()
        .getdelBuffer(this.#names.answer(id))
        .pexpire(this.#names.task(id), this.#times.task)
        .exists(this.#names.job(id)),
    );
    if (Buffer.isBuffer(answer)) return this.#take(submission, answer);
    if (!this.#submissions.has(id)) return;
    if (job === 0) {
      if (submission.sends < MAX_SENDS) return this.#send(submission);
      throw new M2fpError(
        'M2FP_ENGINE_UNAVAILABLE',
        `Redis forgot the picture ${MAX_SENDS} times: does it have memory enough, and a policy of noeviction?`,
      );
    }
    if (task === 0) await commands.set(this.#names.task(id), blob, 'PX', this.#times.task);
  }

  async #take(submission: Submission, bytes: Buffer): Promise<void> {
    const answer = await unpackAnswer(bytes).catch((error: unknown) => ({ error }));
    if (!this.#settle(submission)) return;
    if ('parsing' in answer) submission.resolve(answer.parsing);
    else submission.reject(answer.error);
    // A task that went out twice may be with another worker, too.
    if (submission.sends > 1) this.#recall(submission);
  }

  /** False where it was settled before. */
  #settle({ id }: Submission): boolean {
    return this.#submissions.delete(id);
  }

  /** Has Redis and the worker forget a task that is settled. While there is no connection, that waits for it. */
  #recall(submission: Submission): void {
    const recall = this.#forget(submission).finally(() => this.#recalls.delete(recall));
    this.#recalls.add(recall);
  }

  async #forget({ id, busy }: Submission): Promise<void> {
    try {
      await busy;
      const { commands } = this.#connection;
      await commands.del(this.#names.task(id), this.#names.answer(id));
      if ((await this.#queue.remove(id)) === 0) await commands.publish(this.#names.recalls, id);
    } catch {
      // The connection was closed, or Redis refuses: its task is looked after no more, and expires.
    }
  }
}

/** The results of a transaction; its first error is thrown. */
async function results(transaction: {
  exec(): Promise<[Error | null, unknown][] | null>;
}): Promise<unknown[]> {
  const replies = (await transaction.exec()) ?? [];
  return replies.map(([error, result]) => {
    if (error !== null) throw error;
    return result;
  });
}

function after(milliseconds: number): Promise<void> {
  return new Promise((resolve) => systemClock.after(milliseconds, resolve, { background: true }));
}

function ignore(): void {}
