/**
 * Jobs in a folder. A job is accepted when its file has its place in `queued`, and over when its outcome has its own in
 * `ended`; both come whole or not at all, and an outcome never takes the place of another. So a process may end between
 * any two steps: what has no outcome is done again, and what has one is not.
 */
import { Listeners, sleep } from '../../../async.ts';
import { M2fpError } from '../../../errors.ts';
import type { Lock } from '../../../store/lock.ts';
import { isJobId, newJobId, timeOf } from '../ids.ts';
import { expired, failed, full, interruptedTooOften, keyReused, noOutcome } from '../outcomes.ts';
import {
  DamagedRecord,
  exists,
  isMissing,
  namesIn,
  readHead,
  readRecord,
  sizeOf,
  writeRecord,
} from './record-file.ts';
import { type EndedHead, endedJob, notKept, type QueuedHead, SpoolFiles, whyNot } from './spool-files.ts';
import { SpoolHooks } from './spool-hooks.ts';
import { SpoolKeys } from './spool-keys.ts';
import { SpoolOutcomes } from './spool-outcomes.ts';
import {
  type AcceptedJob,
  type Claim,
  type Delivery,
  type EndState,
  isGivenUp,
  type Job,
  type JobCounts,
  type JobLimits,
  type JobOutcome,
  type JobResult,
  type JobStore,
  KEPT_PER_JOB,
  type NewJob,
} from '../types.ts';

/** Milliseconds between two looks whether another process is done with a key. */
const KEY_PAUSE = 20;

interface Held {
  lock: Lock;
  abort: AbortController;
}

export class SpoolStore implements JobStore {
  readonly #files: SpoolFiles;
  readonly #limits: JobLimits;
  readonly #now: () => number;
  readonly #hooks: SpoolHooks;
  readonly #keys: SpoolKeys;
  readonly #outcomes: SpoolOutcomes;
  readonly #changes = new Listeners<void>();
  readonly #accepted = new Listeners<void>();
  readonly #ends = new Listeners<EndState>();
  /** Those that this process is at. */
  readonly #held = new Map<string, Held>();
  readonly #sizes = new Map<string, number>();
  /** What is accepted at the moment: one after the other, since each counts what is there. */
  #adding: Promise<unknown> = Promise.resolve();
  /** Whether the last job could not be kept, for want of room or of the folder. */
  #isBroken = false;

  private constructor(files: SpoolFiles, limits: JobLimits, now: () => number) {
    this.#files = files;
    this.#limits = limits;
    this.#now = now;
    this.#hooks = new SpoolHooks(files, now);
    this.#keys = new SpoolKeys(files);
    this.#outcomes = new SpoolOutcomes(files, limits.retention, now);
  }

  /** @throws {M2fpError} `M2FP_NOT_KEPT` where nothing can be written there */
  static async open(folder: string, limits: JobLimits, now: () => number = Date.now): Promise<SpoolStore> {
    try {
      const store = new SpoolStore(await SpoolFiles.open(folder), limits, now);
      // What cannot be tidied can be read all the same.
      await store.sweep().catch(() => {});
      return store;
    } catch (error) {
      throw notKept(error);
    }
  }

  add(job: NewJob): Promise<AcceptedJob> {
    const added = this.#adding.then(() => this.#addOnce(job));
    this.#adding = added.catch(() => {});
    return added;
  }

