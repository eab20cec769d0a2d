/** Each request has one fate, and tells it. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DroppedRequest, dropReasonOf } from '../../../src/engine/queue/dropped.ts';
import { loadEvents, requestEvents, type RequestEvent } from '../../../src/engine/events.ts';
import type { LocalEngine } from '../../../src/engine/local/local-engine.ts';
import type { QueueOptions } from '../../../src/engine/types.ts';
import { isAlive } from '../../support/processes.ts';
import { FakeClock, MANIFEST, ask, fails, fakeEngine, letGo, until } from '../support/fakes.ts';
import { localEngineUnderTest } from '../support/local-engine.ts';

describe('the fate of a request', () => {
  let clock: FakeClock;
  let engine: LocalEngine;
  let events: RequestEvent[];
  let end: () => void;
  const make = (options: Parameters<typeof fakeEngine>[0] = {}) => {
    ({ clock, engine } = open(options));
    return engine;
  };
  const fates = () => events.map(({ fate, code }) => (code === undefined ? fate : `${fate} ${code}`));

  beforeEach(() => {
    events = [];
    end = requestEvents.subscribe((event) => events.push(event));
  });

  afterEach(() => end());

  const open = localEngineUnderTest();

  it('completed: with its times', async () => {
    make();
    const loads: number[] = [];
    const endLoads = loadEvents.subscribe(({ seconds }) => loads.push(seconds));
    const promise = ask(engine, 'a');
    clock.advance(250);
    const { timing } = await promise;
    endLoads();
    assert.deepEqual(events, [
      {
        engine: { model: 'test/model', digest: MANIFEST.digest.slice(0, 12) },
        fate: 'completed',
        cached: false,
        queue: 250,
        timing,
      },
    ]);
    assert.deepEqual(loads, [1.5]);
  });

  it('rejected where the arguments are wrong', async () => {
    make();
    await fails(engine.parse({ image: Buffer.alloc(0), options: { shortSide: -1 } }), 'M2FP_BAD_OPTION');
    await fails(ask(engine, 'a', undefined, { limit: -1 }), 'M2FP_BAD_OPTION', /limit/);
    await fails(
      ask(engine, 'a', undefined, { policy: 'x' as 'wait' }),
      'M2FP_BAD_OPTION',
      /policy.* wait, latest/,
    );
    await fails(ask(engine, 'a', undefined, { maxAge: 0.5 }), 'M2FP_BAD_OPTION', /maxAge/);
    await fails(ask(engine, 'a', undefined, { priority: NaN }), 'M2FP_BAD_OPTION', /priority/);
    await fails(ask(engine, 'a', undefined, { lane: 7 as unknown as string }), 'M2FP_BAD_OPTION', /lane/);
    await fails(engine.parse({ image: 'text' as unknown as Buffer }), 'M2FP_NO_IMAGE');
    assert.deepEqual(fates(), [...Array(6).fill('rejected M2FP_BAD_OPTION'), 'rejected M2FP_NO_IMAGE']);
  });

  it('told with who asks; none of a trial, whether it succeeds or not', async () => {
    make();
    const caller = { node: 'yard', camera: 'front' };
    await engine.parse({ image: Buffer.from('a'), caller });
    await engine.parse({ image: Buffer.from('b'), caller, trial: true });
    await fails(engine.parse({ image: Buffer.from('fail M2FP_BAD_IMAGE'), trial: true }), 'M2FP_BAD_IMAGE');
    assert.deepEqual(
      events.map((event) => [event.fate, event.caller]),
      [['completed', caller]],
    );
  });

  it('failed, rejected, cancelled, replaced or expired: whichever it is, with its time in the line', async () => {
    make({ maxQueue: 3 });
    await engine.load();
    const abort = new AbortController();
    const camera: QueueOptions = { policy: 'latest', lane: 'camera' };
    const all = [
      ask(engine, 'hold'),
      ask(engine, 'a', undefined, camera),
      ask(engine, 'b', undefined, camera),
      ask(engine, 'c', abort.signal),
      ask(engine, 'd', undefined, { maxAge: 20, lane: 'old' }),
      ask(engine, 'e'),
      ask(engine, 'f', AbortSignal.abort()),
    ];
    clock.advance(10);
    abort.abort();
    clock.advance(10);
    letGo(engine.info().pid);
    const results = await Promise.allSettled(all);
    assert.deepEqual(
      results.map((result) =>
        result.status === 'rejected' ? (dropReasonOf(result.reason) ?? result.reason.code) : 'ok',
      ),
      ['ok', 'replaced', 'ok', 'M2FP_CANCELLED', 'expired', 'M2FP_BUSY', 'M2FP_CANCELLED'],
    );
    const [, replaced] = results;
    assert.ok(replaced?.status === 'rejected' && replaced.reason instanceof DroppedRequest);
    await fails(ask(engine, 'fail M2FP_BAD_IMAGE'), 'M2FP_BAD_IMAGE');
    const told = events.map(({ fate, code, queue }) => `${fate} ${code ?? 'fine'} ${queue}`);
    assert.deepEqual(
      new Set(told),
      new Set([
        'cancelled M2FP_CANCELLED 0',
        'cancelled M2FP_CANCELLED 10',
        'completed fine 0',
        'completed fine 20',
        'expired fine 20',
        'failed M2FP_BAD_IMAGE 0',
        'rejected M2FP_BUSY 0',
        'replaced fine 0',
      ]),
    );
    assert.equal(told.length, 8);
  });

  it('rejected where the engine stays down; cancelled where it is closed', async () => {
    make({ policy: { maxCrashes: 1 } });
    await fails(ask(engine, 'exit 1'), 'M2FP_ENGINE_CRASHED');
    await fails(ask(engine, 'a'), 'M2FP_ENGINE_CRASHED', /stays down/);
    await engine.close();
    await fails(ask(engine, 'a'), 'M2FP_CANCELLED');
    assert.deepEqual(fates(), [
      'failed M2FP_ENGINE_CRASHED',
      'rejected M2FP_ENGINE_CRASHED',
      'cancelled M2FP_CANCELLED',
    ]);
  });

  it('is one, whatever happens', async function () {
    this.timeout(60_000);
    const step = fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({
          ask: fc.constantFrom('a', 'b', 'exit 1', 'fail M2FP_BAD_IMAGE', 'hang'),
          policy: fc.constantFrom('wait', 'latest', 'reject'),
          maxAge: fc.constantFrom(0, 50),
        } as const),
      },
      { weight: 1, arbitrary: fc.constant('abort' as const) },
      { weight: 2, arbitrary: fc.constant('answer' as const) },
      { weight: 2, arbitrary: fc.constantFrom(20, 600, 2000) },
      { weight: 1, arbitrary: fc.constantFrom('kill' as const, 'unload' as const, 'load' as const) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
        events = [];
        const time = new FakeClock();
        const busy = fakeEngine({
          clock: time,
          processes: 2,
          maxQueue: 4,
          timeout: 1000,
          policy: { maxCrashes: 1000, loadTime: 1e12 },
        });
        const asked: Promise<unknown>[] = [];
        const aborts: AbortController[] = [];
        const others: Promise<unknown>[] = [];
        for (const action of steps) {
          if (typeof action === 'number') {
            time.advance(action);
          } else if (typeof action === 'object') {
            const abort = new AbortController();
            aborts.push(abort);
            asked.push(
              ask(busy, `${action.ask} ${asked.length}`, abort.signal, {
                policy: action.policy,
                maxAge: action.maxAge,
              }).catch(() => {}),
            );
          } else if (action === 'abort') {
            aborts.pop()?.abort();
          } else if (action === 'kill') {
            const pid = busy.info().processes.find((one) => one.pid !== null)?.pid;
            if (typeof pid === 'number' && isAlive(pid)) process.kill(pid, 'SIGKILL');
          } else if (action === 'answer') {
            while (busy.info().processes.some(({ state }) => state === 'loading')) {
              time.advance(500);
              await new Promise((resolve) => setImmediate(resolve));
            }
          } else {
            others.push((action === 'load' ? busy.load() : busy.unload()).catch(() => {}));
          }
        }
        await busy.close();
        await Promise.all([...asked, ...others]);
        assert.equal(events.length, asked.length);
        const { waiting, running, processes } = busy.info();
        assert.deepEqual({ waiting, running }, { waiting: 0, running: 0 });
        assert.ok(processes.every(({ pid }) => pid === null));
        assert.deepEqual(time.pending(), []);
      }),
      { numRuns: 15 },
    );
    make();
    await until(engine, ({ state }) => state === 'idle');
  });
});
