import assert from 'node:assert/strict';
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { convertCheckpoint } from '../../src/store/convert.ts';
import { convertLocal, localCheckpoint, type LocalTools } from '../../src/store/local.ts';
import { tryLock } from '../../src/store/lock.ts';
import type { PullProgress } from '../../src/store/progress.ts';
import { openStore } from '../../src/store/store.ts';
import { lockFile } from '../../src/store/staging-directory.ts';
import { goldenFolder } from '../support/golden.ts';
import { FakeClock } from './support/clock.ts';

/** Conversion in this process: forking costs seconds, and has tests of its own. */
const convert: LocalTools['convert'] = convertCheckpoint;
const never: LocalTools['convert'] = () => Promise.reject(new Error('converted'));

describe('a checkpoint on this machine', () => {
  let folder = '';
  let root = '';
  let file = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'm2fp-local-'));
    root = join(folder, 'store', 'models');
    file = join(folder, 'model final.pth');
    copyFileSync(join(goldenFolder('multi'), 'pytorch_model.pt'), file);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const found = async (path = file, precision: 'fp32' | 'fp16' = 'fp32') => {
    const checkpoint = await localCheckpoint(path, root, { precision });
    assert.ok(checkpoint, `${path} is a checkpoint`);
    return checkpoint;
  };

  it('has a name in the store, and another one when it is changed', async () => {
    const checkpoint = await found();
    assert.equal(checkpoint.id, 'local/model-final.pth');
    assert.match(checkpoint.revision, /^[0-9a-f]{16}$/);
    assert.deepEqual([checkpoint.source, checkpoint.root], [file, root]);
    assert.deepEqual(await found(), checkpoint);
    assert.equal((await found(file, 'fp16')).revision, checkpoint.revision);

    const revisions = new Set([checkpoint.revision]);
    const changed = async () => revisions.add((await found()).revision);
    appendFileSync(file, 'x');
    await changed();
    utimesSync(file, new Date(0), new Date(0));
    await changed();
    writeFileSync(join(folder, 'configuration.json'), '{}');
    await changed();
    assert.equal(revisions.size, 4);
    assert.equal(existsSync(root), false);
  });

  it('is another model with its averaged weights, and the conversion takes those', async () => {
    const checkpoint = await localCheckpoint(file, root, { weights: 'ema' });
    assert.equal(checkpoint?.weights, 'ema');
    assert.notEqual(checkpoint.revision, (await found()).revision);
    const asked: unknown[] = [];
    const note: LocalTools['convert'] = ({ weights }) => {
      asked.push(weights);
      return Promise.reject(new Error('enough'));
    };
    await assert.rejects(convertLocal(checkpoint, { tools: { convert: note } }));
    await assert.rejects(convertLocal(await found(), { tools: { convert: note } }));
    assert.deepEqual(asked, ['ema', undefined]);
    // The file has none.
    await assert.rejects(convertLocal(checkpoint, { tools: { convert: convertCheckpoint } }), {
      code: 'M2FP_BAD_OPTION',
      message: /no averaged weights/,
    });
  });

  it('is a folder that was not converted, and nothing else', async () => {
    const published = join(folder, 'published');
    cpSync(goldenFolder('multi'), published, { recursive: true });
    assert.equal((await found(published)).id, 'local/published');
    for (const name of ['model.onnx', 'notes.txt']) writeFileSync(join(folder, name), '');
    mkdirSync(join(folder, 'empty'));
    writeFileSync(join(published, 'm2fp.json'), '{}');
    for (const path of ['model.onnx', 'notes.txt', 'empty', 'published', 'nowhere.pt']) {
      assert.equal(await localCheckpoint(join(folder, path), root), undefined, path);
    }
    await assert.rejects(localCheckpoint(file, root, { precision: 'int8' as 'fp32' }), {
      code: 'M2FP_BAD_OPTION',
    });
  });

  for (const [name, id] of [
    ['a.pt', 'local/a.pt'],
    ['b.BIN', 'local/b.BIN'],
    ['c.safetensors', 'local/c.safetensors'],
    ['.pt..pt', 'local/pt.pt'],
    ['模型.pt', 'local/模型.pt'],
    ['modèle (2).pt', 'local/modèle-2-.pt'],
    ['नमूना.pt', 'local/नमूना.pt'],
    ['nul.pt', 'local/model-4d4117cf'],
  ] as const) {
    it(`is a file of a known kind: ${name}`, async () => {
      writeFileSync(join(folder, name), '');
      assert.equal((await found(join(folder, name))).id, id);
    });
  }

  it('has a name of its own in a folder whose name is not Latin, and is found in the store by it', async () => {
    const ids: string[] = [];
    for (const name of ['模型一', '模型二', 'модель', 'نموذج', '모델']) {
      const published = join(folder, name);
      cpSync(goldenFolder('single'), published, { recursive: true });
      const checkpoint = await found(published);
      await convertLocal(checkpoint, { tools: { convert } });
      ids.push(checkpoint.id);
      await openStore(root).verify(checkpoint.id, checkpoint.revision);
    }
    assert.deepEqual(ids, ['local/模型一', 'local/模型二', 'local/модель', 'local/نموذج', 'local/모델']);
    const listed = (await openStore(root).list()).map(({ id, problem }) => [id, problem]);
    assert.deepEqual(new Map(listed as [string, null][]), new Map(ids.map((id) => [id, null])));
  });

  it('is converted once, and is a model of the store then', async () => {
    const told: PullProgress[] = [];
    const checkpoint = await found();
    const onProgress = (progress: PullProgress) => told.push(progress);
    const made = await convertLocal(checkpoint, { tools: { convert }, onProgress });
    assert.equal(made.made, true);
    assert.equal(made.origins?.['decoder.hiddenDim'], 'tensors');
    assert.deepEqual([...new Set(told.map(({ phase }) => phase))], ['convert']);
    assert.equal(told.at(-1)?.share, 1);

    const again = await convertLocal(checkpoint, { tools: { convert: never } });
    assert.deepEqual([again.made, again.folder, again.origins], [false, made.folder, null]);
    const store = openStore(root);
    assert.equal(made.folder, join(root, 'local', 'model-final.pth', checkpoint.revision));
    assert.deepEqual(
      (await store.list()).map(({ id, problem }) => [id, problem]),
      [['local/model-final.pth', null]],
    );
    await store.verify(checkpoint.id, checkpoint.revision);
    assert.deepEqual(readdirSync(root), ['local']);
    truncateSync(join(made.folder, 'model.onnx.data'), 10);
    assert.equal((await convertLocal(checkpoint, { tools: { convert } })).made, true);
  });

  it('is converted in a process of its own, from a folder with half the bytes', async () => {
    const published = join(folder, 'published');
    cpSync(goldenFolder('single'), published, { recursive: true });
    const { manifest } = await convertLocal(await found(published, 'fp16'));
    assert.deepEqual([manifest.kind, manifest.precision], ['single', 'fp16']);
    assert.equal(manifest.source.configuration, true);
  });

  it('is converted once for all who ask at the same time', async () => {
    const checkpoint = await found();
    let conversions = 0;
    const counted: LocalTools['convert'] = (options) => {
      conversions++;
      return convert(options);
    };
    await Promise.all([1, 2, 3].map(() => convertLocal(checkpoint, { tools: { convert: counted } })));
    assert.equal(conversions, 1);
  });

  it('waits for another process that converts it', async () => {
    const clock = new FakeClock();
    const checkpoint = await found();
    const lock = await tryLock(lockFile(root, checkpoint), clock);
    const phases: string[] = [];
    const { made } = await convertLocal(checkpoint, {
      tools: { clock, convert },
      onProgress: ({ phase }) => {
        phases.push(phase);
        if (phase === 'wait') void lock?.release();
      },
    });
    assert.equal(made, true);
    assert.equal(phases[0], 'wait');
    assert.ok(clock.slept.length > 0);
  });

  it('that cannot be converted leaves nothing behind', async () => {
    truncateSync(file, 100_000);
    await assert.rejects(convertLocal(await found(), { tools: { convert } }), {
      code: 'M2FP_CHECKPOINT_INVALID',
    });
    const tight = { convert: never, freeBytes: async () => 1e6 };
    await assert.rejects(convertLocal(await found(), { tools: tight }), {
      code: 'M2FP_MODEL_NOT_FOUND',
      message: /1 MB free, \d+ MB are needed to convert .*model final\.pth/,
    });
    const controller = new AbortController();
    const cancelled = convertLocal(await found(goldenFolder('multi')), {
      signal: controller.signal,
      onProgress: () => controller.abort(),
      tools: { convert },
    });
    await assert.rejects(cancelled, { code: 'M2FP_CANCELLED' });
    assert.deepEqual(readdirSync(folder), [basename(file)]);
  });

  it('that is changed while it is converted is not kept', async () => {
    const meanwhile: LocalTools['convert'] = async (options) => {
      const conversion = await convert(options);
      appendFileSync(file, 'more');
      return conversion;
    };
    await assert.rejects(convertLocal(await found(), { tools: { convert: meanwhile } }), {
      code: 'M2FP_CHECKPOINT_INVALID',
      message: /was changed while it was being converted/,
    });
    assert.equal(existsSync(root), false);
  });
});
