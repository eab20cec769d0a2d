import assert from 'node:assert/strict';
import { M2fpError } from '../../../src/errors.ts';
import { LABEL_SETS } from '../../../src/m2fp/labels.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import { describe as describePeople, withDescriptions } from '../../../src/people/describe/describe.ts';
import type { PersonDescription } from '../../../src/people/describe/types.ts';
import { painted, type Painted } from './support.ts';

const RED = '#c01c20';
const NAVY = '#12245c';
const SKIN = '#c89878';

/** Somebody in a red coat, dark blue trousers and black shoes, 160 pixels tall. */
const DRESSED: Painted[] = [
  { label: 'Hair', at: [32, 12, 16, 8], color: '#5a3820' },
  { label: 'Face', at: [32, 20, 16, 14], color: SKIN },
  { label: 'Coat', at: [20, 34, 40, 60], color: RED },
  { label: 'Left-arm', at: [60, 84, 6, 10], color: SKIN },
  { label: 'Pants', at: [24, 94, 32, 66], color: NAVY },
  { label: 'Left-shoe', at: [24, 160, 14, 12], color: '#101010' },
  { label: 'Right-shoe', at: [42, 160, 14, 12], color: '#101010' },
];

const one = async (parts: Painted[], options = {}, persons = [{ at: [16, 10, 52, 164] as const }]) => {
  const parsing = await painted({ width: 90, height: 190, persons, parts });
  return describePeople(parsing, options);
};
const only = async (parts: Painted[], options = {}): Promise<PersonDescription> =>
  (await one(parts, options)).persons[0]!;

