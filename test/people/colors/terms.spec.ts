import assert from 'node:assert/strict';
import { lit, oklabOf } from '../../../src/people/colors/oklab.ts';
import { COLOUR_TERMS, nameColor, termOf } from '../../../src/people/colors/terms.ts';
import { colorText } from '../../../src/people/colors/words.ts';

/** By what lightness is multiplied where something in the picture is white. */
const FULL = 1.09;

const hex = (text: string) => {
  const [red, green, blue] = [0, 2, 4].map((at) => Number.parseInt(text.slice(at, at + 2), 16));
  return oklabOf(red!, green!, blue!);
};

/** Clear-cut colours of each term: sRGB as the XKCD colour survey or CSS has them under names of that term. */
const PROTOTYPES: Record<string, string[]> = {
  black: ['000000', '070d0d', '1b1b1b'],
  white: ['ffffff', 'fffafa', 'f5f5f5'],
  grey: ['929591', '808080', '696969', 'a9a9a9'],
  red: ['e50000', 'dc143c', 'b22222', '840000'],
  orange: ['f97306', 'ff8c00', 'ff7f50'],
  yellow: ['ffff14', 'ffd700', 'ffff84'],
  green: ['15b01a', '228b22', '033500', '90ee90'],
  blue: ['0343df', '01153e', '4169e1', '95d0fc', '4682b4'],
  purple: ['7e1e9c', '35063e', '9932cc', '9370db'],
  pink: ['ff81c0', 'ff69b4', 'ffb6c1'],
  brown: ['653700', '8b4513', 'a0522d', '6f4e37'],
};

describe('the names of colours', () => {
  for (const [term, colors] of Object.entries(PROTOTYPES)) {
    for (const color of colors) {
      it(`calls #${color} ${term}`, () => assert.equal(termOf(hex(color)), term));
    }
  }

  it('has a name for every colour', () => {
    for (let red = 0; red < 256; red += 15) {
      for (let green = 0; green < 256; green += 15) {
        for (let blue = 0; blue < 256; blue += 15) {
          assert.ok(COLOUR_TERMS.includes(termOf(oklabOf(red, green, blue))));
        }
      }
    }
  });

  for (const [color, light] of [
    ['e50000', 0.7],
    ['15b01a', 0.6],
    ['0343df', 0.6],
    ['ffd700', 0.65],
    ['7e1e9c', 0.7],
  ] as const) {
    it(`keeps the name of #${color} in the shade`, () => {
      assert.equal(termOf(lit(hex(color), Math.cbrt(light))), termOf(hex(color)));
    });
  }

  it('tells dark and light from neither', () => {
    assert.deepEqual(nameColor(hex('01153e')), { term: 'blue', shade: 'dark' });
    assert.deepEqual(nameColor(hex('4169e1')), { term: 'blue', shade: null });
    assert.deepEqual(nameColor(hex('95d0fc')), { term: 'blue', shade: 'light' });
    assert.deepEqual(nameColor(hex('ffffff')), { term: 'white', shade: null });
  });

  // sRGB as XKCD's survey (x), CSS (c) or the mean of what English speakers named in the University of Washington's survey (w)
  // has it. In full light and in the least that pictures are named by: their shade may differ, their term may not.
  for (const [what, color, name] of [
    ['olive of a coat', '6f6e1e', 'dark green'],
    ['olive (x)', '6e750e', 'dark green'],
    ['olive drab (x)', '6f7632', 'dark green'],
    ['dark olive green (c)', '556b2f', 'dark green'],
    ['army green (w)', '687a37', 'dark green'],
    ['olive (w)', '84913b', 'green'],
    ['moss (x)', '769958', 'green'],
    ['moss green (w)', '6f8d3f', 'green'],
    ['khaki (x)', 'aaa662', 'light brown'],
    ['khaki (w)', 'a09b58', 'light brown'],
    ['dark khaki (c)', 'bdb76b', 'light brown'],
    ['dark khaki (x)', '9b8f55', 'light brown'],
    ['ochre (w)', 'c69535', 'light brown'],
    ['mustard of a coat', '8a7a10', 'brown'],
    ['greenish brown (x)', '696112', 'brown'],
    ['mustard (x)', 'ceb301', 'yellow'],
    ['mustard (w)', 'ceb133', 'yellow'],
    ['gold (x)', 'dbb40c', 'yellow'],
    ['golden yellow (x)', 'fec615', 'yellow'],
    ['camel (x)', 'c69f59', 'light brown'],
    ['light beige (x)', 'fffeb6', 'yellow'],
  ] as const) {
    it(`calls ${what} ${name}`, () => {
      assert.equal(colorText(nameColor(lit(hex(color), FULL)), 'en-US'), name);
      assert.equal(termOf(hex(color)), nameColor(lit(hex(color), FULL)).term);
    });
  }

  it('says them in Chinese', () => {
    assert.equal(colorText(nameColor(hex('6f6e1e')), 'zh-CN'), '深绿色');
    assert.equal(colorText(nameColor(lit(hex('aaa662'), FULL)), 'zh-CN'), '浅棕色');
  });
});
