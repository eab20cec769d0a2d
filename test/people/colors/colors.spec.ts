import assert from 'node:assert/strict';
import fc from 'fast-check';
import { clustersOf } from '../../../src/people/colors/clusters.ts';
import { type NamedColor, colorsOf } from '../../../src/people/colors/colors.ts';
import { exposureOf } from '../../../src/people/colors/exposure.ts';
import { lit, type Oklab, oklabOf } from '../../../src/people/colors/oklab.ts';
import { nameColor } from '../../../src/people/colors/terms.ts';
import { colorText, colorsText } from '../../../src/people/colors/words.ts';
import { decodeSmallSource } from '../../../src/parsing/source.ts';
import { painted, type Rectangle } from '../describe/support.ts';

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

  it('are named by what is brighter beside them: nothing gives back more light than falls on it', () => {
    const stripes = patch([70, lit(WHITE, 0.75)], [30, oklabOf(255, 255, 130)]);
    assert.deepEqual(terms(told(stripes, { exposure: 1.3 })), ['grey', 'yellow']);
    assert.deepEqual(terms(told(patch([70, lit(WHITE, 0.75)]), { exposure: 1.3 })), ['white']);
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
  const [WALL, SKIN] = ['#909090', '#c89878'];
  interface Look {
    behind?: string;
    coat?: string;
    /** Rows of the wall that are of another colour. */
    window?: string;
    coatAt?: Rectangle;
    doubtful?: boolean;
  }
  const picture = async ({ behind = WALL, coat = '#404040', window, coatAt, doubtful }: Look) => {
    const parsing = await painted({
      width: 90,
      height: 120,
      background: behind,
      persons: doubtful === true ? [] : [{ at: [20, 30, 40, 80] }],
      parts: [
        ...(window === undefined
          ? []
          : [{ label: 'Background', at: [0, 0, 90, 20] as const, color: window, person: null }]),
        { label: 'Face', at: [32, 32, 16, 16], color: SKIN },
        { label: doubtful === true ? 'Background' : 'Coat', at: coatAt ?? [20, 50, 40, 60], color: coat },
      ],
    });
    return doubtful === true
      ? { ...parsing, doubtful: { ...parsing.doubtful, persons: [await doubtfulPerson()] } }
      : parsing;
  };
  const doubtfulPerson = async () =>
    (await painted({ width: 90, height: 120, persons: [{ at: [16, 26, 48, 88] }], parts: [] })).persons[0]!;
  const exposure = async (look: Look): Promise<number> => {
    const parsing = await picture(look);
    return exposureOf(await decodeSmallSource(parsing, 512), parsing);
  };

  it('makes dark pictures brighter, and bright ones hardly', async () => {
    assert.ok((await exposure({ behind: '#303030', window: '#505050' })) > 1.3);
    assert.ok((await exposure({ window: '#f4f4f4' })) < 1.15);
    assert.ok((await exposure({ window: '#ffffff' })) >= 0.9);
    assert.ok((await exposure({ behind: '#000000', window: '#020202' })) <= 1.6);
  });

  it('is not told by clothes, not even by those of people who are in doubt', async () => {
    for (const look of [{ window: '#b0b0b0' }, { window: '#b0b0b0', doubtful: true }]) {
      const dark = await exposure({ ...look, coat: '#101010' });
      assert.equal(await exposure({ ...look, coat: '#ffffff' }), dark);
      assert.ok(dark > 1.15);
    }
  });

  it('is told by skin in front of a dark wall', async () => {
    const skin = await exposure({ behind: '#202020', window: '#303030' });
    assert.ok(skin < 1.5, String(skin));
  });

  it('is what the camera made of it where the wall is plain, or clothes fill the picture', async () => {
    const white = await exposure({ behind: '#ffffff' });
    assert.equal(await exposure({ behind: '#404040' }), white);
    assert.equal(await exposure({ coatAt: [0, 0, 90, 120] }), white);
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
