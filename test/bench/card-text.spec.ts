import { equal, throws } from 'node:assert/strict';
import { factsText, figuresText, withBlock } from '../../bench/accuracy/card-text.ts';
import type { Figures } from '../../bench/accuracy/judge.ts';

const figures: Figures = {
  miou: 0.26044,
  apP50: 0,
  apPVol: 0.1554,
  pcp50: null,
  apR50: 0.171,
  apR: 0.1,
  apRVol: 0.172,
  foregroundIou: 0.7361,
  personAp50: 0.61,
  link: 0.9777,
  linkByMask: 0.98,
  linkedParts: 100,
  people: 245,
  classes: { Background: 0.8363, Hat: 0.28, Hair: null, Gloves: 0.0351, Scarf: 0.5 },
};

describe('the text of the model card', () => {
  it('replaces what stands between two comments, and nothing else', () => {
    const card = 'a\n<!-- x -->\nold\n<!-- /x -->\nb\n<!-- y --><!-- /y -->\n';
    const once = withBlock(card, 'x', 'new $& text');
    equal(once, 'a\n<!-- x -->\n\nnew $& text\n\n<!-- /x -->\nb\n<!-- y --><!-- /y -->\n');
    equal(withBlock(once, 'x', 'new $& text'), once);
  });

  it('refuses a card without the comments, or with two of them', () => {
    const refused = { code: 'M2FP_BAD_OPTION' };
    throws(() => withBlock('a', 'x', ''), refused);
    throws(() => withBlock('<!-- x -->', 'x', ''), refused);
    throws(() => withBlock('<!-- /x --> <!-- x -->', 'x', ''), refused);
    throws(() => withBlock('<!-- x --> <!-- /x --> <!-- x --> <!-- /x -->', 'x', ''), refused);
  });

  it('has a column for each variant, and the classes down the columns', () => {
    const text = figuresText(116, [
      { name: 'as it ships', figures },
      { name: 'single precision', figures: { ...figures, miou: 0.2605 } },
    ]);
    const lines = text.split('\n');
    for (const line of [
      '|  | as it ships | single precision |',
      '| mIoU over 20 classes | 0.2604 | 0.2605 |',
      '| parts found that are linked to the right person | 97.8 % | 97.8 % |',
      '| AP^p at 0.5 / mean of 0.1 to 0.9 | 0.000 / 0.155 | 0.000 / 0.155 |',
      '| PCP at 0.5 | - | - |',
      '| Background | 0.836 | Hair | - | Scarf | 0.500 |  |  |',
      '| Hat | 0.280 | Gloves | 0.035 |  |  |  |  |',
    ]) {
      equal(lines.includes(line), true, `${line}\nin\n${text}`);
    }
    equal(lines[0]!.startsWith('On 116 drawn scenes that training never saw (245 people)'), true);
  });

  it('tells what the model is', () => {
    const text = factsText({
      bytes: 7_433_316,
      shortSide: 160,
      training: { minutes: 173.7, seen: 147_920 },
      threads: 2,
      load: 0.214,
      scaled: 0.0349,
      full: 0.1,
    });
    for (const words of [
      '7.4 MB',
      '174 minutes on 147,920 crops',
      '160 pixels',
      '0.21 s',
      '0.03 s on 2 cores',
      '0.10 s',
    ]) {
      equal(text.includes(words), true, words);
    }
  });
});
