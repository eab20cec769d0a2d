/** With the policy `latest`, what is dropped is never newer than what is parsed after it. */
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { dropReasonOf } from '../../../src/engine/queue/dropped.ts';
import { type RequestEvent, requestEvents } from '../../../src/engine/events.ts';
import { RemoteEngine } from '../../../src/engine/remote/client/acquire.ts';
import { SwappingEngine } from '../../../src/engine/swap.ts';
import type { QueueOptions } from '../../../src/engine/types.ts';
import { M2fpError } from '../../../src/errors.ts';
import { FakeClock, leavesNothingBehind, MANIFEST } from '../support/fakes.ts';
import { ADDRESS, FakeWorkers, worker } from '../support/fake-link.ts';

/** Its digest is not worked out at once. */
const LARGE = Buffer.alloc(4.5 * 2 ** 20, 'L');

type Step =
  | { step: 'ask'; image: string; queue: QueueOptions }
  | { step: 'answer' | 'crash' | 'fail' | 'cancel'; which: number }
  | { step: 'time'; ms: number }
  | { step: 'turn' | 'swap' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      step: fc.constant('ask' as const),
      image: fc.oneof(
        { weight: 30, arbitrary: fc.constantFrom('a', 'a', 'a', 'b', 'b', 'c') },
        { weight: 1, arbitrary: fc.constant('large') },
      ),
      queue: fc.record({
        policy: fc.constantFrom('latest', 'latest', 'latest', 'wait', 'reject'),
        lane: fc.constantFrom('x', 'y'),
        key: fc.constantFrom('k', 'l'),
        maxAge: fc.constantFrom(0, 0, 0, 50),
        priority: fc.constantFrom(0, 0, 0, 1),
      }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      step: fc.constantFrom('answer', 'answer', 'answer', 'crash', 'fail', 'cancel'),
      which: fc.nat(3),
    }),
  },
  { weight: 1, arbitrary: fc.record({ step: fc.constant('time' as const), ms: fc.constantFrom(10, 50) }) },
  { weight: 3, arbitrary: fc.record({ step: fc.constantFrom('turn', 'turn', 'turn', 'swap') }) },
);

/** One request, and the moments of its life; Infinity for what has not been. */
interface Asked {
  image: Buffer;
  queue: QueueOptions;
  abort: AbortController;
  ends: string[];
  /** When it was given to a worker, or answered without one. */
  turn: number;
  dropped: number;
}

/** A camera's view of one engine after another. */
class Run {
  readonly #clock = new FakeClock();
  readonly #workers: FakeWorkers[];
  readonly #engines: RemoteEngine[];
  readonly #asked: Asked[] = [];
  readonly #events: RequestEvent[] = [];
  readonly #unsubscribe = requestEvents.subscribe((event) => this.#events.push(event));
  #engine: RemoteEngine | SwappingEngine;
  #now = 0;

  constructor(slots: number, cacheSize: number) {
    this.#workers = [1, 2].map(() => new FakeWorkers(worker({ slots })));
    this.#engines = this.#workers.map(
      (workers) =>
        new RemoteEngine(
          {
            manifest: MANIFEST,
            address: ADDRESS,
            link: workers.factory(ADDRESS),
            options: { maxQueue: 8, timeout: 0, cacheSize, idleUnload: 0 },
          },
          { clock: this.#clock },
        ),
    );
    this.#engine = this.#engines[0]!;
  }

  async take(next: Step): Promise<void> {
    const running = this.#workers.flatMap((workers) => workers.running);
    const chosen = 'which' in next ? running[next.which % Math.max(1, running.length)] : undefined;
    switch (next.step) {
      case 'ask':
        return this.#ask(next.image, next.queue);
      case 'answer':
        chosen?.answer();
        break;
      case 'crash':
        chosen?.fail(new M2fpError('M2FP_ENGINE_CRASHED', 'Gone.'));
        break;
      case 'fail':
        chosen?.fail(new M2fpError('M2FP_TIMEOUT', 'Slow.'));
        break;
      case 'cancel':
        this.#asked.at(-1 - next.which)?.abort.abort();
        break;
      case 'time':
        this.#clock.advance(next.ms);
        break;
      case 'swap':
        this.#swap();
    }
    await nextTurn();
    this.#look();
  }

