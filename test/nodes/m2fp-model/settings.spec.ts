import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import type { Node, NodeAPI } from 'node-red';
import { type ModelConfig, readSettings } from '../../../nodes/m2fp-model/settings.ts';
import { bundledModelFolder } from '../../../src/paths.ts';
import { nodeConfig } from '../support/flows.ts';

describe('readSettings', () => {
  const env: Record<string, string> = { MODELS: '/srv/models', EMPTY: '' };
  const userDir = resolve('/home/me/.node-red');

  const read = (properties: Partial<ModelConfig>, settings: object = { userDir }) => {
    const RED = { settings, util: { getSetting: (_node: Node, name: string) => env[name] } };
    const config = nodeConfig('m2fp-model', 'model', { ...properties }) as unknown as ModelConfig;
    return readSettings(RED as unknown as NodeAPI, {} as Node, config);
  };

  it('gives the bundled model on all cores with what the form begins with', () => {
    assert.deepEqual(read({}), {
      engine: { model: bundledModelFolder(), threads: availableParallelism(), maxQueue: 8, timeout: 60_000 },
      parse: {},
    });
  });

  it('takes a blank as the default, and texts as numbers', () => {
    const { engine, parse } = read({
      threads: '2',
      maxQueue: '',
      timeout: '',
      shortSide: '320',
      longSide: '',
    });
    assert.deepEqual([engine.threads, engine.maxQueue, engine.timeout], [2, 8, 60_000]);
    assert.deepEqual(parse, { shortSide: 320 });
  });

  it('takes no longer queue than Node-RED allows', () => {
    assert.equal(read({ maxQueue: 50 }, { nodeMessageBufferMaxLength: 5 }).engine.maxQueue, 5);
    assert.equal(read({ maxQueue: 3 }, { nodeMessageBufferMaxLength: 5 }).engine.maxQueue, 3);
    assert.equal(read({ maxQueue: 50 }, { nodeMessageBufferMaxLength: 0 }).engine.maxQueue, 50);
  });

  for (const [folder, path] of [
    ['/models/a', resolve('/models/a')],
    [' ${MODELS}/a ', resolve('/srv/models/a')],
    ['${MODELS}', resolve('/srv/models')],
    ['models/a', join(userDir, 'models', 'a')],
  ] as const) {
    it(`finds the folder ${folder}`, () => {
      assert.equal(read({ source: 'folder', folder }).engine.model, path);
    });
  }

  for (const [name, properties, code, message] of [
    ['no folder', { source: 'folder', folder: '  ' }, 'M2FP_MODEL_NOT_FOUND', /no folder/],
    ['an unset variable', { source: 'folder', folder: '${GONE}/a' }, 'M2FP_MODEL_NOT_FOUND', /GONE/],
    ['an empty variable', { source: 'folder', folder: '${EMPTY}/a' }, 'M2FP_MODEL_NOT_FOUND', /EMPTY/],
    ['threads that are no number', { threads: 'many' }, 'M2FP_BAD_OPTION', /threads/],
    ['half a thread', { threads: 0.5 }, 'M2FP_BAD_OPTION', /threads/],
    ['a queue below 0', { maxQueue: -1 }, 'M2FP_BAD_OPTION', /maxQueue/],
    ['a time below 0', { timeout: -1 }, 'M2FP_BAD_OPTION', /timeout/],
    ['a side of nothing', { shortSide: 0 }, 'M2FP_BAD_OPTION', /shortSide/],
  ] as [string, Partial<ModelConfig>, string, RegExp][]) {
    it(`refuses ${name}`, () => {
      assert.throws(() => read(properties), { code, message });
    });
  }
});
