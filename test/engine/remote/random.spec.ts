/** Whatever happens to workers, connection and requests in whatever order: each request ends once, and nothing is left. */
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { dropReasonOf } from '../../../src/engine/queue/dropped.ts';
import { requestEvents } from '../../../src/engine/events.ts';
import { RemoteEngine } from '../../../src/engine/remote/client/acquire.ts';
import type { QueueOptions } from '../../../src/engine/types.ts';
import { M2fpError } from '../../../src/errors.ts';
import { FakeClock, leavesNothingBehind, MANIFEST } from '../support/fakes.ts';
import { ADDRESS, FakeWorkers, worker } from '../support/fake-link.ts';

const RUNS = 300;
const MAX_QUEUE = 3;

/** Who may be there at one time. */
const CREWS = {
  nobody: [],
  one: [worker({ slots: 1 })],
  two: [worker({ slots: 1 }), worker({ id: 'two', slots: 2 })],
  others: [worker({ id: 'new', slots: 2, manifest: { ...MANIFEST, digest: 'e2'.repeat(32) } })],
};

type Step =
  | { step: 'ask'; image: string; queue: QueueOptions }
  | { step: 'crew'; crew: keyof typeof CREWS }
  | { step: 'time'; ms: number }
  | { step: 'cancel' | 'answer' | 'fail' | 'crash'; which: number }
  | { step: 'cut' | 'restore' | 'hold' | 'finish' | 'unload' | 'load' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      step: fc.constant('ask' as const),
      // Some are equal.
      image: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      queue: fc.record({
        policy: fc.constantFrom('wait', 'wait', 'latest', 'reject'),
        lane: fc.constantFrom('x', 'y'),
        limit: fc.constantFrom(1, 8),
        maxAge: fc.constantFrom(0, 0, 50),
      }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      step: fc.constant('crew' as const),
      crew: fc.constantFrom('nobody', 'one', 'two', 'two', 'others'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      step: fc.constant('time' as const),
      ms: fc.constantFrom(10, 50, 500, 1000, 10_000, 30_000),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      step: fc.constantFrom('cancel', 'answer', 'answer', 'answer', 'fail', 'crash'),
      which: fc.nat(5),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ step: fc.constantFrom('cut', 'restore', 'hold', 'finish', 'unload', 'load') }),
  },
);

