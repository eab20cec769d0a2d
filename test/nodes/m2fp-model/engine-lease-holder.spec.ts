import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { services } from '../../../nodes/common/services.ts';
import { EngineLeaseHolder } from '../../../nodes/m2fp-model/engine-lease-holder.ts';
import type { ModelSettings } from '../../../nodes/m2fp-model/settings.ts';
import { M2fpError } from '../../../src/errors.ts';
import { FakeClock } from '../../engine/support/fakes.ts';
import { fakeEngines, restoreEngines } from '../support/fake-engine.ts';

describe('EngineLeaseHolder', () => {
  const damaged = new M2fpError('M2FP_MODEL_INVALID', 'it was changed');
  let clock: FakeClock;
  let told: unknown[];
  let used: boolean;
  let holder: EngineLeaseHolder;
  /** Lets every acquisition fail until what it returns is called. */
  const damage = (): (() => void) => {
    const acquire = services.acquire.bind(services);
    services.acquire = () => Promise.reject(damaged);
    return () => void (services.acquire = acquire);
  };

  beforeEach(() => {
    fakeEngines();
    clock = new FakeClock();
    told = [];
    used = true;
    const settings = { source: 'folder', engine: { model: '/m' }, parse: {} } as unknown as ModelSettings;
    holder = new EngineLeaseHolder(
      'owner',
      () => settings,
      () => Promise.resolve('/m'),
      { changed: () => {}, failed: (reason) => told.push(reason), isUsed: () => used },
      clock,
    );
  });
  afterEach(restoreEngines);

  it('keeps what the last try threw, and finds out by itself that the model was mended', async () => {
    const mend = damage();
    await assert.rejects(holder.get(), damaged);
    assert.deepEqual([holder.failure, told], [damaged, [damaged]]);
    clock.advance(30_000);
    await nextTurn();
    assert.equal(holder.failure, damaged);
    mend();
    clock.advance(30_000);
    await nextTurn();
    assert.equal(holder.failure, undefined);
    assert.equal(holder.info?.state, 'idle');
    assert.deepEqual(clock.pending(), []);
  });

  it('forgets it when it is released, or works again, and tries no more where nobody uses it', async () => {
    const mend = damage();
    await assert.rejects(holder.get(), damaged);
    await holder.release();
    assert.deepEqual([holder.failure, clock.pending()], [undefined, []]);
    used = false;
    await assert.rejects(holder.get(), damaged);
    assert.deepEqual([holder.failure, clock.pending()], [damaged, []]);
    mend();
    await holder.get();
    assert.equal(holder.failure, undefined);
  });
});
