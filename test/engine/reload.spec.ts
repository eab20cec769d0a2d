/** A model that is read anew while its engine serves. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acquireEngine, listEngines, shutdownEngines } from '../../src/engine/index.ts';
import { dropReasonOf } from '../../src/engine/queue/dropped.ts';
import type { QueueOptions } from '../../src/engine/types.ts';
import { ReloadableEngine } from '../../src/engine/reload.ts';
import { isAlive } from '../support/processes.ts';
import {
  ask,
  facts,
  fails,
  FAKE_CHILD,
  FakeClock,
  gone,
  leavesNothingBehind,
  letGo,
  MANIFEST,
} from './support/fakes.ts';
import { writeModel } from './support/model-folder.ts';

describe('an engine whose model is read anew', () => {
  const OTHER = { ...MANIFEST, labels: ['Background', 'Hat', 'Human'] };
  let clock: FakeClock;
  let root: string;
  let model: string;
  let engine: ReloadableEngine;

  const acquire = (folder = model) =>
    acquireEngine({ model: folder, maxMemory: 0 }, { entry: FAKE_CHILD, clock, owner: 'node' });
  const reload = (folder = model) => engine.reload(() => acquire(folder));
  const digest = () => engine.info().manifest.digest;
  const pidsOf = async (asked: ReturnType<typeof ask>[]) =>
    new Set((await Promise.all(asked)).map((parsing) => facts(parsing).pid));

  /** Another model, whose last part says what the child does at load. */
  async function other(atLoad = 'fine '): Promise<string> {
    const folder = await mkdtemp(join(root, atLoad));
    await writeModel(folder, OTHER);
    return folder;
  }

  beforeEach(async () => {
    clock = new FakeClock();
    root = await mkdtemp(join(tmpdir(), 'm2fp-reload-'));
    model = await mkdtemp(join(root, 'fine '));
    await writeModel(model);
    engine = new ReloadableEngine(await acquire());
  });

  afterEach(async () => {
    engine.release();
    await shutdownEngines();
    assert.deepEqual(clock.pending(), [], 'a timer is left');
    assert.deepEqual(listEngines(), []);
    await rm(root, { recursive: true, force: true });
  });

  leavesNothingBehind();

  for (const touched of [false, true]) {
    it(`has the same model ${touched ? 'with other times of change ' : ''}started anew, and loses nobody`, async () => {
      const { pid } = await engine.load();
      const before = [ask(engine, 'a'), ask(engine, 'b')];
      if (touched) await utimes(join(model, 'model.onnx'), 1, 1);
      const reloaded = reload();
      const around = ask(engine, 'c');
      const after = await reloaded;
      assert.deepEqual(await pidsOf(before), new Set([pid]));
      await around;
      assert.notEqual(after.pid, pid);
      assert.ok(!isAlive(pid!));
      assert.deepEqual(await pidsOf([ask(engine, 'd')]), new Set([after.pid]));
      assert.equal(listEngines().length, 1);
    });
  }

  for (const [how, damage, code] of [
    ['gone', () => rename(model, join(root, 'moved')), 'M2FP_MODEL_NOT_FOUND'],
    ['damaged', () => writeFile(join(model, 'model.onnx'), 'x'), 'M2FP_MODEL_INVALID'],
    ['without a manifest', () => rm(join(model, 'm2fp.json')), 'M2FP_MODEL_NOT_FOUND'],
  ] as const) {
    it(`goes on as it is where the folder is ${how}`, async () => {
      const { pid } = await engine.load();
      const running = ask(engine, 'hold');
      const waiting = ask(engine, 'b');
      await damage();
      const reloaded = reload();
      const around = ask(engine, 'c');
      await fails(reloaded, code);
      letGo(pid);
      assert.deepEqual(await pidsOf([running, waiting, around, ask(engine, 'd')]), new Set([pid]));
      assert.equal(digest(), (await acquire(await copyBack())).engine.info().manifest.digest);
    });
  }

  /** A good folder of the model. */
  async function copyBack(): Promise<string> {
    const folder = await mkdtemp(join(root, 'fine '));
    await writeModel(folder);
    return folder;
  }

  it('hands over to another model when that is loaded; the old one works off its line and ends at once', async () => {
    const { pid } = await engine.load();
    const old = digest();
    const states: string[] = [];
    engine.subscribe(({ manifest }) => states.push(manifest.digest));
    const running = ask(engine, 'hold');
    const waiting = ask(engine, 'b');
    const held = await other('await ');
    const reloaded = reload(held);
    while (listEngines().length < 2) await new Promise((resolve) => setImmediate(resolve));
    const around = ask(engine, 'c');
    await writeFile(join(held, 'go'), '');
    const after = await reloaded;
    assert.notEqual(after.manifest.digest, old);
    assert.ok(states.includes(after.manifest.digest));
    assert.deepEqual(await pidsOf([ask(engine, 'd')]), new Set([after.pid]));
    letGo(pid);
    assert.deepEqual(await pidsOf([running, waiting, around]), new Set([pid]));
    await gone(pid!);
    while (listEngines().length > 1) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(clock.pending(), [], 'it does not linger');
  });

  it('drops what a camera has in line at the old model, when its next picture goes to the new one', async () => {
    const { pid } = await engine.load();
    const queue: QueueOptions = { policy: 'latest', lane: 'camera' };
    const running = ask(engine, 'hold', undefined, queue);
    const older = ask(engine, 'b', undefined, queue);
    const outcome = assert.rejects(older, (error) => dropReasonOf(error) === 'replaced');
    await reload(await other());
    assert.equal(facts(await ask(engine, 'c', undefined, queue)).text, 'c');
    await outcome;
    letGo(pid);
    await running;
  });

  it('goes on as it is where the other model does not load', async () => {
    const { pid } = await engine.load();
    const old = digest();
    const running = ask(engine, 'hold');
    const reloaded = reload(await other('fail M2FP_MODEL_INVALID '));
    const around = ask(engine, 'b');
    await fails(reloaded, 'M2FP_MODEL_INVALID');
    letGo(pid);
    assert.deepEqual(await pidsOf([running, around, ask(engine, 'c')]), new Set([pid]));
    assert.equal(digest(), old);
    while (listEngines().length > 1) await new Promise((resolve) => setImmediate(resolve));
  });

  it('that is not loaded hands over at once', async () => {
    const held = await other('await ');
    const old = digest();
    const reloaded = reload(held);
    while (digest() === old) await new Promise((resolve) => setImmediate(resolve));
    const around = ask(engine, 'a');
    await writeFile(join(held, 'go'), '');
    const { pid } = await reloaded;
    assert.deepEqual(await pidsOf([around]), new Set([pid]));
  });

  it('that is still loading lets the load, and what waits for it, end', async () => {
    const held = await mkdtemp(join(root, 'await '));
    await cp(model, held, { recursive: true });
    engine.release();
    engine = new ReloadableEngine(await acquire(held));
    const loading = engine.load();
    const waiting = ask(engine, 'a');
    const reloaded = reload(held);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await writeFile(join(held, 'go'), '');
    const [loaded, parsing, after] = await Promise.all([loading, waiting, reloaded]);
    assert.equal(facts(parsing).pid, loaded.pid);
    assert.notEqual(after.pid, loaded.pid);
  });

  it('that cannot load any more what was replaced on disk has the new model parse it', async () => {
    const broken = await mkdtemp(join(root, 'fail M2FP_MODEL_INVALID '));
    await writeModel(broken);
    engine.release();
    await shutdownEngines();
    engine = new ReloadableEngine(await acquire(broken));
    const loading = engine.load();
    const waiting = ask(engine, 'a');
    const { pid } = await reload(await other());
    assert.deepEqual(await pidsOf([waiting]), new Set([pid]));
    assert.equal((await loading).pid, pid);
  });

  describe('and was replaced on disk', () => {
    /** The child finds another model than the engine's in its folder, as the real one does. */
    async function replaced(): Promise<{
      broken: string;
      old: Awaited<ReturnType<typeof acquire>>;
      next: string;
    }> {
      const broken = await mkdtemp(join(root, 'fail M2FP_MODEL_INVALID '));
      await writeModel(broken);
      engine.release();
      await shutdownEngines();
      return { broken, old: await acquire(broken), next: await other() };
    }

    it('takes what lies there now with the next pictures and loads, and loses nobody', async () => {
      const { old, next } = await replaced();
      let looks = 0;
      engine = new ReloadableEngine(old, () => {
        looks++;
        return acquire(next);
      });
      const before = digest();
      const asked = [ask(engine, 'a'), ask(engine, 'b')];
      const { pid } = await engine.load();
      assert.deepEqual(await pidsOf(asked), new Set([pid]));
      assert.notEqual(digest(), before);
      assert.equal(looks, 1);
      while (listEngines().length > 1) await new Promise((resolve) => setImmediate(resolve));
    });

    it('tells what is wrong where nothing better lies there', async () => {
      const { broken, old } = await replaced();
      for (const look of [
        () => acquire(join(root, 'nowhere')),
        // The same model.
        () => acquire(broken),
      ]) {
        engine = new ReloadableEngine(old, look);
        await fails(ask(engine, 'a'), 'M2FP_MODEL_INVALID');
        await fails(engine.load(), 'M2FP_MODEL_INVALID');
      }
    });
  });

  it('twice at once, also of different models, is read in turn', async () => {
    await engine.load();
    const second = await other();
    const all = await Promise.all([
      ask(engine, 'a'),
      reload(),
      ask(engine, 'b'),
      reload(second),
      ask(engine, 'c'),
      reload(second),
    ]);
    assert.equal(all.length, 6);
    const [{ digest: last }] = [engine.info().manifest];
    assert.equal(last, (await acquire(second)).engine.info().manifest.digest);
  });

  it('released in the middle of it gives both engines back', async () => {
    await engine.load();
    const held = await other('await ');
    const reloaded = reload(held);
    const outcome = fails(reloaded, 'M2FP_CANCELLED');
    while (listEngines().length < 2) await new Promise((resolve) => setImmediate(resolve));
    engine.release();
    await writeFile(join(held, 'go'), '');
    await outcome;
    while (listEngines().length > 1) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(30_000);
    while (listEngines().length > 0) await new Promise((resolve) => setImmediate(resolve));
  });
});
