/** The folders of a spool, and what stands in its files. */
import { randomUUID } from 'node:crypto';
import { access, appendFile, constants, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../../clock.ts';
import { M2fpError } from '../../../errors.ts';
import { freeBytes } from '../../../store/disk.ts';
import { type Lock, tryLock } from '../../../store/lock.ts';
import { noOutcome } from '../outcomes.ts';
import { isMissing, makeFolder, namesIn, type RecordHead } from './record-file.ts';
import type { EndState, Job, JobFailure, Once } from '../types.ts';

/** Of a picture that has no outcome; its body is the picture. */
export interface QueuedHead extends RecordHead {
  message: Record<string, unknown>;
  webhook: string | null;
  /** Absent in what an earlier version wrote, as {@link QueuedHead.once}. */
  owner?: string | null;
  once?: Once | null;
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
  owner?: string | null;
  once?: Once | null;
}

/** How often a job was begun. */
export interface Tries {
  attempts: number;
  /** Of those, the ones that came to nothing and count; of all others but the last, the process ended. */
  crashes: number;
  started: number | null;
}

/** How far the calls of a webhook have come. */
export interface HookProgress {
  attempts: number;
  /** Not before that time. */
  next: number;
  isOver: boolean;
}

const FOLDERS = ['new', 'queued', 'ended', 'claims', 'tries', 'hooks'];

/** Bytes of the disk that no picture gets, so that there is room for what comes of those that were accepted. */
const RESERVE = 2 ** 24;

/** Bytes that are written to see whether that can be done. */
const PROBE = 4096;

/** The line after a try that came to nothing and counts. */
const CRASH = 'x';

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
    const files = new SpoolFiles(folder, clock);
    await files.make();
    return files;
  }

  /** Makes the folders that are not there: somebody may have deleted them. */
  async make(): Promise<void> {
    for (const name of FOLDERS) await makeFolder(join(this.folder, name));
  }

  /**
   * Whether something can be kept.
   * @param byWriting also where that has failed before: what is full may not show in any other way
   * @throws file system errors
   */
  async check(byWriting: boolean): Promise<void> {
    await this.make();
    for (const name of FOLDERS) {
      await access(join(this.folder, name), constants.R_OK | constants.W_OK | constants.X_OK);
    }
    await this.checkSpace(0);
    if (!byWriting) return;
    const probe = join(this.beside, `probe.${randomUUID()}`);
    try {
      await writeFile(probe, Buffer.alloc(PROBE), { mode: 0o600, flush: true });
    } finally {
      await rm(probe, { force: true });
    }
  }

  /** @throws {NoRoom} where the disk has no room for so many bytes */
  async checkSpace(bytes: number): Promise<void> {
    const free = await freeBytes(this.folder);
    if (free < bytes + RESERVE) throw new NoRoom(bytes + RESERVE, free);
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
  async begin(id: string, now: number): Promise<Tries> {
    await appendFile(this.#tries(id), `${now}\n`, { mode: 0o600 });
    return this.tries(id);
  }

  /** Notes that the last try came to nothing. */
  async crashed(id: string): Promise<void> {
    await appendFile(this.#tries(id), `${CRASH}\n`, { mode: 0o600 });
  }

  /** Takes the last beginning back. */
  async unbegin(id: string): Promise<void> {
    const text = await readFile(this.#tries(id), 'utf8');
    await truncate(this.#tries(id), text.lastIndexOf('\n', text.length - 2) + 1);
  }

  async tries(id: string): Promise<Tries> {
    try {
      const lines = (await readFile(this.#tries(id), 'utf8')).split('\n').filter((line) => line !== '');
      const begun = lines.filter((line) => line !== CRASH);
      const crashes = lines.length - begun.length;
      return { attempts: begun.length, crashes, started: Number(begun.at(-1)) || null };
    } catch (error) {
      if (isMissing(error)) return { attempts: 0, crashes: 0, started: null };
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
      // Only locks: their names are those of jobs; those of webhooks end in .hook, those of keys in .key.
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
  const { state, started, ended, expires, attempts, failure, result, webhook, bytes, owner = null } = head;
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
    owner,
    result: result && { type, bytes },
  };
}

/** The disk has less than is needed. */
class NoRoom extends Error {
  /** @param needed bytes, and `free` those that there are */
  constructor(needed: number, free: number) {
    super(`its disk has ${mebibytes(Math.floor(free))} free, and ${mebibytes(Math.ceil(needed))} are needed`);
  }
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

/** Why nothing can be written, in words. */
export function whyNot(error: unknown): string {
  if (error instanceof NoRoom) return error.message;
  const { code = '', message } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT'
    ? 'the disk is full'
    : `it cannot be written (${code || message})`;
}

/** Why something could not be written, for who sent it. */
export function notKept(error: unknown): M2fpError {
  if (error instanceof M2fpError) return error;
  const why = whyNot(error);
  return new M2fpError(
    'M2FP_NOT_KEPT',
    `The job was not accepted, since it could not be kept: ${why}. Try again later.`,
    { cause: error },
  );
}
