/** What `m2fp worker` takes, and how it refuses; what it does is in test/services/redis/. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../../src/store/store.ts';
import { MODEL_ID } from '../store/support/hub.ts';
import { bench } from '../store/support/pulling.ts';
import { freePort } from '../support/node-red.ts';
import { failure, m2fp, success } from './support.ts';

describe('m2fp worker', function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), 'm2fp-worker-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  const refusal = (...args: string[]) => failure('M2FP_BAD_OPTION', 'worker', ...args);

  it('explains itself', async () => {
    const { out } = await success('worker', '--help');
    assert.match(out, /^Usage: m2fp worker \[options\]$/m);
    for (const name of ['redis', 'queue', 'password-file', 'model', 'precision', 'processes', 'max-memory']) {
      assert.match(out, new RegExp(`^  --${name} `, 'm'));
    }
    assert.match(out, /M2FP_REDIS_PASSWORD/);
    assert.ok(out.split('\n').every((line) => line.length <= 120));
  });

  it('takes no password as an option', async () => {
    assert.match(await refusal('--password', 'secret'), /--password/);
  });

  for (const url of ['redis://:secret@127.0.0.1', 'rediss://user:secret@127.0.0.1:1/2']) {
    it(`takes no password where others could read it: ${url}`, async () => {
      const said = await refusal('--redis', url);
      assert.match(said, /M2FP_REDIS_PASSWORD.*--password-file/);
      assert.ok(!said.includes('secret'));
    });
  }

  const secret = 'http://:secret@127.0.0.1 x';
  for (const [args, words] of [
    [['--queue', 'a:b'], /queue's name .* "a:b"/],
    [['--queue', ''], /queue's name/],
    [['--precision', 'int4'], /--precision takes fp32, fp16, int8, not "int4"/],
    [['--processes', 'two'], /--processes takes a whole number/],
    [['--processes', '-1'], /processes/],
    [['--timeout', 'x'], /--timeout takes a number/],
    [['model'], /m2fp worker --help/],
  ] as const) {
    it(`says what is wrong with "${args.join(' ')}"`, async () => {
      assert.match(await refusal(...args), words);
    });
  }

  for (const url of [
    '127.0.0.1:6379',
    'http://127.0.0.1',
    'redis://127.0.0.1/people',
    'redis:///0',
    secret,
  ]) {
    it(`says what is wrong with ${url} for --redis`, async () => {
      const said = await refusal('--redis', url);
      assert.match(said, /redis:\/\/HOST:PORT/);
      assert.ok(!said.includes('secret'));
    });
  }

  it('reads the password from a file', async () => {
    assert.match(await refusal('--password-file', join(folder, 'none')), /password file cannot be read/);
    const empty = join(folder, 'empty');
    writeFileSync(empty, '\n');
    assert.match(await refusal('--password-file', empty), /is empty/);
  });

  it('says that Redis is not there', async () => {
    const url = `redis://127.0.0.1:${await freePort()}`;
    const said = await failure('M2FP_ENGINE_UNAVAILABLE', 'worker', '--redis', url);
    assert.ok(said.includes(`Nobody answers at ${url}`), said);
  });

  it('says that a folder is no model', async () => {
    await failure('M2FP_MODEL_NOT_FOUND', 'worker', '--model', join(folder, 'no model'));
  });

  describe('with a published model', () => {
    const t = bench();

    it('pulls it where it is not there', async () => {
      const url = `redis://127.0.0.1:${await freePort()}`;
      const model = ['--model', MODEL_ID, '--precision', 'fp16', '--store', t.root, '--base-url', t.hub.url];
      const first = await m2fp(['worker', '--redis', url, ...model]);
      assert.match(first.err, /^Downloading: 100 %[^]*^Converting: 100 %$/m);
      assert.match(first.err, /M2FP_ENGINE_UNAVAILABLE/);
      const [entry] = await openStore(t.root).list();
      assert.deepEqual([entry?.id, entry?.precision, entry?.problem], [MODEL_ID, 'fp16', null]);
      const { length } = t.hub.requests;
      await failure('M2FP_ENGINE_UNAVAILABLE', 'worker', '--redis', url, ...model);
      assert.equal(t.hub.requests.length, length);
    });
  });
});
