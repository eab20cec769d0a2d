/** Pictures that workers elsewhere parse, here in memory. */
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { M2fpError } from '../../../../src/errors.ts';
import { dropReasonOf } from '../../../../src/engine/queue/dropped.ts';
import { requestEvents, type RequestEvent } from '../../../../src/engine/events.ts';
import type { NetworkInput } from '../../../../src/image/types.ts';
import { ask, askAgain, fails, MANIFEST } from '../../support/fakes.ts';
import { worker } from '../../support/fake-link.ts';
import { found, networkInput, TIMING } from '../../support/found.ts';
import { OTHER_MODEL, remoteEngineUnderTest } from '../../support/remote-engine.ts';

describe('RemoteEngine', () => {
  const subject = remoteEngineUnderTest();
  const { make, state, answer } = subject;

  describe('a request', () => {
    it('opens the link and gives a parsing around what the worker found', async () => {
      const { engine, clock, workers } = make();
      assert.equal(workers.opened, 0);
      const image = Buffer.from('a person');
      const promise = engine.parse({ image, options: { scoreThreshold: 0.5 } });
      await nextTurn();
      const [job] = workers.jobs;
      assert.deepEqual(job!.request, {
        digest: MANIFEST.digest,
        image,
        options: { scoreThreshold: 0.5 },
      });
      assert.equal(job!.terms!.model!.labels, MANIFEST.labels, 'the answer is compared with the model');
      clock.advance(250);
      job!.answer();
      const parsing = await promise;
      assert.equal(parsing.image, image, 'the very Buffer of the caller');
      assert.deepEqual(parsing, {
        ...found(),
        image,
        labels: ['a person'],
        model: { id: 'test/model', digest: MANIFEST.digest, precision: 'fp32', provider: 'cpu' },
        cached: false,
        timing: { ...TIMING, queue: 240, total: 250 },
      });
    });

    it('counts what clocks disagree about as no time in the line', async () => {
      const { engine, clock } = make();
      const promise = ask(engine, 'a');
      clock.advance(3);
      await answer();
      assert.equal((await promise).timing.queue, 0);
    });

    it('sends network input without its source picture', async () => {
      const { engine, workers } = make();
      const input = networkInput();
      const promise = engine.parse({ image: input });
      await answer();
      assert.equal((await promise).image, input.source.image);
      const sent = workers.jobs[0]!.request.image as NetworkInput;
      assert.equal(sent.source.image.length, 0);
      assert.deepEqual(sent.data, input.data);
    });

    it('fails with what the worker throws', async () => {
      const { engine, workers } = make();
      const promise = ask(engine, 'a');
      await nextTurn();
      workers.jobs[0]!.fail(new M2fpError('M2FP_BAD_IMAGE', 'No picture that I know.'));
      await fails(promise, 'M2FP_BAD_IMAGE', /that I know/);
      assert.equal(state(), 'ready');
    });

    it('is not tried a third time where two workers crashed over it', async () => {
      const { engine, workers } = make();
      for (let crash = 0; crash < 2; crash++) {
        const promise = askAgain(engine, 'poison');
        await nextTurn();
        workers.running[0]!.fail(new M2fpError('M2FP_ENGINE_CRASHED', 'Gone.'));
        await fails(promise, 'M2FP_ENGINE_CRASHED');
      }
      await fails(askAgain(engine, 'poison'), 'M2FP_BAD_IMAGE', /crashed the engine twice/);
      assert.equal(workers.jobs.length, 2);
      await engine.load();
      const again = askAgain(engine, 'poison');
      await answer();
      await again;
    });

    it('does not blame a picture for other failures, nor for one crash before a success', async () => {
      const { engine, workers } = make();
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
      // With a place for each, both would run.
      subject.workers.set(worker({ slots: 1 }));
      const { engine, workers } = make({ cacheSize: 1 });
      const both = [askAgain(engine, 'a'), askAgain(engine, 'a')];
      await answer();
      await Promise.all(both);
      assert.equal((await askAgain(engine, 'a')).cached, true);
      end();
      assert.equal(workers.jobs.length, 1);
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
      const { workers } = subject;
      workers.set(
        worker(),
        worker({ id: 'two', slots: 1 }),
        worker({ id: 'new', slots: 8, manifest: OTHER_MODEL }),
      );
      const { engine } = make();
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
      const { workers } = subject;
      workers.set(worker({ slots: 1 }));
      const { engine, clock } = make();
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
      const { workers } = subject;
      workers.set(worker({ slots: 1 }));
      const { engine } = make({ maxQueue: 0 });
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
      const { workers } = subject;
      workers.set(worker({ slots: 1 }));
      const { engine } = make();
      const abort = new AbortController();
      const first = ask(engine, 'a', abort.signal);
      const second = ask(engine, 'b');
      await nextTurn();
      abort.abort();
      assert.equal(workers.jobs[0]!.signal.aborted, true);
      await fails(first, 'M2FP_CANCELLED');
      await nextTurn();
      assert.deepEqual(workers.texts, ['b'], 'its place is free');
      await answer();
      await second;
    });
  });

  describe('the time limit', () => {
    it('runs from handing over to the answer', async () => {
      const { workers } = subject;
      workers.set(worker({ slots: 1 }));
      const { engine, clock } = make({ timeout: 1000 });
      const slow = ask(engine, 'slow');
      const next = ask(engine, 'next');
      await nextTurn();
      clock.advance(999);
      assert.equal(workers.running.length, 1);
      clock.advance(1);
      await fails(slow, 'M2FP_TIMEOUT', /"people" at redis:\/\/broker:6379 .* 1000 ms: allow more time/);
      assert.equal(workers.jobs[0]!.signal.aborted, true);
      await nextTurn();
      clock.advance(999);
      await answer();
      await next;
    });

    it('holds for the pictures that are handed over after it was changed', async () => {
      const { engine, clock } = make({ timeout: 1000 });
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
});
