import assert from 'node:assert/strict';
import { GARMENTS } from '../../../src/parsing/make-mask/garments.ts';
import { makeMask } from '../../../src/parsing/make-mask/make-mask.ts';
import { RECIPES } from '../../../src/parsing/make-mask/try-on.ts';
import { channelOf, maskOf, people, SCENES } from './people.ts';

describe('try-on masks as OpenCV, scikit-image and SciPy make them (fixtures/make.py)', () => {
  for (const scene of SCENES) {
    for (const [channel, recipe] of RECIPES.entries()) {
      for (const [bit, garment] of GARMENTS.entries()) {
        it(`${recipe}: ${garment} on the people of "${scene}"`, async () => {
          const { mask } = await makeMask(await people(scene), { recipe, garment });
          const made = await maskOf(mask);
          const { values } = await channelOf(`${scene}-masks`, channel as 0 | 1);
          const wrong = made.values.reduce(
            (sum, value, p) => sum + (value === ((values[p]! >> bit) & 1) * 255 ? 0 : 1),
            0,
          );
          assert.equal(wrong, 0, `${wrong} pixels differ`);
        });
      }
    }
  }
});
