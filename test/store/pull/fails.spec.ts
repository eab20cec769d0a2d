import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { M2fpError } from '../../../src/errors.ts';
import { answerStatus, CHECKPOINT, json, notFound, webPage } from '../support/hub.ts';
import { bench, convert, never } from '../support/pulling.ts';

describe('pulling a model', () => {
  const t = bench();

  it('that fails before the first byte leaves no folder behind', async () => {
    const root = join(t.root, 'deep', 'store');
    t.hub.next('list', (_, response) => notFound(response));
    await assert.rejects(t.pull({ root }, { convert: never }), { code: 'M2FP_MODEL_NOT_FOUND' });
    assert.deepEqual(readdirSync(t.root), []);
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
        assert.equal(existsSync(t.modelFolder()), false);
      });
    refused(
      'a model that the server does not know',
      () => t.hub.next('list', (_, answer) => notFound(answer)),
      {
        code: 'M2FP_MODEL_NOT_FOUND',
        message: /has no model iic\/.*revision master.*does not exist/,
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
      message: /The model store .* cannot be made, as a file is in its place or above it/,
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
});
