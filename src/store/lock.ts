/**
 * A lock between processes, on a file: proper-lockfile, the usual library, has not been kept since 2021 and knows
 * an owner's death by the clock only; here a dead owner on the same machine is noticed at once.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { link, mkdir, open, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { sleep } from '../async.ts';
import { readBounded } from '../bounded-file.ts';
import type { Clock, Timer } from '../clock.ts';
import { M2fpError } from '../errors.ts';

/** The owner touches the file this often, in milliseconds. */
const HEARTBEAT = 10_000;
/** A file that was not touched for so long has no owner any more, in milliseconds. */
const STALE_AFTER = 60_000;
const POLL = 500;
/** An {@link Owner} takes less. */
const MAX_BYTES = 2 ** 14;

/** Locks that this process holds: what else carries its process id is from an earlier life of that number. */
const held = new Set<string>();

interface Owner {
  pid: number;
  host: string;
  token: string;
}

export interface LockOptions {
  clock: Clock;
  signal: AbortSignal;
  /** Called once where another owner must be waited for. */
  onWait?: () => void;
}

/** A lock that is held. */
export class Lock {
  readonly #file: string;
  readonly #token: string;
  readonly #clock: Clock;
  readonly #lost = new AbortController();
  #timer: Timer | undefined;
  #released = false;
  readonly #onExit = (): void => {
    try {
      const owner = JSON.parse(readFileSync(this.#file, 'utf8')) as Owner;
      if (owner.token === this.#token) rmSync(this.#file, { force: true });
    } catch {
      // Who takes it next finds that its owner is dead.
    }
  };

  constructor(file: string, token: string, clock: Clock) {
    this.#file = file;
    this.#token = token;
    this.#clock = clock;
    this.#beat();
  }

  /** Aborts where another process has taken the lock, as it may after this one has slept for minutes. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * Call before the step that others must not do too.
   * @throws M2fpError M2FP_BUSY where the lock was lost
   */
  async check(): Promise<void> {
    if ((await read(this.#file))?.token !== this.#token) this.#lose();
    this.lost.throwIfAborted();
  }

  /** It also goes where this process exits in the middle of its work: for a lock that lies among a user's own files. */
  releaseOnExit(): void {
    process.on('exit', this.#onExit);
  }

  async release(): Promise<void> {
    process.off('exit', this.#onExit);
    this.#released = true;
    this.#timer?.cancel();
    if ((await read(this.#file))?.token === this.#token) await rm(this.#file, { force: true });
    held.delete(this.#token);
  }

  #beat(): void {
    this.#timer = this.#clock.after(HEARTBEAT, () => void this.#touch(), { background: true });
  }

  async #touch(): Promise<void> {
    try {
      await this.check();
      const now = new Date();
      await utimes(this.#file, now, now);
    } catch {
      // A file system that fails once may be back at the next beat.
    }
    if (!this.#released && !this.lost.aborted) this.#beat();
  }

  #lose(): void {
    this.#lost.abort(
      new M2fpError(
        'M2FP_BUSY',
        `Another process took over ${this.#file} while this one was asleep: try again`,
      ),
    );
  }
}

/** Takes the lock, or tells undefined where a living owner has it. */
export async function tryLock(file: string, clock: Clock): Promise<Lock | undefined> {
  const token = randomUUID();
  await mkdir(dirname(file), { recursive: true });
  // Whoever sees the file must be able to tell its owner's token from it: known here before it is there.
  held.add(token);
  try {
    await create(file, ownerOf(token));
    return new Lock(file, token, clock);
  } catch (error) {
    held.delete(token);
    const { code } = error as NodeJS.ErrnoException;
    // The owner before us has removed the folder with its lock.
    if (code === 'ENOENT') return tryLock(file, clock);
    if (code !== 'EEXIST') throw error;
  }
  if (!(await isStale(file))) return undefined;
  await breakStale(file);
  return tryLock(file, clock);
}

/** Takes the lock of a folder that was made just now and nobody else knows of: before anything else can happen. */
export function lockNew(file: string, clock: Clock): Lock {
  const token = randomUUID();
  held.add(token);
  writeFileSync(file, JSON.stringify(ownerOf(token)), { flag: 'wx' });
  return new Lock(file, token, clock);
}

/**
 * Takes the lock as soon as nobody has it.
 * @throws the signal's reason, and file system errors
 */
export async function acquireLock(file: string, { clock, signal, onWait }: LockOptions): Promise<Lock> {
  for (let waiting = false; ; waiting = true) {
    signal.throwIfAborted();
    const lock = await tryLock(file, clock);
    if (lock !== undefined) return lock;
    if (!waiting) onWait?.();
    await sleep(POLL, { clock, signal });
  }
}

const ownerOf = (token: string): Owner => ({ pid: process.pid, host: hostname(), token });

async function create(file: string, owner: Owner): Promise<void> {
  const handle = await open(file, 'wx');
  try {
    await handle.writeFile(JSON.stringify(owner));
  } finally {
    await handle.close();
  }
}

/** Undefined where the file is gone, or its owner died (or is) between making and filling it. */
async function read(file: string): Promise<Owner | undefined> {
  try {
    return JSON.parse(await readBounded(file, MAX_BYTES)) as Owner;
  } catch {
    return undefined;
  }
}

async function isStale(file: string): Promise<boolean> {
  const owner = await read(file);
  const touched = await stat(file).catch(() => undefined);
  if (touched === undefined) return false;
  if (owner?.host === hostname() && !isAlive(owner)) return true;
  return Date.now() - touched.mtimeMs > STALE_AFTER;
}

function isAlive({ pid, token }: Owner): boolean {
  if (pid === process.pid) return held.has(token);
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It lives, and belongs to another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Removes a stale lock. Two processes may both have found it stale, and the faster one may hold a new lock
 * already: so the file is moved aside first, and put back where it turns out not to be stale.
 */
async function breakStale(file: string): Promise<void> {
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  // Where a third one has taken the lock meanwhile, the owner notices by its token.
  if (!(await isStale(aside))) await link(aside, file).catch(() => {});
  await rm(aside, { force: true });
}
