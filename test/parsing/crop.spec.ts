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
    ['what', { what: 'parts' }, /"what" is "parts"; allowed: person-parts, persons, labels\./],
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
      message: /no option "margin"; allowed: what, labels, mode, padding/,
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
