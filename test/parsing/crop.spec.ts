import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import sharp from 'sharp';
import { type Crop, type CropOptions, crop } from '../../src/parsing/crop.ts';
import type { Parsing } from '../../src/parsing/types.ts';
import { formatOf, paint, parsingOf, pixelsOf, sourceColor } from './scene.ts';

const LABELS = ['Background', 'Cap/Hat', 'Face', 'Coat', 'Human'];

/** Two persons; the second one's parts come first; a hat belongs to nobody; the first has two faces (two pieces). */
async function twoPeople(): Promise<Parsing> {
  return parsingOf({
    width: 8,
    height: 4,
    labels: LABELS,
    persons: [
      { score: 0.9, rows: ['##......', '###.....', '##......', '##......'] },
      { score: 0.7, rows: ['......##', '......##', '.....###', '......##'] },
    ],
    parts: [
      { index: 3, person: 2, score: 0.6, rows: ['........', '........', '......#.', '......##'] },
      { index: 2, person: 1, score: 0.4, rows: ['#.......', '##......', '........', '........'] },
      { index: 1, person: null, score: 0.3, rows: ['....#...', '........', '........', '........'] },
      { index: 3, person: 1, score: 0.8, rows: ['........', '.#......', '##......', '........'] },
      { index: 2, person: 1, score: 0.2, rows: ['........', '........', '........', '#.......'] },
    ],
  });
}

function names(crops: readonly Crop[]): string[] {
  return crops.map(({ name }) => name);
}

/** All of a crop but its picture. */
function factsOf(found: Crop): Partial<Crop> {
  const { ...facts }: Partial<Crop> = found;
  delete facts.image;
  return facts;
}

/** Asserts that each pixel of a crop is the source's where `rows` has '#', and clear elsewhere. */
async function assertCutout({ image, box }: Crop, rows: readonly string[]): Promise<void> {
  const pixels = await pixelsOf(image);
  assert.equal(pixels.channels, 4);
  assert.deepEqual([pixels.width, pixels.height], [box.width, box.height]);
  const expected = rows.map((row, y) =>
    Array.from(row, (char, x) => (char === '#' ? [...sourceColor(box.x + x, box.y + y), 255] : [0, 0, 0, 0])),
  );
  assert.deepEqual(
    rows.map((row, y) => Array.from(row, (_, x) => pixels.at(x, y))),
    expected,
  );
}