describe('describing people', () => {
  it('tells what somebody wears, from head to foot', async () => {
    const { persons, sentence } = await one(DRESSED);
    assert.equal(sentence, 'red coat, dark blue trousers, black shoes, brown hair');
    const [person] = persons;
    assert.equal(person!.sentence, sentence);
    assert.deepEqual(
      person!.garments.map(({ name, labels, area }) => ({ name, labels, area })),
      [
        { name: 'coat', labels: ['Coat'], area: 2400 },
        { name: 'trousers', labels: ['Pants'], area: 2112 },
        { name: 'shoes', labels: ['Left-shoe', 'Right-shoe'], area: 336 },
      ],
    );
    const [coat] = person!.garments;
    assert.deepEqual(coat!.colors, [{ term: 'red', shade: null, hex: RED, share: 1 }]);
    assert.equal(coat!.share, Math.round((1000 * 2400) / (52 * 164)) / 1000);
    const { garments: _garments, hair: _hair, sentence: _sentence, ...rest } = person!;
    assert.deepEqual(rest, {
      id: 1,
      hat: false,
      glasses: false,
      scarf: false,
      gloves: false,
      socks: null,
      shoes: true,
      bareArms: false,
      bareLegs: null,
      cutOff: [],
      overlaps: [],
    });
  });

  it('tells it in Chinese', async () => {
    const { sentence, persons } = await one(DRESSED, { language: 'zh-CN' });
    assert.equal(sentence, '红色外套、深蓝色裤子、黑色鞋子、棕色头发');
    assert.equal(persons[0]!.garments[0]!.name, 'coat');
  });

  it('is plain data that JSON keeps', async () => {
    const description = await one(DRESSED);
    assert.deepEqual(JSON.parse(JSON.stringify(description)), description);
  });

  it('tells both colours of what has two', async () => {
    const stripes = Array.from({ length: 6 }, (_, i): Painted => ({
      label: 'UpperClothes',
      at: [20, 34 + 10 * i, 40, 10],
      color: i % 3 === 2 ? '#f0f0ee' : RED,
    }));
    assert.equal((await only(stripes)).garments[0]!.text, 'red and white top');
    assert.equal((await only(stripes, { maxColors: 1 })).garments[0]!.text, 'red top');
    assert.equal((await only(stripes, { minColorShare: 0.5 })).garments[0]!.text, 'red top');
  });

  it('tells no colour where too few pixels show, and nothing of what is smaller', async () => {
    const { garments, hair } = await only([
      { label: 'Coat', at: [20, 34, 40, 60], color: RED },
      { label: 'Gloves', at: [60, 94, 7, 6], color: NAVY },
      { label: 'Left-shoe', at: [24, 160, 5, 2], color: '#101010' },
      { label: 'Hair', at: [32, 12, 3, 3], color: '#101010' },
    ]);
    assert.deepEqual(
      garments.map(({ text }) => text),
      ['red coat', 'dark blue gloves'],
    );
    assert.equal(hair, null);
    const far = await only([{ label: 'Left-shoe', at: [24, 160, 5, 3], color: RED }], { minShare: 0 });
    assert.deepEqual([far.garments[0]!.text, far.garments[0]!.colors], ['shoes', []]);
  });

  it('says null of what the picture does not show', async () => {
    const { hat, glasses, scarf, gloves, shoes, bareArms, bareLegs } = await only([
      { label: 'Pants', at: [24, 94, 32, 66], color: NAVY },
    ]);
    assert.deepEqual([hat, glasses, scarf, gloves, shoes, bareArms, bareLegs], Array(7).fill(null));
  });

  it('finds hats, glasses and scarves', async () => {
    const { hat, glasses, scarf, sentence } = await only([
      { label: 'Hat', at: [30, 10, 20, 10], color: '#f4f4f0' },
      { label: 'Sunglasses', at: [32, 24, 16, 5], color: '#101010' },
      { label: 'Scarf', at: [30, 34, 20, 8], color: '#18a038' },
    ]);
    assert.deepEqual([hat, glasses, scarf], [true, true, true]);
    assert.equal(sentence, 'white hat, black sunglasses, green scarf');
  });

  it('tells bare arms and legs from hands and ankles', async () => {
    const bare = await only([
      ...DRESSED.slice(0, 2),
      { label: 'UpperClothes', at: [22, 34, 36, 50], color: RED },
      { label: 'Left-arm', at: [58, 40, 8, 50], color: SKIN },
      { label: 'Left-leg', at: [28, 110, 10, 50], color: SKIN },
    ]);
    assert.deepEqual([bare.bareArms, bare.bareLegs], [true, true]);
    assert.equal(bare.sentence, 'red top, bare arms, bare legs, brown hair');
    const ankle: Painted = { label: 'Left-leg', at: [28, 150, 10, 6], color: SKIN };
    assert.equal((await only([...DRESSED, ankle])).bareLegs, false);
  });

  it('tells who is cut off, and who overlaps whom', async () => {
    const parsing = await painted({
      width: 120,
      height: 80,
      persons: [{ at: [0, 20, 40, 60] }, { at: [40, 10, 30, 60] }, { at: [100, 0, 20, 50] }],
      parts: [
        { label: 'Coat', at: [0, 20, 40, 50], color: RED },
        { label: 'Coat', at: [40, 10, 30, 50], color: NAVY, person: 2 },
        { label: 'Dress', at: [100, 0, 20, 50], color: '#f4f4f0', person: 3 },
      ],
    });
    const { persons, sentence } = await describePeople(parsing);
    assert.deepEqual(
      persons.map(({ cutOff, overlaps }) => ({ cutOff, overlaps })),
      [
        { cutOff: ['left', 'bottom'], overlaps: [2] },
        { cutOff: [], overlaps: [1] },
        { cutOff: ['top', 'right'], overlaps: [] },
      ],
    );
    assert.equal(sentence, '3 people: red coat; dark blue coat; white dress');
    const chinese = await describePeople(parsing, { language: 'zh-CN' });
    assert.equal(chinese.sentence, '3个人：红色外套；深蓝色外套；白色连衣裙');
  });

  it('takes the parts of a model without whole persons for one person', async () => {
    const parsing = await painted({
      width: 90,
      height: 190,
      persons: [],
      labels: LABEL_SETS.lip.labels,
      parts: DRESSED.map((part) => ({ ...part, person: null })),
    });
    const { persons, sentence } = await describePeople(parsing);
    assert.deepEqual(
      persons.map(({ id }) => id),
      [null],
    );
    assert.equal(sentence, 'red coat, dark blue trousers, black shoes, brown hair');
    assert.deepEqual(withDescriptions(parsing, { persons, sentence }).persons, []);
  });

  it('finds nobody in parts that a model of many persons gives to nobody', async () => {
    const parsing = await painted({
      width: 90,
      height: 190,
      persons: [],
      parts: DRESSED.map((part) => ({ ...part, person: null })),
    });
    assert.deepEqual(await describePeople(parsing), { persons: [], sentence: 'nobody' });
  });

  it('names labels that it does not know by their own name, and what is carried', async () => {
    const labels = ['Background', 'Rain_Cape', 'Backpack', 'Left-boot', 'Human'];
    const parsing = await painted({
      width: 90,
      height: 190,
      labels,
      persons: [{ at: [16, 10, 52, 164] }],
      parts: [
        { label: 'Backpack', at: [60, 40, 8, 30], color: '#18a038' },
        { label: 'Rain_Cape', at: [20, 34, 40, 60], color: '#ffd700' },
        { label: 'Left-boot', at: [24, 160, 14, 12], color: '#101010' },
      ],
    });
    assert.equal((await describePeople(parsing)).sentence, 'black boots, green backpack, yellow rain cape');
  });

  it('leaves out what scores less than the minimum', async () => {
    const parts: Painted[] = [DRESSED[2]!, { ...DRESSED[4]!, score: 0.4 }];
    assert.equal((await one(parts)).sentence, 'red coat');
    assert.equal((await one(parts, { minScore: 0.3 })).sentence, 'red coat, dark blue trousers');
    assert.equal((await one(parts, { minScore: 0.95 })).sentence, 'nobody');
  });

  it('describes what an older version stored, which has nothing doubtful', async () => {
    const parsing = await painted({
      width: 90,
      height: 190,
      persons: [{ at: [16, 10, 52, 164] }],
      parts: DRESSED,
    });
    const { doubtful: _doubtful, ...stored } = parsing;
    assert.deepEqual(await describePeople(stored as Parsing), await describePeople(parsing));
  });

  it('says "a person" where nothing can be told', async () => {
    const { sentence } = await one([{ label: 'Face', at: [32, 20, 16, 14], color: SKIN }]);
    assert.equal(sentence, 'a person');
  });

  it('passes on the number that a track node gave', async () => {
    const parsing = await painted({
      width: 90,
      height: 190,
      persons: [{ at: [16, 10, 52, 164], track: 7 }],
      parts: DRESSED,
    });
    assert.equal((await describePeople(parsing)).persons[0]!.track, 7);
  });

  it('gives persons their description in a copy, and writes nothing into what came in', async () => {
    const parsing = await painted({
      width: 90,
      height: 190,
      persons: [{ at: [16, 10, 52, 164] }],
      parts: DRESSED,
    });
    const before = JSON.stringify(parsing);
    const description = await describePeople(parsing);
    const told = withDescriptions(parsing, description);
    assert.equal(JSON.stringify(parsing), before);
    assert.notEqual(told, parsing);
    assert.deepEqual(
      told.persons.map((person) => ('description' in person ? person.description : null)),
      description.persons,
    );
  });

  const refused = async (parsing: unknown, options: object, code: string, text: RegExp): Promise<void> => {
    await assert.rejects(describePeople(parsing as Parsing, options), (error: unknown) => {
      assert.ok(error instanceof M2fpError);
      assert.equal(error.code, code);
      assert.match(error.message, text);
      return true;
    });
  };

  it('refuses what is no parsing, a picture of another size, and wrong options', async () => {
    const parsing = await painted({
      width: 90,
      height: 190,
      persons: [{ at: [16, 10, 52, 164] }],
      parts: DRESSED,
    });
    const { image } = await painted({ width: 91, height: 190, persons: [], parts: [] });
    await refused({}, {}, 'M2FP_NO_PARSING', /not a parsing/);
    await refused({ ...parsing, image }, {}, 'M2FP_NO_PARSING', /has (more|91 x 190)/);
    await refused(parsing, { language: 'de' }, 'M2FP_BAD_OPTION', /"language"/);
    await refused(parsing, { maxColors: 0 }, 'M2FP_BAD_OPTION', /"maxColors"/);
    await refused(parsing, { colors: 1 }, 'M2FP_BAD_OPTION', /no option "colors"/);
  });
});
