/** Started anew, an engine loses nobody: what was asked before has the old processes, what comes later the new ones. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isAlive } from '../../../support/processes.ts';
import { dropReasonOf } from '../../../../src/engine/queue/dropped.ts';
import { FakeClock, ask, askAgain, facts, fails, fakeEngine, letGo } from '../../support/fakes.ts';
import { localEngineUnderTest, release } from '../../support/local-engine.ts';

describe('LocalEngine', () => {
  const make = localEngineUnderTest();

  describe('restart', () => {
    for (const processes of [1, 2]) {
      it(`has what was asked before end in the old ${processes}, and what comes later in new ones`, async () => {
        const { engine } = make({ processes, maxQueue: 32 });
        await engine.load();
        const old = engine.info().processes.map(({ pid }) => pid!);
        const before = ['a', 'b', 'c'].map((text) => ask(engine, text));
        const restarted = engine.restart();
        const after = ['d', 'e'].map((text) => ask(engine, text));
        const pidsOf = async (asked: typeof before) =>
          (await Promise.all(asked)).map((parsing) => facts(parsing).pid);
        assert.ok((await pidsOf(before)).every((pid) => old.includes(pid)));
        assert.ok((await pidsOf(after)).every((pid) => !old.includes(pid)));
        const { state, restarts } = await restarted;
        assert.ok(['ready', 'running'].includes(state));
        assert.equal(restarts, 0, 'nothing was lost');
        assert.deepEqual(old.map(isAlive), Array(processes).fill(false));
      });
    }

    it('replaces the older picture of a camera across it, and runs the newest', async () => {
      const { engine } = make();
      await engine.load();
      const camera = (text: string) => ask(engine, text, undefined, { policy: 'latest', lane: 'camera' });
      const all = [camera('hold'), camera('b')];
      const restarted = engine.restart();
      all.push(camera('c'), camera('d'));
      release(engine);
      const ends = await Promise.allSettled(all);
      assert.deepEqual(
        ends.map((end) =>
          end.status === 'fulfilled' ? facts(end.value).text : dropReasonOf(end.reason as Error),
        ),
        ['hold', 'replaced', 'replaced', 'd'],
      );
      await restarted;
    });

    it('loads where nothing runs, and waits for a load that is under way', async () => {
      const { engine } = make();
      assert.equal((await engine.restart()).state, 'ready');
      await engine.unload();
      const [loaded, restarted] = await Promise.all([engine.load(), engine.restart()]);
      assert.equal(loaded.state, 'ready');
      assert.equal(restarted.state, 'ready');
    });

    it('twice, with an unload and a load in between: in turn, and nobody is cancelled', async () => {
      const { engine } = make();
      const ends = await Promise.all([
        ask(engine, 'a'),
        engine.restart(),
        ask(engine, 'b'),
        engine.restart(),
        engine.unload(),
        ask(engine, 'c'),
        engine.load(),
        engine.restart(),
      ]);
      assert.equal(ends.length, 8);
      assert.equal(engine.info().state, 'ready');
    });

    it('forgets kept results and what has crashed it', async () => {
      const { engine } = make({ cacheSize: 1, policy: { maxCrashes: 1 } });
      await askAgain(engine, 'a');
      await engine.restart();
      assert.equal(engine.info().cache?.entries, 0);
      await fails(ask(engine, 'exit 1'), 'M2FP_ENGINE_CRASHED');
      await fails(ask(engine, 'a'), 'M2FP_ENGINE_CRASHED', /stays down/);
      await engine.restart();
      await ask(engine, 'a');
    });

    it('that fails tells those that came meanwhile why', async () => {
      const { engine } = make({ atLoad: 'fail M2FP_MODEL_INVALID' });
      const restarted = engine.restart();
      const outcome = fails(ask(engine, 'a'), 'M2FP_MODEL_INVALID');
      await fails(restarted, 'M2FP_MODEL_INVALID');
      await outcome;
    });

    it('takes no other picture into a process that is about to end, where one still holds it up', async () => {
      const { engine } = make({ processes: 2 });
      await engine.load();
      const [first, second] = engine.info().processes.map(({ pid }) => pid!);
      const running = ask(engine, 'hold');
      const restarted = engine.restart();
      const later = ask(engine, 'b');
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert.equal(engine.info().waiting, 1);
      assert.deepEqual(
        [first, second].map((pid) => isAlive(pid!)),
        [true, true],
      );
      letGo(first!);
      letGo(second!);
      await running;
      assert.ok(![first, second].includes(facts(await later).pid));
      await restarted;
    });

    it('closed in the middle of it is closed', async () => {
      const { engine } = make();
      await engine.load();
      const running = ask(engine, 'hold');
      const restarted = engine.restart();
      const later = ask(engine, 'b');
      const outcomes = [fails(restarted, 'M2FP_CANCELLED'), fails(later, 'M2FP_CANCELLED', /closed/)];
      const closed = engine.close();
      release(engine);
      await running;
      await Promise.all([...outcomes, closed]);
      await fails(engine.restart(), 'M2FP_CANCELLED');
    });
  });

  it('ends each picture once and cancels none, whatever is restarted and unloaded in whatever order', async function () {
    this.timeout(60_000);
    make();
    const step = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          text: fc.constantFrom('a', 'b', 'slow 5', 'exit 1', 'fail M2FP_BAD_IMAGE'),
          policy: fc.constantFrom('wait', 'latest', 'reject'),
          priority: fc.integer({ min: 0, max: 1 }),
        } as const),
      },
      { weight: 3, arbitrary: fc.constantFrom('restart' as const, 'unload' as const, 'turn' as const) },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 4, maxLength: 16, size: 'max' }),
        fc.integer({ min: 1, max: 2 }),
        async (steps, processes) => {
          const clock = new FakeClock();
          const engine = fakeEngine({ clock, processes, maxQueue: 64, policy: { maxCrashes: 1000 } });
          const ends: string[] = [];
          const asked: Promise<unknown>[] = [];
          const note = (promise: Promise<unknown>): void => {
            asked.push(
              promise.then(
                () => void ends.push('ok'),
                (error: { code?: string }) => void ends.push(error.code ?? 'dropped'),
              ),
            );
          };
          for (const next of steps) {
            if (next === 'turn') await new Promise((resolve) => setTimeout(resolve, 20));
            else if (next === 'restart') note(engine.restart());
            else if (next === 'unload') note(engine.unload());
            else {
              const { text, policy, priority } = next;
              note(ask(engine, text, undefined, { policy, priority, lane: policy, limit: 64 }));
            }
          }
          // Pauses after crashes pass.
          const passing = setInterval(() => clock.advance(500), 5);
          await Promise.all(asked);
          clearInterval(passing);
          assert.equal(ends.length, asked.length);
          assert.ok(!ends.includes('M2FP_CANCELLED'), ends.join());
          const { waiting, running } = engine.info();
          assert.deepEqual({ waiting, running }, { waiting: 0, running: 0 });
          await engine.close();
          assert.deepEqual(clock.pending(), []);
        },
      ),
      { numRuns: 6 },
    );
  });
});
