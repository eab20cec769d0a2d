/** How an engine comes up and goes down, and whom it tells. */
import assert from 'node:assert/strict';
import type { EngineInfo } from '../../../../src/engine/types.ts';
import { isAlive } from '../../../support/processes.ts';
import { MANIFEST, ask, facts, fails } from '../../support/fakes.ts';
import { localEngineUnderTest, release } from '../../support/local-engine.ts';

describe('LocalEngine', () => {
  const make = localEngineUnderTest();

  describe('load', () => {
    it('happens once, however many ask', async () => {
      const { engine } = make({ threads: 3 });
      assert.equal(engine.info().loadSeconds, null);
      const [first, second, parsing] = await Promise.all([engine.load(), engine.load(), ask(engine, 'a')]);
      const third = await engine.load();
      assert.equal(new Set([first.pid, second.pid, third.pid, facts(parsing).pid]).size, 1);
      const { state, manifest, provider, loadSeconds, waiting, threads, restarts, failure } = third;
      assert.deepEqual(
        { state, provider, loadSeconds, waiting, threads, restarts, failure },
        {
          state: 'ready',
          provider: 'fake',
          loadSeconds: 1.5,
          waiting: 0,
          threads: 3,
          restarts: 0,
          failure: null,
        },
      );
      assert.equal(manifest, MANIFEST);
    });

    it('failing fails all that wait, and the next try starts anew', async () => {
      const { engine } = make({ atLoad: 'fail M2FP_MODEL_INVALID' });
      const all = [engine.load(), ask(engine, 'a'), ask(engine, 'b')];
      for (const promise of all) await fails(promise, 'M2FP_MODEL_INVALID', /the child says no/);
      const { state, failure, waiting } = engine.info();
      assert.deepEqual({ state, waiting }, { state: 'failed', waiting: 0 });
      assert.equal(failure?.code, 'M2FP_MODEL_INVALID');
      await fails(ask(engine, 'c'), 'M2FP_MODEL_INVALID');
      await fails(engine.load(), 'M2FP_MODEL_INVALID');
    });

    it('ending in a crash fails all that wait; the next try pauses first', async () => {
      const { engine, clock } = make({ atLoad: 'exit 5' });
      const all = [engine.load(), ask(engine, 'a'), ask(engine, 'b')];
      for (const promise of all) await fails(promise, 'M2FP_ENGINE_CRASHED', /exited with code 5/);
      assert.equal(engine.info().state, 'failed');
      const next = ask(engine, 'c');
      await clock.armed(500);
      clock.advance(500);
      await fails(next, 'M2FP_ENGINE_CRASHED', /exited with code 5/);
    });

    for (const atLoad of ['wrong-id', 'malformed', 'malformed-error']) {
      it(`answered by nonsense (${atLoad}) is a crash`, async () => {
        const { engine } = make({ atLoad });
        await fails(engine.load(), 'M2FP_ENGINE_CRASHED', /out of turn/);
      });
    }

    it('that never ends is ended', async () => {
      const { engine, clock } = make({ atLoad: 'hang' });
      const all = [engine.load(), ask(engine, 'a')];
      await clock.armed(300_000);
      clock.advance(300_000);
      for (const promise of all) await fails(promise, 'M2FP_TIMEOUT', /did not load/);
    });

    it('tells where there is no such program', async () => {
      const { engine, clock } = make();
      const { execPath } = process;
      process.execPath = '/nowhere/node';
      try {
        await fails(engine.load(), 'M2FP_ENGINE_UNAVAILABLE', /cannot be started.*ENOENT/);
      } finally {
        process.execPath = execPath;
      }
      clock.advance(500);
      await engine.load();
    });
  });

  describe('unload', () => {
    it('ends the process; the next request starts another', async () => {
      const { engine } = make();
      await engine.load();
      const old = engine.info().pid!;
      await engine.unload();
      assert.equal(isAlive(old), false);
      const { state, pid } = engine.info();
      assert.deepEqual({ state, pid }, { state: 'idle', pid: null });
      assert.notEqual(facts(await ask(engine, 'a')).pid, old);
      assert.equal(engine.info().restarts, 0);
    });

    it('does nothing where nothing runs', async () => {
      const { engine } = make();
      await engine.unload();
      await engine.unload();
      assert.equal(engine.info().state, 'idle');
    });

    it('lets the running one and those that wait finish', async () => {
      const { engine } = make();
      const { pid } = await engine.load();
      const running = ask(engine, 'hold');
      const waiting = ask(engine, 'b');
      const unloaded = engine.unload();
      release(engine);
      assert.equal(facts(await running).text, 'hold');
      assert.equal(facts(await waiting).pid, pid);
      await unloaded;
      assert.equal(engine.info().state, 'idle');
    });

    it('leaves the running one the time that it may take, however long that is', async () => {
      const { engine, clock } = make();
      await engine.load();
      const running = ask(engine, 'spin');
      const unloaded = engine.unload();
      assert.deepEqual(clock.pending(), [60_000]);
      const outcome = fails(running, 'M2FP_TIMEOUT');
      clock.advance(60_000);
      await outcome;
      await unloaded;
      assert.equal(engine.info().state, 'idle');
    });

    it('kills after the grace time what nobody waits for', async () => {
      const { engine, clock } = make();
      await engine.load();
      const abort = new AbortController();
      const running = ask(engine, 'spin', abort.signal);
      abort.abort();
      await fails(running, 'M2FP_CANCELLED');
      const unloaded = engine.unload();
      assert.deepEqual(clock.pending(), [10_000, 60_000]);
      clock.advance(10_000);
      await unloaded;
    });

    it('ends a load that is under way, where no picture waits for it', async () => {
      const { engine, clock } = make({ atLoad: 'spin' });
      const loading = engine.load();
      await clock.armed(300_000);
      const outcome = fails(loading, 'M2FP_CANCELLED');
      await engine.unload();
      await outcome;
      assert.equal(engine.info().state, 'idle');
    });

    it('lets a load end that a picture waits for', async () => {
      const { engine } = make();
      const [info, parsing] = await Promise.all([engine.load(), ask(engine, 'a'), engine.unload()]);
      assert.ok(info);
      assert.equal(facts(parsing).text, 'a');
      assert.equal(engine.info().state, 'idle');
    });

    it('comes after a pause after a crash, where a picture waits for its end', async () => {
      const { engine, clock } = make();
      await fails(ask(engine, 'exit 1'), 'M2FP_ENGINE_CRASHED');
      const next = ask(engine, 'a');
      await clock.armed(500);
      const unloaded = engine.unload();
      clock.advance(500);
      assert.equal(facts(await next).text, 'a');
      await unloaded;
      assert.deepEqual(clock.pending(), []);
    });

    it('does not hurt what comes right before or behind it', async () => {
      const { engine } = make();
      const first = ask(engine, 'a');
      const unloaded = engine.unload();
      const [info, before, parsing] = await Promise.all([engine.load(), first, ask(engine, 'b'), unloaded]);
      assert.equal(info.pid, facts(parsing).pid);
      assert.notEqual(facts(before).pid, info.pid);
    });

    it('that comes while another one is under way comes after it', async () => {
      const { engine } = make();
      const first = ask(engine, 'a');
      const unloaded = engine.unload();
      const second = ask(engine, 'b');
      const again = engine.unload();
      const all = await Promise.all([first, second]);
      await Promise.all([unloaded, again]);
      assert.deepEqual(
        all.map((parsing) => facts(parsing).text),
        ['a', 'b'],
      );
      assert.equal(engine.info().state, 'idle');
    });

    it('while one runs, followed by another request: the old process goes first', async () => {
      const { engine } = make();
      await engine.load();
      const old = engine.info().pid!;
      const running = ask(engine, 'hold');
      const unloaded = engine.unload();
      const next = ask(engine, 'b');
      assert.equal(engine.info().waiting, 1);
      const loaded = engine.load();
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(engine.info().pid, old, 'two processes would hold the model twice');
      process.kill(old, 'SIGUSR2');
      assert.equal(facts(await running).pid, old);
      await unloaded;
      assert.notEqual(facts(await next).pid, old);
      await loaded;
    });

    it('does not lift the refusal after repeated crashes', async () => {
      const { engine } = make({ policy: { maxCrashes: 1 } });
      await fails(ask(engine, 'exit 1'), 'M2FP_ENGINE_CRASHED');
      await engine.unload();
      await fails(ask(engine, 'a'), 'M2FP_ENGINE_CRASHED', /stays down/);
    });
  });

  it('close ends it for good', async () => {
    const { engine } = make();
    await engine.load();
    const { pid } = engine.info();
    const running = ask(engine, 'fine');
    const waiting = ask(engine, 'b');
    const outcome = fails(waiting, 'M2FP_CANCELLED', /closed/);
    await engine.close();
    await running;
    await outcome;
    assert.equal(isAlive(pid!), false);
    assert.equal(engine.info().state, 'closed');
    await fails(ask(engine, 'c'), 'M2FP_CANCELLED', /closed/);
    await fails(engine.load(), 'M2FP_CANCELLED', /closed/);
  });

  it('close kills the running one after the grace time, also where an unload or a restart waits for it', async () => {
    for (const before of ['unload', 'restart'] as const) {
      const { engine, clock } = make();
      await engine.load();
      const running = ask(engine, 'spin');
      const order = engine[before]();
      const restarted = before === 'restart' ? fails(order, 'M2FP_CANCELLED', /closed/) : order;
      const closed = engine.close();
      assert.deepEqual(clock.pending(), [10_000, 60_000]);
      clock.advance(10_000);
      await fails(running, 'M2FP_CANCELLED', /unloaded/);
      await Promise.all([closed, restarted]);
    }
  });

  describe('subscribers', () => {
    it('are told every change of the state and of the line', async () => {
      const { engine } = make();
      const seen: string[] = [];
      const end = engine.subscribe(({ state, waiting }) => seen.push(`${state} ${waiting}`));
      await Promise.all([ask(engine, 'a'), ask(engine, 'b')]);
      await engine.unload();
      assert.deepEqual(seen, ['loading 1', 'loading 2', 'running 1', 'running 0', 'ready 0', 'idle 0']);
      end();
      await engine.load();
      assert.equal(seen.length, 6);
    });

    it('cannot stop the line by throwing', async () => {
      const { engine } = make();
      const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
      const end = engine.subscribe(() => {
        throw new Error('listener at fault');
      });
      const states: string[] = [];
      engine.subscribe(({ state }: EngineInfo) => states.push(state));
      await ask(engine, 'a');
      end();
      assert.match((await warned).message, /listener at fault/);
      assert.ok(states.includes('ready'));
    });
  });
});
