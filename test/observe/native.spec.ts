import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import { probes } from '../../src/observe/native.ts';
import { refusing, withPreload } from './support/preload.ts';

describe('trying native modules', function () {
  this.timeout(60_000);
  let folder = '';
  let saved: string | undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'm2fp-native-'));
    saved = process.env['NODE_OPTIONS'];
  });
  afterEach(() => {
    if (saved === undefined) delete process.env['NODE_OPTIONS'];
    else process.env['NODE_OPTIONS'] = saved;
    rmSync(folder, { recursive: true });
  });

  /** Lets a program run first in every process that is started from now on. */
  function preload(code: string): void {
    Object.assign(process.env, withPreload(code, folder));
  }

  it('finds those of this installation at work', async () => {
    assert.deepEqual(await probes.sharp(), {
      version: packageJson.dependencies.sharp,
      loads: true,
      problem: null,
    });
    const { backends, ...runtime } = await probes.onnxruntime();
    assert.deepEqual(runtime, {
      version: packageJson.optionalDependencies['onnxruntime-node'],
      loads: true,
      problem: null,
      dispensable: false,
    });
    assert.ok(backends.includes('cpu'));
  });

  it('finds the WebAssembly build of this package at work, and says what it lacks', async () => {
    assert.deepEqual(await probes.wasm(), {
      version: packageJson.devDependencies['onnxruntime-web'],
      loads: true,
      problem: null,
    });
    preload("globalThis.WebAssembly.instantiate = () => Promise.reject(new Error('no memory'));");
    const { loads, problem } = await probes.wasm();
    assert.equal(loads, true);
    assert.match(problem ?? '', /^it loads, but fails: .*no memory/);
  });

  it('says why one does not load', async () => {
    preload(refusing('onnxruntime-node', "throw new Error('GLIBC_2.28 not found\\n    at x')"));
    const { version, loads, problem, dispensable } = await probes.onnxruntime();
    assert.deepEqual([version, loads, problem], ['1.30.0', false, 'it does not load: GLIBC_2.28 not found']);
    assert.equal(dispensable, true);
    assert.equal((await probes.sharp()).problem, null);
  });

  it('survives one that ends its process', async () => {
    preload(refusing('sharp', "process.kill(process.pid, 'SIGKILL')"));
    const { loads, problem } = await probes.sharp();
    assert.equal(loads, false);
    assert.match(problem ?? '', /^it does not load: its process (was ended by SIGKILL|exited with code 1)/);
  });

  it('keeps the last words of one that ends its process', async () => {
    preload(refusing('sharp', "process.stderr.write('first\\nno luck\\n'); process.exit(7)"));
    assert.equal(
      (await probes.sharp()).problem,
      'it does not load: its process exited with code 7 (no luck)',
    );
  });

  it('tells a runtime that ends its process from one that an engine can do without', async () => {
    preload(refusing('onnxruntime-node', 'process.abort()'));
    const { loads, dispensable } = await probes.onnxruntime();
    assert.deepEqual([loads, dispensable], [false, false]);
  });

  it('tells one that loads and fails from one that does not load', async () => {
    preload(
      refusing(
        'onnxruntime-node',
        "return { listSupportedBackends: () => [{ name: 'cpu' }], InferenceSession: { create: async () => { throw new Error('no kernel'); } } }",
      ),
    );
    assert.deepEqual(await probes.onnxruntime(), {
      version: '1.30.0',
      loads: true,
      problem: 'it loads, but fails: no kernel',
      backends: ['cpu'],
      dispensable: false,
    });
  });
});
