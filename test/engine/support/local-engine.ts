/** One engine on the fake child for each test, by a clock that the test moves. */
import assert from 'node:assert/strict';
import type { LocalEngine } from '../../../src/engine/local/local-engine.ts';
import { FakeClock, fakeEngine, leavesNothingBehind, letGo } from './fakes.ts';

/** Has the engine of each test closed, checks that it leaves nothing behind, and returns what makes it. */
export function localEngineUnderTest() {
  let clock: FakeClock;
  let engine: LocalEngine;

  beforeEach(() => {
    clock = new FakeClock();
  });

  afterEach(async () => {
    await engine.close();
    assert.deepEqual(clock.pending(), [], 'a timer is left');
  });

  leavesNothingBehind();

  return (options: Parameters<typeof fakeEngine>[0] = {}) => {
    engine = fakeEngine({ clock, ...options });
    return { engine, clock };
  };
}

/** Where a request of the fake child's 'hold' may go on. */
export function release(engine: LocalEngine): void {
  letGo(engine.info().pid);
}
