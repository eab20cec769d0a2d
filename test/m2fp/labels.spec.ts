import assert from 'node:assert/strict';
import { modelLabels } from '../../src/m2fp/labels.ts';

const configuration = { backbone: {}, encoder: {}, decoder: {} };

describe('labels and kind', () => {
  it('follow from the number of classes where nothing else tells', () => {
    const of = (classes: number) => modelLabels(classes, undefined);
    assert.equal(of(20).kind, 'single');
    assert.equal(of(20).humanIndex, null);
    assert.equal(of(20).labels[10], 'Jumpsuits');
    for (const [classes, part] of [
      [21, 'Torso-skin'],
      [60, 'Bikini/bra'],
    ] as const) {
      assert.equal(of(classes).kind, 'multi');
      assert.equal(of(classes).labels[10], part);
      assert.equal(of(classes).humanIndex, classes - 1);
      assert.equal(of(classes).labels.at(-1), 'Human');
    }
    assert.equal(of(8).labels[6], 'Upper-arm');
  });

  it('come from the configuration before that', () => {
    const classes = ['bg', 'a', 'b'];
    const found = modelLabels(3, { ...configuration, classes, singleHuman: true });
    assert.deepEqual(found, { kind: 'single', labels: classes, humanIndex: null });
  });

  it('of a configuration that lists parts only get the whole person', () => {
    const found = modelLabels(3, { ...configuration, classes: ['bg', 'a'], singleHuman: false });
    assert.deepEqual(found, { kind: 'multi', labels: ['bg', 'a', 'Human'], humanIndex: 2 });
  });

  it('of the user come first', () => {
    const own = { ...configuration, classes: ['bg', 'a', 'b'], singleHuman: true };
    const found = modelLabels(3, own, { kind: 'multi', labels: ['x', 'y', 'z'] });
    assert.deepEqual(found, { kind: 'multi', labels: ['x', 'y', 'z'], humanIndex: 2 });
    assert.equal(modelLabels(21, undefined, { labels: 'cihp' }).labels[3], 'Gloves');
  });

  it('of the user must fit', () => {
    assert.throws(() => modelLabels(3, undefined, { labels: ['x'] }), {
      code: 'M2FP_BAD_OPTION',
      message: /3 classes/,
    });
  });

  it('that nothing tells are asked for', () => {
    assert.throws(() => modelLabels(5, undefined), { code: 'M2FP_CHECKPOINT_INVALID', message: /--labels/ });
  });
});
