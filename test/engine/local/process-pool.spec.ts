/** An engine with several processes, on the fake child. */
import assert from 'node:assert/strict';
import { CrashLog } from '../../../src/engine/local/crash-log.ts';
import type { LocalEngine } from '../../../src/engine/local/local-engine.ts';
import { ProcessPool } from '../../../src/engine/local/process-pool.ts';
import { DEFAULT_RESTART_POLICY } from '../../../src/engine/local/restart-policy.ts';
import { isAlive } from '../../support/processes.ts';
import {
  FAKE_CHILD,
  FakeClock,
  ask,
  facts,
  fails,
  leavesNothingBehind,
  letGo,
  until,
} from '../support/fakes.ts';
import { localEngineUnderTest } from '../support/local-engine.ts';

describe('an engine of two processes', () => {
  const open = localEngineUnderTest();
  let clock: FakeClock;
  let engine: LocalEngine;
  const make = (options: Parameters<typeof open>[0] = {}) => {
    ({ clock, engine } = open({ processes: 2, ...options }));
    return engine;
  };
  const pids = () => engine.info().processes.map(({ pid }) => pid);
  const states = () => engine.info().processes.map(({ state }) => state);

  it('loads both, and tells of each', async () => {
    make({ threads: 3 });
    assert.deepEqual(engine.info().processes, [
      { pid: null, state: 'idle', restarts: 0, rss: null },
      { pid: null, state: 'idle', restarts: 0, rss: null },
    ]);
    const { state, threads, running, pid, processes } = await engine.load();
    assert.deepEqual({ state, threads, running }, { state: 'ready', threads: 3, running: 0 });
    assert.equal(pid, processes[0]!.pid);
    assert.equal(new Set(pids()).size, 2);
    for (const one of processes) {
      assert.deepEqual({ ...one, pid: 0 }, { pid: 0, state: 'ready', restarts: 0, rss: 10 * 2 ** 20 });
    }
  });

  it('starts no more of them than there is work for', async () => {
    make();
    await ask(engine, 'a');
    await ask(engine, 'b');
    assert.deepEqual(states(), ['ready', 'idle']);
    await Promise.all([ask(engine, 'a'), ask(engine, 'b'), ask(engine, 'c')]);
    assert.notEqual(states()[1], 'idle');
  });

  it('runs two at once from one line; whichever is free first takes the next', async () => {
    make({ maxQueue: 1 });
    await engine.load();
    const [first, second] = pids();
    const a = ask(engine, 'hold');
    const b = ask(engine, 'hold');
    const c = ask(engine, 'c');
    assert.equal(engine.info().running, 2);
    assert.equal(engine.info().waiting, 1);
    await fails(ask(engine, 'd'), 'M2FP_BUSY');
    letGo(second!);
    assert.equal(facts(await b).pid, second);
    assert.equal(facts(await c).pid, second);
    letGo(first!);
    assert.equal(facts(await a).pid, first);
  });

  it('reject: takes as many as there are processes', async () => {
    make();
    const queue = { policy: 'reject' } as const;
    const taken = [ask(engine, 'a', undefined, queue), ask(engine, 'b', undefined, queue)];
    await fails(ask(engine, 'c', undefined, queue), 'M2FP_BUSY');
    await Promise.all(taken);
  });

  it('goes on with the other where one crashes', async () => {
    make();
    await engine.load();
    const [first, second] = pids();
    const dying = ask(engine, 'exit 1');
    const held = ask(engine, 'hold');
    await fails(dying, 'M2FP_ENGINE_CRASHED');
    const next = ask(engine, 'b');
    await clock.armed(500);
    letGo(second!);
    assert.equal(facts(await held).pid, second);
    assert.equal(facts(await next).pid, second, 'it did not wait for the end of the pause');
    clock.advance(500);
    await engine.load();
    const { restarts, processes } = engine.info();
    assert.deepEqual([restarts, ...processes.map((one) => one.restarts)], [1, 1, 0]);
    assert.notEqual(pids()[0], first);
  });

  it('counts the crashes of both together', async () => {
    make({ policy: { maxCrashes: 4 } });
    for (const round of [1, 2]) {
      await engine.load();
      await Promise.all(
        ['x', 'y'].map((name) => fails(ask(engine, `exit 1 ${name} ${round}`), 'M2FP_ENGINE_CRASHED')),
      );
      clock.advance(60);
      if (round === 1) clock.advance(2000);
    }
    await fails(ask(engine, 'fine'), 'M2FP_ENGINE_CRASHED', /crashed 4 times .*stays down/);
    assert.equal(engine.info().state, 'failed');
    assert.deepEqual(states(), ['failed', 'failed']);
  });

  it('fails to load only where no process comes up', async () => {
    make({ atLoad: 'fail M2FP_MODEL_INVALID' });
    await fails(engine.load(), 'M2FP_MODEL_INVALID');
    assert.equal(engine.info().state, 'failed');
  });

  it('waits with unload for what both run', async () => {
    make();
    await engine.load();
    const [first, second] = pids();
    const running = [ask(engine, 'hold'), ask(engine, 'hold')];
    const unloaded = engine.unload();
    letGo(first!);
    letGo(second!);
    await Promise.all(running);
    await unloaded;
    assert.deepEqual(
      [first, second].map((pid) => isAlive(pid!)),
      [false, false],
    );
    assert.equal(engine.info().state, 'idle');
  });

  it('has as many processes as the machine suggests where that is left to it', () => {
    make({ processes: 0, machine: { cores: 12, freeMemory: 100e9, memory: 128e9 } });
    const { processes, threads } = engine.info();
    assert.deepEqual([processes.length, threads], [3, 4]);
  });
});

