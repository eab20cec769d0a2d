/** The option maxMemory, on the fake child: what a process reports, and what the system says of it. */
import assert from 'node:assert/strict';
import { restartEvents } from '../../../src/engine/events.ts';
import type { LocalEngine } from '../../../src/engine/local/local-engine.ts';
import { residentBytes } from '../../../src/engine/local/process-memory.ts';
import { type FakeClock, ask, askAgain, facts, fails, until } from '../support/fakes.ts';
import { localEngineUnderTest } from '../support/local-engine.ts';

describe('the memory limit', () => {
  let clock: FakeClock;
  let engine: LocalEngine;
  let reasons: string[];
  let end: () => void;
  const make = (options: Parameters<typeof open>[0]) => {
    ({ clock, engine } = open(options));
    return engine;
  };

  beforeEach(() => {
    reasons = [];
    end = restartEvents.subscribe(({ reason }) => reasons.push(reason));
  });

  afterEach(() => end());

  const open = localEngineUnderTest();

  it('has a process that has grown past it replaced between two pictures', async () => {
    make({ maxMemory: 1000 });
    const first = facts(await ask(engine, 'rss 1000'));
    assert.equal(facts(await ask(engine, 'a')).pid, first.pid);
    const last = ask(engine, 'rss 1001');
    const waiting = ask(engine, 'b');
    assert.equal(facts(await last).pid, first.pid, 'the picture is not lost');
    assert.notEqual(facts(await waiting).pid, first.pid);
    assert.deepEqual(reasons, ['memory']);
    assert.equal(engine.info().restarts, 1);
  });

  it('starts the next process without being asked, and without a pause: it is no crash', async () => {
    make({ maxMemory: 1000, policy: { maxCrashes: 1 } });
    for (let i = 0; i < 3; i++) {
      await ask(engine, `rss 2000 ${i}`);
      await until(engine, ({ state }) => state === 'ready');
    }
    assert.equal(engine.info().restarts, 3);
    assert.deepEqual(clock.pending(), []);
  });

  it('kills a run far past it, and says what to do', async function () {
    if (residentBytes(process.pid) === null) this.skip();
    // Node.js alone takes more.
    make({ maxMemory: 11 });
    await engine.load();
    const running = ask(engine, 'spin');
    const waiting = ask(engine, 'b');
    clock.advance(250);
    await fails(running, 'M2FP_ENGINE_CRASHED', /took \d\d+ MiB .*maxMemory at 11 MiB.*allow more/);
    await waiting;
    assert.deepEqual(reasons, ['memory']);
  });

  it('refuses a picture that had two processes killed', async function () {
    if (residentBytes(process.pid) === null) this.skip();
    make({ maxMemory: 11 });
    for (let i = 0; i < 2; i++) {
      const running = askAgain(engine, 'hang');
      await until(engine, ({ state }) => state === 'running');
      clock.advance(250);
      await fails(running, 'M2FP_ENGINE_CRASHED');
    }
    await fails(askAgain(engine, 'hang'), 'M2FP_BAD_IMAGE', /crashed the engine twice/);
    await ask(engine, 'fine');
  });

  it('that the model alone does not keep is an error, not an endless loading', async () => {
    make({ maxMemory: 9 });
    await fails(engine.load(), 'M2FP_BAD_OPTION', /maxMemory allows 9 MiB, .* alone takes 10 MiB/);
    await fails(ask(engine, 'a'), 'M2FP_BAD_OPTION');
    assert.equal(engine.info().restarts, 0);
  });

  it('is what the machine allows where nobody says, and more for a model that needs more', async () => {
    const machine = { cores: 4, freeMemory: 1e9, memory: 1000 * 2 ** 20 };
    make({ maxMemory: null, machine });
    const first = facts(await ask(engine, 'rss 640'));
    assert.equal(facts(await ask(engine, 'a')).pid, first.pid);
    await ask(engine, 'rss 641');
    await until(engine, ({ restarts, state }) => restarts === 1 && state === 'ready');
    assert.deepEqual(reasons, ['memory']);
    await engine.close();
    // The model alone is at 10 MiB, which this machine does not even have.
    make({ maxMemory: null, machine: { ...machine, memory: 2 ** 20 } });
    await ask(engine, 'a');
    assert.equal(engine.info().restarts, 0);
  });

  it('of 0 is none', async () => {
    make({});
    const [a, b] = [await ask(engine, 'rss 100000'), await ask(engine, 'a')];
    assert.equal(facts(a).pid, facts(b).pid);
    const { processes } = engine.info();
    assert.equal(processes[0]!.rss, 100_000 * 2 ** 20);
  });
});

describe('residentBytes', () => {
  it('agrees with what the process itself says', function () {
    const outside = residentBytes(process.pid);
    if (outside === null) this.skip();
    assert.ok(Math.abs(outside / process.memoryUsage.rss() - 1) < 0.05);
  });

  it('does not know processes that are not there', () => {
    assert.equal(residentBytes(2 ** 30), null);
  });
});