  async #addOnce(job: NewJob): Promise<AcceptedJob> {
    const { once } = job;
    let lock: Lock | undefined;
    try {
      // Of other processes; in this one, jobs are added one after the other.
      if (once) lock = await this.#lockKey(once.key);
      const known = once && (await this.#keys.find(once.key));
      const there = known && (await this.get(known.id));
      if (there && known.digest !== once.digest) throw keyReused();
      if (there) return { ...there, isAgain: true };
      return { ...(await this.#add(job)), isAgain: false };
    } catch (error) {
      if (!(error instanceof M2fpError)) this.#isBroken = true;
      throw notKept(error);
    } finally {
      await lock?.release();
    }
  }

  async #lockKey(key: string): Promise<Lock> {
    for (;;) {
      const lock = await this.#files.lock(`${key}.key`);
      if (lock) return lock;
      await sleep(KEY_PAUSE, { background: true });
    }
  }

  async #add({ image, message, webhook, owner, once }: NewJob): Promise<Job> {
    const { queued, running, ended, bytes } = await this.counts();
    const { maxJobs, maxBytes } = this.#limits;
    const isFull = queued + running >= maxJobs || ended >= maxJobs * KEPT_PER_JOB;
    if (isFull || bytes + image.length > maxBytes) throw full();
    const id = newJobId(this.#now());
    await this.#files.checkSpace(image.length);
    const head: QueuedHead = { bytes: image.length, message, webhook, owner, once };
    const write = (): Promise<boolean> =>
      writeRecord(this.#files.queued(id), head, image, { beside: this.#files.beside });
    await write().catch(async (error: unknown) => {
      if (!isMissing(error)) throw error;
      await this.#files.make();
      return write();
    });
    this.#isBroken = false;
    this.#accepted.notify();
    this.#changes.notify();
    return { ...noOutcome(id), place: queued + 1, webhook, owner };
  }

  async problem(): Promise<string | null> {
    try {
      await this.#files.check(this.#isBroken);
      this.#isBroken = false;
      return null;
    } catch (error) {
      this.#isBroken = true;
      return `Jobs cannot be kept in ${this.#files.folder}: ${whyNot(error)}.`;
    }
  }

  async get(id: string): Promise<Job | undefined> {
    if (!isJobId(id)) return undefined;
    const outcome = await this.#outcomes.get(id);
    if (outcome) return outcome.expires > this.#now() ? endedJob(id, outcome) : undefined;
    let webhook: string | null = null;
    let owner: string | null = null;
    try {
      const head = await readHead<QueuedHead>(this.#files.queued(id));
      // It may just have moved.
      if (!head) return (await this.#outcomes.get(id)) && this.get(id);
      ({ webhook, owner = null } = head);
    } catch (error) {
      if (!(error instanceof DamagedRecord)) throw error;
    }
    const { attempts, started } = await this.#files.tries(id);
    const tries = { attempts, started };
    const claimed = new Set(await namesIn(this.#files.claim()));
    if (claimed.has(id)) return { ...noOutcome(id), ...tries, state: 'running', webhook, owner };
    const before = (await this.#waiting()).filter((other) => other < id && !claimed.has(other));
    return { ...noOutcome(id), ...tries, place: before.length + 1, webhook, owner };
  }

  async result(id: string): Promise<JobResult | undefined> {
    if (!isJobId(id) || (await this.get(id))?.state !== 'done') return undefined;
    const record = await readRecord<EndedHead>(this.#files.ended(id));
    return record?.head.result ? { ...record.head.result, body: record.body } : undefined;
  }

  async claim(): Promise<Claim | undefined> {
    for (const id of await this.#waiting()) {
      if (this.#held.has(id)) continue;
      const lock = await this.#files.lock(id);
      if (!lock) continue;
      const claim = await this.#take(id, lock).catch(async (error: unknown) => {
        await this.#letGo(id, lock);
        throw error;
      });
      if (claim) return claim;
    }
    return undefined;
  }

  /** What was claimed, unless it is over, or shall not be begun again. */
  async #take(id: string, lock: Lock): Promise<Claim | undefined> {
    const abort = new AbortController();
    this.#held.set(id, { lock, abort });
    let record;
    try {
      record = await readRecord<QueuedHead>(this.#files.queued(id));
    } catch (error) {
      if (!(error instanceof DamagedRecord)) throw error;
      await this.end(
        id,
        failed('M2FP_NOT_KEPT', 'What was kept of the job is damaged: send the picture again.'),
      );
      return undefined;
    }
    if (!record || (await this.#outcomes.get(id))) {
      if (record) await this.#files.deleteQueued(id);
      await this.#letGo(id, lock);
      return undefined;
    }
    const { attempts, crashes } = await this.#files.begin(id, this.#now());
    if (isGivenUp(crashes, attempts - 1 - crashes)) {
      await this.#files.unbegin(id);
      await this.end(id, interruptedTooOften(attempts - 1));
      return undefined;
    }
    return {
      id,
      attempts,
      crashes,
      image: record.body,
      message: record.head.message,
      lost: AbortSignal.any([abort.signal, lock.lost]),
      release: async (counts) => {
        if (this.#held.get(id)?.lock !== lock) return;
        await (counts ? this.#files.crashed(id) : this.#files.unbegin(id)).catch(() => {});
        await this.#letGo(id, lock);
        this.#changes.notify();
      },
    };
  }

  async end(id: string, outcome: JobOutcome): Promise<boolean> {
    if (!isJobId(id)) return false;
    const head = await this.#queuedHead(id);
    if (!head || (await this.#outcomes.get(id))) {
      await this.#over(id);
      return false;
    }
    const now = this.#now();
    const { attempts, started } = await this.#files.tries(id);
    const body = outcome.state === 'done' ? outcome.result.body : Buffer.alloc(0);
    const ended: EndedHead = {
      attempts,
      started,
      bytes: body.length,
      state: outcome.state,
      webhook: head.webhook,
      owner: head.owner ?? null,
      once: head.once ?? null,
      ended: now,
      expires: now + this.#limits.retention,
      failure: outcome.state === 'done' ? null : outcome.failure,
      result:
        outcome.state === 'done'
          ? { statusCode: outcome.result.statusCode, headers: outcome.result.headers }
          : null,
    };
    const { beside } = this.#files;
    const isFirst = await writeRecord(this.#files.ended(id), ended, body, { beside, once: true });
    // Now that there is an outcome, the picture is wanted by nobody.
    await this.#files.deleteQueued(id);
    await this.#over(id);
    if (isFirst) this.#ends.notify(outcome.state);
    this.#changes.notify();
    return isFirst;
  }

  async forget(id: string): Promise<void> {
    if (!isJobId(id) || !(await exists(this.#files.ended(id)))) return;
    await this.#files.deleteAll(id);
    this.#outcomes.forget(id);
  }

  async delivery(): Promise<Delivery | undefined> {
    return this.#hooks.due(await this.#outcomes.all());
  }

  async counts(): Promise<JobCounts> {
    const waiting = await this.#waiting();
    const ended = await this.#outcomes.all();
    const claimed = new Set(await namesIn(this.#files.claim()));
    let bytes = 0;
    for (const id of waiting) {
      const size = this.#sizes.get(id) ?? (await sizeOf(this.#files.queued(id))) ?? 0;
      this.#sizes.set(id, size);
      bytes += size;
    }
    const there = new Set(waiting);
    for (const id of this.#sizes.keys()) if (!there.has(id)) this.#sizes.delete(id);
    for (const head of ended.values()) bytes += head.bytes;
    const queued = waiting.filter((id) => !claimed.has(id));
    const running = waiting.length - queued.length;
    const oldest = queued[0] === undefined ? null : timeOf(queued[0]);
    return { queued: queued.length, running, ended: ended.size, bytes, oldest };
  }

  async sweep(): Promise<void> {
    const now = this.#now();
    await this.#files.make();
    for (const id of this.#held.keys()) if (await exists(this.#files.ended(id))) await this.#over(id);
    for (const [id, { expires }] of await this.#outcomes.all()) {
      if (expires <= now) await this.forget(id);
    }
    for (const id of await this.#waiting()) {
      if (timeOf(id) + this.#limits.maxWait > now || this.#held.has(id)) continue;
      const lock = await this.#files.lock(id);
      if (!lock) continue;
      try {
        await this.end(id, expired());
      } finally {
        await lock.release();
      }
    }
    await this.#files.tidy(now);
  }

  onAccepted(listener: () => void): () => void {
    return this.#accepted.add(listener);
  }

  onEnded(listener: (state: EndState) => void): () => void {
    return this.#ends.add(listener);
  }

  subscribe(listener: () => void): () => void {
    return this.#changes.add(listener);
  }

  async close(): Promise<void> {
    await this.#adding;
    for (const [id, { lock }] of this.#held) {
      await this.#files.unbegin(id).catch(() => {});
      await this.#letGo(id, lock);
    }
  }

  /** The job has its outcome, whoever wrote it: what this process has of it is given up. */
  async #over(id: string): Promise<void> {
    const held = this.#held.get(id);
    if (!held) return;
    held.abort.abort(new M2fpError('M2FP_CANCELLED', 'The job has an outcome already.'));
    await this.#letGo(id, held.lock);
  }

  async #letGo(id: string, lock: Lock): Promise<void> {
    if (this.#held.get(id)?.lock === lock) this.#held.delete(id);
    await lock.release();
  }

  /** Ids of pictures without an outcome, the oldest first. */
  async #waiting(): Promise<string[]> {
    const ids = (await namesIn(this.#files.queued())).filter(isJobId);
    const ended = new Set(await namesIn(this.#files.ended()));
    // Both are there where a process ended between writing the one and deleting the other.
    for (const id of ids) if (ended.has(id)) await this.#files.deleteQueued(id).catch(() => {});
    return ids.filter((id) => !ended.has(id));
  }

  async #queuedHead(id: string): Promise<QueuedHead | undefined> {
    try {
      return await readHead<QueuedHead>(this.#files.queued(id));
    } catch (error) {
      if (error instanceof DamagedRecord) return { bytes: 0, message: {}, webhook: null };
      throw error;
    }
  }
}
