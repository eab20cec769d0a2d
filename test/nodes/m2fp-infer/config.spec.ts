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
      polygons: false,
      iou: 0.98,
      policy: 'wait',
      limit: '',
      maxAge: '',
      key: 'topic',
      priority: '0',
      priorityType: 'num',
      camera: '',
      result: 'payload',
      resultType: 'msg',
    });
  });

  it('has the minimum score of a new node where none is stored, and keeps the one that is', () => {
    const stored = { id: 'a', type: 'm2fp-infer', name: '', z: '', model: 'model' };
    assert.equal(completeConfig(stored).scoreThreshold, 0.5);
    assert.equal(completeConfig({ ...stored, configVersion: 1 }).scoreThreshold, 0.5);
    assert.equal(completeConfig({ ...stored, scoreThreshold: 0.1 }).scoreThreshold, 0.1);
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
