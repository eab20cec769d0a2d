/** One remote engine for each test, whose workers and clock are the test's. */
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RemoteTimeouts } from '../../../src/engine/remote/client/worker-monitor.ts';
import { RemoteEngine, type RemoteLiveOptions } from '../../../src/engine/remote/client/acquire.ts';
import type { ModelManifest } from '../../../src/m2fp/manifest.ts';
import { FakeClock, leavesNothingBehind, MANIFEST } from './fakes.ts';
import { ADDRESS, FakeWorkers, worker } from './fake-link.ts';

/** A model that the engine under test does not serve. */
export const OTHER_MODEL: ModelManifest = { ...MANIFEST, id: 'test/newer', digest: 'e2'.repeat(32) };

/** Has the engine of each test closed, checks that it leaves nothing behind, and returns what makes and moves it. */
export function remoteEngineUnderTest() {
  let clock: FakeClock;
  let workers: FakeWorkers;
  let engine: RemoteEngine;

  function make(options: Partial<RemoteLiveOptions> = {}, timeouts: Partial<RemoteTimeouts> = {}) {
    const complete = { maxQueue: 32, timeout: 0, cacheSize: 0, idleUnload: 0, ...options };
    const link = workers.factory(ADDRESS);
    engine = new RemoteEngine(
      { manifest: MANIFEST, address: ADDRESS, link, options: complete },
      { clock, timeouts },
    );
    return { engine, clock, workers };
  }

  const state = () => engine.info().state;

  /** Lets what is under way come to an end, and answers what workers have. */
  async function answer(count = 1): Promise<void> {
    await nextTurn();
    for (const job of workers.running.slice(0, count)) job.answer();
    await nextTurn();
  }

  /** The promise, with so much time gone once it has begun to wait. */
  async function advancing<T>(promise: Promise<T>, ms: number): Promise<T> {
    promise.catch(() => {});
    await nextTurn();
    clock.advance(ms);
    return promise;
  }

  beforeEach(() => {
    clock = new FakeClock();
    workers = new FakeWorkers(worker());
  });

  afterEach(async () => {
    const closed = engine.close();
    clock.advance(10_000);
    await closed;
    await nextTurn();
    assert.deepEqual(clock.pending(), [], 'a timer is left');
    assert.deepEqual(workers.open, [], 'a link is left open');
    assert.deepEqual(workers.texts, [], 'a picture is left with a worker');
    assert.ok(
      workers.links.every(({ listeners }) => listeners.size === 0),
      'a subscription is left',
    );
  });

  leavesNothingBehind();

  return {
    get workers() {
      return workers;
    },
    make,
    state,
    answer,
    advancing,
  };
}
