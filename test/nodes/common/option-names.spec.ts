import assert from 'node:assert/strict';
import { OPTION_NAMES, optionsInMessage, type OptionUser } from '../../../nodes/common/option-names.ts';

const read = (m2fp: unknown, user: OptionUser = 'colorize') => optionsInMessage({ m2fp }, user);

describe('the options of a message', () => {
  it('are none where there are none', () => {
    assert.deepEqual(optionsInMessage({}, 'colorize'), {});
  });

  for (const m2fp of [undefined, null, {}]) {
    it(`are none in ${JSON.stringify(m2fp)}`, () => {
      assert.deepEqual(read(m2fp), {});
    });
  }

  it('are for every node that has them', () => {
    const m2fp = { labels: ['Hair'], opacity: 0.5, padding: 3, shortSide: 320 };
    assert.deepEqual(read(m2fp), { labels: ['Hair'], opacity: 0.5 });
    assert.deepEqual(read(m2fp, 'crop'), { labels: ['Hair'], padding: 3 });
    assert.deepEqual(read(m2fp, 'preprocess'), { shortSide: 320 });
    assert.deepEqual(read(m2fp, 'load'), {});
  });

  it('under the name of a type are for that type alone, and count more', () => {
    const m2fp = { mode: 'map', format: 'webp', crop: { mode: 'cutout' }, colorize: { format: 'png' } };
    assert.deepEqual(read(m2fp), { mode: 'map', format: 'png' });
    assert.deepEqual(read(m2fp, 'crop'), { mode: 'cutout', format: 'webp' });
  });

  for (const [name, m2fp, message] of [
    ['a name that no node has', { opacitty: 1 }, /"opacitty".*colorize has mode, opacity/],
    ['a name that the type does not have', { crop: { opacity: 1 } }, /"opacity".*crop has what, labels/],
    ['the name of something that every object has', { toString: 1 }, /"toString"/],
    ['a text', 'labels', /"m2fp".*object/],
    ['a list', [], /"m2fp".*object/],
    ['a text for one type', { redact: 'all' }, /"m2fp\.redact".*object/],
  ] as const) {
    for (const user of ['colorize', 'infer'] as const) {
      it(`refuses ${name} where it is for ${user}`, () => {
        const expected = user === 'colorize' ? message : /./;
        assert.throws(() => read(m2fp, user), { code: 'M2FP_BAD_OPTION', message: expected });
      });
    }
  }

  it('do not share a name with a type, and no type has one twice', () => {
    for (const names of Object.values(OPTION_NAMES) as (readonly string[])[]) {
      assert.equal(new Set(names).size, names.length);
      for (const name of names) assert.ok(!Object.hasOwn(OPTION_NAMES, name), name);
    }
  });
});
