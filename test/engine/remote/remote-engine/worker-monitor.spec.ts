/** Whether the workers of an engine can be reached, and what it tells of them. */
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EngineInfo } from '../../../../src/engine/types.ts';
import { ask, fails } from '../../support/fakes.ts';
import { worker } from '../../support/fake-link.ts';
import { OTHER_MODEL, remoteEngineUnderTest } from '../../support/remote-engine.ts';

describe('RemoteEngine', () => {
  const subject = remoteEngineUnderTest();
  const { make, state, answer, advancing } = subject;

  describe('without workers', () => {
    beforeEach(() => subject.workers.set());

    it('waits for one', async () => {
      const { engine, clock, workers } = make();
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
      const { engine, clock } = make();
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
      const { engine, clock, workers } = make();
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
      const { engine, clock, workers } = make();
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

    it('has it from the last word of a worker on that died, and not from when that was noticed', async () => {
      const { workers } = subject;
      workers.set(worker());
      const { engine, clock } = make();
      const promise = ask(engine, 'a');
      await nextTurn();
      workers.silentFor = 15_000;
      workers.set();
      clock.advance(14_999);
      assert.equal(state(), 'loading');
      clock.advance(1);
      await fails(promise, 'M2FP_ENGINE_UNAVAILABLE', /No worker/);
      // Whoever asks later waits for somebody else.
      const loading = engine.load();
      await nextTurn();
      clock.advance(29_999);
      workers.set(worker());
      await loading;
    });

    it('takes back what was handed over to those that are gone, when the patience is over', async () => {
      const { workers } = subject;
      workers.set(worker());
      const { engine, clock } = make();
      const promise = ask(engine, 'a');
      await nextTurn();
      workers.set();
      clock.advance(29_999);
      assert.equal(workers.running.length, 1, 'it may go to another worker');
      clock.advance(1);
      await fails(promise, 'M2FP_ENGINE_UNAVAILABLE');
      assert.equal(workers.jobs[0]!.signal.aborted, true);
    });

    it('load() waits as long, and anew each time', async () => {
      const { engine, clock, workers } = make();
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
      const { workers } = subject;
      workers.cut('Nobody answers.');
      const { engine, clock } = make();
      const promise = ask(engine, 'a');
      await nextTurn();
      assert.equal(workers.opened, 1);
      assert.deepEqual(clock.pending(), [1000, 5000]);
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
      const { workers } = subject;
      workers.cut('Nobody answers.');
      const { engine, clock } = make();
      const promise = ask(engine, 'a');
      await nextTurn();
      clock.advance(5000);
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
      const { workers } = subject;
      workers.cut('Nobody answers.');
      const { engine } = make();
      const first = engine.load();
      await nextTurn();
      workers.cut(null);
      const second = engine.load();
      await Promise.all([first, second]);
      assert.equal(workers.opened, 2);
    });

    it('keeps what waits and what runs while it may come back', async () => {
      const { workers } = subject;
      workers.set(worker({ slots: 1 }));
      const { engine, clock } = make();
      const all = [ask(engine, 'a'), ask(engine, 'b')];
      await nextTurn();
      workers.cut('The connection was lost.');
      workers.jobs[0]!.answer();
      await nextTurn();
      assert.deepEqual(workers.texts, [], 'without a connection nothing is handed over');
      assert.equal(state(), 'loading');
      clock.advance(4999);
      workers.cut(null);
      await answer();
      await Promise.all(all);
    });

    it('tells the reason that holds now', async () => {
      const { engine, clock, workers } = make();
      await engine.load();
      workers.cut('The connection was lost.');
      clock.advance(5000);
      await fails(ask(engine, 'a'), 'M2FP_ENGINE_UNAVAILABLE', /lost/);
      assert.match(engine.info().disconnected!.message, /lost/);
      workers.cut('The password was changed.');
      await fails(ask(engine, 'a'), 'M2FP_ENGINE_UNAVAILABLE', /password/);
    });

    it('gives workers the time to come back that come back with the connection', async () => {
      const { engine, clock, workers } = make();
      await engine.load();
      workers.cut('The connection was lost.');
      clock.advance(5000);
      assert.equal(state(), 'failed');
      workers.alive = [];
      workers.cut(null);
      assert.deepEqual([state(), engine.info().disconnected], ['loading', null]);
      const promises = [ask(engine, 'a'), ask(engine, 'b')];
      clock.advance(29_999);
      workers.set(worker());
      await answer();
      assert.ok(await promises[0]);
      workers.set();
      clock.advance(30_000);
      await fails(promises[1]!, 'M2FP_ENGINE_UNAVAILABLE', /No worker/);
    });

    it('waits for a worker again when the last one has died, also with what it was working on', async () => {
      const { engine, workers } = make();
      const promise = ask(engine, 'a');
      await nextTurn();
      assert.equal(state(), 'running');
      workers.set();
      assert.equal(state(), 'loading');
      workers.set(worker());
      assert.equal(state(), 'running');
      await answer();
      await promise;
    });

    it('tells at once that there is none, also of what runs', async () => {
      const { engine, workers } = make();
      const told: (string | null)[] = [];
      engine.subscribe(({ disconnected }) => told.push(disconnected?.message ?? null));
      const promise = ask(engine, 'a');
      await nextTurn();
      assert.equal(engine.info().disconnected, null);
      workers.cut('The connection was lost.');
      assert.deepEqual([state(), told.at(-1)], ['running', 'The connection was lost.']);
      workers.cut(null);
      assert.equal(told.at(-1), null);
      await answer();
      await promise;
    });
  });

  describe('where all workers have another model', () => {
    it('fails at once, tells the waiting ones, and says that a deploy helps', async () => {
      const { workers } = subject;
      workers.set(worker({ slots: 1 }));
      const { engine, clock } = make();
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
      const { workers } = subject;
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
      const { engine } = make();
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
});
