import assert from 'node:assert/strict';
import { judge } from '../../src/observe/checks.ts';
import type { Facts } from '../../src/observe/diagnosis.ts';
import { bundled, pulled, sound } from './support/facts.ts';

/** The lines that are not in order, as `state name`, with their fixes. */
function found(facts: Partial<Facts>): [string, string | null][] {
  return judge({ ...sound, ...facts })
    .filter(({ state }) => state !== 'ok')
    .map(({ name, state, fix }) => [`${state} ${name}`, fix]);
}

describe('judging the facts', () => {
  it('finds nothing where nothing is wrong, and has a line for everything', () => {
    assert.deepEqual(found({}), []);
    assert.deepEqual(
      judge(sound).map(({ name }) => name),
      [
        'platform',
        'cpu',
        'memory',
        'node',
        'node-red',
        'onnxruntime',
        'sharp',
        'provider',
        'int8',
        'model',
        'model',
        'store',
      ],
    );
  });

  const int8 = (ratio: number) => ({
    speed: { ratio, provider: 'cpu', threads: 2, instructions: 'AVX2' } as const,
    problem: null,
  });

  it('tells what int8 brings, and that a model is int8 in vain', () => {
    const told = (facts: Partial<Facts>) =>
      judge({ ...sound, ...facts }).filter(({ name }) => name === 'int8');
    assert.deepEqual(told({ int8: int8(1.66) }), [
      {
        name: 'int8',
        state: 'ok',
        text:
          'a full-size model is about 1.7 x as fast as in float32 here (AVX2, 2 threads), measured; small ones, such as ' +
          'the bundled one, gain less',
        fix: null,
      },
    ]);
    assert.match(told({ int8: int8(0.94) })[0]!.text, /^not faster than float32 here \(0\.9 x; AVX2/);
    assert.deepEqual(found({ int8: int8(0.94) }), []);
    const models = [bundled, { ...pulled, precision: 'int8' as const }];
    assert.deepEqual(found({ int8: int8(1.2), models }), []);
    const [[line, fix] = []] = found({ int8: int8(1.04), models });
    assert.equal(line, 'warn int8');
    assert.match(fix ?? '', new RegExp(`in place of the int8 one: ${pulled.id}$`));
    assert.deepEqual(told({ int8: { speed: null, problem: null } }), []);
    const [[unknown, again] = []] = found({ int8: { speed: null, problem: 'too busy' } });
    assert.equal(unknown, 'warn int8');
    assert.match(again ?? '', /once more/);
  });

  it('tells an old processor from one that does not say', () => {
    assert.deepEqual(found({ cpu: { model: null, cores: 1, features: null } }), []);
    const arm = { ...sound.platform, arch: 'arm64' } as const;
    assert.deepEqual(found({ platform: arm, cpu: { model: null, cores: 1, features: ['asimd'] } }), []);
    const [[line, fix] = []] = found({ cpu: { model: 'Old', cores: 2, features: ['avx'] } });
    assert.equal(line, 'warn cpu');
    assert.match(fix ?? '', /AVX2/);
  });

  const broken = { loads: false, problem: 'it does not load: reason' };
  const noRuntime = { version: '1.30.0', backends: [], dispensable: true, ...broken };
  const nothing = { name: null, reason: 'none' };
  const wasm = { name: 'wasm', reason: 'it stands in' };
  for (const [name, facts, lines, fix] of [
    [
      'Alpine',
      {
        platform: { ...sound.platform, libc: { name: 'musl', version: null } },
        onnxruntime: noRuntime,
        provider: wasm,
      },
      ['warn platform', 'warn onnxruntime'],
      /latest-debian/,
    ],
    [
      'Alpine without the WebAssembly build',
      {
        platform: { ...sound.platform, libc: { name: 'musl', version: null } },
        onnxruntime: noRuntime,
        provider: nothing,
      },
      ['fail platform', 'fail onnxruntime', 'fail provider'],
      /latest-debian/,
    ],
    [
      'an old C library',
      { platform: { ...sound.platform, libc: { name: 'glibc', version: '2.17' } }, provider: wasm },
      ['warn platform'],
      /glibc 2\.28/,
    ],
    [
      'a Mac with Intel',
      { platform: { system: 'darwin', arch: 'x64', libc: null }, provider: wasm },
      ['warn platform'],
      /darwin arm64/,
    ],
    ['an old Node.js', { node: { version: 'v22.8.0' } }, ['fail node'], /22\.9 or newer/],
    [
      'an old Node-RED',
      { nodeRed: { version: '3.1.15', where: null } },
      ['fail node-red'],
      /node-red@latest/,
    ],
    [
      'no Node-RED',
      { nodeRed: { version: null, where: null } },
      ['warn node-red'],
      /where Node-RED is installed/,
    ],
    ['little memory', { memory: { total: 1e9, free: 0.8e9 } }, ['warn memory'], /needs 0\.90 GB/],
    [
      'a runtime that is not installed',
      { onnxruntime: { ...noRuntime, version: null }, provider: wasm },
      ['warn onnxruntime'],
      /ONNXRUNTIME_NODE_INSTALL=skip npm install @m2fp\/node-red-human-parsing --include=optional/,
    ],
    [
      'a runtime that does not load',
      { onnxruntime: noRuntime, provider: wasm },
      ['warn onnxruntime'],
      /npm install --force @m2fp\/node-red-human-parsing/,
    ],
    [
      'sharp that does not load',
      { sharp: { version: '0.35.5', ...broken } },
      ['fail sharp'],
      /npm install --include=optional sharp/,
    ],
    ['nothing to run on', { provider: nothing }, ['fail provider'], /onnxruntime/],
    [
      'a damaged bundled model',
      { models: [{ ...bundled, state: 'damaged', problem: 'gone' }] },
      ['fail model'],
      /npm install --force/,
    ],
    [
      'a damaged model in the store',
      { models: [bundled, { ...pulled, state: 'damaged', problem: 'gone', store: '/my models' }] },
      ['fail model'],
      /^Run "m2fp models remove damo\/model --revision master --precision fp32 --store "\/my models"" and then "m2fp pull damo\/model --revision/,
    ],
    [
      'a damaged model of a checkpoint on this machine',
      { models: [bundled, { ...pulled, id: 'local/x.pt', state: 'damaged', problem: 'gone', store: '/s' }] },
      ['fail model'],
      /^Run "m2fp models remove local\/x\.pt .* --store \/s": it is converted again when it is needed$/,
    ],
    [
      'a full disk',
      { stores: [{ folder: '/store', models: 0, free: 1e8, problem: null }] },
      ['warn store'],
      /free some space/,
    ],
    [
      'a store that cannot be read',
      { stores: [{ folder: '/store', models: 0, free: null, problem: 'EACCES' }] },
      ['fail store'],
      /read that folder/,
    ],
  ] as [string, Partial<Facts>, string[], RegExp][]) {
    it(`names ${name}, and what mends it`, () => {
      const problems = found(facts);
      assert.deepEqual(
        problems.map(([line]) => line),
        lines,
      );
      assert.match(problems[0]?.[1] ?? '', fix);
    });
  }
});
