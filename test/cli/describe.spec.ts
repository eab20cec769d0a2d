/** What an int8 model is worth, in the words of the commands. */
import assert from 'node:assert/strict';
import { int8Facts } from '../../src/cli/describe.ts';
import type { Agreement, Int8Origin, Int8Report } from '../../src/m2fp/int8-origin.ts';

const UNKNOWN = { iou: null, meanScoreDifference: null, greatestScoreDifference: null };
const FOUND = { reference: 23, other: 23, matched: 21, ...UNKNOWN };
const AGREEMENT: Agreement = {
  pictures: 7,
  pixels: 0.9976,
  medianPixels: 0.9981,
  leastPixels: 0.9951,
  foreground: 0.9768,
  persons: FOUND,
  parts: FOUND,
};
const MACHINE = { processor: 'AMD EPYC', instructions: 'AVX512-VNNI', threads: 2, provider: 'cpu' };

function told(agreement: Partial<Agreement>, machine: Partial<Int8Report['machine']> = {}) {
  const int8: Int8Origin = {
    parts: ['res4'],
    calibration: 'min-max',
    weightBits: 7,
    correctedBias: false,
    pictures: 29,
    from: { digest: 'a', precision: 'fp16' },
    report: {
      agreement: { ...AGREEMENT, ...agreement },
      seconds: { float: 1.79, int8: 1.58 },
      machine: { ...MACHINE, ...machine },
    },
  };
  return Object.fromEntries(int8Facts(int8));
}

describe('an int8 model in words', () => {
  it('is as near as all pixels and those of the foreground tell', () => {
    assert.equal(
      told({})['like fp16'],
      '99.7 % of the pixels (99.5 % in the worst picture), 97.6 % of the foreground, 21 of 23 persons, 21 of 23 parts; ' +
        '7 pictures were held back',
    );
  });

  it('is not called near where both models saw nobody', () => {
    assert.equal(
      told({ pixels: 1, leastPixels: 1, foreground: null })['like fp16'],
      'unknown: both saw nobody, so nothing was compared; 7 pictures were held back',
    );
  });

  it('is as fast as it was there, natively or on WebAssembly', () => {
    assert.equal(
      told({})['a picture'],
      '1.58 s in place of 1.79 s, 1.13 times as fast by processor time (AMD EPYC, AVX512-VNNI, threads: 2)',
    );
    assert.equal(
      told({}, { provider: 'wasm' })['a picture'],
      '1.58 s in place of 1.79 s, 1.13 times as fast by processor time on WebAssembly (AMD EPYC, threads: 2)',
    );
    assert.match(
      told({}, { provider: 'wasm', processor: null })['a picture']!,
      /on WebAssembly \(threads: 2\)$/,
    );
  });
});
