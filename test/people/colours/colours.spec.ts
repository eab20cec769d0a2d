import assert from 'node:assert/strict';
import fc from 'fast-check';
import { clustersOf } from '../../../src/people/colours/clusters.ts';
import { type Colour, coloursOf } from '../../../src/people/colours/colours.ts';
import { exposureOf } from '../../../src/people/colours/exposure.ts';
import { lit, type Oklab, oklabOf } from '../../../src/people/colours/oklab.ts';
import { nameColour } from '../../../src/people/colours/terms.ts';
import { colourText, coloursText } from '../../../src/people/colours/words.ts';

const RED = oklabOf(190, 20, 25);
const WHITE = oklabOf(240, 240, 238);
const BLUE = oklabOf(25, 60, 190);

/** A patch: how many pixels of which colour. */
function patch(...colours: readonly (readonly [count: number, colour: Oklab])[]): Float32Array {
  return Float32Array.from(
    colours.flatMap(([count, colour]) => Array.from({ length: count }, () => colour).flat()),
  );
}

function told(samples: Float32Array, options = {}): Colour[] {
  return coloursOf(samples, { max: 2, minShare: 0.2, exposure: 1, name: nameColour, ...options });
}

const terms = (colours: readonly Colour[]): string[] => colours.map(({ term }) => term);

describe('the colours of a patch', () => {
  it('are one where it is plain', () => {
    const [colour, ...others] = told(patch([50, RED]));
    assert.deepEqual(others, []);
    assert.deepEqual({ term: colour!.term, share: colour!.share }, { term: 'red', share: 1 });
    assert.match(colour!.hex, /^#b[de]1[3-5]1[89a]$/);
  });

  it('are one where part of it lies in the shade', () => {
    for (const colour of [RED, WHITE, BLUE]) {
      const shaded = patch([60, colour], [40, lit(colour, 0.75)], [30, lit(colour, 0.6)]);
      assert.deepEqual(terms(told(shaded)), [nameColour(colour).term]);
    }
  });

  it('are two where it is striped, the larger first', () => {
    const colours = told(patch([70, WHITE], [30, RED]));
    assert.deepEqual(terms(colours), ['white', 'red']);
    assert.deepEqual(
      colours.map(({ share }) => share),
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
    assert.equal(colourText({ term: 'blue', shade: 'dark' }, 'en-US'), 'dark blue');
    assert.equal(colourText({ term: 'blue', shade: 'dark' }, 'zh-CN'), '深蓝色');
    const all = (['red', 'white', 'blue'] as const).map((term) => ({ term, shade: null }));
    assert.equal(coloursText(all.slice(0, 2), 'en-US'), 'red and white');
    assert.equal(coloursText(all, 'en-US'), 'red, white and blue');
    assert.equal(coloursText(all, 'zh-CN'), '红色、白色和蓝色');
  });
});
