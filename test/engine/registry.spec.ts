import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { loadEvents } from '../../src/engine/events.ts';
import { acquireEngine, listEngines, shutdownEngines, type EngineOptions } from '../../src/engine/index.ts';
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
} from './support/fakes.ts';
import { writeModel } from './support/model-folder.ts';

describe('acquireEngine', () => {
  let clock: FakeClock;
  let root: string;
  let model: string;
  const acquire = (options: Partial<EngineOptions> = {}, linger?: number, owner?: string) =>
    acquireEngine({ model, ...options }, { entry: FAKE_CHILD, clock, linger, owner });

  beforeEach(async () => {
    clock = new FakeClock();
    root = await mkdtemp(join(tmpdir(), 'm2fp-registry-'));
    // The fake child reads from the last part what to do at load.
    model = await mkdtemp(join(root, 'fine '));
    await writeModel(model);
  });

  afterEach(async () => {
    await shutdownEngines();
    assert.deepEqual(clock.pending(), [], 'a timer is left');
    await rm(root, { recursive: true, force: true });
  });

  leavesNothingBehind();

  it('gives all who ask for the same the same engine and process', async () => {
    const [first, second] = await Promise.all([
      acquire(),
      acquire({ threads: 0, maxQueue: 8, timeout: 60_000 }),
    ]);
    assert.equal(first.engine, second.engine);
    const [a, b] = await Promise.all([ask(first.engine, 'a'), ask(second.engine, 'b')]);
    assert.equal(facts(a).pid, facts(b).pid);
  });

  it('gives other processes to those who want other processes', async () => {
    const leases = await Promise.all([
      acquire(),
      acquire({ threads: 7 }),
      acquire({ processes: 3, threads: 7 }),
    ]);
    assert.equal(new Set(leases.map(({ engine }) => engine)).size, 3);
    assert.equal(leases[1].engine.info().threads, 7);
    assert.equal(leases[2].engine.info().processes.length, 3);
  });

  it('gives the same engine for other limits; those asked for last hold', async () => {
    const { engine } = await acquire();
    const { pid } = await engine.load();
    const other = await acquire({
      maxQueue: 0,
      timeout: 7,
      idleUnload: 9,
      maxMemory: 50,
      cacheSize: 5,
      warmUp: true,
    });
    assert.equal(other.engine, engine);
    assert.deepEqual(clock.pending(), [9]);
    const running = ask(engine, 'hold');
    assert.deepEqual(clock.pending(), [7, 250]);
    await fails(ask(engine, 'b'), 'M2FP_BUSY');
    process.kill(pid!, 'SIGUSR2');
    await running;
  });

  it('tells models by their digest, not by their folder', async () => {
    const copy = join(root, 'fine copy');
    await cp(model, copy, { recursive: true });
    const other = await mkdtemp(join(root, 'fine '));
    await writeModel(other, { ...MANIFEST, labels: ['Background', 'Hat', 'Human'] });
    const { engine } = await acquire();
    assert.equal((await acquire({ model: copy })).engine, engine);
    assert.notEqual((await acquire({ model: other })).engine, engine);
  });

  it('does not believe the digest that a folder claims', async () => {
    const thief = await mkdtemp(join(root, 'fine '));
    await writeModel(thief, { ...MANIFEST, labels: ['Background', 'Mask', 'Human'] });
    const [own, others] = [await acquire(), await acquire({ model: thief })];
    assert.notEqual(others.engine, own.engine);
    assert.notEqual(others.engine.info().manifest.digest, own.engine.info().manifest.digest);
  });

  it('shares between copies of the module, as a bundler makes them', async () => {
    const file = pathToFileURL(join(import.meta.dirname, '../../src/engine/registry.ts')).href;
    const copy = (await import(`${file}?copy`)) as { acquireEngine: typeof acquireEngine };
    assert.notEqual(copy.acquireEngine, acquireEngine);
    const { engine } = await acquire();
    const other = await copy.acquireEngine({ model }, { entry: FAKE_CHILD, clock });
    assert.equal(other.engine, engine);
  });

  it('keeps an engine for a while after the last release, and gives it again', async () => {
    const [first, second] = await Promise.all([acquire(), acquire()]);
    const { pid } = await first.engine.load();
    first.release();
    first.release();
    clock.advance(60_000);
    assert.equal(second.engine.info().state, 'ready', 'a release done twice counts once');
    second.release();
    clock.advance(29_999);
    const third = await acquire();
    assert.equal(third.engine, first.engine);
    assert.deepEqual(clock.pending(), []);
    assert.equal(facts(await ask(third.engine, 'a')).pid, pid);
    third.release();
    clock.advance(30_000);
    assert.equal(third.engine.info().state, 'closed');
    await gone(pid!);
    const fourth = await acquire();
    assert.notEqual(fourth.engine, first.engine);
  });

  it('survives ten full deploys with one load', async () => {
    const pids = new Set<number>();
    let loads = 0;
    const end = loadEvents.subscribe(() => loads++);
    for (let deploy = 0; deploy < 10; deploy++) {
      const leases = await Promise.all([acquire(), acquire(), acquire({}, undefined, 'config node')]);
      for (const { engine } of leases) pids.add(facts(await ask(engine, 'a')).pid);
      for (const lease of leases) lease.release();
      clock.advance(1000);
    }
    end();
    assert.equal(pids.size, 1);
    assert.equal(loads, 1);
    assert.equal(listEngines().length, 1);
  });

  it('tells whom each engine serves: nobody, while it lingers', async () => {
    const owners = () => listEngines().map((info) => info.owners);
    const take = (owner: string) => acquireEngine({ model }, { entry: FAKE_CHILD, clock, owner });
    const one = await take('one');
    const again = await take('one');
    const two = await take('two');
    await acquire({}).then((lease) => lease.release());
    assert.deepEqual(owners(), [['one', 'two']]);
    one.release();
    one.release();
    assert.deepEqual(owners(), [['one', 'two']]);
    again.release();
    assert.deepEqual(owners(), [['two']]);
    two.release();
    assert.deepEqual(owners(), [[]]);
    await take('three');
    assert.deepEqual(owners(), [['three']]);
  });

  it('takes another linger time', async () => {
    const lease = await acquire({}, 5);
    lease.release();
    clock.advance(5);
    assert.equal(lease.engine.info().state, 'closed');
  });

  it('does not keep an engine that failed when nobody has it', async () => {
    const broken = await mkdtemp(join(root, 'fail M2FP_MODEL_INVALID '));
    await writeModel(broken, { ...MANIFEST, labels: ['Background', 'Broken', 'Human'] });
    const first = await acquire({ model: broken });
    await assert.rejects(first.engine.load());
    assert.equal((await acquire({ model: broken })).engine, first.engine, 'it is in use');
    first.release();
    (await acquire({ model: broken })).release();
    await shutdownEngines();
    const again = await acquire({ model: broken });
    await assert.rejects(again.engine.load());
    again.release();
    const third = await acquire({ model: broken });
    assert.notEqual(third.engine, again.engine);
    assert.equal(third.engine.info().state, 'idle');
  });

  it('does not remember a failure', async () => {
    await rm(join(model, 'm2fp.json'));
    await fails(acquire(), 'M2FP_MODEL_NOT_FOUND');
    await writeModel(model);
    await ask((await acquire()).engine, 'a');
  });

  it('refuses bad options and names what is allowed', async () => {
    await fails(
      acquire({ model: '' }),
      'M2FP_BAD_OPTION',
      /"model" is ""; allowed: the folder of a converted model/,
    );
    await fails(
      acquire({ threads: -1 }),
      'M2FP_BAD_OPTION',
      /"threads" is -1; allowed: a whole number from 0 to 1024/,
    );
    await fails(acquire({ threads: 1.5 }), 'M2FP_BAD_OPTION', /threads/);
    await fails(acquire({ maxQueue: '9' as unknown as number }), 'M2FP_BAD_OPTION', /"maxQueue" is "9"/);
    await fails(acquire({ maxQueue: NaN }), 'M2FP_BAD_OPTION', /maxQueue/);
    await fails(acquire({ timeout: 2 ** 31 }), 'M2FP_BAD_OPTION', /"timeout" is .* from 0 to 2147483647/);
    await fails(acquire({ timeout: Infinity }), 'M2FP_BAD_OPTION', /timeout/);
  });

  it('shutdownEngines ends all, leased or lingering; later releases do no harm', async () => {
    const leased = await acquire();
    const lingering = await acquire({ threads: 2 });
    const pids = [(await leased.engine.load()).pid!, (await lingering.engine.load()).pid!];
    lingering.release();
    await shutdownEngines();
    assert.deepEqual(pids.map(isAlive), [false, false]);
    leased.release();
    assert.deepEqual(clock.pending(), []);
    await fails(leased.engine.load(), 'M2FP_CANCELLED');
  });
});
