import assert from 'node:assert/strict';
import { overridesOf } from '../../../nodes/common/overrides.ts';

describe('overridesOf', () => {
  it('reads what is there, and nothing where there is nothing', () => {
    assert.deepEqual(overridesOf({}), { parse: {} });
    assert.deepEqual(overridesOf({ m2fp: null }), { parse: {} });
    assert.deepEqual(
      overridesOf({ m2fp: { shortSide: 320, longSide: 640, scoreThreshold: 0.5, action: 'info' } }),
      {
        action: 'info',
        parse: { shortSide: 320, longSide: 640, scoreThreshold: 0.5 },
      },
    );
  });

  for (const [name, m2fp, message] of [
    ['an unknown name', { size: 3 }, /"size".*allowed: action, shortSide, longSide, scoreThreshold/],
    ['a text as a size', { shortSide: '320' }, /shortSide/],
    ['a broken size', { longSide: 3.5 }, /longSide/],
    ['a size of nothing', { shortSide: 0 }, /shortSide/],
    ['a score above 1', { scoreThreshold: 2 }, /scoreThreshold/],
    ['a score that the network does not go down to', { scoreThreshold: 0.01 }, /scoreThreshold/],
    ['NaN', { scoreThreshold: NaN }, /scoreThreshold/],
    ['an unknown action', { action: 'explode' }, /action.*load, warm-up, reload, unload, info/],
    ['a text', 'shortSide', /object/],
    ['a list', [], /object/],
  ] as const) {
    it(`refuses ${name}, and says what is allowed`, () => {
      assert.throws(() => overridesOf({ m2fp }), { code: 'M2FP_BAD_OPTION', message });
    });
  }
});
