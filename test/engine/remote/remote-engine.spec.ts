/** An engine whose pictures are parsed by workers elsewhere, here in memory. */
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { M2fpError } from '../../../src/errors.ts';
import { dropReasonOf } from '../../../src/engine/dropped.ts';
import { requestEvents, type RequestEvent } from '../../../src/engine/events.ts';
import type { RemoteLiveOptions } from '../../../src/engine/remote/remote-engine.ts';
import { RemoteEngine } from '../../../src/engine/remote/remote-engine.ts';
import type { RemotePatience } from '../../../src/engine/remote/reach.ts';
import type { EngineInfo } from '../../../src/engine/types.ts';
import type { NetworkInput } from '../../../src/image/types.ts';
import type { ModelManifest } from '../../../src/m2fp/manifest.ts';
import { ask, askAgain, fails, FakeClock, leavesNothingBehind, MANIFEST } from '../support/fakes.ts';
import { ADDRESS, FakeWorkers, worker } from '../support/fake-link.ts';

const OTHER_MODEL: ModelManifest = { ...MANIFEST, id: 'test/newer', digest: 'e2'.repeat(32) };

describe('RemoteEngine', () => {
  let clock: FakeClock;
  let workers: FakeWorkers;
  let engine: RemoteEngine;

  function make(options: Partial<RemoteLiveOptions> = {}, patience: Partial<RemotePatience> = {}) {
    const complete = { maxQueue: 32, timeout: 0, cacheSize: 0, idleUnload: 0, ...options };
    const link = workers.factory(ADDRESS);
    engine = new RemoteEngine(
      { manifest: MANIFEST, address: ADDRESS, link, options: complete },
      { clock, patience },
    );
    return engine;
  }

  /** Lets what is under way come to an end, and answers what workers have. */
  async function answer(count = 1): Promise<void> {
    await nextTurn();
    for (const submission of workers.running.slice(0, count)) submission.answer();
    await nextTurn();
  }

  const state = () => engine.info().state;

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

  describe('a request', () => {
    it('opens the link and gives a parsing around what the worker found', async () => {
      make();
      assert.equal(workers.opened, 0);
      const image = Buffer.from('a person');
      const promise = engine.parse({ image, options: { scoreThreshold: 0.5 } });
      await nextTurn();
      const [submission] = workers.submissions;
      assert.deepEqual(submission!.task, {
        digest: MANIFEST.digest,
        image,
        options: { scoreThreshold: 0.5 },
      });
      clock.advance(250);
      submission!.answer();
      const parsing = await promise;
      assert.equal(parsing.image, image, 'the very Buffer of the caller');
      assert.deepEqual(parsing, {
        image,
        width: 3,
        height: 2,
        labels: ['a person'],
        labelMap: Buffer.from([0, 1, 2, 3, 4, 5]),
        personMap: Buffer.from([0, 0, 1, 1, 2, 2]),
        persons: [],
        parts: [],
        model: { id: 'test/model', digest: MANIFEST.digest, precision: 'fp32', provider: 'cpu' },
        cached: false,
        timing: { queue: 240, decode: 1, preprocess: 2, inference: 3, postprocess: 4, total: 250 },
      });
    });

    it('counts what clocks disagree about as no time in the line', async () => {
      make();
      const promise = ask(engine, 'a');
      clock.advance(3);
      await answer();
      assert.equal((await promise).timing.queue, 0);
    });

    it('sends network input without its source picture', async () => {
      make();
      const input: NetworkInput = {
        type: 'm2fp-input',
        width: 2,
        height: 1,
        data: Buffer.from([1, 2, 3, 4, 5, 6]),
        crop: { x: 0, y: 0, width: 2, height: 1 },
        rule: { kind: 'short-side', shortSide: 32, longSide: 96 },
        source: { image: Buffer.from('source'), width: 20, height: 10 },
      };
      const promise = engine.parse({ image: input });
      await answer();
      assert.equal((await promise).image, input.source.image);
      const sent = workers.submissions[0]!.task.image as NetworkInput;
      assert.equal(sent.source.image.length, 0);
      assert.deepEqual(sent.data, input.data);
    });

    it('fails with what the worker throws', async () => {
      make();
      const promise = ask(engine, 'a');
      await nextTurn();
      workers.submissions[0]!.fail(new M2fpError('M2FP_BAD_IMAGE', 'No picture that I know.'));
      await fails(promise, 'M2FP_BAD_IMAGE', /that I know/);
      assert.equal(state(), 'ready');
    });

    it('is not tried a third time where two workers crashed over it', async () => {
      make();
      for (let crash = 0; crash < 2; crash++) {
        const promise = askAgain(engine, 'poison');
        await nextTurn();
        workers.running[0]!.fail(new M2fpError('M2FP_ENGINE_CRASHED', 'Gone.'));
        await fails(promise, 'M2FP_ENGINE_CRASHED');
      }
      await fails(askAgain(engine, 'poison'), 'M2FP_BAD_IMAGE', /crashed the engine twice/);
      assert.equal(workers.submissions.length, 2);
      await engine.load();
      const again = askAgain(engine, 'poison');
      await answer();
      await again;
    });

    it('does not blame a picture for other failures, nor for one crash before a success', async () => {
      make();
      for (const code of ['M2FP_ENGINE_CRASHED', 'M2FP_BAD_IMAGE', null, 'M2FP_ENGINE_CRASHED'] as const) {
        const promise = askAgain(engine, 'a');
        await nextTurn();
        if (code === null) workers.running[0]!.answer();
        else workers.running[0]!.fail(new M2fpError(code, 'No.'));
        if (code === null) await promise;
        else await fails(promise, code);
      }
      const promise = askAgain(engine, 'a');
      await answer();
      await promise;
    });

    it('is shared by equal pictures, kept for later ones, and counted like any other', async () => {
      const events: RequestEvent[] = [];
      const end = requestEvents.subscribe((event) => events.push(event));
      make({ cacheSize: 1 });
      const both = [askAgain(engine, 'a'), askAgain(engine, 'a')];
      await answer();
      await Promise.all(both);
      assert.equal((await askAgain(engine, 'a')).cached, true);
      end();
      assert.equal(workers.submissions.length, 1);
      assert.deepEqual(
        events.map(({ fate, cached }) => [fate, cached]),
        [
          ['completed', false],
          ['completed', true],
          ['completed', true],
        ],
      );
    });
  });

  describe('the places', () => {
    it('are the slots of all workers with the model', async () => {
      workers.set(
        worker(),
        worker({ id: 'two', slots: 1 }),
        worker({ id: 'new', slots: 8, manifest: OTHER_MODEL }),
      );
      make();
      const all = ['a', 'b', 'c', 'd', 'e'].map((text) => ask(engine, text));
      await nextTurn();
      assert.deepEqual(workers.texts, ['a', 'b', 'c']);
      assert.deepEqual([engine.info().running, engine.info().waiting], [3, 2]);
      await answer(1);
      assert.deepEqual(workers.texts, ['b', 'c', 'd']);
      workers.set(worker({ slots: 1 }));
      await answer(2);
      assert.deepEqual(workers.texts, ['d'], 'a worker lost is places lost, and nothing else');
      await answer();
      await answer();
      await Promise.all(all);
    });

    it('are taken in fair turns, by priority, and given up with age', async () => {
      workers.set(worker({ slots: 1 }));
      make();
      const running = ask(engine, 'first');
      await nextTurn();
      const camera = { policy: 'latest', lane: 'camera' } as const;
      const all = Promise.allSettled([
        running,
        ask(engine, 'old', undefined, { maxAge: 10 }),
        ask(engine, 'x', undefined, { lane: 'x' }),
        ask(engine, 'x2', undefined, { lane: 'x' }),
        ask(engine, 'frame', undefined, camera),
        ask(engine, 'next frame', undefined, camera),
        ask(engine, 'urgent', undefined, { lane: 'x', priority: 1 }),
      ]);
      clock.advance(10);
      const order: string[] = [];
      for (let turn = 0; turn < 5; turn++) {
        order.push(...workers.texts);
        await answer();
      }
      assert.deepEqual(order, ['first', 'urgent', 'next frame', 'x', 'x2']);
      assert.deepEqual(
        (await all).map((one) => (one.status === 'rejected' ? dropReasonOf(one.reason) : 'fine')),
        ['fine', 'expired', 'fine', 'fine', 'replaced', 'fine', 'fine'],
      );
    });

    it('are none for one who does not wait, once they are taken', async () => {
      workers.set(worker({ slots: 1 }));
      make({ maxQueue: 0 });
      const reject = { policy: 'reject' } as const;
      const first = ask(engine, 'a', undefined, reject);
      await nextTurn();
      await fails(ask(engine, 'b', undefined, reject), 'M2FP_BUSY');
      await fails(ask(engine, 'b'), 'M2FP_BUSY', /limit of 0 /);
      await answer();
      await first;
    });
  });

  describe('cancelling', () => {
    it('takes a picture back from the workers at once', async () => {
      workers.set(worker({ slots: 1 }));
      make();
      const abort = new AbortController();
      const first = ask(engine, 'a', abort.signal);
      const second = ask(engine, 'b');
      await nextTurn();
      abort.abort();
      assert.equal(workers.submissions[0]!.signal.aborted, true);
      await fails(first, 'M2FP_CANCELLED');
      await nextTurn();
      assert.deepEqual(workers.texts, ['b'], 'its place is free');
      await answer();
      await second;
    });
  });

  describe('the time limit', () => {
    it('runs from handing over to the answer', async () => {
      workers.set(worker({ slots: 1 }));
      make({ timeout: 1000 });
      const slow = ask(engine, 'slow');
      const next = ask(engine, 'next');
      await nextTurn();
      clock.advance(999);
      assert.equal(workers.running.length, 1);
      clock.advance(1);
      await fails(slow, 'M2FP_TIMEOUT', /"people" at redis:\/\/broker:6379 .* 1000 ms: allow more time/);
      assert.equal(workers.submissions[0]!.signal.aborted, true);
      await nextTurn();
      clock.advance(999);
      await answer();
      await next;
    });

    it('holds for the pictures that are handed over after it was changed', async () => {
      make({ timeout: 1000 });
      const first = ask(engine, 'a');
      await nextTurn();
      engine.configure({ timeout: 0, maxQueue: 1, cacheSize: 0, idleUnload: 0 });
      const second = ask(engine, 'b');
      clock.advance(1000);
      await fails(first, 'M2FP_TIMEOUT');
      await answer();
      await second;
    });
  });

  describe('without workers', () => {
    beforeEach(() => workers.set());

    it('waits for one', async () => {
      make();
      const promise = ask(engine, 'a');
      await nextTurn();
      assert.equal(state(), 'loading');
      clock.advance(29_999);
      workers.set(worker());
      assert.equal(state(), 'running');
      await answer();
      await promise;
    });

    it('fails when the patience is over, and says what to do', async () => {
      make();
      const promises = [ask(engine, 'a'), ask(engine, 'b')];
      await nextTurn();
      clock.advance(30_000);
      const message =
        /^No worker serves the queue "people" at redis:\/\/broker:6379: start one there: m2fp worker --redis redis:\/\/broker:6379 --queue people$/;
      for (const promise of promises) await fails(promise, 'M2FP_ENGINE_UNAVAILABLE', message);
      const { failure } = engine.info();
      assert.equal(state(), 'failed');
      assert.equal(failure!.code, 'M2FP_ENGINE_UNAVAILABLE');
      assert.doesNotMatch(failure!.message, /secret/);
      await fails(ask(engine, 'c'), 'M2FP_ENGINE_UNAVAILABLE', message);
    });

    it('recovers by itself when one appears', async () => {
      make();
      const states: string[] = [];
      engine.subscribe((info: EngineInfo) => states.push(info.state));
      const lost = ask(engine, 'a');
      await nextTurn();
      clock.advance(30_000);
      await fails(lost, 'M2FP_ENGINE_UNAVAILABLE');
      workers.set(worker());
      assert.equal(engine.info().failure, null);
      const promise = ask(engine, 'b');
      await answer();
      await promise;
      assert.deepEqual(states, ['loading', 'failed', 'ready', 'running', 'ready']);
    });

    it('has as much patience whenever the last one leaves', async () => {
      make();
      await fails(advancing(ask(engine, 'a'), 30_000), 'M2FP_ENGINE_UNAVAILABLE');
      workers.set(worker());
      workers.set();
      const promise = ask(engine, 'b');
      clock.advance(29_999);
      assert.equal(state(), 'loading');
      workers.set(worker());
      await answer();
      await promise;
    });

    it('takes back what was handed over to those that are gone, when the patience is over', async () => {
      workers.set(worker());
      make();
      const promise = ask(engine, 'a');
      await nextTurn();
      workers.set();
      clock.advance(29_999);
      assert.equal(workers.running.length, 1, 'it may go to another worker');
      clock.advance(1);
      await fails(promise, 'M2FP_ENGINE_UNAVAILABLE');
      assert.equal(workers.submissions[0]!.signal.aborted, true);
    });

    it('load() waits as long, and anew each time', async () => {
      make();
      await fails(advancing(engine.load(), 30_000), 'M2FP_ENGINE_UNAVAILABLE', /No worker/);
      const second = engine.load();
      await nextTurn();
      assert.equal(state(), 'loading');
      clock.advance(29_999);
      workers.set(worker());
      assert.equal((await second).state, 'ready');
    });
  });

  describe('without a connection', () => {
    it('tries again until there is one', async () => {
      workers.cut('Nobody answers.');
      make();
      const promise = ask(engine, 'a');
      await nextTurn();
      assert.equal(workers.opened, 1);
      assert.deepEqual(clock.pending(), [1000, 30_000]);
      clock.advance(1000);
      await nextTurn();
      assert.equal(workers.opened, 2);
      workers.cut(null);
      clock.advance(1000);
      await answer();
      await promise;
      assert.equal(workers.opened, 3);
      assert.deepEqual(clock.pending(), []);
    });

    it('says why there is none when the patience is over, and still tries', async () => {
      workers.cut('Nobody answers.');
      make();
      const promise = ask(engine, 'a');
      await nextTurn();
      clock.advance(30_000);
      await fails(
        promise,
        'M2FP_ENGINE_UNAVAILABLE',
        /^There is no way to .* "people" at redis:\/\/broker:6379: Nobody answers\.$/,
      );
      workers.cut(null);
      await nextTurn();
      clock.advance(1000);
      await nextTurn();
      assert.equal(state(), 'ready');
    });

    it('load() tries at once', async () => {
      workers.cut('Nobody answers.');
      make();
      const first = engine.load();
      await nextTurn();
      workers.cut(null);
      const second = engine.load();
      await Promise.all([first, second]);
      assert.equal(workers.opened, 2);
    });

    it('keeps what waits and what runs while it may come back', async () => {
      workers.set(worker({ slots: 1 }));
      make();
      const all = [ask(engine, 'a'), ask(engine, 'b')];
      await nextTurn();
      workers.cut('The connection was lost.');
      workers.submissions[0]!.answer();
      await nextTurn();
      assert.deepEqual(workers.texts, [], 'without a connection nothing is handed over');
      assert.equal(state(), 'loading');
      clock.advance(29_999);
      workers.cut(null);
      await answer();
      await Promise.all(all);
    });

    it('tells the reason that holds now', async () => {
      make();
      await engine.load();
      workers.cut('The connection was lost.');
      clock.advance(30_000);
      await fails(ask(engine, 'a'), 'M2FP_ENGINE_UNAVAILABLE', /lost/);
      workers.alive = [];
      workers.cut(null);
      await fails(ask(engine, 'a'), 'M2FP_ENGINE_UNAVAILABLE', /No worker/);
    });
  });

  describe('where all workers have another model', () => {
    it('fails at once, tells the waiting ones, and says that a deploy helps', async () => {
      workers.set(worker({ slots: 1 }));
      make();
      const all = [ask(engine, 'a'), ask(engine, 'b')];
      await nextTurn();
      workers.set(worker({ id: 'new', manifest: OTHER_MODEL }));
      const message =
        /"people" .* another model now, test\/newer \(e2e2e2e2e2e2\) in place of test\/model \(d1d1d1d1d1d1\): deploy again/;
      for (const promise of all) await fails(promise, 'M2FP_MODEL_INVALID', message);
      await fails(ask(engine, 'c'), 'M2FP_MODEL_INVALID', message);
      await fails(engine.load(), 'M2FP_MODEL_INVALID', message);
      assert.equal(state(), 'failed');
      assert.deepEqual(engine.info().processes, []);
      assert.deepEqual(clock.pending(), []);
      workers.set(worker({ id: 'new', manifest: OTHER_MODEL }), worker());
      assert.equal(state(), 'ready');
    });
  });

  describe('info()', () => {
    it('tells of the workers in place of processes', async () => {
      const two = worker({
        id: 'two',
        pid: 12,
        slots: 1,
        provider: 'wasm',
        fallback: 'No binary.',
        loadSeconds: null,
        rss: null,
      });
      workers.set(worker(), two);
      make();
      const before = engine.info();
      assert.deepEqual(
        [before.state, before.processes, before.pid, before.loadSeconds],
        ['idle', [], null, null],
      );
      await engine.load();
      const { state: ready, processes, provider, fallback, threads, loadSeconds, pid } = engine.info();
      assert.deepEqual(
        { ready, provider, fallback, threads, loadSeconds, pid },
        { ready: 'ready', provider: 'cpu', fallback: null, threads: 4, loadSeconds: 1.5, pid: 4711 },
      );
      assert.deepEqual(processes, [
        { host: 'one.local', pid: 4711, state: 'ready', restarts: 0, rss: 3e8 },
        { host: 'two.local', pid: 12, state: 'loading', restarts: 0, rss: null },
      ]);
      workers.set(two);
      assert.deepEqual([engine.info().provider, engine.info().fallback], ['wasm', 'No binary.']);
      const promise = ask(engine, 'a');
      assert.equal(engine.info().processes[0]!.state, 'running');
      workers.set();
      assert.equal(engine.info().provider, 'wasm', 'what was seen last');
      workers.set(two);
      await answer();
      await promise;
    });
  });

  describe('unloading', () => {
    it('closes the link; the next picture opens it again', async () => {
      make();
      await engine.load();
      await engine.unload();
      assert.equal(state(), 'idle');
      assert.deepEqual(workers.open, []);
      const promise = ask(engine, 'a');
      await answer();
      await promise;
      assert.equal(workers.opened, 2);
    });

    it('is over before the link is opened again', async () => {
      make();
      await engine.load();
      const unloaded = engine.unload();
      while (workers.links[0]!.state === 'open') await Promise.resolve();
      const promise = ask(engine, 'a');
      await unloaded;
      await answer();
      await promise;
      assert.equal(workers.opened, 2);
    });

    it('gives up what waits, and lets what runs finish', async () => {
      workers.set(worker({ slots: 1 }));
      make();
      const running = ask(engine, 'a');
      const waiting = ask(engine, 'b');
      await nextTurn();
      const unloaded = engine.unload();
      await fails(waiting, 'M2FP_CANCELLED');
      assert.equal(workers.open.length, 1);
      await answer();
      await running;
      await unloaded;
      assert.deepEqual(workers.open, []);
    });

    it('takes back what does not finish within the grace time', async () => {
      make();
      const running = ask(engine, 'a');
      await nextTurn();
      const unloaded = engine.unload();
      clock.advance(10_000);
      await fails(running, 'M2FP_CANCELLED', /unloaded/);
      await unloaded;
    });

    it('leaves the link to one who comes while the last one finishes', async () => {
      workers.set(worker({ slots: 2 }));
      make();
      const first = ask(engine, 'a');
      await nextTurn();
      const unloaded = engine.unload();
      const second = ask(engine, 'b');
      await answer(1);
      await Promise.all([first, unloaded]);
      await answer();
      await second;
      assert.equal(workers.opened, 1);
    });

    it('ends an opening under way, and what waits for it', async () => {
      workers.holdOpening = true;
      make();
      const loading = engine.load();
      const waiting = ask(engine, 'a');
      const asserted = Promise.all([fails(loading, 'M2FP_CANCELLED'), fails(waiting, 'M2FP_CANCELLED')]);
      await nextTurn();
      await engine.unload();
      await asserted;
      assert.equal(state(), 'idle');
      workers.holdOpening = false;
      await engine.load();
    });

    it('forgets a failure: the next picture looks for workers anew', async () => {
      workers.set();
      make();
      await fails(advancing(ask(engine, 'a'), 30_000), 'M2FP_ENGINE_UNAVAILABLE');
      await engine.unload();
      assert.equal(state(), 'idle');
      workers.set(worker());
      const promise = ask(engine, 'b');
      await answer();
      await promise;
    });
  });

  it('closed takes nothing any more', async () => {
    make();
    await engine.load();
    await engine.close();
    assert.equal(state(), 'closed');
    await fails(ask(engine, 'a'), 'M2FP_CANCELLED', /closed/);
    await fails(engine.load(), 'M2FP_CANCELLED', /closed/);
  });

  /** The promise, with so much time gone once it has begun to wait. */
  async function advancing<T>(promise: Promise<T>, ms: number): Promise<T> {
    promise.catch(() => {});
    await nextTurn();
    clock.advance(ms);
    return promise;
  }
});
