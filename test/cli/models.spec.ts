/** `m2fp models`: list, verify, remove. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelManifest } from '../../src/m2fp/manifest.ts';
import { convertCheckpoint } from '../../src/store/convert.ts';
import { goldenFolder } from '../support/golden.ts';
import { failure, m2fp, success } from './support.ts';

describe('m2fp models', function () {
  this.timeout(60_000);
  let root = '';
  let filled = '';
  before(async () => {
    root = mkdtempSync(join(tmpdir(), 'm2fp-models-'));
    filled = join(root, 'filled');
    for (const [variant, id, folder] of [
      ['multi', 'damo/multi', 'master'],
      ['multi', 'damo/multi', 'v2+fp16'],
      ['single', 'damo/single', 'master'],
    ] as const) {
      const precision = folder.endsWith('fp16') ? 'fp16' : 'fp32';
      await convertCheckpoint({
        source: goldenFolder(variant),
        out: join(filled, ...id.split('/'), folder),
        id,
        precision,
      });
    }
  });
  after(() => rmSync(root, { recursive: true }));
  let store = '';
  beforeEach(() => {
    store = mkdtempSync(join(root, 'store-'));
    cpSync(filled, store, { recursive: true });
  });
  const models = (...args: string[]) => success('models', ...args, '--store', store);
  const fails = (code: string, ...args: string[]) => failure(code, 'models', ...args, '--store', store);
  const manifestOf = (...folder: string[]) =>
    JSON.parse(readFileSync(join(store, ...folder, 'm2fp.json'), 'utf8')) as ModelManifest;
  const weights = () => join(store, 'damo', 'multi', 'master', 'model.onnx.data');

  function change(): void {
    const bytes = readFileSync(weights());
    bytes[1000] = bytes[1000]! ^ 1;
    writeFileSync(weights(), bytes);
  }

  it('lists them', async () => {
    const { out, err } = await models();
    assert.equal(err, '');
    const blocks = out.split('\n\n');
    assert.equal(blocks.length, 4);
    const manifest = manifestOf('damo', 'multi', 'master');
    const folder = join(store, 'damo', 'multi', 'master');
    const size = readdirSync(folder).reduce((sum, name) => sum + readFileSync(join(folder, name)).length, 0);
    assert.deepEqual(blocks[0]?.split('\n'), [
      'damo/multi',
      '  revision:   master',
      '  precision:  fp32',
      '  kind:       multi (several people)',
      `  labels:     ${manifest.labels.length}: ${manifest.labels.join(', ')}`,
      `  size:       ${(size / 1e6).toFixed(1)} MB`,
      `  digest:     ${manifest.digest.slice(0, 12)}`,
      '  state:      ok',
    ]);
    assert.match(blocks[1] ?? '', /^damo\/multi\n  revision:   v2\n  precision:  fp16\n/);
    assert.match(blocks[2] ?? '', /^damo\/single\n[^]*single \(one person\)/);
    assert.match(blocks[3] ?? '', /^3 models, \d+\.\d MB\n$/);
  });

  it('lists them as JSON, damaged ones too', async () => {
    truncateSync(weights(), 10);
    const list = JSON.parse((await models('--json')).out) as Record<string, unknown>[];
    const { labels, digest } = manifestOf('damo', 'single', 'master');
    assert.deepEqual(
      list.map(({ id, revision, precision, state }) => [id, revision, precision, state]),
      [
        ['damo/multi', 'master', 'fp32', 'damaged'],
        ['damo/multi', 'v2', 'fp16', 'ok'],
        ['damo/single', 'master', 'fp32', 'ok'],
      ],
    );
    const [damaged, , single] = list;
    assert.match(String(damaged?.['problem']), /model\.onnx\.data has 10 bytes instead of \d+/);
    assert.deepEqual([damaged?.['kind'], damaged?.['labels'], damaged?.['digest']], [null, null, null]);
    assert.deepEqual(
      { ...single, size: 0 },
      {
        id: 'damo/single',
        revision: 'master',
        precision: 'fp32',
        kind: 'single',
        labels,
        size: 0,
        digest,
        state: 'ok',
        problem: null,
        int8: null,
        warnings: [],
        folder: join(store, 'damo', 'single', 'master'),
      },
    );
    assert.match((await models()).out, /^ {2}state: +damaged: .*10 bytes instead/m);
  });

  it('says where there is none', async () => {
    const none = join(store, 'none');
    const { out, err } = await success('models', '--store', none);
    assert.equal(out, '');
    assert.equal(err, `There is no model in ${none}: "m2fp pull ID" puts one there.\n`);
    assert.equal((await success('models', '--json', '--store', none)).out, '[]\n');
  });

  it('verifies one', async () => {
    const { out, err } = await models('verify', 'damo/single');
    const { digest } = manifestOf('damo', 'single', 'master');
    assert.equal(out, `damo/single (master, fp32) is intact, digest ${digest.slice(0, 12)}\n`);
    assert.match(err, /^Checking: 100 %$/m);
    await models('verify', 'damo/multi', '--revision', 'v2');
    await models('verify', 'damo/multi', '--precision', 'fp16');
  });

  it('finds a changed byte, and only in the model that has it', async () => {
    change();
    const { err } = await models('verify', 'damo/multi', '--revision=v2');
    assert.match(err, /100 %/);
    const changed = await m2fp(['models', 'verify', 'damo/multi', '--store', store]);
    assert.equal(changed.code, 1);
    assert.equal(changed.out, '');
    assert.match(
      changed.err,
      /\nm2fp: M2FP_MODEL_INVALID: .*model\.onnx\.data has the SHA-256 [^\n]+"m2fp pull damo\/multi --verify"[^\n]+\n$/,
    );
  });

  it('removes one, and no other', async () => {
    const { out } = await models('remove', 'damo/multi');
    assert.match(out, /^Removed damo\/multi \(master, fp32\), [1-9]\d*\.\d MB\n$/);
    assert.deepEqual(readdirSync(join(store, 'damo', 'multi')), ['v2+fp16']);
    await models('remove', 'damo/multi');
    assert.deepEqual(readdirSync(join(store, 'damo')), ['single']);
    await fails('M2FP_MODEL_NOT_FOUND', 'remove', 'damo/multi');
  });

  it('says what is wrong', async () => {
    await fails('M2FP_MODEL_NOT_FOUND', 'verify', 'damo/other');
    await fails('M2FP_BAD_OPTION', 'verify', 'damo');
    await fails('M2FP_BAD_OPTION', 'remove', '../..');
    assert.match(await fails('M2FP_BAD_OPTION', 'verify'), /ID is missing \(see m2fp models --help\)/);
    assert.match(
      await fails('M2FP_BAD_OPTION', 'delete', 'damo/multi'),
      /No argument is taken, not also delete/,
    );
    rmSync(join(store, 'damo', 'multi', 'v2+fp16'), { recursive: true });
    cpSync(join(filled, 'damo', 'multi', 'v2+fp16'), join(store, 'damo', 'multi', 'v3+fp16'), {
      recursive: true,
    });
    cpSync(join(filled, 'damo', 'multi', 'v2+fp16'), join(store, 'damo', 'multi', 'v4+fp16'), {
      recursive: true,
    });
    assert.match(
      await fails('M2FP_BAD_OPTION', 'remove', 'damo/multi', '--precision', 'fp16'),
      /Which one of .*v3, fp16.*v4, fp16/,
    );
    assert.equal(readdirSync(join(store, 'damo', 'multi')).length, 3);
  });
});
