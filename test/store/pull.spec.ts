import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { M2fpError } from '../../src/errors.ts';
import { convertCheckpoint } from '../../src/store/convert.ts';
import type { PullProgress } from '../../src/store/progress.ts';
import type { PullTools } from '../../src/store/pull.ts';
import { openStore } from '../../src/store/store.ts';
import { goldenFolder } from '../support/golden.ts';
import {
  answerStatus,
  CHECKPOINT,
  json,
  MODEL_ID,
  notFound,
  sha256,
  stallAt,
  webPage,
} from './support/hub.ts';
import { bench } from './support/pulling.ts';

/** Conversion in this process: forking costs seconds, and has tests of its own. */
const convert: PullTools['convert'] = convertCheckpoint;
const never: PullTools['convert'] = () => Promise.reject(new Error('converted'));

describe('pulling a model', () => {
  const t = bench();
  const modelFolder = () => join(t.root, ...MODEL_ID.split('/'), 'master');
  const nothingLeft = () =>
    assert.deepEqual(existsSync(join(t.root, '.partial')) ? readdirSync(join(t.root, '.partial')) : [], []);

  it('downloads, converts and keeps it, and asks nobody the next time', async () => {
    const pulled = await t.pull({}, { convert });
    assert.equal(pulled.made, true);
    assert.equal(pulled.folder, modelFolder());
    assert.deepEqual(readdirSync(pulled.folder).toSorted(), ['m2fp.json', 'model.onnx', 'model.onnx.data']);
    assert.equal(pulled.manifest.id, MODEL_ID);
    assert.equal(pulled.manifest.kind, 'multi');
    assert.equal(pulled.manifest.source.sha256, sha256(t.hub.checkpoint.bytes));
    assert.equal(pulled.manifest.source.configuration, true);
    nothingLeft();
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
    nothingLeft();
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
    nothingLeft();
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
      nothingLeft();
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

  it('that fails before the first byte leaves no folder behind', async () => {
    const root = join(t.root, 'deep', 'store');
    t.hub.next('list', (_, response) => notFound(response));
    await assert.rejects(t.pull({ root }, { convert: never }), { code: 'M2FP_MODEL_NOT_FOUND' });
    assert.deepEqual(readdirSync(t.root), []);
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

  describe('fails with what to do', () => {
    const refused = (name: string, prepare: () => void, expected: { code: string; message: RegExp }) =>
      it(name, async () => {
        prepare();
        await assert.rejects(t.pull({}, { convert: never }), (error: M2fpError) => {
          assert.equal(error.code, expected.code);
          assert.match(error.message, expected.message);
          return true;
        });
        assert.equal(existsSync(modelFolder()), false);
      });
    refused(
      'a model that the server does not know',
      () => t.hub.next('list', (_, answer) => notFound(answer)),
      {
        code: 'M2FP_MODEL_NOT_FOUND',
        message: /has no model damo\/.*revision master.*does not exist/,
      },
    );
    refused('a list that needs a login', () => t.hub.next('list', answerStatus(403)), {
      code: 'M2FP_DOWNLOAD_FAILED',
      message: /403.*needs a login.*browser/,
    });
    refused('a web page in place of the list', () => t.hub.next('list', webPage), {
      code: 'M2FP_DOWNLOAD_FAILED',
      message: /web page.*login page/,
    });
    refused(
      'a list in another format',
      () => t.hub.next('list', (_, answer) => json(answer, 200, { a: 1 })),
      {
        code: 'M2FP_DOWNLOAD_FAILED',
        message: /not in ModelScope's format/,
      },
    );
    refused('a model without a checkpoint', () => t.hub.files.delete(CHECKPOINT), {
      code: 'M2FP_MODEL_NOT_FOUND',
      message: /no checkpoint pytorch_model\.pt or pytorch_model\.bin.*configuration\.json, README\.md/,
    });
    refused('a listed file that is not there', () => t.hub.forms.clear(), {
      code: 'M2FP_DOWNLOAD_FAILED',
      message: /lists the file configuration\.json.*404/,
    });
    refused(
      'a server with neither a list nor files',
      () => {
        t.hub.listed = false;
        t.hub.forms.clear();
      },
      { code: 'M2FP_MODEL_NOT_FOUND', message: /neither a list of files .* nor a file/ },
    );
  });

  it('checks the disk before it downloads', async () => {
    const size = t.hub.checkpoint.bytes.length;
    const freeBytes = (free: number) => () => Promise.resolve(free);
    await assert.rejects(t.pull({}, { convert: never, freeBytes: freeBytes(size * 2) }), {
      code: 'M2FP_DOWNLOAD_FAILED',
      message: /has 6 MB free, 23 MB are needed/,
    });
    assert.equal(t.hub.of(CHECKPOINT).length, 0);
    await t.pull({}, { convert, freeBytes: freeBytes(size * 3 + 2 ** 24) });
  });

  it('asks for less space where a part has arrived, and for halved weights', async () => {
    const size = t.hub.checkpoint.bytes.length;
    const freeBytes = () => Promise.resolve(size * 1.6 + 2 ** 24);
    await assert.rejects(t.pull({}, { convert: never, freeBytes }), /are needed/);
    await t.pull({ precision: 'fp16' }, { convert, freeBytes });
  });

  it('says where a store cannot be made', async () => {
    writeFileSync(join(t.root, 'file'), '');
    await assert.rejects(t.pull({ root: join(t.root, 'file', 'store') }), {
      code: 'M2FP_DOWNLOAD_FAILED',
      message: /The model store .* cannot be used: ENOTDIR/,
    });
  });

  for (const [name, options] of [
    ['an id that leaves the store', { id: '../escape' }],
    ['a revision that leaves the store', { revision: '../../escape' }],
    ['an address that is none', { baseUrl: 'ftp://mirror' }],
    ['another precision', { precision: 'int8' as 'fp16' }],
  ] as const) {
    it(`refuses ${name}`, async () => {
      await assert.rejects(t.pull(options), { code: 'M2FP_BAD_OPTION' });
      assert.deepEqual(readdirSync(t.root), []);
      assert.deepEqual(t.hub.requests, []);
    });
  }

  it('fetches a checkpoint anew that could not be converted and has no digest', async () => {
    t.hub.checkpoint.sha256 = null;
    const invalid = () => Promise.reject(new M2fpError('M2FP_CHECKPOINT_INVALID', 'no zip'));
    await assert.rejects(t.pull({}, { convert: invalid }), { code: 'M2FP_CHECKPOINT_INVALID' });
    await t.pull({}, { convert });
    assert.equal(t.hub.of(CHECKPOINT).length, 2);
  });

  it('does not fetch a checkpoint again whose digest was right', async () => {
    const invalid = () => Promise.reject(new M2fpError('M2FP_CHECKPOINT_INVALID', 'no zip'));
    await assert.rejects(t.pull({}, { convert: invalid }), { code: 'M2FP_CHECKPOINT_INVALID' });
    await t.pull({}, { convert });
    assert.equal(t.hub.of(CHECKPOINT).length, 1);
  });

  it('cleans up after a process that died in a conversion, and keeps what it downloaded', async () => {
    await assert.rejects(t.pull({}, { convert: () => Promise.reject(new Error('killed')) }), /killed/);
    const [work] = readdirSync(join(t.root, '.partial'));
    const half = join(t.root, '.partial', work!, 'model-half');
    mkdirSync(half);
    writeFileSync(join(half, 'model.onnx'), 'half');
    const convertBesideNothing: PullTools['convert'] = (options) => {
      assert.equal(existsSync(half), false);
      return convert(options);
    };
    await t.pull({}, { convert: convertBesideNothing });
    assert.equal(t.hub.of(CHECKPOINT).length, 1);
    nothingLeft();
  });

  it('moves a model into the store that was finished when its process died', async () => {
    await assert.rejects(t.pull({}, { convert: () => Promise.reject(new Error('killed')) }));
    const [work] = readdirSync(join(t.root, '.partial'));
    const out = join(t.root, '.partial', work!, 'model-whole');
    const { manifest } = await convertCheckpoint({ source: goldenFolder('multi'), out, id: MODEL_ID });
    const pulled = await t.pull({}, { convert: never });
    assert.deepEqual(pulled.manifest, manifest);
    nothingLeft();
  });

  it('removes half models of other pulls that died, and keeps their downloads', async () => {
    const other = join(t.root, '.partial', 'damo!other!master');
    mkdirSync(join(other, 'download'), { recursive: true });
    writeFileSync(join(other, 'download', CHECKPOINT), 'part');
    mkdirSync(join(other, 'model-half'));
    await t.pull({}, { convert });
    assert.deepEqual(readdirSync(other), ['download']);
  });

  it('does it once for callers that ask at the same time', async () => {
    const conversions: string[] = [];
    const counted: PullTools['convert'] = (options) => {
      conversions.push(options.out);
      return convert(options);
    };
    const pulled = await Promise.all([1, 2, 3].map(() => t.pull({}, { convert: counted })));
    assert.equal(conversions.length, 1);
    assert.equal(t.hub.of(CHECKPOINT).length, 1);
    assert.equal(new Set(pulled.map(({ manifest }) => manifest)).size, 1);
  });

  describe('cancelled', () => {
    it('before it begins, does nothing', async () => {
      await assert.rejects(t.pull({ signal: AbortSignal.abort() }), { code: 'M2FP_CANCELLED' });
      assert.deepEqual(t.hub.requests, []);
    });

    it('in the list, ends at once', async () => {
      const controller = new AbortController();
      t.hub.next('list', () => controller.abort());
      await assert.rejects(t.pull({ signal: controller.signal }), { code: 'M2FP_CANCELLED' });
    });

    it('in the download, keeps the part for the next time', async () => {
      const controller = new AbortController();
      t.hub.next(CHECKPOINT, stallAt(0.37));
      t.clock.step = 1000;
      const size = t.hub.checkpoint.bytes.length;
      const cancelled = t.pull({
        signal: controller.signal,
        onProgress: ({ file, received }) => {
          if (file === CHECKPOINT && received > size * 0.2) controller.abort();
        },
      });
      await assert.rejects(cancelled, { code: 'M2FP_CANCELLED' });
      await t.pull({}, { convert });
      const [, second] = t.hub.of(CHECKPOINT);
      assert.match(second?.range ?? '', /^bytes=[1-9]\d+-$/);
    });

    it('in the back-off, ends at once', async () => {
      const controller = new AbortController();
      t.hub.always('list', answerStatus(500));
      const cancelled = t.pull(
        { signal: controller.signal },
        {
          clock: {
            now: () => 0,
            after(ms) {
              if (ms < 10_000) setImmediate(() => controller.abort());
              return { cancel: () => {} };
            },
          },
        },
      );
      await assert.rejects(cancelled, { code: 'M2FP_CANCELLED' });
      assert.equal(t.hub.of('list').length, 1);
    });

    it('in the conversion, ends it and frees the lock', async () => {
      const controller = new AbortController();
      const cancelled = t.pull({
        signal: controller.signal,
        onProgress: ({ phase }) => {
          if (phase === 'convert') controller.abort();
        },
      });
      await assert.rejects(cancelled, { code: 'M2FP_CANCELLED' });
      assert.equal(existsSync(modelFolder()), false);
      await t.pull({}, { convert });
    });

    it('by one of two callers, goes on for the other', async () => {
      const controller = new AbortController();
      const held = new Promise<ServerResponse>((resolve) =>
        t.hub.next('list', (_, response) => resolve(response)),
      );
      const cancelled = t.pull({ signal: controller.signal }, { convert: never });
      let other: ReturnType<typeof t.pull> | undefined;
      const told = new Promise<void>((resolve) => {
        other = t.pull({ onProgress: () => resolve() }, { convert: never });
      });
      const [response] = await Promise.all([held, told]);
      controller.abort();
      await assert.rejects(cancelled, { code: 'M2FP_CANCELLED' });
      // The request of both is still there: it is answered, and tried again.
      response.writeHead(500).end();
      await assert.rejects(other!, /converted/);
      assert.equal(t.hub.of('list').length, 2);
    });
  });
});