  /** Answers all that is left, and checks what has become of everything. */
  async end(): Promise<void> {
    for (let left = 500; left > 0 && this.#asked.some(({ ends }) => ends.length === 0); left--) {
      await this.take({ step: 'answer', which: 0 });
    }
    await this.close();
    for (const { ends } of this.#asked) assert.equal(ends.length, 1, `it ended ${ends.join()}`);
    const fates = this.#events.map(({ fate }) => (fate === 'rejected' ? 'failed' : fate)).toSorted();
    const ends = this.#asked.flatMap((asked) => asked.ends).toSorted();
    assert.deepEqual(fates, ends, 'each has one event, that of its end');
    this.#asked.forEach((old, at) => {
      for (const dropped of this.#asked.slice(at + 1)) {
        const stale = isSameCamera(old, dropped) && old.turn > dropped.dropped && old.turn < Infinity;
        assert.ok(!stale, `what came as number ${at} had its turn after a newer one was dropped`);
      }
    });
  }

  async close(): Promise<void> {
    if (this.#engine instanceof SwappingEngine) this.#engine.dispose();
    const closing = this.#engines.map((engine) => engine.close());
    this.#clock.advance(10_000);
    await Promise.all(closing);
    await nextTurn();
    this.#unsubscribe();
  }

  #ask(name: string, queue: QueueOptions): void {
    const image = name === 'large' ? Buffer.from(LARGE) : Buffer.from(name);
    const abort = new AbortController();
    const asked: Asked = { image, queue, abort, ends: [], turn: Infinity, dropped: Infinity };
    this.#asked.push(asked);
    this.#engine.parse({ image, queue, signal: abort.signal }).then(
      (parsing) => {
        asked.turn = Math.min(asked.turn, this.#now++);
        asked.ends.push(parsing.image === image ? 'completed' : 'wrong picture');
        return undefined;
      },
      (error: M2fpError) => {
        const reason = dropReasonOf(error);
        if (reason !== undefined) asked.dropped = this.#now++;
        asked.ends.push(reason ?? fateOf(error));
      },
    );
    this.#look();
  }

  /** Notes who was given to a worker. */
  #look(): void {
    for (const { request } of this.#workers.flatMap(({ jobs }) => jobs)) {
      const asked = this.#asked.find(({ image }) => image === request.image);
      if (asked?.turn === Infinity) asked.turn = this.#now++;
    }
  }

  /** Once: what comes from then on is for the second engine, as soon as that is loaded. */
  #swap(): void {
    const [old, next] = this.#engines;
    if (this.#engine === old) this.#engine = new SwappingEngine(old, next!, () => {});
  }
}

function isSameCamera({ queue: a }: Asked, { queue: b }: Asked): boolean {
  return a.policy === 'latest' && b.policy === 'latest' && a.lane === b.lane && a.key === b.key;
}

function fateOf({ code }: M2fpError): string {
  return code === 'M2FP_CANCELLED' ? 'cancelled' : 'failed';
}

const latest = (image: string): Step => ({
  step: 'ask',
  image,
  queue: { policy: 'latest', lane: 'x', key: 'k', maxAge: 0, priority: 0 },
});
const waiting = (image: string): Step => ({
  step: 'ask',
  image,
  queue: { policy: 'wait', lane: 'y', key: 'k', maxAge: 0, priority: 0 },
});
const answer: Step = { step: 'answer', which: 0 };

describe('the freshness of what a camera gets', function () {
  this.timeout(60_000);
  leavesNothingBehind();

  for (const [what, steps] of [
    ['A, A, B: the newest is not what is dropped', ['c', 'a', 'a', 'b']],
    ['A runs, A, B, C: the second A has been replaced when A is answered', ['a', 'a', 'b', 'c']],
  ] as const) {
    it(`of ${what}`, async () => {
      const run = new Run(1, 0);
      const [first, ...others] = steps;
      for (const next of [first === 'c' ? waiting(first) : latest(first), { step: 'turn' } as const]) {
        await run.take(next);
      }
      for (const image of others) await run.take(latest(image));
      await run.take(answer);
      await run.end();
    });
  }

  it('holds whatever comes: equal pictures, cancelled ones, crashes, a swap of engines', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 3, maxLength: 40, size: 'max' }),
        fc.constantFrom(1, 2),
        fc.constantFrom(0, 1),
        async (steps, slots, cacheSize) => {
          const run = new Run(slots, cacheSize);
          try {
            for (const next of steps) await run.take(next);
            await run.end();
          } catch (error) {
            await run.close();
            throw error;
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