describe('ProcessPool', () => {
  leavesNothingBehind();

  it('goes on after a step that went wrong', async () => {
    const clock = new FakeClock();
    let trouble = false;
    let asked = 0;
    const pool = new ProcessPool({
      size: { processes: 1, threads: 1 },
      supervisor: {
        entry: FAKE_CHILD,
        load: () => ({ model: '/fake/fine', digest: '', digests: [], threads: 1, warmUp: false }),
        limits: () => ({ timeout: 0, maxMemory: 0 }),
        policy: DEFAULT_RESTART_POLICY,
        crashes: new CrashLog(clock, DEFAULT_RESTART_POLICY),
      },
      owner: {
        waiting: 0,
        clock,
        labels: { model: 'test/model', digest: '' },
        next() {
          asked++;
          if (trouble) throw new Error('trouble');
          return undefined;
        },
        isWanted: () => true,
        onResult() {},
        onUnavailable() {},
        onChange() {},
      },
    });
    await pool.load();
    trouble = true;
    assert.throws(() => pool.pump(), /trouble/);
    trouble = false;
    const before = asked;
    pool.pump();
    assert.equal(asked, before + 1);
    await pool.stop();
  });
});

describe('an engine that is idle', () => {
  const open = localEngineUnderTest();
  let clock: FakeClock;
  let engine: LocalEngine;

  beforeEach(() => {
    ({ clock, engine } = open({ idleUnload: 1000 }));
  });

  it('ends its process after the time without a request, and starts it with the next', async () => {
    await ask(engine, 'a');
    clock.advance(999);
    const { pid } = engine.info();
    assert.equal(facts(await ask(engine, 'b')).pid, pid);
    clock.advance(999);
    assert.equal(engine.info().state, 'ready');
    clock.advance(1);
    await until(engine, ({ state }) => state === 'idle');
    const next = facts(await ask(engine, 'c'));
    assert.equal(next.count, 1);
    assert.equal(engine.info().restarts, 0);
  });

  it('does not count a picture that runs', async () => {
    await engine.load();
    const running = ask(engine, 'hold');
    clock.advance(5000);
    assert.equal(engine.info().state, 'running');
    letGo(engine.info().pid);
    await running;
    assert.deepEqual(clock.pending(), [1000]);
  });
});