/** Asserts that a crop is its box of the source. */
async function assertBox({ image, box, width, height }: Crop): Promise<void> {
  const pixels = await pixelsOf(image);
  assert.equal(pixels.channels, 3);
  assert.deepEqual(
    [pixels.width, pixels.height, width, height],
    [box.width, box.height, box.width, box.height],
  );
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) assert.deepEqual(pixels.at(x, y), sourceColor(box.x + x, box.y + y));
  }
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

  it('counts pixels that two parts of a label share once', async () => {
    const parsing = await parsingOf({
      width: 3,
      height: 1,
      labels: LABELS,
      parts: [
        { index: 1, rows: ['##.'] },
        { index: 1, rows: ['.##'] },
      ],
    });
    for (const mode of ['box', 'cutout'] as const) {
      assert.equal((await crop(parsing, { what: 'labels', mode }))[0]!.area, 3);
    }
  });

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

  it('adds a margin of pixels, up to the edge of the picture', async () => {
    const parsing = await twoPeople();
    const boxes = async (padding: number | string) =>
      (await crop(parsing, { what: 'labels', labels: ['Face', 'Cap/Hat'], padding })).map(({ box }) => box);
    assert.deepEqual(await boxes(1), [
      { x: 3, y: 0, width: 3, height: 2 },
      { x: 0, y: 0, width: 3, height: 4 },
    ]);
    assert.deepEqual((await boxes(1000))[0], { x: 0, y: 0, width: 8, height: 4 });
    const [hat] = await crop(parsing, { labels: ['Cap/Hat'], padding: 1, mode: 'cutout' });
    await assertCutout(hat!, ['.#.', '...']);
    const [box] = await crop(parsing, { labels: ['Cap/Hat'], padding: 1 });
    await assertBox(box!);
  });

  it("adds a margin as a share of the box's sides", async () => {
    const rows = Array.from({ length: 12 }, (_, y) =>
      Array.from({ length: 20 }, (_unused, x) => (x >= 5 && x < 15 && y >= 4 && y < 8 ? '#' : '.')).join(''),
    );
    const parsing = await parsingOf({ width: 20, height: 12, labels: LABELS, parts: [{ index: 1, rows }] });
    const box = async (padding: string) => (await crop(parsing, { padding }))[0]!.box;
    assert.deepEqual(await box('0%'), { x: 5, y: 4, width: 10, height: 4 });
    assert.deepEqual(await box('25%'), { x: 2, y: 3, width: 16, height: 6 });
    assert.deepEqual(await box(' 12.5 % '), { x: 4, y: 3, width: 12, height: 6 });
    assert.deepEqual(await box('100%'), { x: 0, y: 0, width: 20, height: 12 });
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
    parsing.persons[0]!.box = { x: 1, y: 1, width: 1, height: 2 };
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

  it('writes png, jpeg and webp; a cut-out keeps its alpha', async () => {
    const parsing = await twoPeople();
    for (const format of ['png', 'jpeg', 'webp'] as const) {
      const [first] = await crop(parsing, { what: 'persons', format });
      assert.equal(formatOf(first!.image), format);
      assert.equal(first!.name, `person-1.${format === 'jpeg' ? 'jpg' : format}`);
      assert.equal((await sharp(first!.image).metadata()).hasAlpha, false);
    }
    const [webp] = await crop(parsing, { what: 'persons', format: 'webp', mode: 'cutout' });
    const pixels = await pixelsOf(webp!.image);
    assert.deepEqual(
      [pixels.at(0, 0)[3], pixels.at(1, 0)[3], pixels.at(2, 0)[3], pixels.at(2, 1)[3]],
      [255, 255, 0, 255],
    );
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

  describe('with a soft edge', () => {
    /** A disc of radius 6 in the middle of 31 x 31. */
    const disc = (radius: number): string[] =>
      Array.from({ length: 31 }, (_, y) =>
        Array.from({ length: 31 }, (_unused, x) => (Math.hypot(x - 15, y - 15) <= radius ? '#' : '.')).join(
          '',
        ),
      );
    const round = (): Promise<Parsing> =>
      parsingOf({ width: 31, height: 31, labels: LABELS, parts: [{ index: 1, rows: disc(6) }] });
    const alphaOf = async (options: CropOptions) => {
      const [found] = await crop(await round(), { mode: 'cutout', ...options });
      const pixels = await pixelsOf(found!.image);
      return {
        box: found!.box,
        area: found!.area,
        at: (x: number, y: number) => pixels.at(x - found!.box.x, y - found!.box.y),
      };
    };

    it('grows by pixels in every direction', async () => {
      const { box, area, at } = await alphaOf({ grow: 4 });
      assert.deepEqual(box, { x: 5, y: 5, width: 21, height: 21 });
      assert.equal(area, 113, 'of the mask as it was found');
      for (const [x, y] of [
        [5, 15],
        [25, 15],
        [15, 5],
        [21, 21],
      ] as const) {
        assert.deepEqual(at(x, y), [...sourceColor(x, y), 255], `${x}, ${y}`);
      }
      assert.deepEqual(at(6, 8), [0, 0, 0, 0]);
    });

    it('shrinks', async () => {
      const { box, at } = await alphaOf({ grow: -3 });
      assert.deepEqual(box, { x: 12, y: 12, width: 7, height: 7 });
      assert.equal(at(15, 15)[3], 255);
      assert.equal(at(12, 12)[3], 0);
      assert.deepEqual(await crop(await round(), { mode: 'cutout', grow: -20 }), []);
    });

    it('fades over so many pixels, half of them outside', async () => {
      const rows = Array<string>(4).fill('..........##########');
      const parsing = await parsingOf({ width: 20, height: 4, labels: LABELS, parts: [{ index: 1, rows }] });
      for (const [feather, grow] of [
        [8, 0],
        [5, 0],
        [4, 3],
      ] as const) {
        const [found] = await crop(parsing, { mode: 'cutout', feather, grow });
        const pixels = await pixelsOf(found!.image);
        // The edge lies between the pixels 9 and 10.
        const alpha = (x: number): number =>
          Math.round(255 * Math.min(1, Math.max(0, (x + 0.5 - 10 + grow) / feather + 0.5)));
        assert.equal(alpha(found!.box.x - 1), 0);
        for (let x = found!.box.x; x < 20; x++) {
          // Colours are the source's own also where they are faint.
          assert.deepEqual(
            pixels.at(x - found!.box.x, 2),
            [...sourceColor(x, 2), alpha(x)],
            `${feather}, ${x}`,
          );
        }
        assert.ok(alpha(found!.box.x) > 0);
      }
    });

    it('has no edge where the picture ends', async () => {
      const rows = Array<string>(4).fill('##..');
      const parsing = await parsingOf({ width: 4, height: 4, labels: LABELS, parts: [{ index: 1, rows }] });
      const [found] = await crop(parsing, { mode: 'cutout', grow: -1 });
      assert.deepEqual(found!.box, { x: 0, y: 0, width: 1, height: 4 });
    });

    it('is no business of boxes', async () => {
      const parsing = await round();
      const [soft] = await crop(parsing, { grow: 5, feather: 9 });
      const [hard] = await crop(parsing);
      assert.deepEqual(soft, hard);
    });

    it('is drawn on a colour where one is given', async () => {
      const [found] = await crop(await round(), {
        mode: 'cutout',
        feather: 8,
        fill: [10, 20, 30],
        format: 'png',
      });
      const pixels = await pixelsOf(found!.image);
      assert.equal(pixels.channels, 3);
      const soft = await alphaOf({ feather: 8 });
      for (const x of [5, 7, 9, 15]) {
        const alpha = soft.at(x, 15)[3]! / 255;
        const expected = sourceColor(x, 15).map((value, i) =>
          Math.round([10, 20, 30][i]! * (1 - alpha) + value * alpha),
        );
        assert.deepEqual(pixels.at(x - 5, 10), expected);
      }
      const [jpeg] = await crop(await round(), { mode: 'cutout', fill: 'white', format: 'jpeg' });
      assert.equal(formatOf(jpeg!.image), 'jpeg');
    });
  });

  describe('in an aspect', () => {
    /** 10 x 4 pixels at (5, 4) of 20 x 12. */
    const wide = (): Promise<Parsing> => {
      const rows = Array.from({ length: 12 }, (_, y) =>
        Array.from({ length: 20 }, (_unused, x) => (x >= 5 && x < 15 && y >= 4 && y < 8 ? '#' : '.')).join(
          '',
        ),
      );
      return parsingOf({ width: 20, height: 12, labels: LABELS, parts: [{ index: 1, rows }] });
    };
    const boxOf = async (options: CropOptions) => (await crop(await wide(), options))[0]!.box;

    it('extends the box around its centre', async () => {
      assert.deepEqual(await boxOf({ aspect: '1:1' }), { x: 5, y: 1, width: 10, height: 10 });
      assert.deepEqual(await boxOf({ aspect: 1 }), { x: 5, y: 1, width: 10, height: 10 });
      assert.deepEqual(await boxOf({ aspect: '4:1' }), { x: 2, y: 4, width: 16, height: 4 });
      assert.deepEqual(await boxOf({ aspect: ' 2.5 : 1 ' }), { x: 5, y: 4, width: 10, height: 4 });
      assert.deepEqual(await boxOf({ aspect: '1:1', padding: 1 }), { x: 4, y: 0, width: 12, height: 12 });
    });

    it('stays inside the picture, or goes beyond it', async () => {
      assert.deepEqual(await boxOf({ aspect: '3:4' }), { x: 5, y: 0, width: 10, height: 12 });
      assert.deepEqual(await boxOf({ aspect: '3:4', edge: 'pad' }), { x: 5, y: 0, width: 10, height: 13 });
      const parsing = await parsingOf({
        width: 20,
        height: 4,
        labels: LABELS,
        parts: [{ index: 1, rows: Array<string>(4).fill(`#${'.'.repeat(19)}`) }],
      });
      const [moved] = await crop(parsing, { aspect: '1:1' });
      assert.deepEqual(moved!.box, { x: 0, y: 0, width: 4, height: 4 });
      await assertBox(moved!);
    });

    it('fills what is missing of the picture', async () => {
      const parsing = await wide();
      for (const [fill, expected] of [
        [undefined, [0, 0, 0]],
        ['#102030', [0x10, 0x20, 0x30]],
        ['transparent', [0, 0, 0, 0]],
      ] as const) {
        const [found] = await crop(parsing, { padding: 6, edge: 'pad', fill });
        const pixels = await pixelsOf(found!.image);
        assert.deepEqual(found!.box, { x: -1, y: -2, width: 22, height: 16 });
        assert.deepEqual(pixels.at(0, 5), [...expected]);
        assert.deepEqual(pixels.at(10, 0), [...expected]);
        assert.deepEqual(pixels.at(1, 2).slice(0, 3), sourceColor(0, 0));
        assert.deepEqual(pixels.at(20, 13).slice(0, 3), sourceColor(19, 11));
      }
      const [cut] = await crop(parsing, { padding: 6, edge: 'pad', mode: 'cutout' });
      const pixels = await pixelsOf(cut!.image);
      assert.deepEqual(pixels.at(0, 0), [0, 0, 0, 0]);
      assert.deepEqual(pixels.at(6, 6), [...sourceColor(5, 4), 255]);
    });

    it('refuses what would take gigabytes', async () => {
      await assert.rejects(crop(await wide(), { padding: 1e6, edge: 'pad' }), {
        code: 'M2FP_BAD_OPTION',
        message: /2000010 x 2000004 pixels.*"padding"/,
      });
      await assert.rejects(crop(await wide(), { scale: 'exact', width: 16_384, height: 16_384 }), {
        code: 'M2FP_BAD_OPTION',
        message: /16384 x 16384 pixels.*"width"/,
      });
      const tall = await parsingOf({
        width: 1,
        height: 600,
        labels: LABELS,
        parts: [{ index: 1, rows: Array<string>(600).fill('#') }],
      });
      await assert.rejects(crop(tall, { scale: 'exact', width: 400 }), {
        code: 'M2FP_BAD_OPTION',
        message: /400 x 240000/,
      });
    });
  });

  describe('resized', () => {
    const parsing = (): Promise<Parsing> =>
      parsingOf({
        width: 40,
        height: 20,
        labels: LABELS,
        parts: [{ index: 1, rows: Array<string>(20).fill('#'.repeat(40)) }],
      });
    const sizeOf = async (options: CropOptions) => {
      const [found] = await crop(await parsing(), options);
      const pixels = await pixelsOf(found!.image);
      assert.deepEqual([pixels.width, pixels.height], [found!.width, found!.height]);
      assert.deepEqual([found!.box.width, found!.box.height], [40, 20], 'the box is in the source');
      return [pixels.width, pixels.height, pixels.channels];
    };

    it('is not larger than a longest side', async () => {
      assert.deepEqual(await sizeOf({ scale: 'max', maxSide: 20 }), [20, 10, 3]);
      assert.deepEqual(await sizeOf({ scale: 'max', maxSide: 100 }), [40, 20, 3]);
      assert.deepEqual(await sizeOf({ scale: 'max' }), [40, 20, 3]);
      assert.deepEqual(await sizeOf({ scale: 'none', maxSide: 5, width: 7 }), [40, 20, 3]);
      assert.deepEqual(await sizeOf({ scale: 'max', maxSide: 10, mode: 'cutout' }), [10, 5, 4]);
    });

    it('fits into a width and a height, with the rest filled', async () => {
      assert.deepEqual(await sizeOf({ scale: 'exact', width: 60, height: 60 }), [60, 60, 3]);
      assert.deepEqual(await sizeOf({ scale: 'exact', width: 80 }), [80, 40, 3]);
      assert.deepEqual(await sizeOf({ scale: 'exact', width: 0, height: 10 }), [20, 10, 3]);
      const options = { scale: 'exact', width: 60, height: 60 } as const;
      const [filled] = await crop(await parsing(), { ...options, fill: '#ff0000' });
      const red = await pixelsOf(filled!.image);
      assert.deepEqual(
        [red.at(30, 5), red.at(30, 55)],
        [
          [255, 0, 0],
          [255, 0, 0],
        ],
      );
      assert.notDeepEqual(red.at(30, 30), [255, 0, 0]);
      const [clear] = await crop(await parsing(), { ...options, mode: 'cutout' });
      const around = await pixelsOf(clear!.image);
      assert.deepEqual([around.at(30, 5)[3], around.at(30, 30)[3]], [0, 255]);
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

  it('turns the source by its EXIF orientation', async () => {
    // Stored 2 wide and 3 high, to be turned clockwise (6): 3 wide and 2 high, left bottom pixel first.
    const stored = paint(2, 3, (x, y) => [100 * x, 50 * y, 77]);
    const image = await sharp(stored, { raw: { width: 2, height: 3, channels: 3 } })
      .withMetadata({ orientation: 6 })
      .png()
      .toBuffer();
    const parsing = await parsingOf({
      width: 3,
      height: 2,
      labels: LABELS,
      image,
      parts: [{ index: 1, rows: ['.##', '...'] }],
    });
    const [found] = await crop(parsing);
    const pixels = await pixelsOf(found!.image);
    assert.deepEqual([pixels.width, pixels.height], [2, 1]);
    assert.deepEqual(
      [pixels.at(0, 0), pixels.at(1, 0)],
      [
        [0, 50, 77],
        [0, 0, 77],
      ],
    );
  });

  it('refuses a picture of another size, a damaged one, and what is no parsing', async () => {
    const parsing = await twoPeople();
    const { image } = await parsingOf({ width: 4, height: 8, labels: LABELS });
    await assert.rejects(crop({ ...parsing, image }), { code: 'M2FP_NO_PARSING', message: /8 x 4.*4 x 8/ });
    await assert.rejects(crop({ ...parsing, image: parsing.image.subarray(0, 60) }), {
      code: 'M2FP_BAD_IMAGE',
    });
    await assert.rejects(crop({} as Parsing), {
      code: 'M2FP_NO_PARSING',
      message: /wire an M2FP infer node before this node/,
    });
  });

  const bad: [name: keyof CropOptions, options: object, message: RegExp][] = [
    [
      'what',
      { what: 'parts' },
      /"what" is "parts"; allowed: person-parts, persons, labels, person-groups, groups\./,
    ],
    ['labels', { labels: 'Face' }, /"labels" is "Face"; allowed: a list of Background, Cap\/Hat/],
    ['labels', { labels: ['Nose'] }, /"labels" is "Nose"/],
    ['mode', { mode: 'square' }, /"mode" is "square"; allowed: box, cutout\./],
    ['format', { format: 'bmp' }, /"format" is "bmp"; allowed: png, jpeg, webp\./],
    ['format', { format: 'jpeg', mode: 'cutout' }, /"format" is "jpeg"; allowed: png or webp/],
    ['quality', { quality: 101 }, /"quality" is 101; allowed: a whole number from 1 to 100\./],
    ['padding', { padding: -1 }, /"padding" is -1; allowed: a whole number of pixels from 0, or a text/],
    ['padding', { padding: 0.5 }, /"padding" is 0.5/],
    ['padding', { padding: '10' }, /"padding" is "10"/],
    ['padding', { padding: '-5%' }, /"padding" is "-5%"/],
    ['padding', { padding: '1001%' }, /"padding" is "1001%"/],
    ['padding', { padding: Infinity }, /"padding" is Infinity/],
    ['minArea', { minArea: -1 }, /"minArea" is -1; allowed: a number of at least 0\./],
    ['minArea', { minArea: '9' }, /"minArea" is "9"/],
    ['minArea', { minArea: '101%' }, /"minArea" is "101%"; allowed: a number of pixels from 0, or a text/],
    ['grow', { grow: -513 }, /"grow" is -513; allowed: a number from -512 to 512\./],
    ['feather', { feather: -1 }, /"feather" is -1; allowed: a number from 0 to 512\./],
    ['aspect', { aspect: 'square' }, /"aspect" is "square"; allowed: a ratio such as "1:1"/],
    ['aspect', { aspect: '0:1' }, /"aspect" is "0:1"/],
    ['aspect', { aspect: '1:0' }, /"aspect" is "1:0"/],
    ['aspect', { aspect: 101 }, /"aspect" is 101/],
    ['edge', { edge: 'cut' }, /"edge" is "cut"; allowed: clamp, pad\./],
    ['fill', { fill: 'clear' }, /"fill" is "clear"; allowed: "#rgb"/],
    ['format', { format: 'jpeg', fill: 'transparent' }, /png or webp where "fill" is "transparent"/],
    ['scale', { scale: 'half' }, /"scale" is "half"; allowed: none, max, exact\./],
    ['scale', { scale: 'exact' }, /"scale" is "exact"; allowed: exact where "width" or "height" is given/],
    ['maxSide', { maxSide: 0 }, /"maxSide" is 0; allowed: a whole number from 1 to 16384\./],
    ['width', { width: -1 }, /"width" is -1; allowed: a whole number from 0 to 16384\./],
    ['groups', { groups: 'tail' }, /"groups" is "tail"; allowed: names and unions.*upper-body/],
    ['groups', { groups: 'a=Tail' }, /"groups" is "Tail"; allowed: the model's labels: Background, Cap\/Hat/],
    ['groups', { groups: '=Face' }, /"groups" is "=Face"/],
    ['groups', { groups: { a: 'Face' } }, /"groups" is \{"a":"Face"\}/],
    ['groups', { groups: { a: [] } }, /"groups" is/],
    ['groups', { groups: 3 }, /"groups" is 3/],
    ['minScore', { minScore: 2 }, /"minScore" is 2; allowed: a number from 0 to 1\./],
    ['max', { max: 0 }, /"max" is 0; allowed: a whole number of at least 1\./],
    ['max', { max: 1.5 }, /"max" is 1.5/],
  ];
  for (const [name, options, message] of bad) {
    it(`refuses a wrong ${name}: ${JSON.stringify(options)}`, async () => {
      await assert.rejects(crop(await twoPeople(), options), { code: 'M2FP_BAD_OPTION', message });
    });
  }

  it('refuses an option that it does not have', async () => {
    await assert.rejects(crop(await twoPeople(), { margin: 3 } as object), {
      code: 'M2FP_BAD_OPTION',
      message: /no option "margin"; allowed: what, labels, groups, mode/,
    });
  });

  it('writes nothing into the parsing', async () => {
    const parsing = await twoPeople();
    const before = structuredClone(parsing);
    for (const what of ['labels', 'persons', 'person-parts'] as const) {
      for (const mode of ['box', 'cutout'] as const) await crop(parsing, { what, mode, padding: 2 });
    }
    assert.deepEqual(structuredClone(parsing), before);
  });

  it('lets the event loop turn on a large picture', async () => {
    const width = 2000;
    const height = 1000;
    const image = await sharp({ create: { width, height, channels: 3, background: '#446688' } })
      .png({ compressionLevel: 1 })
      .toBuffer();
    const rows = Array<string>(height).fill('#'.repeat(width));
    const parsing = await parsingOf({ width, height, labels: LABELS, image, parts: [{ index: 1, rows }] });
    let turns = 0;
    const hook = createHook({ init: (_id, type) => (turns += type === 'Immediate' ? 1 : 0) }).enable();
    try {
      await crop(parsing, { mode: 'cutout', format: 'webp', quality: 1 });
    } finally {
      hook.disable();
    }
    // Bands of a million steps, 2 million pixels: the mask takes 4 steps a pixel, the copy as well.
    assert.ok(turns >= 10, `${turns} turns`);
  });
});
