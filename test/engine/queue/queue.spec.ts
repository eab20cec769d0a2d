import assert from 'node:assert/strict';
import fc from 'fast-check';
import { completeQueueOptions } from '../../../src/engine/options.ts';
import { FairQueue, type Room } from '../../../src/engine/queue/queue.ts';
import type { DropReason, QueueOptions } from '../../../src/engine/types.ts';
import { FakeClock } from '../support/fakes.ts';

const BUSY: Room = { free: 0, limit: 100 };

describe('FairQueue', () => {
  let clock: FakeClock;
  let dropped: string[];
  let queue: FairQueue<string>;
  const add = (item: string, options: QueueOptions = {}, room: Partial<Room> = {}) =>
    queue.add(item, completeQueueOptions(options), { ...BUSY, ...room });
  const take = (count: number) => Array.from({ length: count }, () => queue.take());
  const refuses = (action: () => void, message: RegExp) =>
    assert.throws(action, (error: Error & { code?: string }) => {
      assert.equal(error.code, 'M2FP_BUSY');
      assert.match(error.message, message);
      return true;
    });

  beforeEach(() => {
    clock = new FakeClock();
    dropped = [];
    queue = new FairQueue({ clock, onDrop: (item, reason) => dropped.push(`${item} ${reason}`) });
  });

  afterEach(() => {
    queue.clear();
    assert.deepEqual(clock.pending(), [], 'a timer is left');
  });

  describe('the order', () => {
    it('is that of coming, in one lane', () => {
      for (const item of ['a', 'b', 'c']) add(item);
      assert.deepEqual(take(4), ['a', 'b', 'c', undefined]);
    });

    it('gives each lane its turn, however much another one sends', () => {
      for (const item of ['a1', 'a2', 'a3', 'a4']) add(item, { lane: 'a' });
      add('b1', { lane: 'b' });
      add('c1', { lane: 'c' });
      add('b2', { lane: 'b' });
      assert.deepEqual(take(7), ['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4']);
    });

    it('remembers whose turn it was while a lane was empty', () => {
      add('a1', { lane: 'a' });
      add('b1', { lane: 'b' });
      assert.deepEqual(take(2), ['a1', 'b1']);
      add('b2', { lane: 'b' });
      add('a2', { lane: 'a' });
      assert.deepEqual(take(2), ['a2', 'b2']);
    });

    it('puts priority before the turns', () => {
      add('low', { priority: -1 });
      add('a', { lane: 'a' });
      add('b', { lane: 'b', priority: 2 });
      add('b2', { lane: 'b', priority: 2 });
      assert.deepEqual(take(4), ['b', 'b2', 'a', 'low']);
    });

    it('lets one client wait for one other picture at most while two cameras send', () => {
      for (let round = 0; round < 20; round++) {
        // The client asks again as soon as it has its answer, and the cameras have sent since.
        add(`a${round}`, { lane: 'a', policy: 'latest' });
        add(`b${round}`, { lane: 'b', policy: 'latest' });
        add(`client${round}`, { lane: 'client' });
        const next = take(3);
        assert.ok(next.indexOf(`client${round}`) <= 2);
        if (round > 0)
          assert.deepEqual(
            next.map((item) => item!.replace(/\d+/, '')),
            ['a', 'b', 'client'],
          );
      }
    });
  });

  describe('wait', () => {
    it('refuses what is beyond the limit of the lane; other lanes have their own', () => {
      for (const item of ['a', 'b']) add(item, { lane: 'x', limit: 2 });
      refuses(() => add('c', { lane: 'x', limit: 2 }), /limit of 2 pictures that may wait here/);
      add('d', { lane: 'y', limit: 2 });
      assert.equal(queue.size, 3);
    });

    it('allows 8 by default', () => {
      for (let i = 0; i < 8; i++) add(String(i));
      refuses(() => add('8'), /limit of 8 /);
    });

    it('refuses what is beyond the limit of all', () => {
      add('a', { lane: 'x' }, { limit: 1 });
      refuses(() => add('b', { lane: 'y' }, { limit: 1 }), /its limit of 1 waiting/);
    });

    it('does not count what a free process takes', () => {
      add('a', { limit: 0 }, { free: 2, limit: 0 });
      add('b', { limit: 0 }, { free: 2, limit: 0 });
      refuses(() => add('c', { limit: 0 }, { free: 2, limit: 0 }), /limit of 0/);
    });
  });

  describe('latest', () => {
    it('replaces the older one of the same lane and key, in its place', () => {
      const camera = (key: string) => ({ policy: 'latest', lane: 'x', key }) as const;
      add('a1', camera('a'));
      add('b1', camera('b'));
      add('a2', camera('a'));
      add('a3', { ...camera('a'), lane: 'y' });
      assert.deepEqual(dropped, ['a1 replaced']);
      assert.deepEqual(take(3), ['a2', 'a3', 'b1']);
    });

    it('starves no camera of one lane whose pictures come in step with the engine', () => {
      const served: (string | undefined)[] = [];
      for (let i = 0; i < 6; i++) {
        for (const key of ['a', 'b']) add(key, { policy: 'latest', key });
        served.push(queue.take());
      }
      assert.deepEqual(served, ['a', 'b', 'a', 'b', 'a', 'b']);
    });

    it('replaces also where the line is full, and is refused where it would lengthen it', () => {
      add('a1', { policy: 'latest', key: 'a' }, { limit: 1 });
      add('a2', { policy: 'latest', key: 'a' }, { limit: 1 });
      refuses(() => add('b1', { policy: 'latest', key: 'b' }, { limit: 1 }), /limit of 1/);
      assert.deepEqual(take(2), ['a2', undefined]);
    });

    it('does not replace what came with another policy', () => {
      add('a', { policy: 'wait' });
      add('b', { policy: 'latest' });
      assert.deepEqual(take(2), ['a', 'b']);
    });
  });

  it('reject: takes only what a process is free for', () => {
    add('a', { policy: 'reject' }, { free: 1 });
    refuses(() => add('b', { policy: 'reject' }, { free: 1 }), /does not wait/);
    assert.deepEqual(dropped, []);
  });

  describe('the maximum age', () => {
    it('drops when it passes, not a moment later', () => {
      add('a', { maxAge: 100 });
      add('b');
      clock.advance(99);
      assert.equal(queue.size, 2);
      clock.advance(1);
      assert.deepEqual(dropped, ['a expired']);
      assert.deepEqual(take(2), ['b', undefined]);
    });

    it('counts also where the timer comes late', () => {
      const late = new FakeClock();
      let now = 0;
      late.now = () => now;
      queue = new FairQueue({ clock: late, onDrop: (item, reason) => dropped.push(`${item} ${reason}`) });
      add('a', { maxAge: 100 });
      now = 100;
      assert.equal(queue.take(), undefined);
      assert.deepEqual(dropped, ['a expired']);
    });

    it('begins anew with the picture that replaces another', () => {
      add('a1', { policy: 'latest', maxAge: 100 });
      clock.advance(60);
      add('a2', { policy: 'latest', maxAge: 100 });
      clock.advance(60);
      assert.deepEqual(take(1), ['a2']);
    });

    it('ends with the wait', () => {
      for (const item of ['a', 'b', 'c']) add(item, { maxAge: 100 });
      queue.take();
      queue.delete('b');
      assert.deepEqual(queue.clear(), ['c']);
      clock.advance(100);
      assert.deepEqual(dropped, []);
    });
  });

  it('gives up what is deleted, once', () => {
    add('a');
    assert.equal(queue.delete('a'), true);
    assert.equal(queue.delete('a'), false);
    assert.equal(queue.size, 0);
  });

  it('does as a plain model of it does, whatever happens', () => {
    const lane = fc.constantFrom('x', 'y', 'z');
    const options = fc.record({
      lane,
      policy: fc.constantFrom('wait', 'latest', 'reject'),
      key: fc.constantFrom('k', 'l'),
      limit: fc.integer({ min: 0, max: 4 }),
      priority: fc.integer({ min: 0, max: 1 }),
      maxAge: fc.constantFrom(0, 5, 20),
    } satisfies Record<keyof QueueOptions, unknown>);
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ add: options, free: fc.integer({ min: 0, max: 2 }) }) },
      { weight: 2, arbitrary: fc.constant('take' as const) },
      { weight: 1, arbitrary: fc.record({ delete: fc.nat(30) }) },
      { weight: 2, arbitrary: fc.record({ wait: fc.integer({ min: 1, max: 8 }) }) },
      { weight: 1, arbitrary: fc.constant('clear' as const) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const time = new FakeClock();
        const ends: string[] = [];
        const plain = new PlainQueue();
        const real = new FairQueue<number>({
          clock: time,
          onDrop: (item, why) => ends.push(`${item} ${why}`),
        });
        steps.forEach((action, item) => {
          if (action === 'take') {
            assert.equal(real.take(), plain.take());
          } else if (action === 'clear') {
            assert.deepEqual(real.clear(), plain.clear());
          } else if ('add' in action) {
            const room = { free: action.free, limit: 5 };
            let taken = true;
            try {
              real.add(item, action.add, room);
            } catch (error) {
              assert.equal((error as { code?: string }).code, 'M2FP_BUSY');
              taken = false;
            }
            assert.equal(taken, plain.add(item, action.add, room));
          } else if ('delete' in action) {
            assert.equal(real.delete(action.delete), plain.delete(action.delete));
          } else {
            time.advance(action.wait);
            plain.wait(action.wait);
          }
          assert.equal(real.size, plain.waiting.length);
          assert.deepEqual(ends.toSorted(), plain.ends.toSorted());
        });
        real.clear();
        assert.deepEqual(time.pending(), []);
      }),
      { numRuns: 500 },
    );
  });
});

