/** Remote engines in the registry. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import {
  acquireEngine,
  acquireRemoteEngine,
  describeRemote,
  listEngines,
  shutdownEngines,
  type RemoteEngineOptions,
  type WorkerAddress,
} from '../../../src/engine/index.ts';
import { ask, fails, FakeClock, FAKE_CHILD, leavesNothingBehind, MANIFEST } from '../support/fakes.ts';
import { ADDRESS, FakeWorkers, worker } from '../support/fake-link.ts';
import { writeModel } from '../support/model-folder.ts';

const NEWER = { ...MANIFEST, digest: 'e2'.repeat(32) };

describe('acquireRemoteEngine', () => {
  let clock: FakeClock;
  let workers: FakeWorkers;
  const acquire = (options: Partial<RemoteEngineOptions> = {}, owner?: string) =>
    acquireRemoteEngine({ address: ADDRESS, ...options }, { link: workers.factory, clock, owner });
  const at = (change: Partial<WorkerAddress>) => acquire({ address: { ...ADDRESS, ...change } });

  /** What workers have is answered. */
  async function answer(): Promise<void> {
    await nextTurn();
    for (const job of workers.running) job.answer();
    await nextTurn();
  }

  beforeEach(() => {
    clock = new FakeClock();
    workers = new FakeWorkers(worker());
  });

  afterEach(async () => {
    const ended = shutdownEngines();
    clock.advance(10_000);
    await ended;
    assert.deepEqual(clock.pending(), [], 'a timer is left');
    assert.deepEqual(workers.open, [], 'a link is left open');
    assert.ok(
      workers.links.every(({ listeners }) => listeners.size === 0),
      'a subscription is left',
    );
  });

  leavesNothingBehind();

  it('learns the model from the workers, and is ready', async () => {
    const { engine } = await acquire();
    const { state, manifest } = engine.info();
    assert.equal(state, 'ready');
    assert.equal(manifest, MANIFEST);
    const promise = ask(engine, 'a');
    await answer();
    assert.equal((await promise).model.digest, MANIFEST.digest);
    assert.equal(workers.links.length, 1);
    assert.deepEqual(clock.pending(), []);
  });

  it('gives all who ask for the same the same engine over one link', async () => {
    const [first, second] = await Promise.all([acquire(), acquire()]);
    const third = await acquire();
    assert.equal(first.engine, second.engine);
    assert.equal(first.engine, third.engine);
    assert.equal(workers.open.length, 1);
    assert.equal(listEngines().length, 1);
  });

  it('gives others an engine of their own', async () => {
    const leases = await Promise.all([
      acquire(),
      at({ url: 'redis://other:6379' }),
      at({ username: 'other' }),
      at({ queue: 'other' }),
      at({ password: 'changed' }),
    ]);
    assert.equal(new Set(leases.map(({ engine }) => engine)).size, 5);
    assert.equal(workers.open.length, 5);
    assert.deepEqual(
      workers.links.map(({ address }) => address.password),
      ['very secret', 'very secret', 'very secret', 'very secret', 'changed'],
    );
    assert.equal((await at({ url: 'redis://broker:6379/' })).engine, leases[0].engine);
  });

  it('gives the same engine for other limits; those asked for last hold', async () => {
    const { engine } = await acquire();
    const other = await acquire({ maxQueue: 5, timeout: 7, cacheSize: 1 });
    assert.equal(other.engine, engine);
    const { maxQueue, cache } = engine.info();
    assert.deepEqual([maxQueue, cache?.limit], [5, 2 ** 20]);
    const slow = ask(engine, 'a');
    clock.advance(7);
    await fails(slow, 'M2FP_TIMEOUT');
  });

  it('shares with copies of the module, as a bundler makes them', async () => {
    const file = pathToFileURL(
      join(import.meta.dirname, '../../../src/engine/remote/client/acquire.ts'),
    ).href;
    const copy = (await import(`${file}?copy`)) as { acquireRemoteEngine: typeof acquireRemoteEngine };
    assert.notEqual(copy.acquireRemoteEngine, acquireRemoteEngine);
    const { engine } = await acquire();
    const other = await copy.acquireRemoteEngine({ address: ADDRESS }, { link: workers.factory, clock });
    assert.equal(other.engine, engine);
  });

  it('keeps an engine for a while after the last release, and gives it again', async () => {
    const first = await acquire();
    first.release();
    first.release();
    clock.advance(29_999);
    const second = await acquire();
    assert.equal(second.engine, first.engine);
    assert.equal(workers.opened, 1);
    second.release();
    clock.advance(30_000);
    assert.equal(first.engine.info().state, 'closed');
    await nextTurn();
    assert.deepEqual(workers.open, []);
    assert.notEqual((await acquire()).engine, first.engine);
  });

  it('gives an engine again that was unloaded, without a second link', async () => {
    const { engine } = await acquire();
    await engine.unload();
    const again = await acquire();
    assert.equal(again.engine, engine);
    assert.deepEqual(workers.open, []);
    const promise = ask(engine, 'a');
    await answer();
    await promise;
    assert.equal(workers.open.length, 1);
  });

  it('with another password takes the place of the one before, at once', async () => {
    const first = await acquire({}, 'config node');
    first.release();
    const second = await acquire({ address: { ...ADDRESS, password: 'changed' } }, 'config node');
    await nextTurn();
    assert.equal(first.engine.info().state, 'closed');
    assert.equal(second.engine.info().state, 'ready');
    assert.deepEqual(
      workers.open.map(({ address }) => address.password),
      ['changed'],
    );
  });

  it('takes the place of local processes with the same model, and gives it back', async () => {
    const root = await mkdtemp(join(tmpdir(), 'm2fp-remote-'));
    // The fake child reads from the last part what to do at load.
    const model = await mkdtemp(join(root, 'fine '));
    await writeModel(model);
    const local = () => acquireEngine({ model }, { entry: FAKE_CHILD, clock, owner: 'config node' });
    const first = await local();
    await first.engine.load();
    first.release();
    const remote = await acquire({}, 'config node');
    assert.equal(remote.engine.info().processes[0]!.host, 'one.local');
    remote.release();
    const again = await local();
    const promise = ask(again.engine, 'a');
    await answer();
    await promise;
    await shutdownEngines();
    await rm(root, { recursive: true });
  });

  describe('where workers have another model now', () => {
    it('makes a new engine, whether the old one is leased or lingers', async () => {
      const first = await acquire();
      workers.set(worker({ id: 'new', manifest: NEWER }));
      const second = await acquire();
      assert.notEqual(second.engine, first.engine);
      assert.equal(second.engine.info().manifest.digest, NEWER.digest);
      assert.equal(second.engine.info().state, 'ready');
      assert.equal(first.engine.info().state, 'failed');
      second.release();
      workers.set(worker());
      assert.equal(first.engine.info().state, 'ready');
      assert.equal((await acquire()).engine, first.engine);
    });

    it('keeps to the model that still has workers, else takes the one that most places have', async () => {
      const { engine } = await acquire();
      const mixed = [
        worker(),
        worker({ id: 'new', manifest: NEWER, slots: 1 }),
        worker({ id: 'more', manifest: NEWER, slots: 2 }),
      ];
      workers.set(...mixed);
      assert.equal((await acquire()).engine, engine);
      await shutdownEngines();
      assert.equal((await acquire()).engine.info().manifest.digest, NEWER.digest);
    });
  });

  describe('where nobody works', () => {
    it('waits a moment for one', async () => {
      workers.set();
      const promise = acquire({ connectTimeout: 500 });
      await clock.armed(500);
      clock.advance(499);
      workers.set(worker());
      const { engine } = await promise;
      assert.equal(engine.info().state, 'ready');
      assert.deepEqual(clock.pending(), []);
    });

    it('says what to do, leaves no link, and remembers nothing', async () => {
      workers.set();
      const promise = acquire();
      await clock.armed(3000);
      clock.advance(3000);
      await fails(promise, 'M2FP_ENGINE_UNAVAILABLE', /"people" at redis:\/\/broker:6379: start one there/);
      assert.deepEqual(workers.open, []);
      assert.deepEqual(listEngines(), []);
      workers.set(worker());
      assert.equal((await acquire()).engine.info().state, 'ready');
    });

    it('says why there is no connection, at once, and leaves no link', async () => {
      workers.cut('Nobody answers.');
      await fails(acquire(), 'M2FP_ENGINE_UNAVAILABLE', /Nobody answers/);
      assert.deepEqual(clock.pending(), []);
      assert.deepEqual(workers.open, []);
    });

    it('gives the engine that is there, which has more patience', async () => {
      const first = await acquire();
      first.release();
      workers.cut('The connection was lost.');
      const second = await acquire();
      assert.equal(second.engine, first.engine);
      const promise = ask(second.engine, 'a');
      workers.cut(null);
      await answer();
      await promise;
    });

    it('does not keep an engine that failed when nobody has it', async () => {
      const first = await acquire();
      workers.set();
      clock.advance(30_000);
      assert.equal(first.engine.info().state, 'failed');
      assert.equal((await acquire()).engine, first.engine, 'it is in use');
      await shutdownEngines();
      workers.set(worker());
      const second = await acquire();
      second.release();
      workers.set();
      clock.advance(29_999);
      assert.equal(second.engine.info().state, 'loading');
      const third = await acquire();
      assert.equal(third.engine, second.engine, 'it has not failed');
      clock.advance(1);
      third.release();
      const fourth = acquire();
      await clock.armed(3000);
      assert.equal(second.engine.info().state, 'closed');
      workers.set(worker());
      assert.equal((await fourth).engine.info().state, 'ready');
    });
  });

  it('refuses bad options before it opens anything', async () => {
    await fails(acquire({ maxQueue: -1 }), 'M2FP_BAD_OPTION', /maxQueue/);
    await fails(at({ url: 'http://broker' }), 'M2FP_BAD_OPTION');
    assert.equal(workers.opened, 0);
  });

  it('shutdownEngines ends all, leased or lingering', async () => {
    const leased = await acquire();
    const lingering = await at({ queue: 'other' });
    lingering.release();
    await shutdownEngines();
    assert.deepEqual(workers.open, []);
    leased.release();
    assert.deepEqual(clock.pending(), []);
    await fails(ask(leased.engine, 'a'), 'M2FP_CANCELLED');
  });

  describe('describeRemote', () => {
    const describe = (workerTimeout?: number) =>
      describeRemote(ADDRESS, {
        link: workers.factory,
        clock,
        ...(workerTimeout !== undefined && { workerTimeout }),
      });

    it('tells who works there, and with what', async () => {
      workers.set(worker(), worker({ id: 'two' }));
      const { manifest, workers: told } = await describe();
      assert.equal(manifest, MANIFEST);
      assert.deepEqual(
        told.map(({ host }) => host),
        ['one.local', 'two.local'],
      );
      assert.deepEqual(workers.open, []);
      assert.deepEqual(listEngines(), []);
    });

    it('says what is wrong, after a while where it may get better', async () => {
      workers.set();
      const nobody = describe(100);
      await clock.armed(100);
      clock.advance(100);
      await fails(nobody, 'M2FP_ENGINE_UNAVAILABLE', /start one there/);
      workers.cut('Nobody answers.');
      await fails(describe(), 'M2FP_ENGINE_UNAVAILABLE', /Nobody answers/);
      assert.deepEqual(workers.open, []);
      await fails(describeRemote({ ...ADDRESS, queue: 'a b' }, {}), 'M2FP_BAD_OPTION', /queue/);
    });
  });
});
