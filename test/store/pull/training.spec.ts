import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acquireEngine, shutdownEngines } from '../../../src/engine/index.ts';
import { convertCheckpoint } from '../../../src/store/convert.ts';
import { openStore } from '../../../src/store/store.ts';
import { goldenFolder } from '../../support/golden.ts';
import { trainingCheckpoint, type TrainingCheckpoint } from '../../support/training-checkpoint.ts';
import { CHECKPOINT, MODEL_ID, stallAt } from '../support/hub.ts';
import { bench, convert, never } from '../support/pulling.ts';

const OLD_ID = MODEL_ID.replace('iic/', 'damo/');

/** All files below a folder. */
const filesIn = (folder: string) =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    : [];

describe("pulling a checkpoint with its trainer's state, as it is published", () => {
  const t = bench();
  let training: TrainingCheckpoint;
  before(async () => {
    training = await trainingCheckpoint('multi');
  });
  beforeEach(() => t.hub.files.set(CHECKPOINT, { bytes: training.bytes }));

  it('is interrupted among the optimizer, goes on there, converts, and keeps nothing of it', async () => {
    const share = 0.8;
    const cut = Math.floor(training.bytes.length * share);
    assert.ok(training.optimizerAt > 0 && cut > training.optimizerAt, 'the cut lies among the optimizer');
    t.hub.next(CHECKPOINT, stallAt(share));
    t.clock.step = 1000;
    const controller = new AbortController();
    const totals = new Set<number | null>();
    const cancelled = t.pull({
      signal: controller.signal,
      onProgress: ({ phase, file, received, total }) => {
        if (phase === 'download') totals.add(total);
        if (file === CHECKPOINT && received > training.optimizerAt + 100_000) controller.abort();
      },
    });
    await assert.rejects(cancelled, { code: 'M2FP_CANCELLED' });
    // What is told of the size is the list's.
    const listed = [...t.hub.files]
      .filter(([name]) => name !== 'README.md')
      .reduce((sum, [, { bytes }]) => sum + bytes.length, 0);
    assert.ok(totals.has(listed));

    const { manifest, folder } = await t.pull({}, { convert });
    const from = Number(/^bytes=(\d+)-$/.exec(t.hub.of(CHECKPOINT)[1]?.range ?? '')?.[1]);
    assert.ok(from > training.optimizerAt, `went on at ${from}`);
    assert.equal(manifest.source.sha256, createHash('sha256').update(training.bytes).digest('hex'));
    const out = mkdtempSync(join(tmpdir(), 'm2fp-training-'));
    const plain = await convertCheckpoint({ source: goldenFolder('multi'), out });
    rmSync(out, { recursive: true });
    assert.deepEqual(manifest.files, plain.manifest.files);
    t.nothingLeft();
    assert.deepEqual(
      filesIn(t.root)
        .map(({ parentPath, name }) => join(parentPath, name))
        .toSorted(),
      ['m2fp.json', 'model.onnx', 'model.onnx.data'].map((name) => join(folder, name)),
    );
  });

  it('keeps the checkpoint where that is asked for, until the model is removed', async () => {
    const { checkpoint } = await t.pull({ keepCheckpoint: true }, { convert });
    assert.deepEqual(readFileSync(join(checkpoint!, CHECKPOINT)), training.bytes);
    assert.deepEqual(readdirSync(checkpoint!).toSorted(), ['configuration.json', CHECKPOINT]);
    const store = openStore(t.root);
    assert.equal((await store.list()).length, 1);
    await store.remove(MODEL_ID);
    assert.deepEqual(filesIn(t.root), []);
  });

  it('asks for no more space than the weights and the download take', async () => {
    const { length } = training.bytes;
    const freeBytes = () => Promise.resolve(length * 1.5);
    await assert.rejects(t.pull({}, { convert: never, freeBytes }), {
      code: 'M2FP_DOWNLOAD_FAILED',
      message: /are needed/,
    });
  });
});