/** Says the same with lists and sorting. */
class PlainQueue {
  waiting: { item: number; place: number; options: Required<QueueOptions>; since: number }[] = [];
  readonly ends: `${number} ${DropReason}`[] = [];
  #served: string[] = [];
  #now = 0;

  add(item: number, options: Required<QueueOptions>, { free, limit }: Room): boolean {
    const { policy, lane, key } = options;
    const older = this.waiting.find(
      (one) =>
        policy === 'latest' &&
        one.options.policy === 'latest' &&
        one.options.lane === lane &&
        one.options.key === key,
    );
    if (older) {
      this.ends.push(`${older.item} replaced`);
      Object.assign(older, { item, options, since: this.#now });
      return true;
    }
    const full =
      policy === 'reject' ||
      this.waiting.length >= limit + free ||
      (policy === 'wait' &&
        this.waiting.filter((one) => one.options.lane === lane).length >= options.limit + free);
    if (this.waiting.length >= free && full) return false;
    this.waiting.push({ item, place: item, options, since: this.#now });
    return true;
  }

  take(): number | undefined {
    const [first] = this.waiting.toSorted(
      (a, b) =>
        b.options.priority - a.options.priority ||
        this.#served.lastIndexOf(a.options.lane) - this.#served.lastIndexOf(b.options.lane) ||
        a.place - b.place,
    );
    if (!first) return undefined;
    this.delete(first.item);
    this.#served.push(first.options.lane);
    return first.item;
  }

  delete(item: number): boolean {
    const before = this.waiting.length;
    this.waiting = this.waiting.filter((one) => one.item !== item);
    return this.waiting.length < before;
  }

  clear(): number[] {
    return this.waiting.splice(0).map(({ item }) => item);
  }

  wait(ms: number): void {
    this.#now += ms;
    const old = this.waiting.filter(
      ({ options, since }) => options.maxAge > 0 && this.#now - since >= options.maxAge,
    );
    for (const { item } of old) {
      this.delete(item);
      this.ends.push(`${item} expired`);
    }
  }
}
