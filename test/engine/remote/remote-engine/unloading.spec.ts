/** How an engine lets go of its workers, for a while or for good. */
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ask, fails } from '../../support/fakes.ts';
import { worker } from '../../support/fake-link.ts';
import { remoteEngineUnderTest } from '../../support/remote-engine.ts';

describe('RemoteEngine', () => {
  const subject = remoteEngineUnderTest();
  const { make, state, answer, advancing } = subject;

  describe('unloading', () => {
    it('closes the link; the next picture opens it again', async () => {
      const { engine, workers } = make();
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
      const { engine, workers } = make();
      await engine.load();
      const unloaded = engine.unload();
      while (workers.links[0]!.state === 'open') await Promise.resolve();
      const promise = ask(engine, 'a');
      await unloaded;
      await answer();
      await promise;
      assert.equal(workers.opened, 2);
    });

    it('lets what runs and what waits finish', async () => {
      const { workers } = subject;
      workers.set(worker({ slots: 1 }));
      const { engine } = make();
      const running = ask(engine, 'a');
      const waiting = ask(engine, 'b');
      await nextTurn();
      const unloaded = engine.unload();
      await answer();
      await running;
      assert.equal(workers.open.length, 1);
      await answer();
      await Promise.all([waiting, unloaded]);
      assert.deepEqual(workers.open, []);
    });

    it('leaves the workers the time that they take; only closing takes it back, after the grace time', async () => {
      const { engine, clock } = make();
      const running = ask(engine, 'a');
      await nextTurn();
      const unloaded = engine.unload();
      clock.advance(10_000);
      await nextTurn();
      assert.equal(state(), 'running');
      const closed = engine.close();
      clock.advance(10_000);
      await fails(running, 'M2FP_CANCELLED', /unloaded/);
      await Promise.all([unloaded, closed]);
    });

    it('leaves the link to one who comes while the last one finishes', async () => {
      const { workers } = subject;
      workers.set(worker({ slots: 2 }));
      const { engine } = make();
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

    it('ends an opening under way, where no picture waits for it', async () => {
      const { workers } = subject;
      workers.holdOpening = true;
      const { engine } = make();
      const asserted = fails(engine.load(), 'M2FP_CANCELLED');
      await nextTurn();
      await engine.unload();
      await asserted;
      assert.equal(state(), 'idle');
      workers.holdOpening = false;
      await engine.load();
    });

    it('waits for an opening that a picture waits for', async () => {
      const { workers } = subject;
      workers.holdOpening = true;
      const { engine } = make();
      const waiting = ask(engine, 'a');
      await nextTurn();
      const unloaded = engine.unload();
      workers.holdOpening = false;
      workers.finishOpening();
      await answer();
      await Promise.all([waiting, unloaded]);
      assert.equal(state(), 'idle');
    });

    it('forgets a failure: the next picture looks for workers anew', async () => {
      const { workers } = subject;
      workers.set();
      const { engine } = make();
      await fails(advancing(ask(engine, 'a'), 30_000), 'M2FP_ENGINE_UNAVAILABLE');
      await engine.unload();
      assert.equal(state(), 'idle');
      workers.set(worker());
      const promise = ask(engine, 'b');
      await answer();
      await promise;
    });
  });

  describe('restarting', () => {
    it('asks the workers anew; what ran and what waits ends as ever', async () => {
      const { workers } = subject;
      workers.set(worker({ slots: 1 }));
      const { engine } = make();
      const running = ask(engine, 'a');
      const waiting = ask(engine, 'b');
      await nextTurn();
      const restarted = engine.restart();
      const later = ask(engine, 'c');
      await answer();
      await answer();
      await Promise.all([running, waiting]);
      await answer();
      assert.equal((await restarted).processes.length, 1);
      await later;
    });

    it('does what loading does where there was no link', async () => {
      const { engine } = make();
      await engine.restart();
      assert.equal(state(), 'ready');
    });

    it('fails where nobody comes, and what comes meanwhile fails with it, not cancelled', async () => {
      const { workers } = subject;
      const { engine } = make();
      await engine.load();
      workers.set();
      const restarted = engine.restart();
      const later = ask(engine, 'a');
      const outcomes = [
        fails(restarted, 'M2FP_ENGINE_UNAVAILABLE'),
        fails(advancing(later, 30_000), 'M2FP_ENGINE_UNAVAILABLE'),
      ];
      await Promise.all(outcomes);
    });
  });

  it('closed takes nothing any more', async () => {
    const { engine } = make();
    await engine.load();
    await engine.close();
    assert.equal(state(), 'closed');
    await fails(ask(engine, 'a'), 'M2FP_CANCELLED', /closed/);
    await fails(engine.load(), 'M2FP_CANCELLED', /closed/);
  });
});
