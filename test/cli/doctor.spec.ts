/** `m2fp doctor`: its report, its exit code, and that nothing takes it down. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import type { Diagnosis } from '../../src/observe/doctor.ts';
import { bundledModelFolder } from '../../src/paths.ts';
import { hiding, refusing, withPreload } from '../observe/support/preload.ts';
import { failure, m2fp, start } from './support.ts';

describe('m2fp doctor', function () {
  // Measuring what int8 brings takes a while where the other tests run.
  this.timeout(180_000);
  let folder = '';
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'm2fp-cli-doctor-'))));
  afterEach(() => rmSync(folder, { recursive: true }));
  const args = (...more: string[]) => ['doctor', '--store', join(folder, 'store'), ...more];
  const json = async (env: NodeJS.ProcessEnv = {}) => {
    const { code, out, err } = await m2fp(args('--json'), env);
    assert.equal(err, '');
    return { code, diagnosis: JSON.parse(out) as Diagnosis };
  };

  it('prints what there is', async () => {
    const { code, out, err } = await m2fp(args());
    assert.equal(err, '');
    assert.equal(code, 0, out);
    assert.match(out, new RegExp(`^m2fp ${packageJson.version}\n\n`));
    for (const [name, text] of [
      ['platform', `${process.platform} ${process.arch}`],
      ['node', process.version],
      ['onnxruntime', packageJson.optionalDependencies['onnxruntime-node']],
      ['sharp', packageJson.dependencies.sharp],
      ['provider', 'cpu: '],
      ['int8', ''],
      ['model', 'm2fp-demo (bundled): multi, 21 labels, '],
      ['store', ''],
    ]) {
      assert.ok(
        out
          .split('\n')
          .some(
            (line) => /^(ok|warn) /.test(line) && line.replaceAll(/ +/g, ' ').includes(` ${name} ${text}`),
          ),
        `${name}: ${out}`,
      );
    }
  });

  for (const [signal, exit] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`leaves nothing of its measurement where ${signal} ends it`, async function () {
      if (process.platform === 'win32') this.skip();
      const TMPDIR = join(folder, 'tmp');
      mkdirSync(TMPDIR);
      const { child, ended } = start(args(), { TMPDIR });
      const measuring = watch(TMPDIR);
      await once(measuring, 'change');
      measuring.close();
      child.kill(signal);
      assert.equal((await ended).code, exit);
      assert.deepEqual(readdirSync(TMPDIR), []);
    });
  }

  it('prints the same as JSON', async () => {
    const { code, diagnosis } = await json();
    assert.equal(code, 0);
    assert.equal(diagnosis.format, 1);
    assert.deepEqual([diagnosis.onnxruntime.loads, diagnosis.sharp.loads], [true, true]);
    assert.equal(diagnosis.provider.name, 'cpu');
  });

  const noLoading = refusing('onnxruntime-node', "throw new Error('version GLIBC_2.28 not found')");

  it('says what a runtime that does not load needs, and what stands in for it', async () => {
    const outcome = await m2fp(args(), withPreload(noLoading, folder));
    assert.equal(outcome.code, 0, outcome.out);
    assert.match(
      outcome.out,
      /^warn {2}onnxruntime +1\.30\.0: it does not load: version GLIBC_2\.28 not found\n +-> Run "npm install --force/m,
    );
    assert.match(outcome.out, /^ok {4}provider +wasm: /m);
    assert.match(outcome.out, /^ok {4}sharp /m);
  });

  it('fails where nothing stands in for a runtime that does not load', async () => {
    const noWasm = "globalThis.WebAssembly.instantiate = () => Promise.reject(new Error('no memory'));";
    const outcome = await m2fp(args(), withPreload(noLoading + noWasm, folder));
    assert.equal(outcome.code, 1);
    assert.match(outcome.out, /^fail {2}onnxruntime /m);
    assert.match(outcome.out, /^fail {2}provider +none: .*no memory/m);
    assert.match(outcome.out, /^2 failures, /m);
  });

  it('survives a runtime that crashes', async () => {
    const env = withPreload(refusing('onnxruntime-node', 'process.abort()'), folder);
    const { code, diagnosis } = await json(env);
    assert.equal(code, 1);
    assert.equal(diagnosis.provider.name, null);
    assert.equal(diagnosis.onnxruntime.loads, false);
    assert.match(
      diagnosis.onnxruntime.problem ?? '',
      /its process (was ended by SIGABRT|exited with code \d+)/,
    );
  });

  it('says how to install a runtime that is not there', async () => {
    const { code, diagnosis } = await json(withPreload(hiding('onnxruntime-node'), folder));
    assert.equal(code, 0);
    assert.deepEqual(diagnosis.onnxruntime, {
      version: null,
      loads: false,
      problem: 'it is not installed',
      backends: [],
      dispensable: true,
    });
    assert.equal(diagnosis.provider.name, 'wasm');
    const check = diagnosis.checks.find(({ name }) => name === 'onnxruntime');
    assert.match(check?.fix ?? '', /ONNXRUNTIME_NODE_INSTALL=skip npm install/);
  });

  it('finds a damaged model in the store', async () => {
    const model = join(folder, 'store', 'own', 'demo', 'master');
    cpSync(bundledModelFolder(), model, { recursive: true });
    truncateSync(join(model, 'model.onnx'), 100);
    const { code, diagnosis } = await json();
    assert.equal(code, 1);
    const [, damaged] = diagnosis.models;
    assert.deepEqual([damaged?.id, damaged?.state], ['own/demo', 'damaged']);
    assert.match(damaged?.problem ?? '', /model\.onnx has 100 bytes instead of \d+/);
  });

  it('takes no arguments', async () => {
    assert.match(await failure('M2FP_BAD_OPTION', 'doctor', 'me'), /No argument is taken, not also me/);
    await failure('M2FP_BAD_OPTION', 'doctor', '--fix');
  });
});
