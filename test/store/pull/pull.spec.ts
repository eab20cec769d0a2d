import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PullProgress } from '../../../src/store/progress.ts';
import { openStore } from '../../../src/store/store.ts';
import { answerStatus, CHECKPOINT, MODEL_ID, sha256 } from '../support/hub.ts';
import { bench, convert, never } from '../support/pulling.ts';

describe('pulling a model', () => {
  const t = bench();

  it('downloads, converts and keeps it, and asks nobody the next time', async () => {
    const pulled = await t.pull({}, { convert });
    assert.equal(pulled.made, true);
    assert.equal(pulled.folder, t.modelFolder());
    assert.deepEqual(readdirSync(pulled.folder).toSorted(), ['m2fp.json', 'model.onnx', 'model.onnx.data']);
    assert.equal(pulled.manifest.id, MODEL_ID);
    assert.equal(pulled.manifest.kind, 'multi');
    assert.equal(pulled.manifest.source.sha256, sha256(t.hub.checkpoint.bytes));
    assert.equal(pulled.manifest.source.configuration, true);
    t.nothingLeft();
    assert.deepEqual(
      t.hub.requests.map(({ what }) => what),
      ['list', 'configuration.json', CHECKPOINT],
    );
    const again = await t.pull({}, { convert: never });
    assert.equal(again.made, false);
    assert.deepEqual(again.manifest, pulled.manifest);
    assert.equal(t.hub.requests.length, 3);
  });

  it('asks the API that ModelScope has', async () => {
    t.hub.forms.delete('resolve');
    await t.pull({}, { convert });
    assert.deepEqual(
      t.hub.requests.map(({ url }) => url),
      [
        `/api/v1/models/${MODEL_ID}/repo/files?Revision=master&Recursive=True`,
        `/models/${MODEL_ID}/resolve/master/configuration.json`,
        `/api/v1/models/${MODEL_ID}/repo?Revision=master&FilePath=configuration.json`,
        `/models/${MODEL_ID}/resolve/master/${CHECKPOINT}`,
        `/api/v1/models/${MODEL_ID}/repo?Revision=master&FilePath=${CHECKPOINT}`,
      ],
    );
    assert.match(t.hub.requests[0]?.headers['user-agent'] ?? '', /^m2fp-node-red\/\d/);
  });

  it('converts in a process of its own', async () => {
    const { manifest } = await t.pull();
    assert.equal(manifest.kind, 'multi');
    t.nothingLeft();
  });

  it('keeps halved weights beside whole ones', async () => {
    const whole = await t.pull({}, { convert });
    const half = await t.pull({ precision: 'fp16' }, { convert });
    assert.equal(half.folder, `${whole.folder}+fp16`);
    assert.equal(half.manifest.precision, 'fp16');
    assert.equal((await t.pull({}, { convert: never })).manifest.precision, 'fp32');
  });

  it('makes a damaged model again', async () => {
    const { folder, manifest } = await t.pull({}, { convert });
    truncateSync(join(folder, 'model.onnx.data'), 10);
    writeFileSync(join(folder, 'note.txt'), 'mine');
    const again = await t.pull({}, { convert });
    assert.equal(again.made, true);
    assert.equal(again.manifest.digest, manifest.digest);
    t.nothingLeft();
  });

  describe('that is there, with a look at its bytes,', () => {
    /** Another byte in a file of the same size. */
    const change = (folder: string) => {
      const file = join(folder, 'model.onnx.data');
      const bytes = readFileSync(file);
      bytes[1000]! ^= 1;
      writeFileSync(file, bytes);
    };

    it('makes it again where they are wrong, and tells that it checks', async () => {
      const { folder, manifest } = await t.pull({}, { convert });
      change(folder);
      assert.equal((await t.pull({}, { convert: never })).made, false);
      const told: PullProgress[] = [];
      const verify = { verify: true, onProgress: (progress: PullProgress) => told.push(progress) };
      const again = await t.pull(verify, { convert });
      assert.equal(again.made, true);
      assert.equal(again.manifest.digest, manifest.digest);
      assert.deepEqual([told[0]?.phase, told[0]?.file], ['verify', 'model.onnx.data']);
      await openStore(t.root).verify(MODEL_ID);
      t.nothingLeft();
    });

    it('leaves it where they are right', async () => {
      await t.pull({}, { convert });
      const { length } = t.hub.requests;
      assert.equal((await t.pull({ verify: true }, { convert: never })).made, false);
      assert.equal(t.hub.requests.length, length);
    });

    it('downloads and makes it where it is not there', async () => {
      assert.equal((await t.pull({ verify: true }, { convert })).made, true);
    });

    it('leaves the damaged one where the server cannot be reached', async () => {
      const { folder } = await t.pull({}, { convert });
      change(folder);
      t.hub.next('list', answerStatus(403));
      await assert.rejects(t.pull({ verify: true }, { convert: never }), { code: 'M2FP_DOWNLOAD_FAILED' });
      assert.ok(existsSync(join(folder, 'm2fp.json')));
    });
  });

  it('says where its facts come from when it was converted just now', async () => {
    const { origins } = await t.pull({}, { convert });
    assert.equal(origins?.['decoder.heads'], 'configuration');
    assert.equal((await t.pull({}, { convert: never })).origins, null);
  });

  it('tells how far it has come', async () => {
    const told: PullProgress[] = [];
    await t.pull({ onProgress: (progress) => told.push(progress) }, { convert });
    const phases = told.map(({ phase, file }) => (file === null ? phase : `${phase} ${file}`));
    assert.deepEqual(
      phases.filter((phase, at) => phase !== phases[at - 1]),
      [
        'list',
        'download configuration.json',
        'verify configuration.json',
        `download ${CHECKPOINT}`,
        `verify ${CHECKPOINT}`,
        'convert',
      ],
    );
    const bytes = [...t.hub.files]
      .filter(([name]) => name !== 'README.md')
      .map(([, file]) => file.bytes.length);
    const total = bytes.reduce((sum, size) => sum + size, 0);
    const last = told.findLast(({ phase }) => phase === 'download');
    assert.deepEqual([last?.received, last?.total, last?.share], [total, total, 1]);
    assert.equal(told.at(-1)?.share, 1);
  });

  it('works with a mirror that only serves files', async () => {
    t.hub.listed = false;
    const { manifest } = await t.pull({ baseUrl: `${t.hub.url}/` }, { convert });
    assert.equal(manifest.source.configuration, true);
    assert.equal(manifest.source.sha256, sha256(t.hub.checkpoint.bytes));
  });

  it('takes pytorch_model.bin where there is no .pt, and no configuration where there is none', async () => {
    const { bytes } = t.hub.checkpoint;
    t.hub.files.clear();
    t.hub.files.set('pytorch_model.bin', { bytes });
    for (const listed of [true, false]) {
      t.hub.listed = listed;
      const { manifest } = await t.pull({ precision: listed ? 'fp32' : 'fp16' }, { convert });
      assert.equal(manifest.source.file, 'pytorch_model.bin');
      assert.equal(manifest.source.configuration, false);
    }
  });
});
