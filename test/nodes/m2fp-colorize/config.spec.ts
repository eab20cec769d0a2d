import assert from 'node:assert/strict';
import { forLabels, optionsOf } from '../../../nodes/m2fp-colorize/config.ts';
import { readColorizeOptions } from '../../../src/parsing/colorize/colorize-options.ts';
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

describe('optionsOf m2fp-colorize', () => {
  const read = (config: object) => readColorizeOptions(['Background'], optionsOf(config));

  it('lets a node of version 1 draw as it did', () => {
    assert.deepEqual(read(VERSION_1), read({}));
    assert.equal(read({ ...VERSION_1, background: 'transparent' }).background, 'remove');
  });

  it("has the form's defaults where a node has no fields", () => {
    assert.deepEqual(read(nodeConfig('m2fp-colorize', 'a')), read({}));
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

  it('leaves what is no text to whoever reads it', () => {
    assert.equal(forLabels({ labels: 3 } as object, labels).labels, 3);
  });

  for (const colors of ['{', '[]', 'null', '3']) {
    it(`leaves ${colors} to whoever reads it`, () => {
      assert.equal(forLabels({ colors }, labels).colors, colors);
    });
  }

  it('takes the names of a field as well as a list', () => {
    assert.deepEqual(forLabels({ labels: 'hair, Glove' }, labels).labels, ['hair']);
  });
});
