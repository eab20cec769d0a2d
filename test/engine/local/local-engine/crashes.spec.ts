/** An engine whose process dies, or says what it should not. */
import assert from 'node:assert/strict';
import { crashEvents } from '../../../../src/engine/events.ts';
import type { LocalEngine } from '../../../../src/engine/local/local-engine.ts';
import type { EngineInfo } from '../../../../src/engine/types.ts';
import { healthOf } from '../../../../src/observe/health.ts';
import { isAlive } from '../../../support/processes.ts';
import { ask, askAgain, type FakeClock, facts, fails, gone, until } from '../../support/fakes.ts';
import { localEngineUnderTest, release } from '../../support/local-engine.ts';

describe('LocalEngine', () => {
  const make = localEngineUnderTest();

  describe('a crash', () => {
    it('fails the running one with code and last words; the waiting go on in a new process', async () => {
      const { engine, clock } = make();
      await engine.load();
      const old = engine.info().pid!;
      const running = ask(engine, 'exit 7');
      const waiting = [ask(engine, 'b'), ask(engine, 'c')];
      await assert.rejects(running, (error: Error & { code?: string }) => {
        assert.equal(error.code, 'M2FP_ENGINE_CRASHED');
        assert.match(error.message, /exited with code 7\..*last words before 7$/s);
        assert.ok(error.message.length < 4400, 'only the tail of what it wrote');
        return true;
      });
      await clock.armed(500);
      clock.advance(500);
      const answers = await Promise.all(waiting);
      assert.deepEqual(
        answers.map((parsing) => facts(parsing).text),
        ['b', 'c'],
      );
      assert.notEqual(facts(answers[0]!).pid, old);
      assert.equal(engine.info().restarts, 1);
    });

    it('names the signal', async () => {
      const { engine } = make();
      await fails(ask(engine, 'kill'), 'M2FP_ENGINE_CRASHED', /signal SIGKILL.*memory/);
    });

    it('by kill -9 from outside in the middle of a run hurts only the running one', async () => {
      const { engine, clock } = make();
      await engine.load();
      const running = ask(engine, 'spin');
      const waiting = ask(engine, 'b');
      process.kill(engine.info().pid!, 'SIGKILL');
      await fails(running, 'M2FP_ENGINE_CRASHED', /SIGKILL/);
      await clock.armed(500);
      clock.advance(500);
      assert.equal(facts(await waiting).text, 'b');
    });

    it('by kill -9 while nothing runs hurts nobody', async () => {
      const { engine, clock } = make();
      await engine.load();
      const old = engine.info().pid!;
      const told: string[] = [];
      const end = crashEvents.subscribe(({ message }) => told.push(message));
      process.kill(old, 'SIGKILL');
      await until(engine, ({ state }) => state === 'idle');
      assert.match(told.join(), /^The engine process was ended by the signal SIGKILL/);
      const next = ask(engine, 'a');
      await clock.armed(500);
      clock.advance(500);
      assert.equal(facts(await next).count, 1);
      await fails(ask(engine, 'exit 1'), 'M2FP_ENGINE_CRASHED');
      end();
      assert.equal(told.length, 1, 'what a request tells of is not told twice');
    });

    it('tells an uncaught exception of the child', async () => {
      const { engine } = make();
      await fails(ask(engine, 'throw'), 'M2FP_ENGINE_CRASHED', /code 1\..*thrown in the child/s);
    });

    it('does not take back an answer that came before it', async () => {
      const { engine, clock } = make();
      const answered = ask(engine, 'then-exit');
      const waiting = ask(engine, 'b');
      assert.equal(facts(await answered).text, 'then-exit');
      // The next picture either found the process dying, and failed with it, or waited for the new one.
      const outcome = waiting.then(
        (parsing) => facts(parsing).text,
        (error: { code: string }) => error.code,
      );
      void clock.armed(500).then(() => clock.advance(500));
      assert.ok(['b', 'M2FP_ENGINE_CRASHED'].includes(await outcome));
      await engine.unload();
    });

    it('doubles the pause with each crash up to the longest; a success resets it', async () => {
      const { engine, clock } = make({ policy: { maxCrashes: 100 } });
      for (const pause of [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
        await fails(ask(engine, 'exit 1'), 'M2FP_ENGINE_CRASHED');
        const load = engine.load();
        await clock.armed(pause);
        clock.advance(pause);
        await load;
      }
      await ask(engine, 'fine');
      await fails(ask(engine, 'exit 1'), 'M2FP_ENGINE_CRASHED');
      const next = ask(engine, 'fine');
      await clock.armed(500);
      clock.advance(500);
      await next;
    });

    it('needs no pause where the time has passed anyway', async () => {
      const { engine, clock } = make();
      await fails(ask(engine, 'exit 1'), 'M2FP_ENGINE_CRASHED');
      clock.advance(500);
      await ask(engine, 'fine');
    });

    describe('five times in a row within a minute', () => {
      /** Has the process crash so often, by another picture each time. */
      const crash = async (times: number): Promise<void> => {
        for (let time = 0; time < times; time++) {
          const running = ask(engine, `exit 9 ${time}`);
          await fails(running, 'M2FP_ENGINE_CRASHED', /exited with code 9/);
          clock.advance(engine.info().state === 'failed' ? 0 : 8000);
        }
      };
      const refusal = /crashed 5 times in a row.* tried again in 10 s, or at once when .*exited with code 9/s;
      let engine: LocalEngine;
      let clock: FakeClock;

      beforeEach(async () => {
        ({ engine, clock } = make());
        await crash(4);
      });

      it('lets it be for a while, and says for how long', async () => {
        const last = ask(engine, 'exit 9 last');
        const waiting = ask(engine, 'b');
        await fails(last, 'M2FP_ENGINE_CRASHED');
        await fails(waiting, 'M2FP_ENGINE_CRASHED', refusal);
        await fails(ask(engine, 'fine'), 'M2FP_ENGINE_CRASHED', refusal);
        const { state, failure, pid, retryIn } = engine.info();
        assert.deepEqual({ state, pid, retryIn }, { state: 'failed', pid: null, retryIn: 10_000 });
        assert.match(failure!.message, refusal);
        clock.advance(6500);
        assert.match(engine.info().failure!.message, /tried again in 4 s/);
        const [reason] = healthOf({ engines: [engine.info()] }).reasons;
        assert.match(reason!.message, /tried again in 4 s/);
        const seen: EngineInfo[] = [];
        const end = engine.subscribe((info) => seen.push(info));
        await fails(ask(engine, 'fine'), 'M2FP_ENGINE_CRASHED');
        end();
        assert.deepEqual(seen, [], 'it is refused without a stir');
      });

      it('comes back by itself when the pause is over, before anybody asks', async () => {
        await crash(1);
        clock.advance(10_000);
        const { failure, retryIn } = await until(engine, ({ state }) => state === 'ready');
        assert.deepEqual({ failure, retryIn }, { failure: null, retryIn: null });
        await ask(engine, 'fine');
        await crash(4);
        assert.notEqual(engine.info().state, 'failed', 'a picture that was parsed ends the trouble');
      });

      it('waits twice as long where the next try crashes, up to ten minutes; load resets that', async () => {
        await crash(1);
        for (const pause of [10, 20, 40, 80, 160, 320, 600, 600, 600]) {
          assert.equal(engine.info().retryIn, pause * 1000);
          clock.advance(pause * 1000 - 1);
          assert.equal(engine.info().state, 'failed');
          clock.advance(1);
          await until(engine, ({ state }) => state === 'ready');
          await fails(ask(engine, `exit 9 after ${pause}`), 'M2FP_ENGINE_CRASHED');
          clock.advance(0);
        }
        await engine.load();
        await ask(engine, 'fine');
        await crash(5);
        assert.equal(engine.info().retryIn, 10_000);
      });

      it('is tried at once when it is told to load', async () => {
        await crash(1);
        await engine.load();
        await ask(engine, 'fine');
        assert.equal(engine.info().failure, null);
        assert.deepEqual(clock.pending(), []);
      });

      it('is not tried by itself where it was unloaded', async () => {
        await crash(1);
        await engine.unload();
        assert.deepEqual([clock.pending(), engine.info().retryIn], [[], null]);
        clock.advance(10_000);
        assert.equal(engine.info().state, 'idle');
        await ask(engine, 'fine');
      });

      it('does not count them where others are parsed in between', async () => {
        for (let time = 0; time < 10; time++) {
          await ask(engine, 'fine');
          await fails(ask(engine, `exit 9 ${time}`), 'M2FP_ENGINE_CRASHED');
          clock.advance(1000);
        }
        assert.equal(engine.info().failure, null);
      });
    });

    it('five times over more than a minute is bearable', async () => {
      const { engine, clock } = make();
      for (let i = 0; i < 6; i++) {
        await fails(ask(engine, `exit 9 ${i}`), 'M2FP_ENGINE_CRASHED');
        clock.advance(20_000);
      }
      await ask(engine, 'fine');
    });
  });

  describe('a picture that crashes the process', () => {
    it('twice is refused from then on, until load is called', async () => {
      const { engine, clock } = make();
      const crash = async (text: string) => {
        const running = askAgain(engine, text);
        await fails(running, 'M2FP_ENGINE_CRASHED');
        clock.advance(30_000);
      };
      await crash('exit 1');
      await crash('exit 1');
      await fails(askAgain(engine, 'exit 1'), 'M2FP_BAD_IMAGE', /crashed the engine twice/);
      await ask(engine, 'exit-like');
      assert.equal(engine.info().restarts, 2);
      await engine.load();
      await crash('exit 1');
    });

    it('twice is refused also where it waits already', async () => {
      const { engine, clock } = make();
      await engine.load();
      const [first, third, second] = [0, 1, 2].map((priority) => askAgain(engine, 'exit 1', priority));
      const other = askAgain(engine, 'fine', -1);
      await fails(first!, 'M2FP_ENGINE_CRASHED');
      await clock.armed(500);
      clock.advance(500);
      await fails(second!, 'M2FP_ENGINE_CRASHED');
      await clock.armed(1000);
      clock.advance(1000);
      await fails(third!, 'M2FP_BAD_IMAGE');
      await other;
    });

    it('by chance, and passes the next time, is trusted again', async () => {
      const { engine, clock } = make();
      for (let i = 0; i < 2; i++) {
        const running = askAgain(engine, 'hold');
        await until(engine, ({ state }) => state === 'running');
        process.kill(engine.info().pid!, 'SIGKILL');
        await fails(running, 'M2FP_ENGINE_CRASHED');
        clock.advance(30_000);
        const again = askAgain(engine, 'hold');
        await until(engine, ({ state }) => state === 'running');
        release(engine);
        await again;
      }
    });

    it('is not what a time limit says of it', async () => {
      const { engine, clock } = make({ timeout: 10 });
      for (let i = 0; i < 3; i++) {
        const running = askAgain(engine, 'hang');
        await until(engine, ({ state }) => state === 'running');
        clock.advance(10);
        await fails(running, 'M2FP_TIMEOUT');
      }
    });
  });

  describe('a child that talks nonsense', () => {
    for (const text of ['wrong-id', 'malformed', 'malformed-error', 'wrong-kind']) {
      it(`${text}: is killed and replaced`, async () => {
        const { engine, clock } = make();
        await engine.load();
        const old = engine.info().pid!;
        const running = ask(engine, text);
        const waiting = ask(engine, 'b');
        await fails(running, 'M2FP_ENGINE_CRASHED', /out of turn/);
        await clock.armed(500);
        clock.advance(500);
        assert.notEqual(facts(await waiting).pid, old);
        assert.equal(isAlive(old), false);
      });
    }

    it('answers twice: is killed, and the answer stands', async () => {
      const { engine, clock } = make();
      await engine.load();
      const old = engine.info().pid!;
      assert.equal(facts(await ask(engine, 'twice')).text, 'twice');
      await gone(old);
      clock.advance(500);
      await ask(engine, 'fine');
    });

    it('sends what is none of our messages: is let be', async () => {
      const { engine } = make();
      assert.equal(facts(await ask(engine, 'foreign')).text, 'foreign');
      assert.equal(facts(await ask(engine, 'b')).count, 2);
    });

    it('closes its channel and stays: is killed after a second', async () => {
      const { engine, clock } = make({ timeout: 0 });
      await engine.load();
      const old = engine.info().pid!;
      const running = ask(engine, 'disconnect');
      await clock.armed(1000);
      clock.advance(1000);
      await fails(running, 'M2FP_ENGINE_CRASHED', /closed its channel/);
      await gone(old);
    });
  });
});
