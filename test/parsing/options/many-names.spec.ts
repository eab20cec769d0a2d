import assert from 'node:assert/strict';
import { optionsInMessage } from '../../../nodes/common/option-names.ts';
import { M2fpError } from '../../../src/errors.ts';
import { readGroups } from '../../../src/parsing/crop/groups.ts';
import { resolvePalette } from '../../../src/parsing/options/palette.ts';
import { knownOptions } from '../../../src/parsing/options/options.ts';

const LABELS = ['Background', 'Face', 'Human'];

/** More names than any option has, listed once at most, and with values that nobody may read. */
function many(): Record<string, string> {
  const names = Array.from({ length: 5000 }, (_, i) => `name${i}`);
  let lists = 0;
  return new Proxy<Record<string, string>>(
    {},
    {
      ownKeys: () => {
        assert.ok(++lists === 1, 'listed twice');
        return names;
      },
      getOwnPropertyDescriptor: () => ({ configurable: true, enumerable: true, value: '#fff' }),
      get: (_, name) =>
        assert.ok(typeof name === 'symbol' || !name.startsWith('name'), `read ${String(name)}`),
    },
  );
}

describe('options with names without end', () => {
  for (const [name, read] of [
    ['colors', () => resolvePalette(LABELS, { colors: many() })],
    ['groups', () => readGroups(many(), LABELS)],
    ['options of an operation', () => knownOptions(many(), ['format'])],
    ['msg.m2fp.crop', () => optionsInMessage({ m2fp: { crop: many() } }, 'crop')],
  ] as const) {
    it(`are refused by the list of their names: ${name}`, () => {
      assert.throws(read, (error: unknown) => {
        assert.ok(error instanceof M2fpError, String(error));
        return error.code === 'M2FP_BAD_OPTION';
      });
    });
  }
});
