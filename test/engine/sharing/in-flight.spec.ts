/** Equal pictures that are parsed at the same time. */
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { M2fpError } from '../../../src/errors.ts';
import type { NetworkInput } from '../../../src/image/types.ts';
import { fails, MANIFEST } from '../support/fakes.ts';
import { exampleParsing } from '../support/parsings.ts';
import { type Asked, type Computation, LABELS, sharingUnderTest } from '../support/sharing.ts';

describe('ResultSharing', () => {
  const subject = sharingUnderTest();
  const { computations, events, open, ask, fates } = subject;

  describe('in flight', () => {
    it('computes equal pictures once, and gives everyone an answer of its own', async () => {
      const images = [1, 2, 3].map(() => Buffer.from('same'));
      const asked = images.map((image) => ask({ image }));
      assert.equal(computations.length, 1);
      subject.clock.advance(40);
      computations[0]!.finish();
      const parsings = await Promise.all(asked);
      assert.deepEqual(
        parsings.map(({ cached }) => cached),
        [false, true, true],
      );
      parsings.forEach(({ image }, index) => assert.equal(image, images[index]));
      const stages = { queue: 0, decode: 0, preprocess: 0, inference: 0, postprocess: 0 };
      assert.deepEqual(parsings[1]!.timing, { ...stages, total: 40 });
      parsings[1]!.parts[0]!.label = 'changed';
      parsings[0]!.labels.length = 0;
      assert.equal(parsings[2]!.parts[0]!.label, 'Face');
      assert.equal(parsings[2]!.labels.length, 3);
      assert.deepEqual(Object.keys(parsings[1]!), Object.keys(parsings[0]!));
      assert.deepEqual(fates(), ['completed', 'completed cached', 'completed cached']);
      assert.deepEqual(events[1], { engine: LABELS, fate: 'completed', cached: true, queue: 0 });
    });

    it('listens to no signal any more when it has answered', async () => {
      const { signal } = new AbortController();
      const asked = [ask({ signal }), ask({ signal })];
      assert.equal(getEventListeners(signal, 'abort').length, 2);
      computations[0]!.finish();
      await Promise.all(asked);
      assert.equal(getEventListeners(signal, 'abort').length, 0);
    });

    it('computes again what has ended, where nothing is kept', async () => {
      const first = ask();
      computations[0]!.finish();
      await first;
      const second = ask();
      assert.equal(computations.length, 2);
      computations[1]!.finish();
      assert.equal((await second).cached, false);
    });

    it('takes pictures of other bytes, options or forms for others', () => {
      const input = (over: object = {}): NetworkInput => ({
        type: 'm2fp-input',
        width: 2,
        height: 1,
        data: Buffer.from('abcdef'),
        crop: { x: 0, y: 0, width: 2, height: 1 },
        rule: MANIFEST.input,
        source: { image: Buffer.alloc(0), width: 4, height: 2 },
        ...over,
      });
      const different: Asked[] = [
        { image: Buffer.from('abcdef') },
        { image: Buffer.from('abcdeg') },
        { image: Buffer.from('abcdef'), options: { scoreThreshold: 0.5 } },
        { image: Buffer.from('abcdef'), options: { shortSide: 32 } },
        { image: Buffer.from('abcdef'), options: { flip: true } },
        { image: input() },
        { image: input({ crop: { x: 0, y: 0, width: 1, height: 1 } }) },
        { image: input({ source: { image: Buffer.alloc(0), width: 8, height: 4 } }) },
        { image: input({ rule: { ...MANIFEST.input, shortSide: 32 } }) },
      ];
      const all = different.map((asked) => ask(asked));
      assert.equal(computations.length, different.length);
      const same: Asked[] = [
        // The sizes of the model, by name.
        { image: Buffer.from('abcdef'), options: { shortSide: 64, longSide: 128 } },
        { image: Buffer.from('abcdef'), options: { longSide: 128, shortSide: 32 } },
        // Another picture that became the same input.
        { image: input({ source: { image: Buffer.from('png'), width: 4, height: 2 } }) },
      ];
      all.push(...same.map((asked) => ask(asked)));
      assert.equal(computations.length, different.length);
      for (const computation of computations) computation.finish();
      return Promise.all(all);
    });

    it('lets one go without the others', async () => {
      const aborts = [0, 1, 2].map(() => new AbortController());
      const asked = aborts.map(({ signal }) => ask({ signal }));
      aborts[1]!.abort();
      await fails(asked[1]!, 'M2FP_CANCELLED');
      aborts[0]!.abort();
      await fails(asked[0]!, 'M2FP_CANCELLED');
      assert.equal(computations[0]!.signal.aborted, false);
      subject.clock.advance(7);
      computations[0]!.finish();
      const parsing = await asked[2]!;
      assert.equal(parsing.cached, false, 'what was computed is its own now');
      assert.deepEqual(parsing.timing, { ...exampleParsing().timing, total: 7 });
      assert.deepEqual(fates().toSorted(), ['cancelled', 'cancelled', 'completed']);
    });

    it('ends the computation when all have gone, and begins anew for the next one', async () => {
      const aborts = [0, 1].map(() => new AbortController());
      const asked = aborts.map(({ signal }) => ask({ signal }));
      for (const abort of aborts) abort.abort();
      for (const promise of asked) await fails(promise, 'M2FP_CANCELLED');
      assert.equal(computations[0]!.signal.aborted, true);
      const next = ask();
      assert.equal(computations.length, 2);
      computations[1]!.finish();
      await next;
      assert.deepEqual(fates().toSorted(), ['cancelled', 'cancelled', 'completed']);
    });

    it('begins anew for one who asks in the same step in which the last one leaves', async () => {
      const abort = new AbortController();
      const first = ask({ signal: abort.signal });
      abort.abort();
      const second = ask();
      assert.equal(computations.length, 2);
      computations[1]!.finish();
      await fails(first, 'M2FP_CANCELLED');
      await second;
    });

    it('does not begin for a signal that has aborted already', async () => {
      await fails(ask({ signal: AbortSignal.abort() }), 'M2FP_CANCELLED');
      assert.equal(computations.length, 0);
      assert.deepEqual(fates(), ['cancelled']);
    });

    it('tells all of a failure, and does not keep it', async () => {
      open(1);
      const asked = [ask(), ask()];
      computations[0]!.fail(new M2fpError('M2FP_ENGINE_CRASHED', 'gone'));
      for (const promise of asked) await fails(promise, 'M2FP_ENGINE_CRASHED');
      assert.deepEqual(fates(), ['failed', 'failed']);
      assert.equal(events[1]!.code, 'M2FP_ENGINE_CRASHED');
      const again = ask();
      assert.equal(computations.length, 2);
      computations[1]!.finish();
      await again;
    });

    it('tells all that the engine was unloaded', async () => {
      const asked = [ask(), ask()];
      computations[0]!.fail(new M2fpError('M2FP_CANCELLED', 'unloaded'), 'cancelled');
      for (const promise of asked) await fails(promise, 'M2FP_CANCELLED');
      assert.deepEqual(fates(), ['cancelled', 'cancelled']);
    });

    for (const [what, end, check] of [
      [
        'dropped',
        (computation: Computation) => computation.drop('expired'),
        (promise: Promise<unknown>) => assert.rejects(promise, { dropped: 'expired' }),
      ],
      [
        'refused',
        (computation: Computation) => computation.fail(new M2fpError('M2FP_BUSY', 'full'), 'rejected'),
        (promise: Promise<unknown>) => fails(promise, 'M2FP_BUSY'),
      ],
    ] as const) {
      it(`computes for the next one where the queue has ${what} the first`, async () => {
        const asked = [ask(), ask(), ask()];
        end(computations[0]!);
        await check(asked[0]!);
        assert.equal(computations.length, 2);
        end(computations[1]!);
        await check(asked[1]!);
        computations[2]!.finish();
        assert.equal((await asked[2]!).cached, false);
      });
    }

    it('computes for the next one also where the first had left before it was dropped', async () => {
      const abort = new AbortController();
      const first = ask({ signal: abort.signal });
      const second = ask();
      abort.abort();
      await fails(first, 'M2FP_CANCELLED');
      computations[0]!.drop('replaced');
      await computations[0]!.promise.catch(() => {});
      await Promise.resolve();
      computations[1]!.finish();
      await second;
      assert.deepEqual(fates(), ['replaced', 'completed'], 'one for each');
    });

    it('does not make one of a higher priority wait for one of a lower', async () => {
      const asked = [
        ask({ queue: { priority: 0 } }),
        ask({ queue: { priority: 1 } }),
        ask({ queue: { priority: 1 } }),
      ];
      assert.equal(computations.length, 2);
      for (const computation of computations) computation.finish();
      await Promise.all(asked);
    });

    it('lets only one picture of a camera share', async () => {
      const camera = { policy: 'latest', lane: 'node', key: 'door', limit: 2 } as const;
      const asked = [
        ask({ queue: camera }),
        ask({ queue: camera }),
        ask({ queue: { ...camera, key: 'yard' } }),
      ];
      asked.push(ask({ queue: camera }));
      await assert.rejects(asked[1]!, { dropped: 'replaced' });
      assert.equal(computations.length, 1, 'the older one has made room');
      computations[0]!.finish();
      for (const index of [0, 2, 3]) await asked[index];
      assert.deepEqual(fates(), ['replaced', 'completed', 'completed cached', 'completed cached']);
    });

    it('leaves it to the queue where many share already, of a lane or in all', async () => {
      open(0, 3);
      const one = { lane: 'one', limit: 2 };
      const asked = [1, 2, 3, 4].map(() => ask({ queue: one }));
      assert.equal(computations.length, 2, 'one that leads, two that follow, one on its own');
      asked.push(ask({ queue: { lane: 'two' } }));
      assert.equal(computations.length, 2);
      asked.push(ask({ queue: { lane: 'two' } }));
      assert.equal(computations.length, 3);
      for (const computation of computations) computation.finish();
      await Promise.all(asked);
    });
  });
});
