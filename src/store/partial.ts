/**
 * Folders in which one process makes something, beside the place where it belongs. Each holds a lock: what a process that
 * was killed has left is told from what another one is making, and removed by whoever makes the same next.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { readdir, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemClock } from '../clock.ts';
import { type Lock, lockNew, tryLock } from './lock.ts';

const LOCK = '.lock';
/** What follows {@link prefixOf}: a process id, and what `mkdtemp` adds. */
const SUFFIX = /^\d+-\w{6}$/;
/** Of removing what another program, such as a virus scanner, has open. */
const RETRIES = { maxRetries: 5 };

const prefixOf = (place: string) => `${place}.partial-`;

/** Those that this process has now: they go, too, where it exits in the middle of its work. */
const own = new Set<string>();

function removeOwn(): void {
  for (const folder of own) {
    try {
      removeSync(folder);
    } catch {
      // Who makes the same next removes it.
    }
  }
}

/**
 * Does `work` with a new folder `PLACE.partial-PID-...`, on the file system of `place`, that is removed afterwards. First
 * those of the same place go that processes that died have left.
 * @param place the path of what is made, in a folder that is there
 * @throws what `work` throws; file system errors where no folder can be made
 */
export async function inPartialFolder<T>(place: string, work: (folder: string) => Promise<T>): Promise<T> {
  await removeAbandoned(place);
  // In one go: wherever this process is ended, the folder is known by then.
  const folder = mkdtempSync(`${prefixOf(place)}${process.pid}-`);
  if (own.size === 0) process.on('exit', removeOwn);
  own.add(folder);
  let lock: Lock | undefined;
  try {
    lock = lockNew(join(folder, LOCK), systemClock);
    return await work(folder);
  } finally {
    // What cannot be removed now is removed by who makes the same next.
    await remove(folder).catch(() => {});
    await lock?.release();
    own.delete(folder);
    if (own.size === 0) process.off('exit', removeOwn);
  }
}

/** Removes the partial folders of `place` whose processes are gone. Never rejects: they are no reason to fail. */
async function removeAbandoned(place: string): Promise<void> {
  const prefix = basename(prefixOf(place));
  const names = await readdir(dirname(place)).catch(() => []);
  for (const name of names) {
    if (!name.startsWith(prefix) || !SUFFIX.test(name.slice(prefix.length))) continue;
    await removeIfAbandoned(join(dirname(place), name)).catch(() => {});
  }
}

async function removeIfAbandoned(folder: string): Promise<void> {
  const lock = join(folder, LOCK);
  const isOurs = await stat(lock).catch(() => undefined);
  // Without a lock it is a user's, unless it is empty: then its process died at once.
  if (isOurs === undefined) return rmdir(folder);
  const taken = await tryLock(lock, systemClock);
  if (taken === undefined) return;
  try {
    await remove(folder);
  } finally {
    await taken.release();
  }
}

/** The lock goes last: what remains where this is interrupted is known by it. */
async function remove(folder: string): Promise<void> {
  for (const name of await readdir(folder))
    if (name !== LOCK) await rm(join(folder, name), { recursive: true, force: true, ...RETRIES });
  await rm(folder, { recursive: true, force: true, ...RETRIES });
}

function removeSync(folder: string): void {
  for (const name of readdirSync(folder))
    if (name !== LOCK) rmSync(join(folder, name), { recursive: true, force: true, ...RETRIES });
  rmSync(folder, { recursive: true, force: true, ...RETRIES });
}
