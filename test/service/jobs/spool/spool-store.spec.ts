/** Jobs in a folder. */
import assert from 'node:assert/strict';
import {
  globSync,
  mkdirSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock } from 'node:test';
import { namesIn } from '../../../../src/service/jobs/spool/record-file.ts';
import { SpoolStore } from '../../../../src/service/jobs/spool/spool-store.ts';
import { SpoolFiles, whyNot } from '../../../../src/service/jobs/spool/spool-files.ts';
import type { JobStore } from '../../../../src/service/jobs/types.ts';
import { claimed, describeStore, jobOf, LIMITS, resultOf } from '../support/store-contract.ts';

describe('jobs in a folder', () => {
  let folder: string;
  let opened: JobStore[];
  let later = 0;
  const now = (): number => Date.now() + later;
  const open = async (limits = {}): Promise<SpoolStore> => {
    const store = await SpoolStore.open(folder, { ...LIMITS, ...limits }, now);
    opened.push(store);
    return store;
  };
  const files = (): string[] =>
    globSync('**/*', { cwd: folder }).filter((name) => statSync(join(folder, name)).isFile());

  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'm2fp-jobs-')), 'jobs');
    opened = [];
    later = 0;
  });
  afterEach(async () => {
    for (const store of opened) await store.close();
    await rm(join(folder, '..'), { recursive: true });
  });

  /** The number of a process is not given again so soon. */
  const dead = (): string => JSON.stringify({ pid: 2 ** 22 + 1, host: hostname(), token: 'x' });
  const die = (name: string): void => writeFileSync(join(folder, 'claims', name), dead());

  describeStore(
    open,
    async (ms) => {
      later += ms;
    },
    async (id) => die(id),
  );

  it('leaves no file of what is forgotten, and deletes a picture with its outcome', async () => {
    const store = await open();
    const { id } = await store.add(jobOf('the picture', { webhook: 'https://example.org/' }));
    await claimed(store);
    await store.end(id, resultOf('what came of it'));
    await (await store.delivery())!.retry(now(), true);
    for (const name of files()) assert.ok(!readFileSync(join(folder, name)).includes('the picture'), name);
    assert.deepEqual(files().toSorted(), [join('ended', id), join('hooks', id)]);
    await store.forget(id);
    assert.deepEqual(files(), []);
  });

  for (const [how, notice] of [
    ['comes with a result of its own', (store, id) => store.end(id, resultOf('late'))],
    ['looks after its jobs', (store) => store.sweep()],
  ] as [string, (store: SpoolStore, id: string) => Promise<unknown>][]) {
    it(`lets go of a job that another process has ended as soon as it ${how}`, async () => {
      const [store, other] = [await open(), await open()];
      const { id } = await store.add(jobOf('one'));
      const claim = await claimed(store);
      await other.end(id, resultOf('first'));
      await notice(store, id);
      assert.equal(claim.lost.aborted, true);
      assert.deepEqual(files(), [join('ended', id)]);
      assert.equal((await store.result(id))?.body.toString(), 'first');
    });
  }

  it('lets nobody else look into its files', async function () {
    if (process.platform === 'win32') this.skip();
    const store = await open();
    await store.add(jobOf('the picture'));
    for (const name of globSync('**/*', { cwd: folder })) {
      assert.equal(statSync(join(folder, name)).mode & 0o077, 0, name);
    }
  });

  it('runs again what was running when its process ended', async () => {
    const store = await open();
    const { id } = await store.add(jobOf('one'));
    await claimed(store);
    die(id);
    const after = await open();
    const claim = await claimed(after);
    assert.deepEqual([claim.id, claim.attempts], [id, 2]);
    await after.end(id, resultOf('once'));
    assert.equal(await store.end(id, resultOf('twice')), false);
  });

  it('does nothing again that has an outcome, where the picture was not deleted before the process ended', async () => {
    const store = await open();
    const { id } = await store.add(jobOf('one'));
    const picture = readFileSync(join(folder, 'queued', id));
    await store.end(id, resultOf('once'));
    writeFileSync(join(folder, 'queued', id), picture);
    const after = await open();
    assert.equal(await after.claim(), undefined);
    assert.equal((await after.get(id))?.state, 'done');
    assert.deepEqual(files(), [join('ended', id)]);
  });

  it('takes nothing for a job that was not written to its end, and deletes it', async () => {
    mkdirSync(join(folder, 'new'), { recursive: true });
    const half = join(folder, 'new', 'half');
    writeFileSync(half, 'half a pictu');
    utimesSync(half, new Date(Date.now() - 3_600_000), new Date(Date.now() - 3_600_000));
    const store = await open();
    assert.equal(await store.claim(), undefined);
    assert.deepEqual(files(), []);
  });

  it('fails a job whose picture the disk has spoiled, and keeps an outcome that it has spoiled', async () => {
    const store = await open();
    const { id } = await store.add(jobOf('one'));
    truncateSync(join(folder, 'queued', id), 20);
    assert.equal((await store.get(id))?.state, 'queued');
    assert.equal(await store.claim(), undefined);
    assert.deepEqual(
      [(await store.get(id))?.state, (await store.get(id))?.failure?.code],
      ['failed', 'M2FP_NOT_KEPT'],
    );
    truncateSync(join(folder, 'ended', id), 20);
    const after = await open();
    assert.equal((await after.get(id))?.state, 'failed');
    assert.equal(await after.result(id), undefined);
  });

  it('accepts nothing that it cannot write, says so, gives what it has, and goes on when it can', async () => {
    const store = await open();
    const { id } = await store.add(jobOf('one'));
    await claimed(store);
    await store.end(id, resultOf('what came of it'));
    assert.equal(await store.problem(), null);
    const place = join(folder, 'new');
    await rm(place, { recursive: true });
    writeFileSync(place, 'a file');
    await assert.rejects(store.add(jobOf('two')), { code: 'M2FP_NOT_KEPT', statusCode: 507 });
    assert.equal((await store.counts()).queued, 0);
    assert.match((await store.problem())!, /cannot be kept in .*jobs: it cannot be written \(E\w+\)/);
    assert.equal((await store.result(id))?.body.toString(), 'what came of it');
    await rm(place);
    assert.equal(await store.problem(), null);
    assert.equal((await store.add(jobOf('two'))).state, 'queued');
  });

  it('says how much room it needs, and how much there is', async () => {
    const spool = await SpoolFiles.open(folder);
    const error: unknown = await spool.checkSpace(2 ** 60).catch((thrown: unknown) => thrown);
    assert.match(whyNot(error), /^its disk has \d+\.\d MiB free, and 10995116277\d\d\.\d MiB are needed$/);
  });

  it('says that the disk is full, also where only a try shows it', async () => {
    const store = await open();
    const once = { key: 'k', digest: 'd' };
    const full = Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    const write = mock.method(SpoolFiles.prototype, 'checkSpace', () => Promise.reject(full));
    await assert.rejects(store.add(jobOf('one', { once })), {
      code: 'M2FP_NOT_KEPT',
      message: /disk is full/,
    });
    assert.match((await store.problem())!, /the disk is full/);
    write.mock.restore();
    assert.equal(await store.problem(), null);
    assert.equal((await store.add(jobOf('one', { once }))).isAgain, false);
    assert.deepEqual(await namesIn(join(folder, 'new')), []);
  });

  for (const [how, mend] of [
    ['is asked whether it can be used', (store) => store.problem()],
    ['looks after its jobs', (store) => store.sweep()],
    ['gets a job', (store) => store.add(jobOf('first'))],
  ] as [string, (store: SpoolStore) => Promise<unknown>][]) {
    it(`makes its folder again when that was deleted, as soon as it ${how}`, async () => {
      const store = await open();
      const lost = await store.add(jobOf('lost'));
      const running = await claimed(store);
      await rm(folder, { recursive: true });
      await mend(store);
      assert.equal(await store.get(lost.id), undefined);
      assert.equal(await store.end(running.id, resultOf('late')), false);
      const { id } = await store.add(jobOf('again'));
      while ((await claimed(store)).id !== id);
      await store.end(id, resultOf('what came of it'));
      assert.equal((await store.get(id))?.state, 'done');
    });
  }

  it('knows a key again that an earlier process has seen', async () => {
    const once = { key: 'k', digest: 'd' };
    const { id } = await (await open()).add(jobOf('one', { once }));
    assert.deepEqual(
      [(await (await open()).add(jobOf('one', { once }))).id, files()],
      [id, [join('queued', id)]],
    );
  });

  it('keeps once what came while its process was killed', async () => {
    const store = await open();
    const once = { key: 'k', digest: 'd' };
    // As a process leaves it that was killed before the job had its place.
    die('k.key');
    const added = await store.add(jobOf('one', { once }));
    assert.deepEqual([added.isAgain, files()], [false, [join('queued', added.id)]]);
  });

  it('says so where it cannot be opened', async () => {
    writeFileSync(folder, 'a file');
    await assert.rejects(SpoolStore.open(folder, LIMITS), { code: 'M2FP_NOT_KEPT' });
  });
});
