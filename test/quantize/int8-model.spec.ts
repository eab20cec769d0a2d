/** Int8 models in the store. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { M2fpError } from '../../src/errors.ts';
import { drawnScenesFolder } from '../../src/paths.ts';
import { convertInt8, int8OfFolder, type Int8Options, localInt8 } from '../../src/quantize/int8-model.ts';
import { quantizeInProcess } from '../../src/quantize/quantize-process.ts';
import { quantizeModel } from '../../src/quantize/quantize.ts';
import { convertCheckpoint } from '../../src/store/convert.ts';
import { readManifest } from '../../src/store/manifest.ts';
import type { PullProgress } from '../../src/store/progress.ts';
import { openStore } from '../../src/store/store.ts';
import { onDiskWith } from '../store/support/full-disk.ts';
import { goldenFolder } from '../support/golden.ts';
import { drawPicture } from './support/pictures.ts';

describe('an int8 model in the store', function () {
  this.timeout(120_000);
  let folder = '';
  let model = '';
  let pictures = '';
  let root = '';
  const path = (...names: string[]) => join(folder, ...names);

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'm2fp-int8-model-'));
    [model, pictures] = [path('model'), path('pictures')];
    const source = goldenFolder('multi');
    await convertCheckpoint({ source, out: model, id: 'golden', shortSide: 64, longSide: 128 });
    mkdirSync(pictures);
    for (let i = 0; i < 5; i++) await drawPicture(join(pictures, `${i}.png`), i);
  });
  after(() => rmSync(folder, { recursive: true }));
  beforeEach(() => {
    root = mkdtempSync(join(folder, 'store-'));
  });

  /** In this process, which is faster. */
  const here = (more: Int8Options = {}): Int8Options => ({ pictures, quantize: quantizeModel, ...more });
  const names = async () =>
    (await openStore(root).list()).map(({ id, revision, precision }) => [id, revision, precision]);
  const leftovers = () =>
    readdirSync(root).flatMap((name) => (name === '.partial' ? readdirSync(join(root, name)) : []));

  it('lies beside the float model that it is made of, under the same id', async () => {
    const float = join(root, 'damo', 'multi', 'v2');
    cpSync(model, float, { recursive: true });
    const manifest = await readManifest(float);
    writeFileSync(join(float, 'm2fp.json'), JSON.stringify({ ...manifest, id: 'damo/multi' }));
    const phases: string[] = [];
    const onProgress = ({ phase }: PullProgress) => phases.push(phase);
    const made = await int8OfFolder(float, root, here({ onProgress }));
    assert.equal(made.folder, join(root, 'damo', 'multi', 'v2+int8'));
    assert.deepEqual([made.made, made.manifest.id, made.manifest.precision], [true, 'damo/multi', 'int8']);
    assert.equal(made.manifest.int8?.from.digest, manifest.digest);
    assert.match(made.warnings.join(), /Only 5 pictures were used/);
    assert.deepEqual([...new Set(phases)], ['quantize']);
    assert.deepEqual(await names(), [
      ['damo/multi', 'v2', 'fp32'],
      ['damo/multi', 'v2', 'int8'],
    ]);
    assert.deepEqual(leftovers(), []);
    // It is there now.
    assert.equal((await int8OfFolder(float, root, here())).made, false);
    await assert.rejects(int8OfFolder(made.folder, root, here()), {
      code: 'M2FP_BAD_OPTION',
      message: /int8 already/,
    });
  });

  it('is named after the folder of a float model that lies elsewhere', async () => {
    const made = await int8OfFolder(model, root, here());
    const { digest } = await readManifest(model);
    assert.deepEqual(await names(), [['local/model', digest.slice(0, 16), 'int8']]);
    assert.equal(made.manifest.id, 'local/model');
    // The form's way finds the same one.
    const local = await localInt8(model, root, { pictures });
    assert.equal((await convertInt8(local!, here())).made, false);
  });

  it('is made again where that is asked for, and the former one stays until the new one is whole', async () => {
    const first = await int8OfFolder(model, root, here());
    const broken = new M2fpError('M2FP_ENGINE_CRASHED', 'on the way');
    const quantize = () => Promise.reject(broken);
    await assert.rejects(int8OfFolder(model, root, here({ again: true, quantize })), broken);
    assert.deepEqual((await openStore(root).verify(...named(first))).manifest, first.manifest);
    const second = await int8OfFolder(model, root, here({ again: true, parts: ['res5'] }));
    assert.deepEqual([second.made, second.manifest.int8?.parts], [true, ['res5']]);
    assert.deepEqual((await openStore(root).verify(...named(first))).manifest, second.manifest);
    assert.deepEqual([(await names()).length, leftovers()], [1, []]);
  });
  const named = ({ id, revision }: { id: string; revision: string }) => [id, revision, 'int8'] as const;

  it('of a checkpoint: that is converted first, and both stay', async () => {
    const source = goldenFolder('multi');
    const local = await localInt8(source, root, { pictures });
    assert.equal(local?.precision, 'int8');
    const phases: string[] = [];
    const onProgress = ({ phase }: PullProgress) => phases.push(phase);
    const made = await convertInt8(local, here({ onProgress }));
    assert.deepEqual([...new Set(phases)], ['convert', 'quantize']);
    const id = `local/${basename(source)}`;
    assert.deepEqual(await names(), [
      [id, local.revision, 'fp32'],
      [id, local.revision, 'int8'],
    ]);
    assert.equal(made.manifest.id, id);
  });

  it('is nothing that a folder without a float model could become', async () => {
    assert.equal(await localInt8(path('none'), root), undefined);
    assert.equal(await localInt8(pictures, root), undefined);
    const made = await int8OfFolder(model, root, here());
    assert.equal(await localInt8(made.folder, root), undefined);
  });

  it('is made with drawn scenes where no pictures are given, and says so', async () => {
    const made = await int8OfFolder(model, root, { quantize: quantizeModel });
    const { int8 } = await readManifest(made.folder);
    assert.equal(readdirSync(drawnScenesFolder()).length, 36);
    assert.deepEqual([int8?.drawn, int8?.pictures, int8?.report?.agreement.pictures], [true, 29, 7]);
    assert.match(made.warnings.join(), /made int8 with drawn scenes, as no pictures were given/);
  });

  for (const step of [0, 0.3, 0.66, 0.75, 1]) {
    it(`is not there, and leaves nothing, where it is cancelled with ${step * 100} % done`, async () => {
      const controller = new AbortController();
      const onProgress = ({ phase, share }: PullProgress) => {
        if (phase === 'quantize' && (share ?? 0) >= step) controller.abort();
      };
      const cancelled = { pictures, quantize: quantizeInProcess, signal: controller.signal, onProgress };
      await assert.rejects(int8OfFolder(model, root, cancelled), { code: 'M2FP_CANCELLED' });
      assert.deepEqual([await names(), leftovers()], [[], []]);
    });
  }

  it('is not there, and leaves nothing, where the disk becomes full meanwhile', async () => {
    await assert.rejects(
      onDiskWith(200_000, () => int8OfFolder(model, root, here())),
      { code: 'M2FP_MODEL_INVALID', message: /became full while the model was written. Nothing was changed/ },
    );
    assert.deepEqual([await names(), leftovers()], [[], []]);
  });

  it('is made once where two ask for it at the same time', async () => {
    let runs = 0;
    const quantize: Int8Options['quantize'] = (options) => (runs++, quantizeModel(options));
    const [a, b] = await Promise.all([
      int8OfFolder(model, root, here({ quantize })),
      int8OfFolder(model, root, here({ quantize })),
    ]);
    assert.deepEqual([runs, a.folder], [1, b.folder]);
  });
});
