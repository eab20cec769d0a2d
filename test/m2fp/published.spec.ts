import assert from 'node:assert/strict';
import { FULL_SIZE, randomCheckpoint } from '../../bench/random-checkpoint.ts';
import { inferHyperParameters } from '../../src/m2fp/infer-hyper-parameters.ts';
import { MULTI_HUMAN_ID, namesOf, publishedFacts, SINGLE_HUMAN_ID } from '../../src/m2fp/published.ts';

describe('what is known of a published model', () => {
  it('is what its checkpoint tells', () => {
    const { hyper } = inferHyperParameters(randomCheckpoint(FULL_SIZE));
    const facts = publishedFacts('iic/cv_resnet101_image-multiple-human-parsing')!;
    assert.deepEqual(facts.hyperParameters, hyper);
    assert.equal(facts.labels.length, hyper.decoder.classes);
    const single = publishedFacts('iic/cv_resnet101_image-single-human-parsing')!;
    assert.deepEqual(single.hyperParameters, { ...hyper, decoder: { ...hyper.decoder, classes: 20 } });
    assert.deepEqual([facts.kind, single.kind], ['multi', 'single']);
  });

  it('gives other models no second name', () => {
    assert.deepEqual(namesOf('damo/other'), ['damo/other']);
  });

  for (const id of [MULTI_HUMAN_ID, SINGLE_HUMAN_ID]) {
    it(`is the same under the old name: ${id}`, () => {
      const old = id.replace('iic/', 'damo/');
      assert.equal(publishedFacts(old), publishedFacts(id));
      assert.deepEqual(
        [namesOf(old), namesOf(id)],
        [
          [id, old],
          [id, old],
        ],
      );
    });
  }

  for (const id of ['a/b', 'toString', '']) {
    it(`is nothing for "${id}"`, () => {
      assert.equal(publishedFacts(id), undefined);
    });
  }
});
