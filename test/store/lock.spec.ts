import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { acquireLock, tryLock } from '../../src/store/lock.ts';
import { FakeClock } from './support/clock.ts';

describe('the lock between processes', () => {
  let folder = '';
  let clock = new FakeClock();
  const file = () => join(folder, 'deep', 'model.lock');
  const signal = new AbortController().signal;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'm2fp-lock-'));
    clock = new FakeClock();
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** The lock file of another owner. */
  async function leave(owner: object | string, age = 0): Promise<void> {
    await (await tryLock(file(), clock))?.release();
    writeFileSync(file(), typeof owner === 'string' ? owner : JSON.stringify(owner));
    const touched = new Date(Date.now() - age);
    utimesSync(file(), touched, touched);
  }
  const deadPid = () => spawnSync(process.execPath, ['-e', '']).pid;
  const other = { pid: process.ppid, host: hostname(), token: 'other' };

  it('has one holder at a time', async () => {
    const lock = await tryLock(file(), clock);
    assert.ok(lock);
    assert.equal(await tryLock(file(), clock), undefined);
    await lock.release();
    assert.deepEqual(readdirSync(join(folder, 'deep')), []);
    const next = await tryLock(file(), clock);
    assert.ok(next);
    await next.release();
  });

  it('is given to exactly one of many that ask', async () => {
    const locks = await Promise.all(Array.from({ length: 20 }, () => tryLock(file(), clock)));
    assert.equal(locks.filter(Boolean).length, 1);
  });

  it('is waited for', async () => {
    const lock = await tryLock(file(), clock);
    let waiting = 0;
    const next = acquireLock(file(), {
      clock,
      signal,
      onWait: () => {
        waiting++;
        void lock?.release();
      },
    });
    await (await next).release();
    assert.equal(waiting, 1);
    assert.ok(clock.slept.length > 0);
  });

  it('is not waited for after an abort', async () => {
    const lock = await tryLock(file(), clock);
    const controller = new AbortController();
    const waiting = acquireLock(file(), {
      clock,
      signal: controller.signal,
      onWait: () => controller.abort(new Error('enough')),
    });
    await assert.rejects(waiting, /enough/);
    await lock?.release();
  });

  for (const [name, owner, age] of [
    ['a dead process', () => ({ ...other, pid: deadPid() }), 0],
    ['an earlier process of the same number', () => ({ ...other, pid: process.pid }), 0],
    ['a living process without a heartbeat', () => other, 61_000],
    ['another machine without a heartbeat', () => ({ ...other, host: 'elsewhere' }), 61_000],
    ['nobody that can be read', () => '{"pi', 61_000],
  ] as const) {
    it(`is taken from ${name}`, async () => {
      await leave(owner(), age);
      const lock = await tryLock(file(), clock);
      assert.ok(lock);
      await lock.check();
      await lock.release();
      assert.deepEqual(readdirSync(join(folder, 'deep')), []);
    });
  }

  for (const [name, owner] of [
    ['a living process', () => other],
    ['another machine, whatever the number', () => ({ ...other, host: 'elsewhere', pid: deadPid() })],
    ['an owner that is just writing', () => ''],
  ] as const) {
    it(`is not taken from ${name}`, async () => {
      await leave(owner(), 30_000);
      assert.equal(await tryLock(file(), clock), undefined);
      assert.ok(existsSync(file()));
    });
  }

  it('is given to exactly one of many that find it stale', async () => {
    await leave({ ...other, pid: deadPid() });
    const locks = await Promise.all(Array.from({ length: 20 }, () => tryLock(file(), clock)));
    const held = locks.filter((lock) => lock !== undefined);
    const lost = await Promise.all(
      held.map((lock) =>
        lock.check().then(
          () => false,
          () => true,
        ),
      ),
    );
    assert.equal(lost.filter((gone) => !gone).length, 1);
  });

  it('is kept by a heartbeat', async () => {
    const lock = await tryLock(file(), clock);
    const old = new Date(Date.now() - 59_000);
    utimesSync(file(), old, old);
    const watcher = watch(file());
    const changed = once(watcher, 'change');
    clock.beat();
    await changed;
    watcher.close();
    assert.ok(statSync(file()).mtimeMs > Date.now() - 30_000);
    await lock?.release();
  });

  it('tells its holder when it is gone, and leaves the new one alone', async () => {
    const lock = await tryLock(file(), clock);
    assert.ok(lock);
    writeFileSync(file(), JSON.stringify(other));
    const lost = new Promise((resolve) => lock.lost.addEventListener('abort', resolve));
    clock.beat();
    await lost;
    await assert.rejects(lock.check(), { code: 'M2FP_BUSY', message: /took over/ });
    await lock.release();
    assert.deepEqual(JSON.parse(readFileSync(file(), 'utf8')), other);
  });
});