/** One engine, its workers, and all that was asked of it. */
class Run {
  readonly clock = new FakeClock();
  readonly workers = new FakeWorkers(...CREWS.two);
  readonly engine: RemoteEngine;
  readonly #aborts: AbortController[] = [];
  readonly #asked: Promise<string>[] = [];
  readonly #others: Promise<unknown>[] = [];
  readonly #lastNotified: string[] = [];
  readonly #stopListening = requestEvents.subscribe(({ fate, code }) =>
    this.#lastNotified.push(code === undefined ? fate : code),
  );

  constructor(timeout: number) {
    const options = { maxQueue: MAX_QUEUE, timeout, cacheSize: 0, idleUnload: 0 };
    const link = this.workers.factory(ADDRESS);
    const { clock } = this;
    this.engine = new RemoteEngine({ manifest: MANIFEST, address: ADDRESS, link, options }, { clock });
  }

  async take(next: Step): Promise<void> {
    const { workers, engine } = this;
    switch (next.step) {
      case 'ask':
        this.#ask(next.image, next.queue);
        break;
      case 'crew':
        workers.set(...CREWS[next.crew]);
        break;
      case 'time':
        this.clock.advance(next.ms);
        break;
      case 'cancel':
        this.#aborts.at(-1 - next.which)?.abort();
        break;
      case 'answer':
        workers.running[next.which]?.answer();
        break;
      case 'fail':
        workers.running[next.which]?.fail(new M2fpError('M2FP_BAD_IMAGE', 'No picture.'));
        break;
      case 'crash':
        workers.running[next.which]?.fail(new M2fpError('M2FP_ENGINE_CRASHED', 'Gone.'));
        break;
      case 'cut':
        workers.cut('Nobody answers.');
        break;
      case 'restore':
        workers.cut(null);
        break;
      case 'hold':
        workers.holdOpening = true;
        break;
      case 'finish':
        workers.holdOpening = false;
        workers.finishOpening();
        break;
      case 'unload':
        this.#others.push(engine.unload());
        break;
      case 'load':
        this.#others.push(engine.load().catch(() => {}));
        break;
    }
    this.#check();
    await nextTurn();
    this.#check();
  }

  /** Ends it: by closing, or when good workers have had the time to answer everything. */
  async end(closing: boolean): Promise<void> {
    const { workers, engine, clock } = this;
    if (!closing) {
      await this.take({ step: 'finish' });
      await this.take({ step: 'restore' });
      await this.take({ step: 'crew', crew: 'one' });
      await this.take({ step: 'time', ms: 1000 });
      for (let left = this.#asked.length; left > 0; left--) await this.take({ step: 'answer', which: 0 });
      const { waiting, running, state } = engine.info();
      assert.deepEqual({ waiting, running }, { waiting: 0, running: 0 }, 'all has been answered');
      assert.ok(['idle', 'ready'].includes(state), state);
    }
    const closed = engine.close();
    clock.advance(10_000);
    await closed;
    const results = await Promise.all(this.#asked);
    await Promise.all(this.#others);
    this.#stopListening();
    this.#checkEvents(results);
    const { waiting, running } = engine.info();
    assert.deepEqual({ waiting, running }, { waiting: 0, running: 0 });
    assert.deepEqual(clock.pending(), [], 'a timer is left');
    assert.deepEqual(workers.open, [], 'a link is left open');
    assert.deepEqual(workers.texts, [], 'a picture is left with a worker');
    assert.ok(workers.links.every(({ listeners }) => listeners.size === 0));
  }

  /**
   * Each request has one event, that of its end. One that was cancelled while others shared its picture has that of its
   * place in the line, which went on without it.
   */
  #checkEvents(results: string[]): void {
    assert.equal(this.#lastNotified.length, results.length);
    const left = [...this.#lastNotified];
    for (const result of results.filter((end) => end !== 'M2FP_CANCELLED')) {
      const at = left.indexOf(result);
      assert.ok(at >= 0, `${this.#lastNotified.join()} for ${results.join()}`);
      left.splice(at, 1);
    }
  }

  /** However it goes wrong. */
  async abandon(): Promise<void> {
    this.#stopListening();
    const closed = this.engine.close();
    this.clock.advance(10_000);
    await closed;
  }

  #ask(image: string, queue: QueueOptions): void {
    const abort = new AbortController();
    this.#aborts.push(abort);
    const promise = this.engine.parse({ image: Buffer.from(image), queue, signal: abort.signal });
    this.#asked.push(
      promise.then(
        () => 'completed',
        (error: unknown) => dropReasonOf(error) ?? (error as M2fpError).code,
      ),
    );
  }

  #check(): void {
    const { waiting, running } = this.engine.info();
    assert.deepEqual(this.workers.excess, [], 'more was handed over than there are places');
    // An engine that nobody has asked takes one more, for its first worker.
    assert.ok(waiting <= MAX_QUEUE + 3, `${waiting} wait`);
    assert.ok(running >= this.workers.running.length, `${running} are said to run`);
  }
}

describe('any sequence of requests, cancels, workers that come and go, lost connections and unloads', function () {
  this.timeout(60_000);
  leavesNothingBehind();

  it('ends every request exactly once and leaves nothing behind', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 40, size: 'max' }),
        fc.constantFrom(0, 500),
        fc.boolean(),
        async (steps, timeout, closing) => {
          const run = new Run(timeout);
          try {
            for (const next of steps) await run.take(next);
            await run.end(closing);
          } catch (error) {
            await run.abandon();
            throw error;
          }
        },
      ),
      { numRuns: RUNS },
    );
  });
});
