import assert from 'node:assert/strict';
import { overridesOf } from '../../../nodes/common/message-options.ts';

describe('overridesOf', () => {
  const QUEUE = { policy: 'latest', limit: 0, maxAge: 0.5, key: 7, priority: -1 };
  const SIZES = { shortSide: 320, longSide: 640 };

  it('reads what is there, and nothing where there is nothing', () => {
    assert.deepEqual(overridesOf({}, 'infer'), { parse: {}, queue: {}, polygons: {} });
    assert.deepEqual(overridesOf({ m2fp: null }, 'infer'), { parse: {}, queue: {}, polygons: {} });
    const parse = { ...SIZES, scoreThreshold: 0.5, flip: true };
    assert.deepEqual(overridesOf({ m2fp: { ...parse, ...QUEUE } }, 'infer'), {
      parse,
      queue: QUEUE,
      polygons: {},
    });
  });

  it('leaves to other nodes what is theirs', () => {
    const m2fp = { ...SIZES, ...QUEUE, action: 'info', mode: 'overlay', infer: { flip: true } };
    assert.deepEqual(overridesOf({ m2fp }, 'load'), { action: 'info', parse: {}, queue: {}, polygons: {} });
    assert.deepEqual(overridesOf({ m2fp }, 'preprocess'), { parse: SIZES, queue: {}, polygons: {} });
    assert.deepEqual(overridesOf({ m2fp }, 'infer'), {
      parse: { ...SIZES, flip: true },
      queue: QUEUE,
      polygons: {},
    });
  });

  for (const [name, m2fp, message] of [
    [
      'an unknown name',
      { size: 3 },
      /"size".*shortSide, longSide, scoreThreshold, flip, polygons, iou, policy, limit, maxAge, key, priority/,
    ],
    ['a text as a size', { shortSide: '320' }, /shortSide/],
    ['a broken size', { longSide: 3.5 }, /longSide/],
    ['a size of nothing', { shortSide: 0 }, /shortSide/],
    ['a score above 1', { scoreThreshold: 2 }, /scoreThreshold/],
    ['a score that the network does not go down to', { scoreThreshold: 0.01 }, /scoreThreshold/],
    ['NaN', { scoreThreshold: NaN }, /scoreThreshold/],
    ['a flip of a text', { flip: 'yes' }, /flip/],
    ['an unknown policy', { policy: 'drop' }, /policy.*wait, latest, reject/],
    ['half a picture', { limit: 1.5 }, /limit.*0 to 10000/],
    ['a text as a limit', { limit: '8' }, /limit/],
    ['an age below 0', { maxAge: -1 }, /maxAge.*0 to 86400/],
    ['an age that is no number', { maxAge: NaN }, /maxAge/],
    ['an object as a key', { key: {} }, /key.*a text or a number/],
    ['a text as a priority', { priority: 'high' }, /priority/],
    ['a priority without end', { priority: Infinity }, /priority/],
    ['a text', 'shortSide', /object/],
    ['a list', [], /object/],
  ] as const) {
    it(`refuses ${name}, and says what is allowed`, () => {
      assert.throws(() => overridesOf({ m2fp }, 'infer'), { code: 'M2FP_BAD_OPTION', message });
    });
  }

  it('refuses an unknown action where it is one', () => {
    const msg = { m2fp: { action: 'explode' } };
    const message = /action.*load, warm-up, reload, unload, info/;
    assert.throws(() => overridesOf(msg, 'load'), { code: 'M2FP_BAD_OPTION', message });
    overridesOf(msg, 'infer');
  });
});
