/** `m2fp pull` against a hub on loopback. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundledModelFolder } from '../../src/paths.ts';
import { openStore } from '../../src/store/store.ts';
import { answerStatus, CHECKPOINT, cutAt, MODEL_ID, notFound, stallAt } from '../store/support/hub.ts';
import { bench } from '../store/support/pulling.ts';
import { failure, interruptedAt, m2fp, start, success } from './support.ts';

describe('m2fp pull', function () {
  this.timeout(60_000);
  const t = bench();
  const args = (...more: string[]) => ['pull', MODEL_ID, '--store', t.root, '--base-url', t.hub.url, ...more];

  it('downloads and converts, tells how far it is, and prints the folder', async () => {
    const { out, err } = await success(...args());
    const folder = join(t.root, ...MODEL_ID.split('/'), 'master');
    assert.match(out, new RegExp(`^model: +${MODEL_ID}$`, 'm'));
    assert.match(out, /^labels: +\d+: Background/m);
    assert.equal(/^folder: +(.+)$/m.exec(out)?.[1], folder);
    assert.match(out, /^read from configuration\.json: .*\bdecoder\.heads 8\b/m);
    assert.match(out, /^assumed, as nothing tells: .*\bpixelDecoder\.points 4\b/m);
    await openStore(t.root).verify(MODEL_ID);
    const lines = err.trimEnd().split('\n');
    const phases = lines.map((line) => line.split(':')[0]);
    assert.deepEqual(
      [...new Set(phases)],
      ['Asking for the list of files', 'Downloading', 'Checking', 'Converting'],
    );
    for (const phase of ['Downloading', 'Checking', 'Converting']) {
      const percents = lines
        .flatMap((line) => new RegExp(`^${phase}: (\\d+) %`).exec(line)?.[1] ?? [])
        .map(Number);
      assert.equal(percents.at(-1), 100, phase);
      assert.deepEqual(
        percents,
        percents.toSorted((a, b) => a - b),
        phase,
      );
    }
  });

  it('does nothing for a model that is there', async () => {
    await success(...args());
    const { length } = t.hub.requests;
    const { out, err } = await success(...args());
    assert.equal(err, 'The model was in the store already.\n');
    assert.match(out, /^folder: /m);
    assert.doesNotMatch(out, /^read from configuration/m);
    assert.equal(t.hub.requests.length, length);
  });

  it('makes a model again whose bytes are wrong, when it is told to look', async () => {
    await success(...args());
    const intact = await success(...args('--verify'));
    assert.match(intact.err, /The model was in the store already, and is intact\.\n$/);
    const file = join(t.root, ...MODEL_ID.split('/'), 'master', 'model.onnx.data');
    const bytes = readFileSync(file);
    bytes[1000]! ^= 1;
    writeFileSync(file, bytes);
    const { err } = await success(...args('--verify'));
    assert.match(err, /^Checking: 0 %$[^]*^Converting: 100 %$/m);
    await openStore(t.root).verify(MODEL_ID);
  });

  it('does as the options say', async () => {
    await success(...args('--precision', 'fp16', '--revision=master'));
    const [entry] = await openStore(t.root).list();
    assert.deepEqual([entry?.precision, entry?.revision, entry?.problem], ['fp16', 'master', null]);
  });

  it('makes an int8 model of what it pulled, and keeps both', async () => {
    const pictures = join(bundledModelFolder(), 'samples');
    const pulled = await success(...args('--precision', 'int8', '--pictures', pictures));
    assert.match(pulled.err, /^Converting: 100 %$[^]*^Making it int8: 100 %$/m);
    const entries = await openStore(t.root).list();
    assert.deepEqual(
      entries.map(({ precision, problem }) => [precision, problem]),
      [
        ['fp32', null],
        ['int8', null],
      ],
    );
    const requests = t.hub.of(CHECKPOINT).length;
    const again = await success(...args('--precision', 'int8', '--verify'));
    assert.match(again.err, /The model was in the store already, and is intact\.\n$/);
    assert.equal(t.hub.of(CHECKPOINT).length, requests);
  }).timeout(180_000);

  it('puts it into Node-RED’s user folder, where nothing else is said', async () => {
    const home = mkdtempSync(join(tmpdir(), 'm2fp-home-'));
    try {
      const env = { HOME: home, USERPROFILE: home };
      const outcome = await m2fp(['pull', MODEL_ID, '--base-url', t.hub.url], env);
      assert.equal(outcome.code, 0, outcome.err);
      assert.ok(
        existsSync(join(home, '.node-red', 'm2fp', 'models', ...MODEL_ID.split('/'), 'master', 'm2fp.json')),
      );
    } finally {
      rmSync(home, { recursive: true });
    }
    const { out } = await success('pull', '--help');
    assert.match(out, /~\/\.node-red\/m2fp\/models/);
    assert.match(out, /Node-RED finds the model/);
  });

  it('survives a connection that breaks', async () => {
    t.hub.next(CHECKPOINT, cutAt(0.37));
    await success(...args());
    await openStore(t.root).verify(MODEL_ID);
    assert.equal(t.hub.of(CHECKPOINT).length, 2);
  });

  it('says so while it waits to try again', async () => {
    t.hub.next('list', answerStatus(502));
    t.hub.next(CHECKPOINT, answerStatus(503));
    const { err } = await success(...args());
    const lines = err.split('\n');
    assert.ok(
      lines.includes('Asking for the list of files: the server answered 502; trying again in 1 s (1 of 5)'),
      err,
    );
    assert.equal(
      lines.filter((line) =>
        /^Downloading \d+ %: the server answered 503; trying again in 1 s \(1 of 5\)$/.test(line),
      ).length,
      1,
      err,
    );
  });

  it('is interrupted in the download, and the next one goes on', async function () {
    if (process.platform === 'win32') this.skip();
    t.hub.next(CHECKPOINT, stallAt(0.37));
    const { child, says, ended } = start(args());
    await says('Downloading: 30 %');
    child.kill('SIGINT');
    const { code, out, err } = await ended;
    assert.equal(code, 130, err);
    assert.equal(out, '');
    assert.equal(
      err.trimEnd().split('\n').at(-1),
      'm2fp: M2FP_CANCELLED: Interrupted. What was downloaded is kept: the same command goes on from there',
    );
    assert.deepEqual(await openStore(t.root).list(), []);
    await success(...args());
    const [first, second] = t.hub.of(CHECKPOINT);
    assert.equal(first?.range, undefined);
    assert.match(second?.range ?? '', /^bytes=[1-9]\d+-$/);
    await openStore(t.root).verify(MODEL_ID);
  });

  it('is interrupted in the conversion, and the next one does not download again', async function () {
    if (process.platform === 'win32') this.skip();
    const outcome = await m2fp(args(), interruptedAt('Converting: 0 %', 'SIGTERM', t.root));
    assert.equal(outcome.code, 143, outcome.err);
    const [work] = readdirSync(join(t.root, '.partial'));
    assert.deepEqual(readdirSync(join(t.root, '.partial', work!)), ['download']);
    await success(...args());
    assert.equal(t.hub.of(CHECKPOINT).length, 1);
    await openStore(t.root).verify(MODEL_ID);
  });

  it('says what is wrong', async () => {
    assert.match(await failure('M2FP_BAD_OPTION', 'pull'), /ID is missing \(see m2fp pull --help\)/);
    await failure('M2FP_BAD_OPTION', 'pull', 'no-id', '--store', t.root);
    await failure('M2FP_BAD_OPTION', ...args('--precision', 'int4'));
    assert.match(
      await failure('M2FP_BAD_OPTION', ...args('--pictures', t.root)),
      /--pictures is for int8 models: add --precision int8/,
    );
    await failure('M2FP_BAD_OPTION', ...args('--base-url', 'ftp://mirror'));
    t.hub.next('list', (_, response) => notFound(response));
    const outcome = await m2fp(args());
    assert.equal(outcome.code, 1);
    assert.match(outcome.err, /^Asking for the list of files\nm2fp: M2FP_MODEL_NOT_FOUND: [^\n]+\n$/);
  });
});
