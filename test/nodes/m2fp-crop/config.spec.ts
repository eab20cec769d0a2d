import assert from 'node:assert/strict';
import { completeConfig, settingsOf, type StoredConfig } from '../../../nodes/m2fp-crop/config.ts';
import { nodeConfig } from '../support/flows.ts';

const VERSION_1 = {
  id: 'a',
  type: 'm2fp-crop',
  name: '',
  z: '',
  what: 'persons',
  labels: '',
  mode: 'box',
  padding: '0',
  minArea: 1,
  minScore: 0,
  max: 255,
  format: 'png',
  quality: 90,
  output: 'sequence',
  configVersion: 1,
} as const;

describe('completeConfig of m2fp-crop', () => {
  it('lets a node of version 1 crop as it did', () => {
    assert.deepEqual(completeConfig(VERSION_1), {
      ...VERSION_1,
      parsing: 'parsing',
      parsingType: 'msg',
      groups: '',
      grow: 0,
      feather: 0,
      aspect: '',
      edge: 'clamp',
      fill: '',
      scale: 'none',
      maxSide: 512,
      width: '',
      height: '',
      result: 'payload',
      resultType: 'msg',
    });
  });

  it('knows every field that the form has, with the same default', () => {
    const node = nodeConfig('m2fp-crop', 'a') as unknown as StoredConfig;
    assert.deepEqual(completeConfig(node), node);
    const added = completeConfig({} as StoredConfig) as unknown as Record<string, unknown>;
    for (const [name, value] of Object.entries(added)) {
      assert.deepEqual(value, (node as unknown as Record<string, unknown>)[name], name);
    }
  });
});

describe('settingsOf', () => {
  it('leaves blank fields to the defaults', () => {
    const blank = {
      padding: '',
      minArea: '',
      minScore: '',
      max: '',
      quality: '',
      grow: '',
      feather: '',
      maxSide: '',
    };
    const settings = settingsOf(completeConfig({ ...VERSION_1, ...blank }));
    const given = Object.entries(settings).filter(([, value]) => value !== undefined);
    assert.deepEqual(Object.fromEntries(given), {
      what: 'persons',
      mode: 'box',
      edge: 'clamp',
      scale: 'none',
      format: 'png',
      output: 'sequence',
    });
  });
});
