import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { DroppedRequest } from '../../src/engine/dropped.ts';
import { type Fate, type RequestEvent, requestEvents } from '../../src/engine/events.ts';
import { completeQueueOptions } from '../../src/engine/options.ts';
import { checkPicture } from '../../src/engine/picture.ts';
import { ResultSharing } from '../../src/engine/sharing.ts';
import type { ParseOptions, QueueOptions } from '../../src/engine/types.ts';
import { M2fpError } from '../../src/errors.ts';
import type { NetworkInput } from '../../src/image/types.ts';
import type { Parsing } from '../../src/parsing/types.ts';
import { FakeClock, MANIFEST } from './support/fakes.ts';
import { exampleParsing } from './support/parsings.ts';

const LABELS = { model: MANIFEST.id, digest: MANIFEST.digest.slice(0, 12) };

/** A computation that the test ends; it publishes as the engine does. */
class Computation {
  readonly text: string;
  readonly signal: AbortSignal;
  readonly promise: Promise<Parsing>;
  ended = false;
  readonly #image: Buffer;
  #resolve!: (parsing: Parsing) => void;
  #reject!: (error: unknown) => void;

  constructor(image: Buffer, signal: AbortSignal) {
    this.text = image.subarray(0, 20).toString();
    this.#image = image;
    this.signal = signal;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    signal.addEventListener('abort', () =>
      this.fail(new M2fpError('M2FP_CANCELLED', 'aborted'), 'cancelled'),
    );
  }

  finish(parsing = exampleParsing(this.#image)): void {
    this.#end(() => this.#resolve(parsing), 'completed');
  }

  fail(error: unknown, fate: Fate = 'failed'): void {
    this.#end(() => this.#reject(error), fate);
  }

  drop(reason: 'replaced' | 'expired'): void {
    this.fail(new DroppedRequest(reason), reason);
  }

  #end(settle: () => void, fate: Fate): void {
    if (this.ended) return;
    this.ended = true;
    requestEvents.publish({ engine: LABELS, fate, cached: false, queue: 1 });
    settle();
  }
}

interface Asked {
  image?: Buffer | NetworkInput;
  options?: ParseOptions;
  queue?: QueueOptions;
  signal?: AbortSignal;
}

