import assert from 'node:assert/strict';
import { type Crop, type CropOptions, crop } from '../../../src/parsing/crop/crop.ts';
import { assertBox, assertCutout, LABELS, twoPeople } from './crop-scene.ts';
import { parsingOf } from '../scene.ts';

function names(crops: readonly Crop[]): string[] {
  return crops.map(({ name }) => name);
}

/** All of a crop but its picture. */
function factsOf(found: Crop): Partial<Crop> {
  const { ...facts }: Partial<Crop> = found;
  delete facts.image;
  return facts;
}

describe('crop', () => {
  it('gives each part of each person in order, those of nobody last', async () => {
    const crops = await crop(await twoPeople());
    assert.deepEqual(crops.map(factsOf), [
      {
        width: 2,
        height: 2,
        box: { x: 0, y: 0, width: 2, height: 2 },
        label: 'Face',
        part: 2,
        person: 1,
        score: 0.4,
        area: 3,
        name: 'person-1-face.png',
      },
      {
        width: 1,
        height: 1,
        box: { x: 0, y: 3, width: 1, height: 1 },
        label: 'Face',
        part: 5,
        person: 1,
        score: 0.2,
        area: 1,
        name: 'person-1-face-2.png',
      },
      {
        width: 2,
        height: 2,
        box: { x: 0, y: 1, width: 2, height: 2 },
        label: 'Coat',
        part: 4,
        person: 1,
        score: 0.8,
        area: 3,
        name: 'person-1-coat.png',
      },
      {
        width: 2,
        height: 2,
        box: { x: 6, y: 2, width: 2, height: 2 },
        label: 'Coat',
        part: 1,
        person: 2,
        score: 0.6,
        area: 3,
        name: 'person-2-coat.png',
      },
      {
        width: 1,
        height: 1,
        box: { x: 4, y: 0, width: 1, height: 1 },
        label: 'Cap/Hat',
        part: 3,
        person: null,
        score: 0.3,
        area: 1,
        name: 'cap-hat.png',
      },
    ]);
    for (const each of crops) await assertBox(each);
  });

  it('gives whole persons', async () => {
    const parsing = await twoPeople();
    const crops = await crop(parsing, { what: 'persons', mode: 'cutout' });
    assert.deepEqual(crops.map(factsOf), [
      {
        width: 3,
        height: 4,
        box: { x: 0, y: 0, width: 3, height: 4 },
        person: 1,
        score: 0.9,
        area: 9,
        name: 'person-1.png',
      },
      {
        width: 3,
        height: 4,
        box: { x: 5, y: 0, width: 3, height: 4 },
        person: 2,
        score: 0.7,
        area: 9,
        name: 'person-2.png',
      },
    ]);
    parsing.persons.reverse();
    assert.deepEqual(names(await crop(parsing, { what: 'persons' })), ['person-1.png', 'person-2.png']);
    await assertCutout(crops[0]!, ['##.', '###', '##.', '##.']);
    await assertCutout(crops[1]!, ['.##', '.##', '###', '.##']);
  });

  it('gives one crop for each label, around all its parts', async () => {
    const crops = await crop(await twoPeople(), { what: 'labels', mode: 'cutout' });
    assert.deepEqual(crops.map(factsOf), [
      {
        width: 1,
        height: 1,
        box: { x: 4, y: 0, width: 1, height: 1 },
        label: 'Cap/Hat',
        person: null,
        score: 0.3,
        area: 1,
        name: 'cap-hat.png',
      },
      {
        width: 2,
        height: 4,
        box: { x: 0, y: 0, width: 2, height: 4 },
        label: 'Face',
        person: null,
        score: 0.4,
        area: 4,
        name: 'face.png',
      },
      {
        width: 8,
        height: 3,
        box: { x: 0, y: 1, width: 8, height: 3 },
        label: 'Coat',
        person: null,
        score: 0.8,
        area: 6,
        name: 'coat.png',
      },
    ]);
    await assertCutout(crops[1]!, ['#.', '##', '..', '#.']);
    await assertCutout(crops[2]!, ['.#......', '##....#.', '......##']);
  });

  for (const mode of ['box', 'cutout'] as const) {
    it(`counts pixels that two parts of a label share once: ${mode}`, async () => {
      const parsing = await parsingOf({
        width: 3,
        height: 1,
        labels: LABELS,
        parts: [
          { index: 1, rows: ['##.'] },
          { index: 1, rows: ['.##'] },
        ],
      });
      assert.equal((await crop(parsing, { what: 'labels', mode }))[0]!.area, 3);
    });
  }

  it('takes the chosen labels only; "Human" is the whole person', async () => {
    const parsing = await twoPeople();
    assert.deepEqual(names(await crop(parsing, { labels: ['coat'] })), [
      'person-1-coat.png',
      'person-2-coat.png',
    ]);
    assert.deepEqual(names(await crop(parsing, { labels: [] })), []);
    const people = await crop(parsing, { labels: ['Human', 'Coat'], mode: 'cutout' });
    assert.deepEqual(names(people), [
      'person-1-coat.png',
      'person-1-human.png',
      'person-2-coat.png',
      'person-2-human.png',
    ]);
    assert.equal(people[1]!.label, 'Human');
    assert.equal(people[1]!.part, undefined);
    await assertCutout(people[1]!, ['##.', '###', '##.', '##.']);
    const [union] = await crop(parsing, { what: 'labels', labels: ['human'] });
    assert.deepEqual([union!.label, union!.area, union!.score, union!.box.width], ['Human', 18, 0.9, 8]);
  });

  it('leaves the background part of a single-human model out unless it is chosen', async () => {
    const parsing = await parsingOf({
      width: 4,
      height: 1,
      labels: ['Background', 'Hat'],
      parts: [
        { index: 0, rows: ['##..'] },
        { index: 1, rows: ['..##'] },
      ],
    });
    assert.deepEqual(names(await crop(parsing)), ['hat.png']);
    assert.deepEqual(names(await crop(parsing, { labels: ['Background'] })), ['background.png']);
    assert.deepEqual(await crop(parsing, { what: 'persons' }), []);
  });

  it('leaves out small masks and low scores', async () => {
    const parsing = await twoPeople();
    assert.deepEqual(names(await crop(parsing, { minArea: 3 })), [
      'person-1-face.png',
      'person-1-coat.png',
      'person-2-coat.png',
    ]);
    assert.deepEqual(names(await crop(parsing, { minScore: 0.6 })), [
      'person-1-coat.png',
      'person-2-coat.png',
    ]);
    assert.deepEqual(names(await crop(parsing, { what: 'persons', minScore: 0.8 })), ['person-1.png']);
    // Of a label the union counts: four pixels of two faces; without the face of 0.2 it is three.
    assert.deepEqual(names(await crop(parsing, { what: 'labels', minArea: 4 })), ['face.png', 'coat.png']);
    assert.deepEqual(names(await crop(parsing, { what: 'labels', minArea: 4, minScore: 0.3 })), ['coat.png']);
  });

  it('keeps to the box where a mask goes beyond it', async () => {
    const parsing = await twoPeople();
    Object.assign(parsing.persons[0]!, { box: { x: 1, y: 1, width: 1, height: 2 }, area: 2 });
    const [first] = await crop(parsing, { what: 'persons', mode: 'cutout' });
    assert.equal(first!.area, 2);
    await assertCutout(first!, ['#', '#']);
  });

  it('leaves out empty masks', async () => {
    const parsing = await parsingOf({
      width: 2,
      height: 1,
      labels: LABELS,
      parts: [{ index: 1, rows: ['..'] }],
    });
    assert.deepEqual(await crop(parsing, { minArea: 0 }), []);
  });

  it('stops at the maximum', async () => {
    const parsing = await twoPeople();
    assert.deepEqual(names(await crop(parsing, { max: 2 })), ['person-1-face.png', 'person-1-face-2.png']);
    // What is left out for its area does not count.
    assert.deepEqual(names(await crop(parsing, { max: 2, minArea: 3 })), [
      'person-1-face.png',
      'person-1-coat.png',
    ]);
    const many = await parsingOf({
      width: 2,
      height: 1,
      labels: LABELS,
      parts: Array.from({ length: 300 }, () => ({ index: 1, rows: ['#.'] })),
    });
    const crops = await crop(many);
    assert.equal(crops.length, 255);
    assert.equal(new Set(names(crops)).size, 255);
  });

  describe('by groups of labels', () => {
    it('unites the parts of each person that the label sets count to a group', async () => {
      const crops = await crop(await twoPeople(), { what: 'person-groups', mode: 'cutout' });
      const facts = crops.map(({ label, person, part, area, score, name }) => [
        label,
        person,
        part,
        area,
        score,
        name,
      ]);
      assert.deepEqual(facts, [
        ['head', 1, undefined, 4, 0.4, 'person-1-head.png'],
        ['upper-body', 1, undefined, 3, 0.8, 'person-1-upper-body.png'],
        ['upper-body', 2, undefined, 3, 0.6, 'person-2-upper-body.png'],
        ['head', null, undefined, 1, 0.3, 'head.png'],
      ]);
      await assertCutout(crops[0]!, ['#.', '##', '..', '#.']);
    });

    it('unites the parts of all persons', async () => {
      const crops = await crop(await twoPeople(), { what: 'groups', mode: 'cutout' });
      assert.deepEqual(
        crops.map(({ label, person, area }) => [label, person, area]),
        [
          ['head', null, 5],
          ['upper-body', null, 6],
        ],
      );
      await assertCutout(crops[0]!, ['#...#', '##...', '.....', '#....']);
    });

    it("takes the user's own unions, as text or as an object, in their order", async () => {
      const parsing = await twoPeople();
      const facts = async (groups: CropOptions['groups']) =>
        (await crop(parsing, { what: 'groups', groups })).map(({ label, area, name }) => [label, area, name]);
      const expected = [
        ['Top & Face', 9, 'top-face.png'],
        ['head', 5, 'head.png'],
      ];
      assert.deepEqual(await facts(' Top & Face = coat+ FACE , Head '), expected);
      assert.deepEqual(await facts({ 'Top & Face': ['Coat', 'Face'] }), expected.slice(0, 1));
      assert.deepEqual(await facts('all=Human;'), [['all', 18, 'all.png']]);
    });

    it('takes no notice of labels that only other label sets have', async () => {
      const parsing = await twoPeople();
      assert.deepEqual(
        names(await crop(parsing, { what: 'groups', groups: 'a=Coat+T-shirt, b=Jumpsuits' })),
        ['a.png'],
      );
    });

    it('leaves the labels of other ways to crop alone', async () => {
      assert.deepEqual(names(await crop(await twoPeople(), { what: 'groups', labels: [] })), [
        'head.png',
        'upper-body.png',
      ]);
    });
  });

  it('takes the least area as a share of the picture too', async () => {
    const parsing = await twoPeople();
    // Of 32 pixels, 3 are 9.375 %.
    assert.equal((await crop(parsing, { minArea: '9.375%' })).length, 3);
    assert.equal((await crop(parsing, { minArea: '9.4%' })).length, 0);
  });

  it('makes names that Windows takes', async () => {
    const parsing = await parsingOf({
      width: 2,
      height: 1,
      labels: ['Background', 'CON', 'x'.repeat(300)],
      parts: [
        { index: 1, rows: ['##'] },
        { index: 2, rows: ['##'] },
      ],
    });
    assert.deepEqual(names(await crop(parsing)), ['part-con.png', `${'x'.repeat(100)}.png`]);
  });

  it('makes names for labels in any script', async () => {
    const parsing = await parsingOf({
      width: 2,
      height: 1,
      labels: ['Background', '../Étui (左)', '///'],
      parts: [
        { index: 1, rows: ['##'] },
        { index: 2, rows: ['##'] },
      ],
    });
    assert.deepEqual(names(await crop(parsing)), ['étui-左.png', 'part.png']);
  });
});
