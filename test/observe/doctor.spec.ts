import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import { type Check, diagnose, type Diagnosis, type DiagnoseOptions } from '../../src/observe/doctor.ts';
import type { Int8Speed } from '../../src/m2fp/int8-speed.ts';
import type { Probes } from '../../src/observe/native.ts';
import { bundledModelFolder } from '../../src/paths.ts';
import { convertCheckpoint } from '../../src/store/convert.ts';
import { readManifest } from '../../src/store/manifest.ts';
import { goldenFolder } from '../support/golden.ts';
import { sound } from './support/facts.ts';

const speed: Int8Speed = { ratio: 1.7, provider: 'cpu', threads: 2, instructions: 'AVX2' };

/** Native modules have tests of their own. */
const working: Probes = {
  onnxruntime: () => Promise.resolve(sound.onnxruntime),
  wasm: () => assert.fail('WebAssembly is not tried where the native module works'),
  sharp: () => Promise.resolve(sound.sharp),
};

describe('the doctor', function () {
  this.timeout(60_000);
  let root = '';
  beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'm2fp-doctor-'))));
  afterEach(() => rmSync(root, { recursive: true }));

  const look = (options: Partial<DiagnoseOptions> = {}) =>
    diagnose({ stores: [root], nodeRed: '5.0.7', int8: async () => speed, probes: working, ...options });
  const named = ({ checks }: Diagnosis, name: string): Check[] =>
    checks.filter((check) => check.name === name);

  async function put(id: string): Promise<string> {
    const out = join(root, ...id.split('/'), 'master');
    await convertCheckpoint({ source: goldenFolder('multi'), out, id });
    return out;
  }

  it('has the keys that programs rely on', async () => {
    await put('damo/model');
    const diagnosis = await look();
    const keys = (value: object) => Object.keys(value).toSorted();
    assert.deepEqual(keys(diagnosis), [
      'checks',
      'cpu',
      'format',
      'int8',
      'memory',
      'models',
      'node',
      'nodeRed',
      'onnxruntime',
      'platform',
      'provider',
      'sharp',
      'state',
      'stores',
      'userFolder',
      'version',
      'wasm',
    ]);
    assert.deepEqual([diagnosis.format, diagnosis.version], [1, packageJson.version]);
    assert.deepEqual(keys(diagnosis.platform), ['arch', 'libc', 'system']);
    assert.deepEqual(keys(diagnosis.cpu), ['cores', 'features', 'model']);
    assert.deepEqual(keys(diagnosis.memory), ['free', 'total']);
    assert.deepEqual(diagnosis.node, { version: process.version });
    assert.deepEqual(diagnosis.nodeRed, { version: '5.0.7', where: null });
    assert.deepEqual(diagnosis.onnxruntime, sound.onnxruntime);
    assert.equal(diagnosis.wasm, null);
    assert.deepEqual(diagnosis.sharp, sound.sharp);
    assert.deepEqual(keys(diagnosis.provider), ['name', 'reason']);
    assert.deepEqual(diagnosis.int8, { speed, problem: null });
    assert.deepEqual(keys(diagnosis.stores[0]!), ['folder', 'free', 'models', 'problem']);
    for (const model of diagnosis.models) {
      assert.deepEqual(keys(model), [
        'digest',
        'folder',
        'id',
        'kind',
        'labels',
        'memory',
        'precision',
        'problem',
        'revision',
        'size',
        'state',
        'store',
        'warnings',
      ]);
    }
    for (const check of diagnosis.checks) assert.deepEqual(keys(check), ['fix', 'name', 'state', 'text']);
    assert.deepEqual(JSON.parse(JSON.stringify(diagnosis)), diagnosis);
  });

  it('tells the models’ facts, the bundled one first', async () => {
    const folder = await put('damo/model');
    const { models, stores, provider, state } = await look();
    const bundled = await readManifest(bundledModelFolder());
    const own = await readManifest(folder);
    assert.deepEqual(
      models.map(({ id, revision, digest, labels, state: its }) => [id, revision, digest, labels, its]),
      [
        [bundled.id, null, bundled.digest, bundled.labels, 'ok'],
        ['damo/model', 'master', own.digest, own.labels, 'ok'],
      ],
    );
    assert.deepEqual([stores[0]?.models, stores[0]?.problem], [1, null]);
    assert.equal(provider.name, 'cpu');
    assert.notEqual(state, 'fail');
  });

  it('finds a byte that was changed, and says how to mend it', async () => {
    const weights = join(await put('damo/model'), 'model.onnx.data');
    const bytes = readFileSync(weights);
    bytes[1000] = bytes[1000]! ^ 1;
    writeFileSync(weights, bytes);
    const diagnosis = await look();
    assert.equal(diagnosis.state, 'fail');
    const [bundled, damaged] = named(diagnosis, 'model');
    assert.equal(bundled?.state, 'ok');
    assert.equal(damaged?.state, 'fail');
    assert.match(
      damaged?.text ?? '',
      /^damo\/model \(master, fp32\) is damaged: model\.onnx\.data .*SHA-256/,
    );
    assert.match(damaged?.fix ?? '', /m2fp models remove damo\/model .* "m2fp pull damo\/model /);
    assert.equal(diagnosis.models[1]?.state, 'damaged');
  });

  it('finds a model that is not whole', async () => {
    appendFileSync(join(await put('damo/model'), 'model.onnx'), 'more');
    mkdirSync(join(root, 'damo', 'empty', 'master'), { recursive: true });
    const diagnosis = await look();
    assert.deepEqual(
      diagnosis.models.slice(1).map(({ id, kind, memory, problem }) => [id, kind, memory, problem !== null]),
      [
        ['damo/empty', null, null, true],
        ['damo/model', null, null, true],
      ],
    );
    assert.equal(named(diagnosis, 'model').filter(({ state }) => state === 'fail').length, 2);
  });

  it('looks into several stores, of which one is not there yet and one cannot be read', async () => {
    await put('damo/model');
    const file = join(root, 'file');
    writeFileSync(file, '');
    const diagnosis = await look({ stores: [root, join(root, 'none'), file] });
    assert.deepEqual(
      diagnosis.stores.map(({ models, problem }) => [models, problem === null]),
      [
        [1, true],
        [0, true],
        [0, false],
      ],
    );
    assert.deepEqual(
      named(diagnosis, 'store').map(({ state }) => state),
      ['ok', 'ok', 'fail'],
    );
  });

  const notInstalled = {
    version: null,
    loads: false,
    problem: 'it is not installed',
    backends: [],
    dispensable: true,
  };

  it('warns where WebAssembly stands in for the runtime', async () => {
    const wasm = { version: '1.30.0', loads: true, problem: null };
    const diagnosis = await look({
      probes: {
        ...working,
        onnxruntime: () => Promise.resolve(notInstalled),
        wasm: () => Promise.resolve(wasm),
      },
    });
    assert.deepEqual(diagnosis.wasm, wasm);
    assert.equal(diagnosis.provider.name, 'wasm');
    assert.match(diagnosis.provider.reason, /onnxruntime-node does not work.* slower$/);
    assert.notEqual(diagnosis.state, 'fail');
    assert.equal(named(diagnosis, 'onnxruntime')[0]?.state, 'warn');
  });

  it('has no provider where the runtime crashes: the engine would too', async () => {
    const onnxruntime = { ...notInstalled, version: '1.30.0', problem: 'it ends', dispensable: false };
    const { provider, state } = await look({
      probes: { ...working, onnxruntime: () => Promise.resolve(onnxruntime) },
    });
    assert.deepEqual([provider.name, state], [null, 'fail']);
    assert.match(provider.reason, /only stands in where/);
  });

  it('says why int8 could not be measured, and does not try where nothing runs the network', async () => {
    const int8 = () => Promise.reject(new Error('The machine was too busy'));
    const busy = await look({ int8 });
    assert.deepEqual(busy.int8, { speed: null, problem: 'The machine was too busy' });
    assert.equal(named(busy, 'int8')[0]?.state, 'warn');
    const onnxruntime = { ...notInstalled, dispensable: false };
    const probes = { ...working, onnxruntime: () => Promise.resolve(onnxruntime) };
    const without = await look({ int8: () => assert.fail('it was tried'), probes });
    assert.deepEqual([without.int8, named(without, 'int8')], [{ speed: null, problem: null }, []]);
    const unknown = await look({ int8: async () => undefined });
    assert.deepEqual(unknown.int8, { speed: null, problem: null });
  });

  it('has no provider without any runtime', async () => {
    const wasm = { version: null, loads: false, problem: 'it does not load: it is gone' };
    const diagnosis = await look({
      probes: {
        ...working,
        onnxruntime: () => Promise.resolve(notInstalled),
        wasm: () => Promise.resolve(wasm),
      },
    });
    assert.equal(diagnosis.provider.name, null);
    assert.match(diagnosis.provider.reason, /it does not load: it is gone$/);
    assert.equal(diagnosis.state, 'fail');
    assert.deepEqual(
      diagnosis.checks.filter(({ state }) => state === 'fail').map(({ name }) => name),
      ['onnxruntime', 'provider'],
    );
  });

  it('leaves names and home folders out', async () => {
    const saved = { HOME: process.env['HOME'], USERPROFILE: process.env['USERPROFILE'] };
    Object.assign(process.env, { HOME: root, USERPROFILE: root });
    try {
      const weights = join(await put('damo/model'), 'model.onnx.data');
      writeFileSync(weights, 'x');
      const diagnosis = await look();
      const text = JSON.stringify(diagnosis);
      assert.ok(!text.includes(root), text);
      assert.match(diagnosis.models[1]?.problem ?? '', /^~.damo.model.master.model\.onnx\.data has 1 bytes/);
      assert.equal(diagnosis.stores[0]?.folder, '~');
    } finally {
      for (const [name, value] of Object.entries(saved)) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
  });
});
