import assert from 'node:assert/strict';
import { dropReasonOf } from '../../src/engine/dropped.ts';
import { restartEvents } from '../../src/engine/events.ts';
import type { LocalEngine } from '../../src/engine/local-engine.ts';
import type { EngineInfo } from '../../src/engine/types.ts';
import type { NetworkInput } from '../../src/image/types.ts';
import {
  FakeClock,
  MANIFEST,
  ask,
  askAgain,
  facts,
  fails,
  fakeEngine,
  gone,
  leavesNothingBehind,
  until,
} from './support/fakes.ts';
import { isAlive } from '../support/processes.ts';

/** Where a request of the fake child's 'hold' may go on. */
function release(engine: LocalEngine): void {
  process.kill(engine.info().pid!, 'SIGUSR2');
}

describe('LocalEngine', () => {
  let clock: FakeClock;
  let engine: LocalEngine;
  const make = (options: Parameters<typeof fakeEngine>[0] = {}) =>
    (engine = fakeEngine({ clock, ...options }));

  beforeEach(() => {
    clock = new FakeClock();
  });

  afterEach(async () => {
    await engine.close();
    assert.deepEqual(clock.pending(), [], 'a timer is left');
  });

  leavesNothingBehind();

  describe('a request', () => {
    it('gives a parsing around what the child found', async () => {
      make();
      const image = Buffer.from('fine');
      const promise = engine.parse({ image });
      clock.advance(250);
      const { labels, ...parsing } = await promise;
      assert.equal(parsing.image, image, 'the very Buffer of the caller');
      assert.equal(labels[2], 'fine');
      assert.ok(Buffer.isBuffer(parsing.labelMap) && Buffer.isBuffer(parsing.personMap));
      assert.deepEqual(parsing, {
        image,
        width: 3,
        height: 2,
        labelMap: Buffer.from([0, 1, 2, 3, 4, 5]),
        personMap: Buffer.from([0, 0, 1, 1, 2, 2]),
        persons: [],
        parts: [],
        model: { id: 'test/model', digest: MANIFEST.digest, precision: 'fp32', provider: 'fake' },
        cached: false,
        timing: { queue: 250, decode: 1, preprocess: 2, inference: 3, postprocess: 4, total: 250 },
      });
    });

    it('counts its time in the line as queue and all of it as total', async () => {
      make();
      await engine.load();
      const first = ask(engine, 'hold');
      clock.advance(10);
      const second = ask(engine, 'hold');
      clock.advance(20);
      release(engine);
      assert.deepEqual((await first).timing.total, 30);
      clock.advance(40);
      release(engine);
      const { queue, total } = (await second).timing;
      assert.deepEqual({ queue, total }, { queue: 20, total: 60 });
    });

    it('sends network input without the source picture and without what hangs on it', async () => {
      make();
      const input: NetworkInput & { extra: () => void } = {
        type: 'm2fp-input',
        width: 2,
        height: 1,
        data: Buffer.from([1, 2, 3, 4, 5, 6]),
        crop: { x: 0, y: 0, width: 2, height: 1 },
        rule: { kind: 'short-side', shortSide: 32, longSide: 96 },
        source: { image: Buffer.from('source'), width: 20, height: 10 },
        extra() {},
      };
      const parsing = await engine.parse({ image: input });
      assert.equal(parsing.image, input.source.image);
      const sent = JSON.parse(facts(parsing).text) as NetworkInput;
      assert.deepEqual(sent, {
        type: 'm2fp-input',
        width: 2,
        height: 1,
        data: { type: 'Buffer', data: [1, 2, 3, 4, 5, 6] },
        crop: input.crop,
        rule: input.rule,
        source: { image: { type: 'Buffer', data: [] }, width: 20, height: 10 },
      });
    });

    it('is refused before it costs anything where it cannot succeed', async () => {
      make();
      const image = Buffer.from('fine');
      await fails(engine.parse({ image: 'text' as unknown as Buffer }), 'M2FP_NO_IMAGE');
      await fails(engine.parse({ image: undefined as unknown as Buffer }), 'M2FP_NO_IMAGE');
      await fails(engine.parse({ image: { type: 'm2fp-input' } as NetworkInput }), 'M2FP_BAD_IMAGE');
      await fails(engine.parse({ image: Buffer.alloc(33 * 2 ** 20) }), 'M2FP_IMAGE_TOO_LARGE');
      await fails(engine.parse({ image, options: { shortSide: 1.5 } }), 'M2FP_BAD_OPTION', /shortSide/);
      await fails(
        engine.parse({ image, options: { scoreThreshold: 2 } }),
        'M2FP_BAD_OPTION',
        /scoreThreshold/,
      );
      assert.equal(engine.info().state, 'idle');
      assert.equal(engine.info().pid, null);
    });

    it('fails alone where the child reports an error', async () => {
      make();
      await engine.load();
      const bad = ask(engine, 'fail M2FP_BAD_IMAGE');
      const good = ask(engine, 'fine');
      await fails(bad, 'M2FP_BAD_IMAGE', /the child says no/);
      assert.equal(facts(await good).count, 2);
      assert.equal(engine.info().restarts, 0);
    });
  });

  describe('the line', () => {
    it('goes one by one, in order, through one process', async () => {
      make();
      const answers = await Promise.all(['a', 'b', 'c', 'd'].map((text) => ask(engine, text)));
      assert.deepEqual(
        answers.map((parsing) => facts(parsing).text),
        ['a', 'b', 'c', 'd'],
      );
      assert.deepEqual(
        answers.map((parsing) => facts(parsing).count),
        [1, 2, 3, 4],
      );
      assert.equal(new Set(answers.map((parsing) => facts(parsing).pid)).size, 1);
    });

    it('refuses the one beyond the limit, which it names', async () => {
      make({ maxQueue: 2 });
      await engine.load();
      const running = ask(engine, 'hold');
      const waiting = [ask(engine, 'a'), ask(engine, 'b')];
      await fails(ask(engine, 'c'), 'M2FP_BUSY', /limit of 2 /);
      assert.equal(engine.info().waiting, 2);
      release(engine);
      await Promise.all([running, ...waiting]);
      await ask(engine, 'd');
    });

    it('lets a client wait for the running picture and one more, while two cameras send', async () => {
      make();
      await engine.load();
      const ended: string[] = [];
      const send = (lane: string, text: string) =>
        ask(engine, text, undefined, lane === 'client' ? { lane } : { lane, policy: 'latest' }).then(
          () => ended.push(lane),
          (error: unknown) => assert.equal(dropReasonOf(error), 'replaced'),
        );
      const all = [send('a', 'hold'), send('b', 'fine')];
      for (let frame = 0; frame < 5; frame++) all.push(send('a', `a${frame}`), send('b', `b${frame}`));
      all.push(send('client', 'fine'));
      release(engine);
      await Promise.all(all);
      assert.deepEqual(ended, ['a', 'b', 'client', 'a']);
    });

    it('of no length still takes one for a free process', async () => {
      make({ maxQueue: 0 });
      const first = ask(engine, 'hold');
      await fails(ask(engine, 'b'), 'M2FP_BUSY');
      await until(engine, ({ state }) => state === 'running');
      await fails(ask(engine, 'b'), 'M2FP_BUSY');
      release(engine);
      await first;
      await ask(engine, 'b');
    });
  });

  describe('cancelling', () => {
    it('refuses what is cancelled already', async () => {
      make();
      await fails(ask(engine, 'fine', AbortSignal.abort()), 'M2FP_CANCELLED');
      assert.equal(engine.info().pid, null);
    });

    it('drops a waiting request at once', async () => {
      make({ maxQueue: 1 });
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
      make();
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
        make();
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
      }
      const abandon = async () => {
        const abort = new AbortController();
        const running = ask(engine, 'hold', abort.signal);
        abort.abort();
        await fails(running, 'M2FP_CANCELLED');
      };

      it('kills it at once where somebody waits', async () => {
        await makeSlow();
        const { pid } = engine.info();
        const reasons: string[] = [];
        const end = restartEvents.subscribe(({ reason }) => reasons.push(reason));
        await abandon();
        assert.equal(engine.info().pid, pid, 'nobody waits');
        assert.notEqual(facts(await ask(engine, 'b')).pid, pid);
        end();
        assert.deepEqual(reasons, ['cancelled']);
        assert.deepEqual(clock.pending(), []);
      });

      it('lets it finish where it is nearly over, and kills it when it is overdue', async () => {
        await makeSlow();
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
        await makeSlow();
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
      make();
      const abort = new AbortController();
      const parsing = await ask(engine, 'fine', abort.signal);
      abort.abort();
      assert.equal(facts(parsing).text, 'fine');
      assert.equal(engine.info().state, 'ready');
    });
  });

  describe('the time limit', () => {
    it('kills the process of the running one; the waiting go on in a new one', async () => {
      make({ timeout: 1000 });
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
      make();
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

    it('of 0 is none', async () => {
      make({ timeout: 0 });
      await engine.load();
      const running = ask(engine, 'hold');
      assert.deepEqual(clock.pending(), []);
      release(engine);
      await running;
    });

    it('holds for an abandoned one too', async () => {
      make();
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
      make({ timeout: 10 });
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

  describe('a crash', () => {
    it('fails the running one with code and last words; the waiting go on in a new process', async () => {
      make();
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
      make();
      await fails(ask(engine, 'kill'), 'M2FP_ENGINE_CRASHED', /signal SIGKILL.*memory/);
    });

    it('by kill -9 from outside in the middle of a run hurts only the running one', async () => {
      make();
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
      make();
      await engine.load();
      const old = engine.info().pid!;
      process.kill(old, 'SIGKILL');
      await until(engine, ({ state }) => state === 'idle');
      const next = ask(engine, 'a');
      await clock.armed(500);
      clock.advance(500);
      assert.equal(facts(await next).count, 1);
    });

    it('tells an uncaught exception of the child', async () => {
      make();
      await fails(ask(engine, 'throw'), 'M2FP_ENGINE_CRASHED', /code 1\..*thrown in the child/s);
    });

    it('does not take back an answer that came before it', async () => {
      make();
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
      make({ patience: { maxCrashes: 100 } });
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
      make();
      await fails(ask(engine, 'exit 1'), 'M2FP_ENGINE_CRASHED');
      clock.advance(500);
      await ask(engine, 'fine');
    });

    it('five times within a minute ends the trying until load is called', async () => {
      make();
      let waiting: Promise<unknown> | undefined;
      for (const pause of [500, 1000, 2000, 4000, 0]) {
        const running = ask(engine, `exit 9 ${pause}`);
        if (pause === 0) waiting = ask(engine, 'b');
        await fails(running, 'M2FP_ENGINE_CRASHED');
        clock.advance(pause);
      }
      const refusal = /crashed 5 times within 60 s.*until it is told to load.*exited with code 9/s;
      await fails(waiting!, 'M2FP_ENGINE_CRASHED', refusal);
      await fails(ask(engine, 'fine'), 'M2FP_ENGINE_CRASHED', refusal);
      const { state, failure, pid } = engine.info();
      assert.deepEqual({ state, pid }, { state: 'failed', pid: null });
      assert.match(failure!.message, refusal);
      clock.advance(3_600_000);
      const seen: EngineInfo[] = [];
      const end = engine.subscribe((info) => seen.push(info));
      await fails(ask(engine, 'fine'), 'M2FP_ENGINE_CRASHED', refusal);
      end();
      assert.deepEqual(seen, [], 'it is refused without a stir');
      await engine.load();
      await ask(engine, 'fine');
      assert.equal(engine.info().failure, null);
    });

    it('five times over more than a minute is bearable', async () => {
      make();
      for (let i = 0; i < 6; i++) {
        await fails(ask(engine, `exit 9 ${i}`), 'M2FP_ENGINE_CRASHED');
        clock.advance(20_000);
      }
      await ask(engine, 'fine');
    });
  });

  describe('a picture that crashes the process', () => {
    const crash = async (text: string) => {
      const running = askAgain(engine, text);
      await fails(running, 'M2FP_ENGINE_CRASHED');
      clock.advance(30_000);
    };

    it('twice is refused from then on, until load is called', async () => {
      make();
      await crash('exit 1');
      await crash('exit 1');
      await fails(askAgain(engine, 'exit 1'), 'M2FP_BAD_IMAGE', /crashed the engine twice/);
      await ask(engine, 'exit-like');
      assert.equal(engine.info().restarts, 2);
      await engine.load();
      await crash('exit 1');
    });

    it('twice is refused also where it waits already', async () => {
      make();
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
      make();
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
      make({ timeout: 10 });
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
        make();
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
      make();
      await engine.load();
      const old = engine.info().pid!;
      assert.equal(facts(await ask(engine, 'twice')).text, 'twice');
      await gone(old);
      clock.advance(500);
      await ask(engine, 'fine');
    });

    it('sends what is none of our messages: is let be', async () => {
      make();
      assert.equal(facts(await ask(engine, 'foreign')).text, 'foreign');
      assert.equal(facts(await ask(engine, 'b')).count, 2);
    });

    it('closes its channel and stays: is killed after a second', async () => {
      make({ timeout: 0 });
      await engine.load();
      const old = engine.info().pid!;
      const running = ask(engine, 'disconnect');
      await clock.armed(1000);
      clock.advance(1000);
      await fails(running, 'M2FP_ENGINE_CRASHED', /closed its channel/);
      await gone(old);
    });
  });

  describe('load', () => {
    it('happens once, however many ask', async () => {
      make({ threads: 3 });
      assert.equal(engine.info().loadSeconds, null);
      const [first, second, parsing] = await Promise.all([engine.load(), engine.load(), ask(engine, 'a')]);
      const third = await engine.load();
      assert.equal(new Set([first.pid, second.pid, third.pid, facts(parsing).pid]).size, 1);
      const { state, manifest, provider, loadSeconds, waiting, threads, restarts, failure } = third;
      assert.deepEqual(
        { state, provider, loadSeconds, waiting, threads, restarts, failure },
        {
          state: 'ready',
          provider: 'fake',
          loadSeconds: 1.5,
          waiting: 0,
          threads: 3,
          restarts: 0,
          failure: null,
        },
      );
      assert.equal(manifest, MANIFEST);
    });

    it('failing fails all that wait, and the next try starts anew', async () => {
      make({ atLoad: 'fail M2FP_MODEL_INVALID' });
      const all = [engine.load(), ask(engine, 'a'), ask(engine, 'b')];
      for (const promise of all) await fails(promise, 'M2FP_MODEL_INVALID', /the child says no/);
      const { state, failure, waiting } = engine.info();
      assert.deepEqual({ state, waiting }, { state: 'failed', waiting: 0 });
      assert.equal(failure?.code, 'M2FP_MODEL_INVALID');
      await fails(ask(engine, 'c'), 'M2FP_MODEL_INVALID');
      await fails(engine.load(), 'M2FP_MODEL_INVALID');
    });

    it('ending in a crash fails all that wait; the next try pauses first', async () => {
      make({ atLoad: 'exit 5' });
      const all = [engine.load(), ask(engine, 'a'), ask(engine, 'b')];
      for (const promise of all) await fails(promise, 'M2FP_ENGINE_CRASHED', /exited with code 5/);
      assert.equal(engine.info().state, 'failed');
      const next = ask(engine, 'c');
      await clock.armed(500);
      clock.advance(500);
      await fails(next, 'M2FP_ENGINE_CRASHED', /exited with code 5/);
    });

    for (const atLoad of ['wrong-id', 'malformed', 'malformed-error']) {
      it(`answered by nonsense (${atLoad}) is a crash`, async () => {
        make({ atLoad });
        await fails(engine.load(), 'M2FP_ENGINE_CRASHED', /out of turn/);
      });
    }

    it('that never ends is ended', async () => {
      make({ atLoad: 'hang' });
      const all = [engine.load(), ask(engine, 'a')];
      await clock.armed(300_000);
      clock.advance(300_000);
      for (const promise of all) await fails(promise, 'M2FP_TIMEOUT', /did not load/);
    });

    it('tells where there is no such program', async () => {
      engine = fakeEngine({ clock });
      const { execPath } = process;
      process.execPath = '/nowhere/node';
      try {
        await fails(engine.load(), 'M2FP_ENGINE_UNAVAILABLE', /cannot be started.*ENOENT/);
      } finally {
        process.execPath = execPath;
      }
      clock.advance(500);
      await engine.load();
    });
  });

  describe('unload', () => {
    it('ends the process; the next request starts another', async () => {
      make();
      await engine.load();
      const old = engine.info().pid!;
      await engine.unload();
      assert.equal(isAlive(old), false);
      const { state, pid } = engine.info();
      assert.deepEqual({ state, pid }, { state: 'idle', pid: null });
      assert.notEqual(facts(await ask(engine, 'a')).pid, old);
      assert.equal(engine.info().restarts, 0);
    });

    it('does nothing where nothing runs', async () => {
      make();
      await engine.unload();
      await engine.unload();
      assert.equal(engine.info().state, 'idle');
    });

    it('lets the running one finish and cancels the waiting', async () => {
      make();
      await engine.load();
      const running = ask(engine, 'hold');
      const waiting = ask(engine, 'b');
      const unloaded = engine.unload();
      await fails(waiting, 'M2FP_CANCELLED', /unloaded/);
      release(engine);
      assert.equal(facts(await running).text, 'hold');
      await unloaded;
      assert.equal(engine.info().state, 'idle');
    });

    it('kills the running one after the grace time', async () => {
      make();
      await engine.load();
      const running = ask(engine, 'spin');
      const unloaded = engine.unload();
      assert.deepEqual(clock.pending(), [10_000, 60_000]);
      clock.advance(10_000);
      await fails(running, 'M2FP_CANCELLED', /unloaded/);
      await unloaded;
    });

    it('ends a load that is under way', async () => {
      make({ atLoad: 'spin' });
      const all = [engine.load(), ask(engine, 'a')];
      await clock.armed(300_000);
      const outcomes = all.map((promise) => fails(promise, 'M2FP_CANCELLED'));
      await engine.unload();
      await Promise.all(outcomes);
      assert.equal(engine.info().state, 'idle');
    });

    it('ends a pause after a crash', async () => {
      make();
      await fails(ask(engine, 'exit 1'), 'M2FP_ENGINE_CRASHED');
      const next = ask(engine, 'a');
      await clock.armed(500);
      const outcome = fails(next, 'M2FP_CANCELLED');
      await engine.unload();
      await outcome;
      assert.deepEqual(clock.pending(), []);
    });

    it('does not hurt what comes right behind it', async () => {
      make();
      const first = ask(engine, 'a');
      const outcome = fails(first, 'M2FP_CANCELLED');
      const unloaded = engine.unload();
      const [info, parsing] = await Promise.all([engine.load(), ask(engine, 'b'), unloaded, outcome]);
      assert.equal(info.pid, facts(parsing).pid);
    });

    it('while one runs, followed by another request: the old process goes first', async () => {
      make();
      await engine.load();
      const old = engine.info().pid!;
      const running = ask(engine, 'hold');
      const unloaded = engine.unload();
      const next = ask(engine, 'b');
      assert.equal(engine.info().waiting, 1);
      const loaded = engine.load();
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(engine.info().pid, old, 'two processes would hold the model twice');
      process.kill(old, 'SIGUSR2');
      assert.equal(facts(await running).pid, old);
      await unloaded;
      assert.notEqual(facts(await next).pid, old);
      await loaded;
    });

    it('does not lift the refusal after repeated crashes', async () => {
      make({ patience: { maxCrashes: 1 } });
      await fails(ask(engine, 'exit 1'), 'M2FP_ENGINE_CRASHED');
      await engine.unload();
      await fails(ask(engine, 'a'), 'M2FP_ENGINE_CRASHED', /stays down/);
    });
  });

  it('close ends it for good', async () => {
    make();
    await engine.load();
    const { pid } = engine.info();
    const running = ask(engine, 'fine');
    const waiting = ask(engine, 'b');
    const outcome = fails(waiting, 'M2FP_CANCELLED');
    await engine.close();
    await running;
    await outcome;
    assert.equal(isAlive(pid!), false);
    assert.equal(engine.info().state, 'closed');
    await fails(ask(engine, 'c'), 'M2FP_CANCELLED', /closed/);
    await fails(engine.load(), 'M2FP_CANCELLED', /closed/);
  });

  describe('subscribers', () => {
    it('are told every change of the state and of the line', async () => {
      make();
      const seen: string[] = [];
      const end = engine.subscribe(({ state, waiting }) => seen.push(`${state} ${waiting}`));
      await Promise.all([ask(engine, 'a'), ask(engine, 'b')]);
      await engine.unload();
      assert.deepEqual(seen, ['loading 1', 'loading 2', 'running 1', 'running 0', 'ready 0', 'idle 0']);
      end();
      await engine.load();
      assert.equal(seen.length, 6);
    });

    it('cannot stop the line by throwing', async () => {
      make();
      const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
      const end = engine.subscribe(() => {
        throw new Error('listener at fault');
      });
      const states: string[] = [];
      engine.subscribe(({ state }: EngineInfo) => states.push(state));
      await ask(engine, 'a');
      end();
      assert.match((await warned).message, /listener at fault/);
      assert.ok(states.includes('ready'));
    });
  });
});
