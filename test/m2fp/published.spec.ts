import assert from 'node:assert/strict';
import { FULL_SIZE, randomCheckpoint } from '../../bench/random-checkpoint.ts';
import { inferHyperParameters } from '../../src/m2fp/infer-hyper-parameters.ts';
import { publishedFacts } from '../../src/m2fp/published.ts';

describe('what is known of a published model', () => {
  it('is what its checkpoint tells', () => {
    const { hyper } = inferHyperParameters(randomCheckpoint(FULL_SIZE));
    const facts = publishedFacts('damo/cv_resnet101_image-multiple-human-parsing')!;
    assert.deepEqual(facts.hyperParameters, hyper);
    assert.equal(facts.labels.length, hyper.decoder.classes);
    const single = publishedFacts('damo/cv_resnet101_image-single-human-parsing')!;
    assert.deepEqual(single.hyperParameters, { ...hyper, decoder: { ...hyper.decoder, classes: 20 } });
    assert.deepEqual([facts.kind, single.kind], ['multi', 'single']);
  });

  it('is nothing for other models', () => {
    for (const id of ['a/b', 'toString', '']) assert.equal(publishedFacts(id), undefined);
  });
});
