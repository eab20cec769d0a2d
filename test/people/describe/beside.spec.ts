/** A garment is called the same whatever is worn beside it, by the same person or by another. */
import assert from 'node:assert/strict';
import { maskColors } from '../../../src/people/colors/mask-colors.ts';
import { describe as describePeople } from '../../../src/people/describe/describe.ts';
import type { Language } from '../../../src/people/colors/words.ts';
import { painted, type Painted } from './support.ts';

/** The eleven basic terms, most of them dark, plain and light, and what lies between. */
const COLOURS = (
  '0a0a0a 202020 3c3c3c 606060 808080 a0a0a0 c8c8c8 f0f0f0 ffffff 840000 e50000 f97306 ffd700 ffff14 ffff84 ' +
  'aaff32 90ee90 15b01a 033500 6f6e1e 8a7a10 bdb76b e6daa6 d2b48c a0522d 653700 95d0fc 0343df 01153e 35063e ' +
  '7e1e9c 9370db ff81c0 ffb6c1'
)
  .split(' ')
  .map((hex) => `#${hex}`);
/** What hangs on the light: blacks, greys and whites, and some of every hue. */
const TROUSERS = COLOURS.filter((_, i) => i < 9 || i % 2 === 0);
const SKIN = '#c89878';
/** A plain wall, and dim rooms. */
const WALLS = [
  ['#808080', '#808080'],
  ['#404040', '#707070'],
  ['#606060', '#b0b0b0'],
] as const;

type Scene = { wall: readonly [string, string]; coat: string; trousers: readonly string[] };

/** A row of people in trousers of their own and coats of one colour, before a wall that is lit above. */
const scene = ({ wall: [wall, lamp], coat, trousers }: Scene) => {
  const width = 20 + 60 * trousers.length;
  return painted({
    width,
    height: 170,
    background: wall,
    persons: trousers.map((_, i) => ({ at: [20 + 60 * i, 32, 40, 124] as const })),
    parts: [
      { label: 'Background', at: [0, 0, width, 20], color: lamp, person: null },
      ...trousers.flatMap((color, i): Painted[] => [
        { person: i + 1, label: 'Face', at: [32 + 60 * i, 32, 16, 14], color: SKIN },
        { person: i + 1, label: 'Coat', at: [20 + 60 * i, 46, 40, 50], color: coat },
        { person: i + 1, label: 'Pants', at: [24 + 60 * i, 96, 32, 60], color },
      ]),
    ],
  });
};
const NEUTRAL = '#808080';

const textsOf = async (look: Scene, name: string, language: Language = 'en-US'): Promise<string[]> =>
  (await describePeople(await scene(look), { language })).persons.map(
    ({ garments }) => garments.find((garment) => garment.name === name)!.text,
  );

describe('a garment beside others', function () {
  this.timeout(60_000);

  for (const wall of WALLS) {
    it(`keeps its name beside coats of every colour, before ${wall.join(' and ')}`, async () => {
      for (let first = 0; first < TROUSERS.length; first += 4) {
        const trousers = TROUSERS.slice(first, first + 4);
        const usual = await textsOf({ wall, coat: NEUTRAL, trousers }, 'trousers');
        for (const coat of COLOURS) {
          assert.deepEqual(
            await textsOf({ wall, coat, trousers }, 'trousers'),
            usual,
            `${coat}: ${trousers.join()}`,
          );
        }
      }
    });
  }

  it('keeps its name where crops tell their colours', async () => {
    for (const trousers of ['#3c3c3c', '#a0a0a0', '#6f6e1e']) {
      const names = new Set<string>();
      for (const coat of COLOURS) {
        const parsing = await scene({ wall: WALLS[1], coat, trousers: [trousers] });
        const [color] = await maskColors(parsing)([
          parsing.parts.find(({ label }) => label === 'Pants')!.mask,
        ]);
        names.add(`${color!.shade} ${color!.term}`);
      }
      assert.equal(names.size, 1, `${trousers}: ${[...names].join(', ')}`);
    }
  });

  it('is dark green where it is olive, and brown where it is mustard', async () => {
    const coatOf = async (coat: string, language?: Language): Promise<string> =>
      (await textsOf({ wall: ['#ffffff', '#ffffff'], coat, trousers: [NEUTRAL] }, 'coat', language))[0]!;
    assert.equal(await coatOf('#6f6e1e'), 'dark green coat');
    assert.equal(await coatOf('#6f6e1e', 'zh-CN'), '深绿色外套');
    assert.equal(await coatOf('#8a7a10'), 'brown coat');
  });
});