describe('ResultSharing', () => {
  let clock: FakeClock;
  let computations: Computation[];
  let sharing: ResultSharing;
  let events: RequestEvent[];
  let unsubscribe: () => void;

  const open = (cacheSize = 0, maxQueue = 8): void => {
    sharing = new ResultSharing(MANIFEST, { cacheSize, maxQueue }, clock);
  };
  const ask = (asked: Asked | string = {}): Promise<Parsing> => {
    const {
      image = Buffer.from('a'),
      options = {},
      queue = {},
      signal,
    } = typeof asked === 'string' ? { image: Buffer.from(asked) } : asked;
    const picture = checkPicture(image, MANIFEST.input, options);
    return sharing.parse({ picture, options, queue: completeQueueOptions(queue), signal }, (abort) => {
      const computation = new Computation(picture.source, abort);
      computations.push(computation);
      return computation.promise;
    });
  };
  const fates = (): string[] => events.map(({ fate, cached }) => (cached ? `${fate} cached` : fate));
  const fails = (promise: Promise<unknown>, code: string): Promise<void> => assert.rejects(promise, { code });

  beforeEach(() => {
    clock = new FakeClock();
    computations = [];
    events = [];
    unsubscribe = requestEvents.subscribe((event) => events.push(event));
    open();
  });
  afterEach(() => unsubscribe());

  describe('in flight', () => {
    it('computes equal pictures once, and gives everyone an answer of its own', async () => {
      const images = [1, 2, 3].map(() => Buffer.from('same'));
      const asked = images.map((image) => ask({ image }));
      assert.equal(computations.length, 1);
      clock.advance(40);
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
      clock.advance(7);
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

  describe('with a cache', () => {
    beforeEach(() => open(1));

    it('answers later ones at once, each with a picture and a result of its own', async () => {
      const first = ask();
      computations[0]!.finish();
      await first;
      const image = Buffer.from('a');
      const [second, third] = await Promise.all([ask({ image }), ask()]);
      assert.equal(computations.length, 1);
      assert.equal(second.image, image);
      assert.equal(second.cached, true);
      assert.equal(second.timing.total, 0);
      assert.notEqual(second.parts, third.parts);
      assert.equal(sharing.info()!.entries, 1);
    });

    it('keeps what was computed for one who has left, and nothing after it was cleared', async () => {
      const abort = new AbortController();
      const first = ask({ signal: abort.signal });
      const second = ask();
      abort.abort();
      await fails(first, 'M2FP_CANCELLED');
      computations[0]!.finish();
      await second;
      assert.equal((await ask()).cached, true);
      sharing.clear();
      const again = ask();
      assert.equal(computations.length, 2);
      computations[1]!.finish();
      assert.equal((await again).cached, false);
    });

    it('does not answer with the result for other options', async () => {
      const first = ask();
      computations[0]!.finish();
      await first;
      const other = ask({ options: { scoreThreshold: 0.3 } });
      assert.equal(computations.length, 2);
      computations[1]!.finish();
      await other;
    });

    it('keeps the order of large and small pictures, and shares the large ones', async () => {
      const large = (): Buffer => Buffer.alloc(9e6, 'L');
      const asked = [ask({ image: large() }), ask('small'), ask({ image: large() })];
      assert.equal(computations.length, 0, 'the large one is hashed first');
      while (computations.length < 2) await new Promise(setImmediate);
      assert.deepEqual(
        computations.map(({ text }) => text),
        ['L'.repeat(20), 'small'],
      );
      for (const computation of computations) computation.finish();
      const [, , third] = await Promise.all(asked);
      assert.equal(third!.cached, true);
      assert.equal(computations.length, 2);
      // What comes after all were hashed needs no turn.
      void ask('other').catch(() => {});
      assert.equal(computations.length, 3);
    });

    it('forgets a large picture whose asker leaves while it is hashed', async () => {
      const abort = new AbortController();
      const first = ask({ image: Buffer.alloc(9e6), signal: abort.signal });
      const second = ask('small');
      abort.abort();
      await fails(first, 'M2FP_CANCELLED');
      while (computations.length < 1) await new Promise(setImmediate);
      assert.equal(computations[0]!.text, 'small');
      computations[0]!.finish();
      await second;
      assert.deepEqual(fates(), ['cancelled', 'completed']);
    });

    it('lets others have their turn after every MiB that it hashes', async () => {
      const asked = ask({ image: Buffer.alloc(32 * 2 ** 20) });
      let turns = 0;
      for (; computations.length < 1; turns++) await new Promise(setImmediate);
      assert.ok(turns >= 31, `${turns}`);
      computations[0]!.finish();
      await asked;
    });
  });

  it('takes over other options while pictures are in flight', async () => {
    const first = ask();
    sharing.configure({ cacheSize: 1, maxQueue: 0 });
    const second = ask();
    assert.equal(computations.length, 2, 'no room to share');
    for (const computation of computations) computation.finish();
    await Promise.all([first, second]);
    assert.equal((await ask()).cached, true, 'the second one came when results were kept');
    assert.equal(sharing.info()!.limit, 2 ** 20);
    sharing.configure({ cacheSize: 2, maxQueue: 8 });
    assert.deepEqual([sharing.info()!.limit, (await ask()).cached], [2 ** 21, true]);
    sharing.configure({ cacheSize: 0, maxQueue: 8 });
    assert.equal(sharing.info(), null);
    const last = ask();
    computations[2]!.finish();
    assert.equal((await last).cached, false);
  });

  it('ends every request once, and computes for nobody but those who wait, whatever happens', async () => {
    const command = fc.oneof(
      fc.record({
        do: fc.constant('ask' as const),
        text: fc.constantFrom('a', 'b'),
        policy: fc.constantFrom('wait' as const, 'latest' as const, 'reject' as const),
        limit: fc.integer({ min: 0, max: 3 }),
        priority: fc.integer({ min: 0, max: 1 }),
      }),
      fc.record({ do: fc.constant('leave' as const), at: fc.nat(30) }),
      fc.record({
        do: fc.constantFrom('finish' as const, 'fail' as const, 'drop' as const, 'busy' as const),
        at: fc.nat(30),
      }),
      fc.record({ do: fc.constant('clear' as const) }),
    );
    // Once found by chance: a newer picture of the same camera finds no room in the flight whose last one it replaces.
    const follow = { do: 'ask', text: 'b', policy: 'latest', priority: 0 } as const;
    const lastOneReplaced = [
      { ...follow, policy: 'wait' as const, limit: 0 },
      { ...follow, limit: 1 },
      { do: 'leave' as const, at: 0 },
      { ...follow, limit: 0 },
    ];
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 40 }), fc.boolean(), async (commands, kept) => {
        events = [];
        computations = [];
        open(kept ? 1 : 0, 3);
        const asked: { text: string; abort: AbortController; ends: string[] }[] = [];
        let finished = 0;
        const running = (): Computation[] => computations.filter(({ ended }) => !ended);
        for (const step of commands) {
          const chosen = 'at' in step ? running()[step.at % Math.max(1, running().length)] : undefined;
          if (step.do === 'ask') {
            const { text, policy, limit, priority } = step;
            const request = { text, abort: new AbortController(), ends: [] as string[] };
            asked.push(request);
            const image = Buffer.from(text);
            ask({ image, queue: { policy, limit, priority }, signal: request.abort.signal }).then(
              (parsing) => {
                // The picture that it brought itself.
                request.ends.push(parsing.image === image ? `cached ${parsing.cached}` : 'wrong picture');
                return undefined;
              },
              (error: { code?: string; dropped?: string }) => {
                request.ends.push(error.code ?? error.dropped ?? 'unknown');
              },
            );
          } else if (step.do === 'leave') asked[step.at % Math.max(1, asked.length)]?.abort.abort();
          else if (step.do === 'clear') sharing.clear();
          else if (step.do === 'finish') {
            if (chosen) finished++;
            chosen?.finish();
          } else if (step.do === 'fail') chosen?.fail(new M2fpError('M2FP_TIMEOUT', 'slow'));
          else if (step.do === 'drop') chosen?.drop('expired');
          else chosen?.fail(new M2fpError('M2FP_BUSY', 'full'), 'rejected');
          await new Promise(setImmediate);

          const waiting = asked.filter(({ ends }) => ends.length === 0);
          for (const { text } of running()) assert.ok(waiting.some((request) => request.text === text));
          for (const { text } of waiting)
            assert.ok(running().some((computation) => computation.text === text));
          assert.ok(running().length <= waiting.length);
        }
        for (; running().length > 0; await new Promise(setImmediate)) {
          finished++;
          running()[0]!.finish();
        }
        for (const { ends } of asked) assert.equal(ends.length, 1, ends.join());
        const ends = asked.flatMap((request) => request.ends);
        assert.equal(events.length, ends.length, `${fates().join()} for ${ends.join()}`);
        for (const [fate, end] of [
          ['completed', 'cached false'],
          ['completed cached', 'cached true'],
          ['failed', 'M2FP_TIMEOUT'],
        ]) {
          const told = ends.filter((text) => text === end).length;
          assert.equal(fates().filter((text) => text === fate).length, told, fate);
        }
        assert.equal(ends.includes('wrong picture'), false);
        assert.equal(
          ends.filter((end) => end === 'cached false').length,
          finished,
          'each result counts once',
        );
        assert.ok((sharing.info()?.bytes ?? 0) <= 2 ** 20);
      }),
      { numRuns: 300, examples: [[lastOneReplaced, false]] },
    );
  });
});