describe('the old name of a published model', () => {
  const t = bench();
  afterEach(shutdownEngines);

  it('finds what was pulled under the present one', async () => {
    const { folder } = await t.pull({}, { convert });
    assert.match(folder, /iic/);
    const again = await t.pull({ id: OLD_ID }, { convert: never });
    assert.deepEqual([again.folder, again.made], [folder, false]);
    assert.equal((await openStore(t.root).find(OLD_ID))?.folder, folder);
  });

  it('leaves a model where it lies, and the present name finds it there', async () => {
    const out = join(t.root, ...OLD_ID.split('/'), 'master');
    await convertCheckpoint({ source: goldenFolder('multi'), out, id: OLD_ID });
    for (const id of [MODEL_ID, OLD_ID]) {
      const found = await t.pull({ id }, { convert: never });
      assert.deepEqual([found.folder, found.made], [out, false]);
      assert.equal((await openStore(t.root).verify(id)).folder, out);
    }
    assert.deepEqual(t.hub.requests, []);
    await openStore(t.root).remove(MODEL_ID);
    assert.equal(existsSync(out), false);
  });

  it('makes a damaged model again in its place', async () => {
    const out = join(t.root, ...OLD_ID.split('/'), 'master');
    await convertCheckpoint({ source: goldenFolder('multi'), out, id: OLD_ID });
    writeFileSync(join(out, 'model.onnx'), '');
    const { folder, made } = await t.pull({ id: OLD_ID }, { convert });
    assert.deepEqual([folder, made], [out, true]);
  });

  it('pulls from a server that knows the present one only, and the other way round', async () => {
    const { folder, manifest } = await t.pull({ id: OLD_ID }, { convert });
    assert.equal(manifest.id, MODEL_ID);
    assert.equal(folder, t.modelFolder());
    rmSync(folder, { recursive: true });
    t.hub.id = OLD_ID;
    assert.equal((await t.pull({}, { convert })).folder, folder);
    rmSync(folder, { recursive: true });
    t.hub.listed = false;
    assert.equal((await t.pull({}, { convert })).folder, folder);
  });

  it('shares the engine', async () => {
    const present = await t.pull({}, { convert });
    const out = mkdtempSync(join(tmpdir(), 'm2fp-old-'));
    await convertCheckpoint({ source: goldenFolder('multi'), out, id: OLD_ID });
    const one = await acquireEngine({ model: present.folder });
    const other = await acquireEngine({ model: out });
    assert.equal(one.engine, other.engine);
    rmSync(out, { recursive: true });
  });
});

describe('weights that are no numbers', () => {
  it('are told of in the warnings and in the manifest', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'm2fp-nan-'));
    const name = 'sem_seg_head.predictor.query_feat.weight';
    const { bytes } = await trainingCheckpoint('multi', (each, values) =>
      each === name ? values.map((value, index) => (index === 3 ? NaN : value)) : values,
    );
    writeFileSync(join(folder, 'model_final.pth'), bytes);
    const { manifest, warnings } = await convertCheckpoint({ source: folder, out: join(folder, 'out') });
    assert.match(warnings[0]!, /NaN or infinite \(sem_seg_head\.predictor\.query_feat\.weight\)/);
    assert.deepEqual(manifest.warnings, [warnings[0]]);
    rmSync(folder, { recursive: true });
  });

  it('are told of where all are zero, too', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'm2fp-zero-'));
    const { bytes } = await trainingCheckpoint('multi', (_, values) => values.map(() => 0));
    writeFileSync(join(folder, 'model_final.pth'), bytes);
    const { manifest, warnings } = await convertCheckpoint({ source: folder, out: join(folder, 'out') });
    assert.match(warnings[0]!, /All weights are zero/);
    assert.deepEqual(manifest.warnings, [warnings[0]]);
    rmSync(folder, { recursive: true });
  });
});
