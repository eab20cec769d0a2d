/** Requests that end before their answer. */
import assert from 'node:assert/strict';
import { restartEvents } from '../../../../src/engine/events.ts';
import type { LocalEngine } from '../../../../src/engine/local/local-engine.ts';
import { isAlive } from '../../../support/processes.ts';
import { ask, facts, fails, until } from '../../support/fakes.ts';
import { localEngineUnderTest, release } from '../../support/local-engine.ts';

describe('LocalEngine', () => {
  const make = localEngineUnderTest();

  describe('cancelling', () => {
    it('refuses what is cancelled already', async () => {
      const { engine } = make();
      await fails(ask(engine, 'fine', AbortSignal.abort()), 'M2FP_CANCELLED');
      assert.equal(engine.info().pid, null);
    });

    it('drops a waiting request at once', async () => {
      const { engine } = make({ maxQueue: 1 });
      await engine.load();
      const running = ask(engine, 'hold');
      const abort = new AbortController();
      const waiting = ask(engine, 'a', abort.signal);
      abort.abort();
      assert.equal(engine.info().waiting, 0);
      await fails(waiting, 'M2FP_CANCELLED');
      const next = ask(engine, 'b');
      release(engine);
      await running;
      assert.equal(facts(await next).count, 2, 'the child never saw the cancelled one');
    });

    it('abandons a running request, and its result, and goes on in the same process', async () => {
      const { engine } = make();
      await engine.load();
      const { pid } = engine.info();
      const abort = new AbortController();
      const running = ask(engine, 'hold', abort.signal);
      const next = ask(engine, 'b');
      abort.abort();
      await fails(running, 'M2FP_CANCELLED');
      assert.equal(engine.info().state, 'running');
      release(engine);
      assert.deepEqual(facts(await next), { pid, count: 2, text: 'b' });
    });

    describe('of a run that is long as against a load', () => {
      /** Loads take 1 s, runs 5 s. */
      async function makeSlow() {
        const { engine, clock } = make();
        const load = engine.load();
        await clock.armed(300_000);
        clock.advance(1000);
        await load;
        for (let i = 0; i < 2; i++) {
          const running = ask(engine, `hold ${i}`);
          clock.advance(5000);
          release(engine);
          await running;
        }
        return { engine, clock };
      }
      const abandon = async (engine: LocalEngine) => {
        const abort = new AbortController();
        const running = ask(engine, 'hold', abort.signal);
        abort.abort();
        await fails(running, 'M2FP_CANCELLED');
      };

      it('kills it at once where somebody waits', async () => {
        const { engine, clock } = await makeSlow();
        const { pid } = engine.info();
        const reasons: string[] = [];
        const end = restartEvents.subscribe(({ reason }) => reasons.push(reason));
        await abandon(engine);
        assert.equal(engine.info().pid, pid, 'nobody waits');
        assert.notEqual(facts(await ask(engine, 'b')).pid, pid);
        end();
        assert.deepEqual(reasons, ['cancelled']);
        assert.deepEqual(clock.pending(), []);
      });

      it('lets it finish where it is nearly over, and kills it when it is overdue', async () => {
        const { engine, clock } = await makeSlow();
        const { pid } = engine.info();
        const abort = new AbortController();
        const running = ask(engine, 'spin', abort.signal);
        clock.advance(4500);
        abort.abort();
        await fails(running, 'M2FP_CANCELLED');
        const next = ask(engine, 'b');
        clock.advance(1499);
        assert.deepEqual(clock.pending(), [1500, 60_000]);
        assert.equal(engine.info().pid, pid);
        clock.advance(1);
        assert.notEqual(facts(await next).pid, pid);
      });

      it('keeps it where the one who waits leaves as well', async () => {
        const { engine, clock } = await makeSlow();
        const { pid } = engine.info();
        const [first, second] = [new AbortController(), new AbortController()];
        const running = ask(engine, 'hold', first.signal);
        clock.advance(4500);
        const waiting = ask(engine, 'b', second.signal);
        first.abort();
        assert.deepEqual(clock.pending(), [1500, 60_000]);
        second.abort();
        assert.deepEqual(clock.pending(), [60_000]);
        await Promise.all([running, waiting].map((promise) => fails(promise, 'M2FP_CANCELLED')));
        release(engine);
        assert.equal(facts(await ask(engine, 'c')).pid, pid);
      });
    });

    it('comes too late after the answer', async () => {
      const { engine } = make();
      const abort = new AbortController();
      const parsing = await ask(engine, 'fine', abort.signal);
      abort.abort();
      assert.equal(facts(parsing).text, 'fine');
      assert.equal(engine.info().state, 'ready');
    });
  });

  describe('the time limit', () => {
    it('kills the process of the running one; the waiting go on in a new one', async () => {
      const { engine, clock } = make({ timeout: 1000 });
      await engine.load();
      const old = engine.info().pid!;
      const running = ask(engine, 'spin');
      const waiting = ask(engine, 'b');
      clock.advance(999);
      assert.equal(engine.info().pid, old);
      clock.advance(1);
      await fails(running, 'M2FP_TIMEOUT', /1000 ms/);
      assert.notEqual(facts(await waiting).pid, old);
      assert.equal(isAlive(old), false);
      assert.equal(engine.info().restarts, 1);
    });

    it('is 60 s by default, and starts when the child starts', async () => {
      const { engine, clock } = make();
      await engine.load();
      const running = ask(engine, 'hold');
      assert.deepEqual(clock.pending(), [60_000]);
      const waiting = ask(engine, 'hang');
      clock.advance(59_999);
      release(engine);
      await running;
      clock.advance(59_999);
      assert.equal(engine.info().state, 'running');
      clock.advance(1);
      await fails(waiting, 'M2FP_TIMEOUT');
    });

    it('is that of who asks, whatever the engine was told last', async () => {
      const { engine, clock } = make({ timeout: 1000 });
      await engine.load();
      const patient = engine.parse({ image: Buffer.from('hold'), limits: { timeout: 5000 } });
      clock.advance(4999);
      assert.equal(engine.info().state, 'running');
      release(engine);
      await patient;
      const impatient = engine.parse({ image: Buffer.from('spin'), limits: { timeout: 100 } });
      clock.advance(100);
      await fails(impatient, 'M2FP_TIMEOUT', /100 ms/);
      await assert.rejects(engine.parse({ image: Buffer.from('a'), limits: { timeout: -1 } }), {
        code: 'M2FP_BAD_OPTION',
      });
    });

    it('of 0 is none', async () => {
      const { engine, clock } = make({ timeout: 0 });
      await engine.load();
      const running = ask(engine, 'hold');
      assert.deepEqual(clock.pending(), []);
      release(engine);
      await running;
    });

    it('holds for an abandoned one too', async () => {
      const { engine, clock } = make();
      await engine.load();
      const abort = new AbortController();
      const running = ask(engine, 'spin', abort.signal);
      const waiting = ask(engine, 'b');
      abort.abort();
      await fails(running, 'M2FP_CANCELLED');
      clock.advance(60_000);
      assert.equal(facts(await waiting).count, 1);
    });

    it('is no crash: there is no pause and no end to it', async () => {
      const { engine, clock } = make({ timeout: 10 });
      for (let i = 0; i < 6; i++) {
        const running = ask(engine, 'spin');
        await until(engine, ({ state }) => state === 'running');
        clock.advance(10);
        await fails(running, 'M2FP_TIMEOUT');
      }
      await ask(engine, 'fine');
      assert.equal(engine.info().restarts, 6);
    });
  });
});
