import assert from 'node:assert/strict';
import { completeConfig, forLabels, type StoredConfig } from '../../../nodes/m2fp-colorize/config.ts';
import { nodeConfig } from '../support/flows.ts';

const VERSION_1 = {
  id: 'a',
  type: 'm2fp-colorize',
  name: '',
  z: '',
  mode: 'overlay',
  opacity: 0.6,
  by: 'label',
  paint: 'parts',
  minScore: 0.3,
  background: 'keep',
  labels: '',
  palette: 'auto',
  colors: '{}',
  contours: 0,
  contourColor: '#ffffff',
  format: 'png',
  quality: 90,
  configVersion: 1,
} as const;

describe('completeConfig of m2fp-colorize', () => {
  it('lets a node of version 1 draw as it did', () => {
    assert.deepEqual(completeConfig(VERSION_1), {
      ...VERSION_1,
      parsing: 'parsing',
      parsingType: 'msg',
      dim: 0.6,
      blurRadius: '',
      names: false,
      scores: false,
      legend: 'none',
      textSize: '',
      result: 'payload',
      resultType: 'msg',
    });
    assert.equal(completeConfig({ ...VERSION_1, background: 'transparent' }).background, 'remove');
  });

  it('knows every field that the form has, with the same default', () => {
    const node = nodeConfig('m2fp-colorize', 'a') as unknown as StoredConfig;
    assert.deepEqual(completeConfig(node), node);
    const added = completeConfig({} as StoredConfig) as unknown as Record<string, unknown>;
    for (const [name, value] of Object.entries(added)) {
      assert.deepEqual(value, (node as unknown as Record<string, unknown>)[name], name);
    }
  });
});

describe('forLabels', () => {
  const labels = ['Background', 'Hair'];

  it('leaves out what only other models have, and nothing else', () => {
    const options = {
      labels: ['hair', 'Glove', 'Tail'],
      colors: { HAIR: 'red', Glove: 'blue', Tail: 'red' },
    };
    assert.deepEqual(forLabels(options, labels), {
      labels: ['hair', 'Tail'],
      colors: { HAIR: 'red', Tail: 'red' },
    });
    assert.deepEqual(forLabels({ colors: '{"Glove": "blue", "Hair": [1, 2, 3]}' }, labels).colors, {
      Hair: [1, 2, 3],
    });
  });

  it('leaves what is wrong to whoever reads it', () => {
    for (const colors of ['{', '[]', 'null', '3']) assert.equal(forLabels({ colors }, labels).colors, colors);
    assert.equal(forLabels({ labels: 'Hair' } as object, labels).labels, 'Hair');
  });
});
