/** Equal pictures in one engine: each waits for its own turn, and is answered then with what the first one came to. */
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type RequestEvent, requestEvents } from '../../../src/engine/events.ts';
import type { RemoteEngine } from '../../../src/engine/remote/client/acquire.ts';
import { SwappingEngine } from '../../../src/engine/swap.ts';
import type { ParseRequest } from '../../../src/engine/types.ts';
import { M2fpError } from '../../../src/errors.ts';
import type { NetworkInput } from '../../../src/image/types.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import { fails, fakeEngine, MANIFEST } from '../support/fakes.ts';
import { worker } from '../support/fake-link.ts';
import { remoteEngineUnderTest } from '../support/remote-engine.ts';

describe('an engine that is asked for equal pictures', () => {
  const subject = remoteEngineUnderTest();
  let engine: RemoteEngine;
  let clock: ReturnType<typeof subject.make>['clock'];
  let events: RequestEvent[];
  let unsubscribe: () => void;
  const make = (options: Parameters<typeof subject.make>[0] = {}, slots = 1): void => {
    subject.workers.set(worker({ slots }));
    ({ engine, clock } = subject.make(options));
  };
  const ask = (request: Partial<ParseRequest> = {}): Promise<Parsing> =>
    engine.parse({ image: Buffer.from('same'), ...request });
  /** How many pictures workers have been given. */
  const parsed = (): number => subject.workers.jobs.length;
  const fates = (): string[] => events.map(({ fate, cached }) => (cached ? `${fate} cached` : fate));
  /** Answers all that workers get, one after the other. */
  const answerAll = async (): Promise<void> => {
    for (await nextTurn(); subject.workers.running.length > 0;) await subject.answer();
  };

  beforeEach(() => {
    events = [];
    unsubscribe = requestEvents.subscribe((event) => events.push(event));
  });
  afterEach(() => unsubscribe());

  it('parses them once, and gives each an answer of its own', async () => {
    make();
    const images = [1, 2, 3].map(() => Buffer.from('same'));
    const asked = images.map((image) => ask({ image }));
    await nextTurn();
    assert.deepEqual([parsed(), engine.info().waiting], [1, 2]);
    clock.advance(40);
    await answerAll();
    const parsings = await Promise.all(asked);
    assert.equal(parsed(), 1);
    assert.deepEqual(
      parsings.map(({ cached }) => cached),
      [false, true, true],
    );
    parsings.forEach(({ image }, index) => assert.equal(image, images[index]));
    const stages = { decode: 0, preprocess: 0, inference: 0, postprocess: 0 };
    assert.deepEqual(parsings[1]!.timing, { queue: 40, ...stages, total: 40 });
    assert.deepEqual(Object.keys(parsings[1]!), Object.keys(parsings[0]!));
    parsings[0]!.labels.length = 0;
    parsings[1]!.model.id = 'changed';
    assert.deepEqual([parsings[2]!.labels.length, parsings[2]!.model.id], [1, MANIFEST.id]);
    assert.deepEqual(fates(), ['completed', 'completed cached', 'completed cached']);
    assert.deepEqual(events[1], { engine: events[0]!.engine, fate: 'completed', cached: true, queue: 40 });
    assert.equal(engine.info().cache, null);
  });

  it('parses again what comes later, where nothing is kept', async () => {
    make();
    for (const time of [1, 2]) {
      const asked = ask();
      await answerAll();
      assert.equal((await asked).cached, false);
      assert.equal(parsed(), time);
    }
  });

  it('keeps to the line: what came in between has its turn before them', async () => {
    make();
    const ends: string[] = [];
    const asked = ['same', 'other', 'same'].map((text) =>
      ask({ image: Buffer.from(text) }).then(({ cached }) => ends.push(`${text} ${cached}`)),
    );
    await answerAll();
    await Promise.all(asked);
    assert.deepEqual(ends, ['same false', 'other false', 'same true']);
  });

  it('takes pictures of other bytes, options or forms for others', async () => {
    const input = (over: object = {}): NetworkInput => ({
      type: 'm2fp-input',
      width: 64,
      height: 64,
      data: Buffer.alloc(64 * 64 * 3, 7),
      crop: { x: 0, y: 0, width: 64, height: 64 },
      rule: MANIFEST.input,
      source: { image: Buffer.alloc(0), width: 4, height: 4 },
      ...over,
    });
    const image = Buffer.from('abcdef');
    const different: ParseRequest[] = [
      { image },
      { image: Buffer.from('abcdeg') },
      { image, options: { scoreThreshold: 0.5 } },
      { image, options: { shortSide: 32 } },
      { image, options: { flip: true } },
      { image: input() },
      { image: input({ data: Buffer.alloc(64 * 64 * 3, 8) }) },
      { image: input({ source: { image: Buffer.alloc(0), width: 8, height: 8 } }) },
    ];
    const same: ParseRequest[] = [
      // The sizes of the model, by name.
      { image: Buffer.from('abcdef'), options: { shortSide: 64, longSide: 128 } },
      { image: Buffer.from('abcdef'), options: { longSide: 128, shortSide: 32 } },
      // Another picture that became the same input.
      { image: input({ source: { image: Buffer.from('png'), width: 4, height: 4 } }) },
    ];
    make();
    const queue = { limit: 100 };
    const all = [...different, ...same].map((request) => ask({ ...request, queue }));
    await answerAll();
    const parsings = await Promise.all(all);
    assert.equal(parsed(), different.length);
    assert.deepEqual(
      parsings.map(({ cached }) => cached),
      [...different.map(() => false), ...same.map(() => true)],
    );
  });

  it('gives the result of one whose caller has gone to those who wait for an equal picture', async () => {
    make();
    const abort = new AbortController();
    const first = ask({ signal: abort.signal });
    const [second, third] = [ask(), ask()];
    await nextTurn();
    abort.abort();
    await fails(first, 'M2FP_CANCELLED');
    assert.equal(subject.workers.running.length, 1, 'it is not taken back');
    await answerAll();
    assert.deepEqual([(await second).cached, (await third).cached, parsed()], [true, true, 1]);
    assert.deepEqual(fates(), ['cancelled', 'completed cached', 'completed cached']);
    assert.equal(getEventListeners(abort.signal, 'abort').length, 0);
  });

  it('takes back what nobody waits for any more, equal ones included', async () => {
    make();
    const aborts = [1, 2].map(() => new AbortController());
    const asked = aborts.map(({ signal }) => ask({ signal }));
    await nextTurn();
    for (const abort of aborts) abort.abort();
    for (const promise of asked) await fails(promise, 'M2FP_CANCELLED');
    assert.deepEqual(subject.workers.running, []);
    const next = ask();
    await answerAll();
    assert.equal((await next).cached, false);
  });

  it('tries each for itself where the first one fails', async () => {
    make();
    const asked = [ask(), ask()];
    await nextTurn();
    subject.workers.running[0]!.fail(new M2fpError('M2FP_TIMEOUT', 'slow'));
    await fails(asked[0]!, 'M2FP_TIMEOUT');
    await answerAll();
    assert.equal((await asked[1]!).cached, false);
    assert.deepEqual(fates(), ['failed', 'completed']);
  });

  it('may parse two at once where two are free', async () => {
    make({}, 2);
    const asked = [ask(), ask(), ask()];
    await nextTurn();
    assert.equal(parsed(), 2);
    await answerAll();
    const parsings = await Promise.all(asked);
    assert.deepEqual(
      parsings.map(({ cached }) => cached),
      [false, false, true],
    );
  });

  it('holds to their own limits, ages and priorities', async () => {
    make();
    const first = ask();
    await nextTurn();
    await fails(ask({ queue: { policy: 'reject' } }), 'M2FP_BUSY');
    await fails(ask({ queue: { limit: 0 } }), 'M2FP_BUSY');
    const old = ask({ queue: { maxAge: 5 } });
    const urgent = ask({ queue: { priority: 1 } });
    clock.advance(5);
    await assert.rejects(old, { dropped: 'expired' });
    await answerAll();
    await Promise.all([first, urgent]);
    assert.equal(parsed(), 1);
  });

  describe('with a cache', () => {
    it('answers later ones at once, each with a picture and a result of its own, until it is unloaded', async () => {
      make({ cacheSize: 1 });
      const first = ask();
      await answerAll();
      const { timing: _timing, image: _image, ...computed } = await first;
      const image = Buffer.from('same');
      const [second, third] = await Promise.all([ask({ image }), ask({ queue: { policy: 'reject' } })]);
      const { timing, image: brought, ...kept } = second;
      assert.deepEqual(kept, { ...computed, cached: true });
      assert.equal(brought, image);
      assert.deepEqual([timing.queue, timing.total], [0, 0]);
      assert.notEqual(second.labels, third.labels);
      assert.deepEqual([parsed(), engine.info().cache!.entries], [1, 1]);
      await engine.unload();
      const again = ask();
      await answerAll();
      assert.equal((await again).cached, false);
    });

    it('keeps what was parsed for one who has gone, where it was not taken back', async () => {
      make({ cacheSize: 1 });
      const abort = new AbortController();
      const first = ask({ signal: abort.signal });
      const second = ask();
      await nextTurn();
      abort.abort();
      await fails(first, 'M2FP_CANCELLED');
      await answerAll();
      await second;
      assert.equal((await ask()).cached, true);
    });

    it('drops the older picture of a camera whose newer one is kept', async () => {
      make({ cacheSize: 1 });
      const camera = { policy: 'latest', lane: 'node', key: 'door' } as const;
      const first = ask();
      await answerAll();
      await first;
      const running = ask({ image: Buffer.from('running') });
      const older = ask({ image: Buffer.from('older'), queue: camera });
      assert.equal((await ask({ queue: camera })).cached, true);
      await assert.rejects(older, { dropped: 'replaced' });
      await answerAll();
      await running;
    });

    it('knows large pictures, too, and they keep their place while their digest is worked out', async () => {
      make({ cacheSize: 1 });
      const large = (): Buffer => Buffer.concat([Buffer.from('large'), Buffer.alloc(9e6)]);
      const asked = [ask({ image: large() }), ask(), ask({ image: large() })];
      assert.equal(engine.info().waiting, 3);
      while (parsed() < 1) await nextTurn();
      while (engine.info().waiting > 0 || subject.workers.running.length > 0) await subject.answer();
      const parsings = await Promise.all(asked);
      assert.deepEqual(
        subject.workers.jobs.map(({ text }) => text),
        ['large', 'same'],
      );
      assert.deepEqual(
        parsings.map(({ cached }) => cached),
        [false, false, true],
      );
      assert.equal((await ask({ image: large() })).cached, true);
    });

    it('forgets a large picture whose caller goes while its digest is worked out', async () => {
      make({ cacheSize: 1 });
      const abort = new AbortController();
      const first = ask({ image: Buffer.alloc(9e6), signal: abort.signal });
      const second = ask();
      abort.abort();
      await fails(first, 'M2FP_CANCELLED');
      while (parsed() < 1) await nextTurn();
      await answerAll();
      await second;
      assert.deepEqual(fates(), ['cancelled', 'completed']);
      assert.equal(parsed(), 1);
    });

    it('takes over another size while pictures wait', async () => {
      make();
      const live = { maxQueue: 8, timeout: 0, idleUnload: 0 };
      const first = ask();
      engine.configure({ ...live, cacheSize: 1 });
      const second = ask({ image: Buffer.from('second') });
      await answerAll();
      await Promise.all([first, second]);
      assert.equal((await ask({ image: Buffer.from('second') })).cached, true);
      engine.configure({ ...live, cacheSize: 2 });
      assert.equal(engine.info().cache!.limit, 2 ** 21);
      assert.equal((await ask({ image: Buffer.from('second') })).cached, true);
      engine.configure({ ...live, cacheSize: 0 });
      assert.equal(engine.info().cache, null);
    });
  });

  it('parses a large picture whose digest is worked out when another engine takes over', async () => {
    make({ cacheSize: 1 });
    const next = fakeEngine();
    const swapping = new SwappingEngine(engine, next, () => {});
    const asked = swapping.parse({ image: Buffer.alloc(20e6, 'L') });
    let drained = false;
    await swapping.load();
    const drain = engine.drained().then(() => (drained = true));
    assert.equal(drained, false, 'it waits in line');
    while (parsed() < 1) await nextTurn();
    await answerAll();
    assert.equal((await asked).labels.length, 1);
    await drain;
    swapping.dispose();
    await next.close();
  });

  it('takes nothing over when the new engine loads after it was disposed of', async () => {
    make();
    const { engine: next } = subject.make();
    let swaps = 0;
    subject.workers.holdOpening = true;
    const swapping = new SwappingEngine(engine, next, () => swaps++);
    let told = 0;
    swapping.subscribe(() => told++);
    swapping.dispose();
    subject.workers.holdOpening = false;
    subject.workers.finishOpening();
    await nextTurn();
    await nextTurn();
    await next.unload();
    assert.deepEqual([swaps, told], [0, 0]);
    await engine.close();
  });
});
