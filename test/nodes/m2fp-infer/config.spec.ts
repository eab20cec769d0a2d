import assert from 'node:assert/strict';
import { completeConfig, type StoredConfig } from '../../../nodes/m2fp-infer/config.ts';
import { nodeConfig } from '../support/flows.ts';

describe('completeConfig', () => {
  it('lets a node of version 1 wait in the queue of its model, as it did', () => {
    const stored = {
      id: 'a',
      type: 'm2fp-infer',
      name: '',
      z: '',
      model: 'model',
      picture: 'payload',
      pictureType: 'msg',
      scoreThreshold: '0.4',
      configVersion: 1,
    };
    assert.deepEqual(completeConfig(stored), {
      ...stored,
      flip: false,
      policy: 'wait',
      limit: '',
      maxAge: '',
      key: 'topic',
      priority: '0',
      priorityType: 'num',
    });
  });

  it('knows every field that the form has', () => {
    const node = nodeConfig('m2fp-infer', 'a', { model: 'model' }) as unknown as StoredConfig;
    assert.deepEqual(completeConfig(node), node);
    assert.deepEqual(
      Object.keys(completeConfig({} as StoredConfig)).filter((name) => !(name in node)),
      [],
    );
  });
});
