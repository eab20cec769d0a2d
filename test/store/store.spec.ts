import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { convertCheckpoint } from '../../src/store/convert.ts';
import { openStore } from '../../src/store/store.ts';
import { goldenFolder, type Variant } from '../support/golden.ts';
import { MODEL_ID } from './support/hub.ts';
import { bench } from './support/pulling.ts';

describe('the model store', () => {
  const t = bench();
  const store = () => openStore(t.root);
  const folderOf = (id: string, revision: string) => join(t.root, ...id.split('/'), revision);

  async function put(id: string, revision = 'master', variant: Variant = 'single'): Promise<string> {
    const out = folderOf(id, revision);
    await convertCheckpoint({ source: goldenFolder(variant), out, id });
    return out;
  }

  it('is empty where nothing was pulled, and makes no folder by itself', async () => {
    const nowhere = openStore(join(t.root, 'none'));
    assert.deepEqual(await nowhere.list(), []);
    assert.equal(await nowhere.find(MODEL_ID), undefined);
    assert.deepEqual(readdirSync(t.root), []);
  });

  it('lists and finds its models', async () => {
    const folder = await put(MODEL_ID, 'v1.0', 'multi');
    await put('damo/single');
    mkdirSync(join(t.root, '.partial', 'x'), { recursive: true });
    writeFileSync(join(t.root, 'damo', 'note.txt'), '');
    const listed = await store().list();
    assert.deepEqual(
      listed.map(({ id, revision, precision, problem }) => [id, revision, precision, problem]),
      [
        ['damo/single', 'master', 'fp32', null],
        [MODEL_ID, 'v1.0', 'fp32', null],
      ],
    );
    const size = readdirSync(folder).reduce((sum, file) => sum + readFileSync(join(folder, file)).length, 0);
    assert.equal(listed[1]?.size, size);
    const found = await store().find(MODEL_ID, 'v1.0');
    assert.equal(found?.folder, folder);
    assert.equal(found?.manifest.kind, 'multi');
    assert.equal(await store().find(MODEL_ID), undefined);
  });

  it('lists damaged models with what is wrong', async () => {
    const folder = await put('damo/single');
    writeFileSync(join(folder, 'model.onnx'), 'short');
    mkdirSync(folderOf('damo/single', 'empty'));
    assert.deepEqual(
      (await store().list()).map(({ revision, manifest, problem }) => [revision, manifest, problem?.code]),
      [
        ['empty', null, 'M2FP_MODEL_NOT_FOUND'],
        ['master', null, 'M2FP_MODEL_INVALID'],
      ],
    );
    await assert.rejects(store().find('damo/single'), { code: 'M2FP_MODEL_INVALID' });
  });

  it('does not take one model for another', async () => {
    await put('damo/single');
    const manifest = join(folderOf('damo/single', 'master'), 'm2fp.json');
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('damo/single', 'Damo/Single'));
    await assert.rejects(store().find('damo/single'), {
      code: 'M2FP_MODEL_INVALID',
      message: /holds the model Damo\/Single/,
    });
  });

  it('verifies digests and names the file that was changed', async () => {
    const folder = await put('damo/single');
    const bytes: number[] = [];
    const options = { onProgress: (done: number) => bytes.push(done) };
    assert.equal((await store().verify('damo/single', 'master', 'fp32', options)).folder, folder);
    const { files } = JSON.parse(readFileSync(join(folder, 'm2fp.json'), 'utf8')) as {
      files: Record<string, { size: number }>;
    };
    assert.equal(bytes.at(-1), files['model.onnx']!.size + files['model.onnx.data']!.size);
    const file = join(folder, 'model.onnx.data');
    const changed = readFileSync(file);
    changed[1000] = changed[1000]! ^ 1;
    writeFileSync(file, changed);
    await assert.rejects(store().verify('damo/single'), {
      code: 'M2FP_MODEL_INVALID',
      message:
        /model\.onnx\.data has the SHA-256 [0-9a-f]{64} instead of [0-9a-f]{64}.*"m2fp pull damo\/single --verify" makes/,
    });
    await assert.rejects(store().verify('damo/other'), { code: 'M2FP_MODEL_NOT_FOUND', message: /pull it/ });
    const signal = AbortSignal.abort();
    await assert.rejects(store().verify('damo/single', 'master', 'fp32', { signal }), {
      code: 'M2FP_CANCELLED',
    });
  });

  it('removes a model, and folders that are empty then', async () => {
    await put('damo/single');
    await put('damo/single', 'v2');
    await put('other/model');
    await store().remove('damo/single');
    assert.deepEqual(readdirSync(join(t.root, 'damo', 'single')), ['v2']);
    await store().remove('other/model');
    assert.deepEqual(readdirSync(t.root).toSorted(), ['.partial', 'damo']);
    assert.deepEqual(readdirSync(join(t.root, '.partial')), []);
    await assert.rejects(store().remove('damo/single'), { code: 'M2FP_MODEL_NOT_FOUND' });
  });

  it('does not remove a model that is being pulled', async () => {
    const controller = new AbortController();
    const stalled = new Promise<void>((resolve) => t.hub.next('list', () => resolve()));
    const pulling = t.pull({ signal: controller.signal });
    await stalled;
    await assert.rejects(store().remove(MODEL_ID), { code: 'M2FP_BUSY' });
    controller.abort();
    await assert.rejects(pulling, { code: 'M2FP_CANCELLED' });
    await assert.rejects(store().remove(MODEL_ID), { code: 'M2FP_MODEL_NOT_FOUND' });
  });

  for (const id of ['../x', 'a/../../b', '/etc/passwd']) {
    it(`refuses ${id}, which leaves it`, async () => {
      await assert.rejects(store().find(id), { code: 'M2FP_BAD_OPTION' });
      await assert.rejects(store().verify(id), { code: 'M2FP_BAD_OPTION' });
      await assert.rejects(store().remove(id), { code: 'M2FP_BAD_OPTION' });
      await assert.rejects(store().pull({ id }), { code: 'M2FP_BAD_OPTION' });
    });
  }
});
