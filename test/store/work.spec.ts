import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockFile, persistently, sweep, StagingDirectory } from '../../src/store/staging-directory.ts';
import { FakeClock } from './support/clock.ts';

const NAME = { id: 'damo/model', revision: 'master', precision: 'fp32' } as const;
const { signal } = new AbortController();

describe('the work folder', () => {
  let root = '';
  let clock = new FakeClock();
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'm2fp-work-'));
    clock = new FakeClock();
  });
  afterEach(() => rmSync(root, { recursive: true }));

  function leftovers(days: number): StagingDirectory {
    const work = new StagingDirectory(root, NAME);
    mkdirSync(work.download, { recursive: true });
    mkdirSync(work.newModel());
    const file = join(work.download, 'pytorch_model.pt');
    writeFileSync(file, 'part');
    const then = new Date(Date.now() - days * 24 * 3600_000);
    utimesSync(file, then, then);
    return work;
  }
  const left = (work: StagingDirectory) => {
    const folder = join(work.download, '..');
    return existsSync(folder) ? readdirSync(folder) : null;
  };

  for (const [days, expected] of [
    [29, ['download']],
    [31, null],
  ] as const) {
    it(`is swept of half models, and of downloads after thirty days: ${days} days`, async () => {
      const work = leftovers(days);
      await sweep(root, clock);
      assert.deepEqual(left(work), expected);
      await work.clear();
      assert.deepEqual(readdirSync(join(root, '.partial')), []);
    });
  }

  it('is not swept under the hands of its owner', async () => {
    const work = leftovers(31);
    const owner = { pid: process.ppid, host: hostname(), token: 'other' };
    writeFileSync(lockFile(root, NAME), JSON.stringify(owner));
    await sweep(root, clock);
    assert.equal(left(work)?.length, 2);
  });

  for (const code of ['EPERM', 'EACCES', 'EBUSY']) {
    it(`tries again after ${code}, as a virus scanner causes it`, async () => {
      let failures = 3;
      const work = () => {
        if (failures-- > 0) return Promise.reject(Object.assign(new Error('busy'), { code }));
        return Promise.resolve('moved');
      };
      assert.equal(await persistently(work, clock, signal), 'moved');
      assert.deepEqual(clock.slept, [100, 200, 300]);
    });
  }

  it('gives up where that stays, and at once after other errors', async () => {
    const failing = (code: string) => () => Promise.reject(Object.assign(new Error(code), { code }));
    await assert.rejects(persistently(failing('EBUSY'), clock, signal), { code: 'EBUSY' });
    assert.equal(clock.slept.length, 9);
    await assert.rejects(persistently(failing('ENOENT'), clock, signal), { code: 'ENOENT' });
    assert.equal(clock.slept.length, 9);
  });
});
