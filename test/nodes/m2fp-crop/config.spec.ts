import assert from 'node:assert/strict';
import { CROP_SETTINGS, type CropConfig, settingsOf } from '../../../nodes/m2fp-crop/config.ts';
import { readOptions } from '../../../src/parsing/options/option-table.ts';
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

describe('settingsOf', () => {
  const read = (config: object) => readOptions(CROP_SETTINGS, settingsOf(config as CropConfig));

  it('lets a node of version 1 crop as it did', () => {
    assert.deepEqual(read(VERSION_1), { ...read({}), what: 'persons' });
  });

  it("has the form's defaults where a node has no fields", () => {
    assert.deepEqual(read(nodeConfig('m2fp-crop', 'a')), read({}));
  });

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
    const settings = settingsOf({ ...VERSION_1, ...blank });
    const given = Object.entries(settings).filter(([, value]) => value !== undefined);
    assert.deepEqual(Object.fromEntries(given), {
      what: 'persons',
      mode: 'box',
      format: 'png',
      output: 'sequence',
    });
  });
});
