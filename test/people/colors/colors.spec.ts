import assert from 'node:assert/strict';
import fc from 'fast-check';
import { clustersOf } from '../../../src/people/colors/clusters.ts';
import { type NamedColor, colorsOf } from '../../../src/people/colors/colors.ts';
import { exposureOf } from '../../../src/people/colors/exposure.ts';
import { lit, type Oklab, oklabOf } from '../../../src/people/colors/oklab.ts';
import { nameColor } from '../../../src/people/colors/terms.ts';
import { colorText, colorsText } from '../../../src/people/colors/words.ts';

const RED = oklabOf(190, 20, 25);
const WHITE = oklabOf(240, 240, 238);
const BLUE = oklabOf(25, 60, 190);

/** A patch: how many pixels of which colour. */
function patch(...colors: readonly (readonly [count: number, color: Oklab])[]): Float32Array {
  return Float32Array.from(
    colors.flatMap(([count, color]) => Array.from({ length: count }, () => color).flat()),
  );
}

function told(samples: Float32Array, options = {}): NamedColor[] {
  return colorsOf(samples, { max: 2, minShare: 0.2, exposure: 1, name: nameColor, ...options });
}

const terms = (colors: readonly NamedColor[]): string[] => colors.map(({ term }) => term);

describe('the colours of a patch', () => {
  it('are one where it is plain', () => {
    const [color, ...others] = told(patch([50, RED]));
    assert.deepEqual(others, []);
    assert.deepEqual({ term: color!.term, share: color!.share }, { term: 'red', share: 1 });
    assert.match(color!.hex, /^#b[de]1[3-5]1[89a]$/);
  });

  it('are one where part of it lies in the shade', () => {
    for (const color of [RED, WHITE, BLUE]) {
      const shaded = patch([60, color], [40, lit(color, 0.75)], [30, lit(color, 0.6)]);
      assert.deepEqual(terms(told(shaded)), [nameColor(color).term]);
    }
  });

  it('are two where it is striped, the larger first', () => {
    const colors = told(patch([70, WHITE], [30, RED]));
    assert.deepEqual(terms(colors), ['white', 'red']);
    assert.deepEqual(
      colors.map(({ share }) => share),
      [0.7, 0.3],
    );
  });

  it('leaves out mixtures at borders, and what is small', () => {
    const between: Oklab = [0, 1, 2].map((i) => (RED[i]! + WHITE[i]!) / 2) as unknown as Oklab;
    assert.deepEqual(terms(told(patch([50, WHITE], [38, RED], [12, between]))), ['white', 'red']);
    assert.deepEqual(terms(told(patch([90, WHITE], [10, RED]))), ['white']);
  });

  it('are no more than asked for', () => {
    const three = patch([40, WHITE], [30, RED], [30, BLUE]);
    assert.deepEqual(terms(told(three, { max: 3 })).toSorted(), ['blue', 'red', 'white']);
    assert.equal(told(three, { max: 2 }).length, 2);
    assert.equal(told(three, { max: 1 }).length, 1);
  });

  it('are named in the light of the picture', () => {
    const dim = patch([50, lit(WHITE, 0.72)]);
    assert.deepEqual(terms(told(dim)), ['grey']);
    assert.deepEqual(terms(told(dim, { exposure: 1.35 })), ['white']);
  });

  it('has every pixel in one group, for any pixels', () => {
    const channel = fc.float({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(channel, channel, channel), { maxLength: 60 }),
        fc.integer({ min: 1, max: 5 }),
        (pixels, k) => {
          const groups = clustersOf(Float32Array.from(pixels.flat()), k);
          assert.ok(groups.length <= k && groups.every((group) => group.length > 0));
          assert.deepEqual(
            groups.flat().toSorted((a, b) => a - b),
            pixels.map((_, i) => i),
          );
        },
      ),
    );
  });
});

describe('the brightness of a picture', () => {
  const grey = (byte: number) => ({
    width: 40,
    height: 40,
    channels: 3 as const,
    data: Buffer.alloc(4800, byte),
  });

  it('makes dark pictures brighter, and bright ones hardly darker', () => {
    assert.ok(exposureOf(grey(60)) > 1.3);
    assert.ok(Math.abs(exposureOf(grey(244)) - 1) < 0.02);
    assert.ok(exposureOf(grey(255)) >= 0.9);
    assert.ok(exposureOf(grey(0)) < 1.5);
  });
});

describe('colours in words', () => {
  it('are English and Chinese', () => {
    assert.equal(colorText({ term: 'blue', shade: 'dark' }, 'en-US'), 'dark blue');
    assert.equal(colorText({ term: 'blue', shade: 'dark' }, 'zh-CN'), '深蓝色');
    const all = (['red', 'white', 'blue'] as const).map((term) => ({ term, shade: null }));
    assert.equal(colorsText(all.slice(0, 2), 'en-US'), 'red and white');
    assert.equal(colorsText(all, 'en-US'), 'red, white and blue');
    assert.equal(colorsText(all, 'zh-CN'), '红色、白色和蓝色');
  });
});
