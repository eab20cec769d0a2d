import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundledModelFolder } from '../../src/paths.ts';
import { parseManifest } from '../../src/store/manifest.ts';

const bundled = JSON.parse(readFileSync(join(bundledModelFolder(), 'm2fp.json'), 'utf8')) as object;
const figures = {
  reference: 3,
  other: 2,
  matched: 2,
  iou: 0.9,
  meanScoreDifference: 0,
  greatestScoreDifference: null,
};
const report = {
  agreement: {
    pictures: 6,
    pixels: 0.99,
    medianPixels: 0.99,
    leastPixels: 0.98,
    foreground: null,
    persons: figures,
    parts: figures,
  },
  seconds: { float: 1.4, int8: 0.9 },
  machine: { processor: null, instructions: 'AVX2', threads: 2, provider: 'cpu' },
};
const int8 = {
  parts: ['res4'],
  calibration: 'min-max',
  weightBits: 7,
  correctedBias: false,
  pictures: 26,
  from: { digest: 'a', precision: 'fp32' },
  report,
};

const read = (entry: unknown) =>
  parseManifest(JSON.stringify({ ...bundled, precision: 'int8', int8: entry }), 'm2fp.json');

describe('the manifest of an int8 model', () => {
  it('is read, with and without a report', () => {
    assert.deepEqual(read(int8).int8, int8);
    const measured = { ...int8, report: { ...report, processorSeconds: { float: 2.5, int8: 1.2 } } };
    assert.deepEqual(read(measured).int8, measured);
    const { report: _report, ...unknown } = int8;
    assert.deepEqual(read(unknown).int8, unknown);
  });

  for (const [what, entry] of [
    ['no entry', null],
    [
      'processor time that is none',
      { ...int8, report: { ...report, processorSeconds: { float: -1, int8: 1 } } },
    ],
    ['a text', 'int8'],
    ['a list', []],
    ['parts that are no names', { ...int8, parts: [4] }],
    ['pictures that are no number', { ...int8, pictures: -1 }],
    ['nothing that it was made of', { ...int8, from: {} }],
    ['a report that is none', { ...int8, report: null }],
    ['a share above 1', { ...int8, report: { ...report, agreement: { ...report.agreement, pixels: 1.2 } } }],
    [
      'figures that are none',
      { ...int8, report: { ...report, agreement: { ...report.agreement, persons: {} } } },
    ],
    ['a time that is a text', { ...int8, report: { ...report, seconds: { float: '1', int8: 1 } } }],
    ['a machine without instructions', { ...int8, report: { ...report, machine: { threads: 2 } } }],
  ] as const) {
    it(`is refused with ${what}`, () => {
      assert.throws(() => read(entry), {
        code: 'M2FP_MODEL_INVALID',
        message: /the entry "int8" is missing or wrong/,
      });
    });
  }
});
