/** A deploy that changes an engine's processes: the old ones serve until the new ones can. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acquireEngine, listEngines, shutdownEngines, type EngineOptions } from '../../src/engine/index.ts';
import type { EngineInfo } from '../../src/engine/types.ts';
import { isAlive } from '../support/processes.ts';
import {
  FAKE_CHILD,
  FakeClock,
  MANIFEST,
  ask,
  facts,
  fails,
  gone,
  leavesNothingBehind,
  letGo,
  until,
} from './support/fakes.ts';
import { writeModel } from './support/model-folder.ts';

describe('an engine whose owner asks for other processes', () => {
  let clock: FakeClock;
  let root: string;
  let model: string;
  let held: string;
  const acquire = (threads: number, options: Partial<EngineOptions> = {}, owner = 'node') =>
    acquireEngine({ model, threads, ...options }, { entry: FAKE_CHILD, clock, owner });
  /** A model that does not load before {@link go}. */
  const heldModel = async () => {
    held = await mkdtemp(join(root, 'await '));
    await writeModel(held);
    return held;
  };
  const go = () => writeFile(join(held, 'go'), '');
  const threadsOf = () =>
    listEngines()
      .map(({ threads }) => threads)
      .toSorted((a, b) => a - b);

  /** Ends when only the engines with so many threads are left; by the fake clock, no time passes for one that lingers. */
  async function remain(threads: number[]): Promise<void> {
    const deadline = performance.now() + 10_000;
    while (threadsOf().length > threads.length && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.deepEqual(threadsOf(), threads);
  }

  beforeEach(async () => {
    clock = new FakeClock();
    root = await mkdtemp(join(tmpdir(), 'm2fp-swap-'));
    model = await mkdtemp(join(root, 'fine '));
    await writeModel(model);
  });

  afterEach(async () => {
    await shutdownEngines();
    assert.deepEqual(clock.pending(), [], 'a timer is left');
    assert.deepEqual(listEngines(), []);
    await rm(root, { recursive: true, force: true });
  });

  leavesNothingBehind();

  it('is served by the old ones until the new ones are loaded; then the old ones end', async () => {
    const first = await acquire(1);
    const old = (await first.engine.load()).pid!;
    first.release();
    const second = await acquire(2, { model: await heldModel() });
    const seen: EngineInfo[] = [];
    const end = second.engine.subscribe((info) => seen.push(info));
    assert.equal(facts(await ask(second.engine, 'a')).pid, old);
    assert.equal(second.engine.info().threads, 1);
    const serving = () =>
      listEngines().flatMap(({ threads, owners }) => (owners.length ? [[threads, owners]] : []));
    assert.deepEqual(serving(), [[1, ['node']]]);
    await go();
    const { pid, threads } = await second.engine.load();
    assert.equal(threads, 2);
    assert.deepEqual(serving(), [[2, ['node']]]);
    await gone(old);
    assert.equal(facts(await ask(second.engine, 'b')).pid, pid);
    assert.ok(seen.some((info) => info.threads === 2));
    await remain([2]);
    end();
    second.release();
    assert.deepEqual(clock.pending(), [30_000]);
  });

  it('lets the old ones finish what they have', async () => {
    const first = await acquire(1);
    const old = (await first.engine.load()).pid!;
    first.release();
    const second = await acquire(2, { model: await heldModel() });
    const running = ask(second.engine, 'hold');
    const waiting = ask(second.engine, 'b');
    await go();
    await second.engine.load();
    assert.notEqual(facts(await ask(second.engine, 'c')).pid, old, 'what comes later is for the new ones');
    assert.deepEqual(threadsOf(), [1, 2]);
    letGo(old);
    assert.equal(facts(await running).pid, old);
    assert.equal(facts(await waiting).pid, old);
    await gone(old);
  });

  it('leaves the old ones to others who have them', async () => {
    const other = await acquire(1, {}, 'other node');
    const first = await acquire(1);
    await first.engine.load();
    first.release();
    const second = await acquire(2);
    await second.engine.load();
    assert.deepEqual(threadsOf(), [1, 2]);
    await ask(other.engine, 'a');
    other.release();
    clock.advance(30_000);
    await remain([2]);
  });

  it('that never ran is replaced without any stir', async () => {
    const first = await acquire(1);
    first.release();
    const second = await acquire(2);
    assert.equal(second.engine.info().state, 'idle');
    await remain([2]);
  });

  it('deployed again and again keeps no more than the one that serves and the one that is wanted', async () => {
    const first = await acquire(1);
    const old = (await first.engine.load()).pid!;
    first.release();
    for (let threads = 2; threads < 10; threads++) {
      const lease = await acquire(threads, { model: await heldModel() });
      assert.equal(facts(await ask(lease.engine, 'a')).pid, old);
      lease.release();
      // The one before ends when its process has, and that takes as long as it takes.
      await remain([1, threads]);
    }
    const last = await acquire(1);
    assert.equal(facts(await ask(last.engine, 'a')).pid, old);
    await remain([1]);
  });

  it('has the failure of the new ones told', async () => {
    const first = await acquire(1);
    const old = (await first.engine.load()).pid!;
    first.release();
    const broken = await mkdtemp(join(root, 'fail M2FP_MODEL_INVALID '));
    await writeModel(broken);
    const second = await acquire(2, { model: broken });
    await until(second.engine, ({ state }) => state === 'failed');
    await fails(second.engine.load(), 'M2FP_MODEL_INVALID');
    await gone(old);
  });

  it('unloaded in the middle of it is unloaded', async () => {
    const first = await acquire(1);
    const old = (await first.engine.load()).pid!;
    first.release();
    const second = await acquire(2, { model: await heldModel() });
    await second.engine.unload();
    assert.equal(second.engine.info().state, 'idle');
    assert.equal(second.engine.info().pid, null);
    await gone(old);
  });

  it('starts with another model as with any other', async () => {
    const first = await acquire(1);
    const old = (await first.engine.load()).pid!;
    first.release();
    const other = await mkdtemp(join(root, 'fine '));
    await writeModel(other, { ...MANIFEST, labels: ['Background', 'Hat', 'Human'] });
    const second = await acquire(1, { model: other });
    assert.equal(second.engine.info().state, 'idle');
    assert.ok(isAlive(old), 'it lingers');
  });
});
