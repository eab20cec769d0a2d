import assert from 'node:assert/strict';
import { checkImage, ruleFor } from '../../src/engine/input-image.ts';
import type { NetworkInput } from '../../src/image/types.ts';
import type { InputRule } from '../../src/m2fp/manifest.ts';

const SHORT: InputRule = { kind: 'short-side', shortSide: 64, longSide: 128 };
const CANVAS: InputRule = { kind: 'canvas', width: 64, height: 64, pad: 128 };

function input(rule: InputRule): NetworkInput {
  return {
    type: 'm2fp-input',
    width: 2,
    height: 2,
    data: Buffer.alloc(12),
    crop: { x: 0, y: 0, width: 2, height: 2 },
    rule,
    source: { image: Buffer.from('source'), width: 4, height: 4 },
  };
}

const code = (expected: string) => (error: { code?: string }) => error.code === expected;

describe('ruleFor', () => {
  it('puts the sizes of the request in place of the model’s', () => {
    assert.deepEqual(ruleFor(SHORT, {}), SHORT);
    assert.deepEqual(ruleFor(SHORT, { shortSide: 32 }), { ...SHORT, shortSide: 32 });
    assert.deepEqual(ruleFor(SHORT, { longSide: 96 }), { ...SHORT, longSide: 96 });
  });

  it('leaves a canvas as it is', () => {
    assert.deepEqual(ruleFor(CANVAS, { shortSide: 32, longSide: 96 }), CANVAS);
  });
});

describe('checkImage', () => {
  it('takes network input of other sizes where the graph does', () => {
    const own: InputRule = { kind: 'short-side', shortSide: 32, longSide: 96 };
    const { payload } = checkImage(input(own), SHORT, {});
    assert.deepEqual((payload as NetworkInput).rule, own);
    assert.throws(() => checkImage(input(own), SHORT, { shortSide: 48 }), code('M2FP_BAD_IMAGE'));
  });

  it('refuses network input of another kind of rule', () => {
    assert.throws(() => checkImage(input(CANVAS), SHORT, {}), code('M2FP_BAD_IMAGE'));
    assert.throws(() => checkImage(input(SHORT), CANVAS, {}), code('M2FP_BAD_IMAGE'));
    assert.throws(() => checkImage(input({ ...CANVAS, width: 32 }), CANVAS, {}), code('M2FP_BAD_IMAGE'));
  });

  for (const rule of [undefined, null, 7, 'short-side', { kind: 'short-side' }]) {
    it(`refuses network input with ${JSON.stringify(rule)} for a rule`, () => {
      assert.throws(
        () => checkImage(input(rule as InputRule), SHORT, {}),
        code('M2FP_BAD_IMAGE'),
        JSON.stringify(rule),
      );
    });
  }

  for (const shortSide of [0, -1, 1.5, 1e9, '32', {}]) {
    it(`refuses network input for a short side of ${JSON.stringify(shortSide)}`, () => {
      const rule = { kind: 'short-side', shortSide, longSide: 96 } as InputRule;
      assert.throws(
        () => checkImage(input(rule), SHORT, {}),
        code('M2FP_BAD_OPTION'),
        JSON.stringify(shortSide),
      );
    });
  }

  it('keeps the source here', () => {
    const whole = input(SHORT);
    const { source, payload } = checkImage(whole, SHORT, {});
    assert.equal(source, whole.source.image);
    assert.equal((payload as NetworkInput).source.image.length, 0);
    assert.equal((payload as NetworkInput).data, whole.data);
    assert.equal(whole.source.image.toString(), 'source', 'the caller’s object is as it was');
  });
});
