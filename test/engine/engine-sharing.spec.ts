/** Equal pictures in a whole engine; see sharing/ for every case. */
import assert from 'node:assert/strict';
import { type RequestEvent, requestEvents } from '../../src/engine/events.ts';
import type { LocalEngine } from '../../src/engine/local-engine.ts';
import { facts, fakeEngine, leavesNothingBehind } from './support/fakes.ts';

describe('an engine that is asked for equal pictures', () => {
  let engine: LocalEngine;
  let events: RequestEvent[];
  let unsubscribe: () => void;
  const ask = () => engine.parse({ image: Buffer.from('fine') });

  beforeEach(() => {
    events = [];
    unsubscribe = requestEvents.subscribe((event) => events.push(event));
  });
  afterEach(async () => {
    unsubscribe();
    await engine.close();
  });
  leavesNothingBehind();

  it('parses them once while they are in flight, and counts each', async () => {
    engine = fakeEngine();
    const parsings = await Promise.all([ask(), ask(), ask()]);
    assert.deepEqual(
      parsings.map(({ cached }) => cached),
      [false, true, true],
    );
    assert.equal((await ask()).cached, false);
    assert.equal(facts(parsings[2]!).count, 1);
    assert.deepEqual(
      events.map(({ fate, cached }) => [fate, cached]),
      [false, true, true, false].map((cached) => ['completed', cached]),
    );
    assert.equal(engine.info().cache, null);
  });

  it('keeps results where it has a cache, until it is unloaded', async () => {
    engine = fakeEngine({ cacheSize: 1 });
    const first = await ask();
    const again = await ask();
    const { timing: _first, ...computed } = first;
    const { timing, ...kept } = again;
    assert.deepEqual(kept, { ...computed, cached: true });
    assert.equal(timing.inference, 0);
    assert.equal(engine.info().cache!.entries, 1);
    await engine.unload();
    assert.equal((await ask()).cached, false);
  });
});
