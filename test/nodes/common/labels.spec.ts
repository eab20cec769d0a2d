import assert from 'node:assert/strict';
import { labelsInModel } from '../../../nodes/common/labels.ts';

const CIHP = ['Background', 'Hair', 'Gloves', 'Human'];

describe('labelsInModel', () => {
  it('drops names that only models of other label sets have', () => {
    assert.deepEqual(labelsInModel(['Hair', 'Glove', 'Jumpsuits', 'gloves'], CIHP), ['Hair', 'gloves']);
  });

  it('leaves them all where the model has none of them, so that they are refused', () => {
    assert.deepEqual(labelsInModel(['Jumpsuits', 'Glove'], CIHP), ['Jumpsuits', 'Glove']);
  });

  it('leaves names that no label set has, so that they are refused', () => {
    assert.deepEqual(labelsInModel(['Hiar', 'Glove'], CIHP), ['Hiar']);
  });

  it('leaves all and none', () => {
    assert.equal(labelsInModel(undefined, CIHP), undefined);
    assert.deepEqual(labelsInModel([], CIHP), []);
  });
});
