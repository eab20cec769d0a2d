/** Drawn people in clothes of known paints: `npm run bench -- describe` judges by all of them. */
import assert from 'node:assert/strict';
import { judge, tally, type Verdict } from '../../../bench/describe/judge.ts';
import { readWardrobe, trueParsing, wardrobeImage } from '../../../bench/describe/wardrobe.ts';
import { describe as describePeople } from '../../../src/people/describe/describe.ts';

/** Of the set's scenes, the first. */
const SCENES = 8;

describe('the wardrobe', function () {
  this.timeout(60_000);
  const verdicts: Verdict[] = [];

  before(async () => {
    for (const scene of (await readWardrobe()).slice(0, SCENES)) {
      for (const light of scene.lights) {
        const parsing = trueParsing(scene, await wardrobeImage(scene, light));
        verdicts.push(...judge(scene, light, parsing, await describePeople(parsing)));
      }
    }
  });

  const share = (chosen: readonly Verdict[]): number => {
    const { right, found } = tally(chosen);
    assert.ok(found >= 20, `only ${found} garments`);
    return right / found;
  };
  const clothes = (light?: string): Verdict[] =>
    verdicts.filter(
      (verdict) => verdict.label !== 'Hair' && (light === undefined || verdict.light === light),
    );

  it('is named right: nine garments of ten', () => {
    assert.ok(share(clothes()) >= 0.9, String(share(clothes())));
  });

  for (const light of ['daylight', 'warm', 'cool', 'dim', 'side']) {
    it(`is named right in ${light} light: four of five`, () => {
      assert.ok(share(clothes(light)) >= 0.8, String(share(clothes(light))));
    });
  }

  it('has one colour where it is plain', () => {
    const plain = clothes().filter(({ paints, said }) => paints.length === 1 && said !== null);
    const single = plain.filter(({ said }) => said!.length === 1);
    assert.ok(single.length / plain.length >= 0.95);
  });

  it('has hair of the right colour: three of four', () => {
    assert.ok(share(verdicts.filter(({ label }) => label === 'Hair')) >= 0.75);
  });
});
