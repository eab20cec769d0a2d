import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { services } from '../../../nodes/common/services.ts';
import { EngineLeaseHolder } from '../../../nodes/m2fp-model/engine-lease-holder.ts';
import type { ModelSettings } from '../../../nodes/m2fp-model/settings.ts';
import { M2fpError } from '../../../src/errors.ts';
import { FakeClock } from '../../engine/support/fakes.ts';
import { type FakeEngine, fakeEngines, MANIFEST, restoreEngines } from '../support/fake-engine.ts';

describe('EngineLeaseHolder', () => {
  const damaged = new M2fpError('M2FP_MODEL_INVALID', 'it was changed');
  let clock: FakeClock;
  let engine: FakeEngine;
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
    ({ engine } = fakeEngines());
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

  describe('whose engine could not load', () => {
    const settle = async (): Promise<void> => {
      for (let i = 0; i < 5; i++) await nextTurn();
    };

    it('loads it by itself once the files are as they should be, and not before', async () => {
      await holder.get();
      engine.set('failed');
      let problem: M2fpError | undefined = damaged;
      services.readManifest = async () => {
        if (problem) throw problem;
        return MANIFEST;
      };
      for (let i = 0; i < 3; i++) {
        clock.advance(30_000);
        await settle();
      }
      assert.deepEqual(engine.actions, []);
      problem = undefined;
      clock.advance(30_000);
      await settle();
      assert.deepEqual([engine.actions, holder.info?.state], [['load'], 'ready']);
      assert.deepEqual(clock.pending(), []);
    });

    it('tries ever more rarely what fails with good files', async () => {
      await holder.get();
      services.readManifest = async () => MANIFEST;
      engine.load = async () => {
        engine.actions.push('load');
        engine.set('loading');
        engine.set('failed');
        throw damaged;
      };
      engine.set('failed');
      const pauses: number[] = [];
      for (let i = 0; i < 7; i++) {
        pauses.push(...clock.pending());
        clock.advance(clock.pending()[0]!);
        await settle();
      }
      assert.deepEqual(
        pauses.map((pause) => pause / 1000),
        [30, 60, 120, 240, 480, 600, 600],
      );
      assert.equal(engine.actions.length, 7);
      engine.set('ready');
      engine.set('failed');
      assert.deepEqual(clock.pending(), [30_000]);
    });

    it('leaves it alone where nobody uses it, until somebody does', async () => {
      await holder.get();
      engine.set('failed');
      holder.rest();
      used = false;
      engine.set('failed');
      assert.deepEqual(clock.pending(), []);
      used = true;
      holder.wake();
      assert.deepEqual(clock.pending(), [30_000]);
      engine.set('idle');
      assert.deepEqual(clock.pending(), []);
    });
  });
});
