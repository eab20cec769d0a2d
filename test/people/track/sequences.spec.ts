/** People of drawn sequences keep their numbers: with the persons of the truth, at 1, 2 and 5 frames a second. */
import assert from 'node:assert/strict';
import { follow, together } from '../../../bench/track/follow.ts';
import { figuresOf } from '../../../bench/track/metrics.ts';
import { readSequence, SEQUENCE_NAMES } from '../../../bench/track/sequences.ts';
import { checkParsing } from '../../../src/parsing/check.ts';

describe('the drawn sequences', function () {
  this.timeout(180_000);

  it('have a truth that is a parsing, with the persons where their masks are', () => {
    for (const name of SEQUENCE_NAMES) {
      for (const { parsing } of readSequence(name, 1).frames) checkParsing(parsing);
    }
  });

  for (const rate of [1, 2, 5]) {
    it(`are followed at ${rate} frames a second: IDF1 0.93, and 0.85 in each`, async () => {
      const all = [];
      for (const name of SEQUENCE_NAMES) {
        const pairs = await follow(readSequence(name, rate), async (parsing) => parsing);
        const { idf1 } = figuresOf(pairs);
        assert.ok(idf1 >= 0.85, `${name}: ${idf1}`);
        all.push(pairs);
      }
      const { idf1, misses } = figuresOf(together(all));
      assert.ok(idf1 >= 0.93, `${idf1}`);
      assert.equal(misses, 0);
    });
  }

  it('are followed worse without looks, and where nobody is looked for', async () => {
    const figuresWith = async (options: object) => {
      const all = [];
      for (const name of SEQUENCE_NAMES)
        all.push(await follow(readSequence(name, 1), async (parsing) => parsing, options));
      return figuresOf(together(all)).idf1;
    };
    const best = await figuresWith({});
    assert.ok((await figuresWith({ look: false })) < best);
    assert.ok((await figuresWith({ goneAfter: 0, goneIn: 'frames' })) < best);
  });
});
