import assert from 'node:assert/strict';
import {
  type Agreement,
  type Int8Origin,
  int8Warnings,
  isFarOff,
  isNobodySeen,
  percentOf,
  timesAsFast,
} from '../../src/m2fp/int8-origin.ts';

const NONE = { iou: null, meanScoreDifference: null, greatestScoreDifference: null };
const MATCHES = { reference: 0, other: 0, matched: 0, ...NONE };

function origin(agreement: Partial<Agreement>, more: Partial<Int8Origin> = {}, instructions = 'AVX2') {
  return {
    parts: ['res4', 'res5'],
    calibration: 'min-max',
    weightBits: 7,
    correctedBias: false,
    pictures: 26,
    from: { digest: 'a', precision: 'fp32' },
    report: {
      agreement: {
        pictures: 6,
        pixels: 0.99,
        medianPixels: 0.99,
        leastPixels: 0.98,
        foreground: 0.95,
        persons: MATCHES,
        parts: MATCHES,
        ...agreement,
      },
      seconds: { float: 1, int8: 0.6 },
      machine: { processor: null, instructions, threads: 2, provider: 'cpu' },
    },
    ...more,
  } as Int8Origin;
}

describe('what is told of an int8 model', () => {
  it('is how much faster it is, by processor time where that was measured', () => {
    const report = origin({}).report!;
    assert.equal(timesAsFast({ ...report, seconds: { float: 1.5, int8: 1 } }), 1.5);
    assert.equal(
      timesAsFast({ ...report, seconds: { float: 1, int8: 2 }, processorSeconds: { float: 2, int8: 1 } }),
      2,
    );
  });

  it('is nothing where it is near enough', () => {
    const near = origin({ pixels: 0.97, foreground: 0.92 });
    assert.deepEqual(int8Warnings(near), []);
    assert.deepEqual([isFarOff(near), isNobodySeen(near)], [false, false]);
  });

  it('is that there were few pictures, those held back among them', () => {
    assert.deepEqual(int8Warnings(origin({ pictures: 2 }, { pictures: 9 })), [
      'Only 11 pictures were used: 32 or more that are like those that the model will see make a better model',
    ]);
    assert.match(int8Warnings(origin({ pictures: 0 }, { pictures: 1 })).join(), /^Only one picture was used/);
  });

  it('is how far off it is below 97 % of the pixels, and what to do', () => {
    const far = origin({ pixels: 0.9699, medianPixels: 0.991, leastPixels: 0.1412 });
    assert.equal(isFarOff(far), true);
    assert.deepEqual(int8Warnings(far), [
      'Only 96.9 % of the pixels have the label that the float model gives them on 6 pictures that were held back (of the ' +
        'pixels 99.1 % in the middle one, 14.1 % in the worst; 97 % of the pixels and 92 % of the foreground are ' +
        'expected). What helps: make it again with more pictures that are like those that it will see, leave some of ' +
        'its 2 parts in float (--parts), or use the float model',
    ]);
  });

  it('is how far off it is below 92 % of the foreground, however much background there is', () => {
    const far = origin({ pixels: 1, foreground: 0.7635 });
    assert.equal(isFarOff(far), true);
    assert.match(int8Warnings(far).join(), /^Only 76\.3 % of the foreground have the label .* What helps: /);
    assert.match(
      int8Warnings(origin({ pixels: 0.95, foreground: 0.7635 })).join(),
      /^Only 95\.0 % of the pixels and 76\.3 % of the foreground have/,
    );
  });

  it('is that nobody was seen, and which pictures tell more', () => {
    const empty = origin({ pixels: 1, medianPixels: 1, leastPixels: 1, foreground: null });
    assert.deepEqual([isFarOff(empty), isNobodySeen(empty)], [false, true]);
    assert.deepEqual(int8Warnings(empty), [
      'Nobody knows how near the int8 model is to the float one where people are: both saw nobody on 6 pictures that ' +
        'were held back. Make it again with 32 or more pictures of people like those that it will parse',
    ]);
  });

  it('is that 8 bits may help, where the processor has VNNI', () => {
    const [warning] = int8Warnings(origin({ pixels: 0.9 }, {}, 'AVX512-VNNI'));
    assert.match(warning!, /take weights of 8 bits \(--weight-bits 8\)/);
    const wasm = origin({ pixels: 0.9 }, {}, 'AVX512-VNNI');
    wasm.report!.machine.provider = 'wasm';
    assert.doesNotMatch(int8Warnings(wasm).join(), /8 bits/);
    const [wide] = int8Warnings(origin({ pixels: 0.9 }, { weightBits: 8 }, 'AVX512-VNNI'));
    assert.doesNotMatch(wide!, /8 bits/);
  });

  it('is that nobody knows, where nothing was held back', () => {
    const { report: _report, ...unknown } = origin({});
    assert.match(int8Warnings(unknown).at(-1)!, /^Nobody knows how near .* Give 32 or more$/);
  });

  it('has shares that are not rounded up', () => {
    assert.deepEqual([0.9699, 0.97, 1, 0.9999, 0].map(percentOf), [
      '96.9 %',
      '97.0 %',
      '100.0 %',
      '99.9 %',
      '0.0 %',
    ]);
  });
});
