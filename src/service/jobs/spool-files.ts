/** The folders of a spool, and what stands in its files. */
import { appendFile, readFile, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../clock.ts';
import { M2fpError } from '../../errors.ts';
import { type Lock, tryLock } from '../../store/lock.ts';
import { noOutcome } from './outcomes.ts';
import { isMissing, makeFolder, namesIn, type RecordHead } from './record-file.ts';
import type { EndState, Job, JobFailure } from './types.ts';

/** Of a picture that has no outcome; its body is the picture. */
export interface QueuedHead extends RecordHead {
  message: Record<string, unknown>;
  webhook: string | null;
}

/** Of an outcome; its body is that of the result, or nothing. */
export interface EndedHead extends RecordHead {
  state: EndState;
  started: number | null;
  ended: number;
  expires: number;
  attempts: number;
  failure: JobFailure | null;
  result: { statusCode: number; headers: Record<string, string> } | null;
  webhook: string | null;
}

/** How far the calls of a webhook have come. */
export interface HookProgress {
  attempts: number;
  /** Not before that time. */
  next: number;
  isOver: boolean;
}

/** A file that is not whole is left so long for whoever writes it, milliseconds. */
const PARTIAL_LIFETIME = 300_000;

/**
 * The folders: `new` has what is not whole yet, `queued` pictures without an outcome, `ended` outcomes, `claims` the locks of
 * those who are at a job, `tries` when a job was begun, a line each, and `hooks` how far the calls of a webhook have come.
 */
export class SpoolFiles {
  readonly folder: string;
  readonly beside: string;
  readonly #clock: Clock;

  private constructor(folder: string, clock: Clock) {
    this.folder = folder;
    this.beside = join(folder, 'new');
    this.#clock = clock;
  }

  static async open(folder: string, clock: Clock = systemClock): Promise<SpoolFiles> {
    for (const name of ['new', 'queued', 'ended', 'claims', 'tries', 'hooks']) {
      await makeFolder(join(folder, name));
    }
    return new SpoolFiles(folder, clock);
  }

  queued(id = ''): string {
    return join(this.folder, 'queued', id);
  }

  ended(id = ''): string {
    return join(this.folder, 'ended', id);
  }

  hook(id = ''): string {
    return join(this.folder, 'hooks', id);
  }

  claim(id = ''): string {
    return join(this.folder, 'claims', id);
  }

  #tries(id = ''): string {
    return join(this.folder, 'tries', id);
  }

  /** Undefined where somebody who lives has it. */
  lock(name: string): Promise<Lock | undefined> {
    return tryLock(this.claim(name), this.#clock);
  }

  /** Notes that a job was begun. @returns how often it was, with this time */
  async begin(id: string, now: number): Promise<number> {
    await appendFile(this.#tries(id), `${now}\n`, { mode: 0o600 });
    return (await this.tries(id)).attempts;
  }

  /** Takes the last beginning back. */
  async unbegin(id: string): Promise<void> {
    const text = await readFile(this.#tries(id), 'utf8');
    await truncate(this.#tries(id), text.lastIndexOf('\n', text.length - 2) + 1);
  }

  async tries(id: string): Promise<{ attempts: number; started: number | null }> {
    try {
      const lines = (await readFile(this.#tries(id), 'utf8')).split('\n').filter((line) => line !== '');
      return { attempts: lines.length, started: Number(lines.at(-1)) || null };
    } catch (error) {
      if (isMissing(error)) return { attempts: 0, started: null };
      throw error;
    }
  }

  /** The picture, and what belongs to it. Before the outcome is deleted: without it, the job would be done again. */
  async deleteQueued(id: string): Promise<void> {
    await rm(this.queued(id), { force: true });
    await rm(this.#tries(id), { force: true });
  }

  async deleteAll(id: string): Promise<void> {
    await this.deleteQueued(id);
    await rm(this.hook(id), { force: true });
    await rm(this.ended(id), { force: true });
  }

  /** Deletes what processes left that were killed. */
  async tidy(now: number): Promise<void> {
    for (const name of await namesIn(this.beside)) {
      const age = now - ((await stat(join(this.beside, name)).catch(() => undefined))?.mtimeMs ?? now);
      if (age > PARTIAL_LIFETIME) await rm(join(this.beside, name), { force: true });
    }
    const queued = new Set(await namesIn(this.queued()));
    const ended = new Set(await namesIn(this.ended()));
    for (const name of await namesIn(this.claim())) {
      // Only locks: their names are those of jobs, those of webhooks end in .hook.
      const [id = '', kind] = name.split('.');
      if ((kind === 'hook' ? ended : queued).has(id)) continue;
      await (await this.lock(name))?.release();
    }
    for (const id of await namesIn(this.#tries())) {
      if (!queued.has(id)) await rm(this.#tries(id), { force: true });
    }
    for (const id of await namesIn(this.hook())) {
      if (!ended.has(id)) await rm(this.hook(id), { force: true });
    }
  }
}

/** What is told of an outcome. */
export function endedJob(id: string, head: EndedHead): Job {
  const { state, started, ended, expires, attempts, failure, result, webhook, bytes } = head;
  const type = result?.headers['content-type'] ?? 'application/octet-stream';
  return {
    ...noOutcome(id),
    state,
    started,
    ended,
    expires,
    attempts,
    failure,
    webhook,
    result: result && { type, bytes },
  };
}

/** Why something could not be written, for who sent it. */
export function notKept(error: unknown): M2fpError {
  if (error instanceof M2fpError) return error;
  const { code = '', message } = error as NodeJS.ErrnoException;
  const isFull = code === 'ENOSPC' || code === 'EDQUOT';
  const why = isFull ? 'the disk is full' : `it cannot be written (${code || message})`;
  return new M2fpError(
    'M2FP_NOT_KEPT',
    `The job was not accepted, since it could not be kept: ${why}. Try again later.`,
    { cause: error },
  );
}
