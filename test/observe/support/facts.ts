/** Facts of a machine on which nothing is wrong. */
import type { Facts } from '../../../src/observe/diagnosis.ts';
import type { ModelDiagnosis } from '../../../src/observe/models.ts';

export const bundled: ModelDiagnosis = {
  id: 'm2fp-demo',
  revision: null,
  precision: 'fp16',
  store: null,
  folder: '/package/models/demo',
  kind: 'multi',
  labels: ['Background', 'Face', 'Human'],
  size: 5_000_000,
  digest: '0123456789abcdef',
  state: 'ok',
  problem: null,
  warnings: [],
  memory: 160_000_000,
};

export const pulled: ModelDiagnosis = {
  ...bundled,
  id: 'damo/model',
  revision: 'master',
  precision: 'fp32',
  store: '~/store',
  memory: 900_000_000,
};

export const sound: Facts = {
  version: '1.2.3',
  platform: { system: 'linux', arch: 'x64', libc: { name: 'glibc', version: '2.36' } },
  cpu: { model: 'A processor', cores: 4, features: ['avx2', 'fma'] },
  memory: { total: 8e9, free: 4e9 },
  node: { version: 'v22.9.0' },
  userFolder: null,
  nodeRed: { version: '4.1.0', where: 'the current folder' },
  onnxruntime: { version: '1.30.0', loads: true, problem: null, backends: ['cpu'], dispensable: false },
  wasm: null,
  sharp: { version: '0.35.5', loads: true, problem: null },
  provider: { name: 'cpu', reason: 'the bundled model runs on it' },
  int8: { speed: { ratio: 1.7, provider: 'cpu', threads: 2, instructions: 'AVX2' }, problem: null },
  models: [bundled, pulled],
  stores: [{ folder: '~/store', models: 1, free: 9e9, problem: null }],
};
