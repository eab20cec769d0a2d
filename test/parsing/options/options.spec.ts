/** Options that strangers send: whatever their size, they are judged in no time and shown in a short text. */
import assert from 'node:assert/strict';
import { optionsInMessage } from '../../../nodes/common/option-names.ts';
import { checkParseOptions } from '../../../src/engine/options.ts';
import type { M2fpError } from '../../../src/errors.ts';
import { readGroups } from '../../../src/parsing/crop/groups.ts';
import { badOption, labelIndices } from '../../../src/parsing/options/options.ts';
import { resolvePalette } from '../../../src/parsing/options/palette.ts';
import { processorTime } from '../../support/processor-time.ts';

const LABELS = ['Background', 'Hair', 'Face', 'Human'];

/** Refused as a wrong option, in a short text, within 50 ms (the fastest of three tries counts). */
function refuses(work: () => unknown): void {
  const times = [1, 2, 3].map(() => {
    const busy = processorTime();
    assert.throws(work, (error: M2fpError) => {
      assert.equal(error.code, 'M2FP_BAD_OPTION', error.message);
      assert.ok(error.message.length < 1000, `${error.message.length} characters`);
      return true;
    });
    return busy();
  });
  assert.ok(Math.min(...times) < 50, times.join());
}

describe('options of any size', () => {
  const long = 'Hair'.repeat(1_000_000);
  const many = Array<string>(500_000).fill('Hair');
  const deep = JSON.parse('['.repeat(5000) + ']'.repeat(5000)) as unknown;

  const shown: [unknown, RegExp][] = [
    [long, /^Option "x" is "HairHair/],
    [many, /^Option "x" is \["Hair","Hair"/],
    [deep, /^Option "x" is \[\[\["…"\]\]\]/],
    [{ a: { b: { c: { d: 1 } } } }, /\{"a":\{"b":\{"c":"…"\}\}\}/],
    [Buffer.alloc(5_000_000), /is 5000000 bytes/],
    [Object.create(null), /is \{\}/],
  ];
  for (const [value, pattern] of shown) {
    it(`are shown by their start: ${pattern.source}`, () => {
      const { message } = badOption('x', value, 'y');
      assert.match(message, pattern);
      assert.ok(message.length < 200);
    });
  }

  it('are refused as labels', () => {
    refuses(() => labelIndices('labels', many, LABELS));
    refuses(() => labelIndices('labels', [long], LABELS));
    assert.deepEqual(labelIndices('labels', Array(100).fill('Hair'), LABELS), new Set([1]));
  });

  it('are refused as groups', () => {
    refuses(() => readGroups({ head: many }, LABELS));
    refuses(() => readGroups(`head=${many.slice(0, 50_000).join('+')}`, LABELS));
  });

  it('are refused as colours', () => {
    const colors = Object.fromEntries(
      Array.from({ length: 5000 }, (_, i) => [`${' '.repeat(i)}Hair`, 'red']),
    );
    refuses(() => resolvePalette(LABELS, { colors }));
    refuses(() => resolvePalette(LABELS, { colors: { Hair: deep as string } }));
  });

  for (const [what, value] of Object.entries({ many, deep, long, 'no prototype': Object.create(null) })) {
    it(`are refused as numbers of the engine: ${what}`, () => {
      refuses(() => checkParseOptions({ shortSide: value as number }));
    });
  }

  it('are refused by their name', () => {
    refuses(() => optionsInMessage({ m2fp: { [long]: 1 } }, 'infer'));
    refuses(() => optionsInMessage({ m2fp: { infer: { [long]: 1 } } }, 'infer'));
    refuses(() => optionsInMessage({ m2fp: JSON.parse('{"__proto__":{"flip":true}}') as object }, 'infer'));
  });
});
