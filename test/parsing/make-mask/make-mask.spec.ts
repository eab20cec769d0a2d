import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import * as fc from 'fast-check';
import sharp from 'sharp';
import { GARMENTS } from '../../../src/parsing/make-mask/garments.ts';
import { makeMask, type MaskOptions } from '../../../src/parsing/make-mask/make-mask.ts';
import { RECIPES } from '../../../src/parsing/make-mask/try-on.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import { formatOf, parsingOf, pixelsOf, turned } from '../scene.ts';
import { CIHP } from '../support.ts';
import { type Grid, maskOf, parsingOfMaps, people } from './people.ts';

/** Rows of what a mask is: '#' white, '.' black, '?' grey. */
function rowsOf({ width, values }: Grid): string[] {
  const text = Array.from(values, (value) => (value === 255 ? '#' : value === 0 ? '.' : '?')).join('');
  return text.match(new RegExp(`.{${width}}`, 'g'))!;
}

async function rowsMade(parsing: Parsing, options?: MaskOptions): Promise<string[]> {
  return rowsOf(await maskOf((await makeMask(parsing, options)).mask));
}

const LABELS = ['Background', 'Face', 'UpperClothes', 'Left-arm', 'Human'];

/** Two people; the second is larger; a face of nobody. */
function two(): Promise<Parsing> {
  return parsingOf({
    width: 9,
    height: 4,
    labels: LABELS,
    labelRows: ['010000101', '020002220', '020002020', '000002220'],
    personRows: ['010000200', '010002220', '010002220', '000002220'],
    persons: [
      { rows: ['.#.......', '.#.......', '.#.......', '.........'] },
      { rows: ['......#..', '.....###.', '.....###.', '.....###.'] },
    ],
    parts: [
      { index: 1, person: 1, rows: ['.#.......', '.........', '.........', '.........'] },
      { index: 2, person: 1, rows: ['.........', '.#.......', '.#.......', '.........'] },
      { index: 1, person: 2, rows: ['......#..', '.........', '.........', '.........'] },
      { index: 2, person: 2, rows: ['.........', '.....###.', '.....#.#.', '.....###.'] },
      { index: 1, person: null, rows: ['........#', '.........', '.........', '.........'] },
    ],
  });
}

describe('makeMask of parts', () => {
  const cases: [what: string, options: MaskOptions, rows: string[]][] = [
    ['is all parts of everybody', {}, ['.#....#.#', '.#...###.', '.#...#.#.', '.....###.']],
    ['is the chosen labels', { labels: ['Face'] }, ['.#....#.#', '.........', '.........', '.........']],
    [
      'is of the largest person',
      { persons: 'largest' },
      ['......#..', '.....###.', '.....#.#.', '.....###.'],
    ],
    ['is of the persons of some ids', { persons: [1] }, ['.#.......', '.#.......', '.#.......', '.........']],
    ['takes ids as a text', { persons: '1' }, ['.#.......', '.#.......', '.#.......', '.........']],
    ['is whole persons', { labels: ['Human'] }, ['.#....#..', '.#...###.', '.#...###.', '.....###.']],
    ['is the background', { labels: ['Background'] }, ['#.####.#.', '#.###...#', '#.###...#', '#####...#']],
    [
      'has no holes',
      { labels: ['UpperClothes'], fillHoles: true },
      ['.........', '.#...###.', '.#...###.', '.....###.'],
    ],
    ['is its largest region', { largest: true }, ['......#.#', '.....###.', '.....#.#.', '.....###.']],
    [
      'is the hull of each region',
      { labels: ['UpperClothes'], hull: 'each' },
      ['.........', '.#...###.', '.#...###.', '.....###.'],
    ],
    [
      'is the hull of all',
      { labels: ['UpperClothes'], hull: 'all' },
      ['.........', '.#######.', '.#######.', '.....###.'],
    ],
    [
      'grows',
      { labels: ['Face'], persons: [1], grow: 1 },
      ['###......', '###......', '.........', '.........'],
    ],
    [
      'shrinks',
      { labels: ['UpperClothes'], persons: [2], fillHoles: true, grow: -1 },
      ['.........', '.........', '......#..', '......#..'],
    ],
    [
      'is everything else',
      { invert: true, persons: [1] },
      ['#.#######', '#.#######', '#.#######', '#########'],
    ],
  ];
  for (const [what, options, rows] of cases) {
    it(what, async () => {
      assert.deepEqual(await rowsMade(await two(), { mode: 'parts', ...options }), rows);
    });
  }

  it('is grey only where it is feathered', async () => {
    const text = (
      await rowsMade(await two(), { mode: 'parts', persons: [2], fillHoles: true, feather: 3 })
    ).join('');
    assert.match(text, /\?/);
  });

  it('tells what it is of', async () => {
    const { mask, ...facts } = await makeMask(await two(), {
      mode: 'parts',
      labels: ['UpperClothes'],
      persons: [2, 7],
    });
    assert.equal(formatOf(mask), 'png');
    assert.deepEqual(facts, {
      width: 9,
      height: 4,
      box: { x: 5, y: 1, width: 3, height: 3 },
      area: 8,
      share: 0.2222,
      persons: [2],
      missing: [7],
      labels: ['UpperClothes'],
    });
  });

  it('is turned as the parsing is', async () => {
    const parsing = await parsingOf({
      image: await turned(),
      width: 3,
      height: 2,
      labels: LABELS,
      labelRows: ['110', '000'],
      parts: [{ index: 1, rows: ['##.', '...'] }],
    });
    const { mask, agnostic, image } = await makeMask(parsing, { mode: 'parts', output: 'all' });
    assert.deepEqual(rowsOf(await maskOf(mask)), ['##.', '...']);
    const shown = await pixelsOf(agnostic!);
    assert.deepEqual(
      [shown.at(0, 0), shown.at(1, 0), shown.at(2, 0)],
      [
        [127, 127, 127],
        [127, 127, 127],
        [0, 0, 77],
      ],
    );
    const whole = await pixelsOf(image!);
    assert.deepEqual(
      [whole.at(0, 0), whole.at(2, 0)],
      [
        [0, 100, 77],
        [0, 0, 77],
      ],
    );
  });
});

describe('makeMask for try-on', () => {
  it('is of the largest person, and keeps the others, where nothing is said', async () => {
    const parsing = await people('couple');
    const { mask, persons, labels } = await makeMask(parsing);
    assert.deepEqual([persons, labels], [[1], ['UpperClothes', 'Coat']]);
    const { values } = await maskOf(mask);
    assert.ok(values.every((value, p) => value === 0 || parsing.personMap[p] !== 2));
  });

  it('is of several people where it shall be, and paints over no face and no hand of any', async () => {
    const parsing = await people('couple');
    const [one, other, all] = await Promise.all(
      ['1', '2', 'all'].map(
        async (persons) => (await maskOf((await makeMask(parsing, { persons })).mask)).values,
      ),
    );
    assert.deepEqual(
      all,
      one!.map((value, p) => Math.max(value, other![p]!)),
    );
  });

  it('takes what the try-on tools call their garments', async () => {
    const parsing = await people('standing');
    const of = async (garment: string): Promise<Buffer> =>
      (await makeMask(parsing, { garment: garment as 'upper' })).mask;
    assert.deepEqual(await of('upper_body'), await of('upper'));
    assert.deepEqual(await of('lower_body'), await of('lower'));
    assert.deepEqual(await of('overall'), await of('dress'));
    assert.deepEqual(await of('dresses'), await of('dress'));
  });

  it('paints the picture grey where the mask is white, and nowhere else', async () => {
    const parsing = await people('standing');
    const { mask, agnostic, image } = await makeMask(parsing, { output: 'all' });
    const { values } = await maskOf(mask);
    const [grey, source] = [await pixelsOf(agnostic!), await pixelsOf(image!)];
    for (let y = 0; y < parsing.height; y += 3) {
      for (let x = 0; x < parsing.width; x++) {
        const expected = values[y * parsing.width + x] === 255 ? [127, 127, 127] : source.at(x, y);
        assert.deepEqual(grey.at(x, y), expected);
      }
    }
    const jpeg = await makeMask(parsing, { output: 'agnostic', format: 'jpeg' });
    assert.deepEqual([formatOf(jpeg.mask), formatOf(jpeg.agnostic!), jpeg.image], ['png', 'jpeg', undefined]);
  });

  it('takes all of an arm for a hand where a sleeve leaves no more of it', async () => {
    const parsing = await people('couple');
    const { values } = await maskOf((await makeMask(parsing, { persons: [2] })).mask);
    const arms = [CIHP.indexOf('Left-arm'), CIHP.indexOf('Right-arm')];
    const painted = values.filter(
      (value, p) => parsing.personMap[p] === 2 && arms.includes(parsing.labelMap[p]!) && value > 0,
    );
    assert.equal(painted.length, 0);
  });

  it('looks for no hands where it shall not', async () => {
    const parsing = await people('standing');
    const arm = CIHP.indexOf('Left-arm');
    const { values } = await maskOf((await makeMask(parsing, { hands: 0 })).mask);
    assert.ok(values.every((value, p) => value === 255 || parsing.labelMap[p] !== arm));
  });

  const seen = fc.record({
    width: fc.integer({ min: 1, max: 40 }),
    height: fc.integer({ min: 1, max: 40 }),
    boxes: fc.array(
      fc.record({
        label: fc.integer({ min: 1, max: 19 }),
        person: fc.integer({ min: 0, max: 3 }),
        x: fc.integer({ min: 0, max: 39 }),
        y: fc.integer({ min: 0, max: 39 }),
        w: fc.integer({ min: 1, max: 25 }),
        h: fc.integer({ min: 1, max: 25 }),
      }),
      { maxLength: 14 },
    ),
    options: fc.record({
      garment: fc.constantFrom(...GARMENTS),
      recipe: fc.constantFrom(...RECIPES),
      grow: fc.constantFrom(-3, 0, 0, 4),
      feather: fc.constantFrom(0, 0, 5),
      persons: fc.constantFrom('all' as const, 'largest' as const, [1], [2, 3]),
    }),
  });

  it('paints over no face, no glove and nobody else, whatever is drawn and asked for; grey only with feather', async () => {
    await fc.assert(
      fc.asyncProperty(seen, async ({ width, height, boxes, options }) => {
        const labels = { width, height, values: new Uint8Array(width * height) };
        const persons = new Uint8Array(width * height);
        for (const { label, person, x, y, w, h } of boxes) {
          for (let row = y; row < Math.min(height, y + h); row++) {
            for (let p = row * width + x; p < row * width + Math.min(width, x + w); p++) {
              labels.values[p] = label;
              persons[p] = person;
            }
          }
        }
        const parsing = await parsingOfMaps(labels, persons);
        const made = await makeMask(parsing, { ...options, empty: 'pass' });
        const mask = await maskOf(made.mask);
        assert.deepEqual([mask.width, mask.height], [width, height]);
        const kept = ['Face', 'Sunglasses', 'Gloves'].map((name) => CIHP.indexOf(name));
        const ids = parsing.persons.length === 0 ? [0] : made.persons;
        for (const [p, value] of mask.values.entries()) {
          assert.ok(options.feather > 0 || value === 0 || value === 255, `${value} at ${p}`);
          const isForeign = (persons[p] !== 0 || labels.values[p] !== 0) && !ids.includes(persons[p]!);
          if (isForeign || kept.includes(labels.values[p]!)) assert.equal(value, 0, `at ${p}`);
        }
        assert.equal(made.area, mask.values.filter((value) => value > 0).length);
      }),
      { numRuns: 60 },
    );
  });

  it('grows with grow, and shrinks below 0', async () => {
    const parsing = await people('dressed');
    const areas: number[] = [];
    for (const grow of [-8, -1, 0, 1, 8]) areas.push((await makeMask(parsing, { grow })).area);
    assert.deepEqual(
      areas,
      areas.toSorted((a, b) => a - b),
    );
    assert.equal(new Set(areas).size, areas.length);
  });
});

describe('makeMask', () => {
  it('says that there is nothing, or passes a black mask', async () => {
    const nobody = await parsingOf({ width: 5, height: 3, labels: LABELS });
    await assert.rejects(makeMask(nobody), {
      code: 'M2FP_NOTHING_FOUND',
      message: /shows nobody.*"empty" to "pass"/,
    });
    const { box, area } = await makeMask(nobody, { empty: 'pass' });
    assert.deepEqual([box, area], [null, 0]);
    await assert.rejects(makeMask(await two(), { mode: 'parts', labels: ['Left-arm'] }), {
      code: 'M2FP_NOTHING_FOUND',
      message: /none of the chosen labels was found/,
    });
    await assert.rejects(makeMask(await two(), { persons: [9] }), {
      code: 'M2FP_NOTHING_FOUND',
      message: /no person 9/,
    });
  });

  const bad: [name: string, options: object, message: RegExp][] = [
    ['mode', { mode: 'inpaint' }, /"mode" is "inpaint"; allowed: try-on, parts\./],
    [
      'garment',
      { garment: 'hat' },
      /"garment" is "hat"; allowed: upper, lower, dress, inner, outer, or as .*overall/,
    ],
    ['garment', { garment: 'constructor' }, /"garment" is "constructor"/],
    ['recipe', { recipe: 'viton' }, /"recipe" is "viton"/],
    ['hands', { hands: 51 }, /"hands" is 51/],
    ['labels', { labels: ['Tail'] }, /"labels" is "Tail"/],
    ['persons', { persons: [] }, /"persons" is \[\]; allowed: a list of ids.*"largest"/],
    ['persons', { persons: 'smallest' }, /"persons"/],
    ['grow', { grow: 513 }, /"grow" is 513/],
    ['feather', { feather: -1 }, /"feather" is -1/],
    ['hull', { hull: true }, /"hull" is true/],
    ['output', { output: 'both' }, /"output" is "both"/],
    ['size', { size: 1 }, /no option "size"/],
  ];
  for (const [name, options, message] of bad) {
    it(`refuses ${JSON.stringify(options)} and names ${name}`, async () => {
      await assert.rejects(makeMask(await two(), options), { code: 'M2FP_BAD_OPTION', message });
    });
  }

  it('refuses what is no parsing, a damaged mask, and a picture of another size', async () => {
    await assert.rejects(makeMask({} as Parsing), { code: 'M2FP_NO_PARSING' });
    const parsing = await two();
    const parts = parsing.parts.map((part) => ({ ...part, mask: { ...part.mask, counts: 'zz~' } }));
    for (const mode of ['try-on', 'parts'] as const) {
      await assert.rejects(makeMask({ ...parsing, parts }, { mode }), {
        code: 'M2FP_NO_PARSING',
        message: /mask/,
      });
    }
    const { image } = await parsingOf({ width: 4, height: 8, labels: LABELS });
    await assert.rejects(makeMask({ ...parsing, image }, { mode: 'parts', output: 'all' }), {
      code: 'M2FP_NO_PARSING',
    });
  });

  it('takes the picture of a model of single persons for one person', async () => {
    const { labelMap, width, height } = await people('standing');
    const names = CIHP.slice(0, -1);
    const single = await parsingOfMaps(
      { width, height, values: labelMap },
      new Uint8Array(width * height),
      names,
    );
    const multi = await people('standing');
    assert.deepEqual(single.persons, []);
    assert.deepEqual((await makeMask(single)).mask, (await makeMask(multi)).mask);
    assert.deepEqual((await makeMask(single)).persons, []);
  });

  it('takes a picture of one pixel', async () => {
    const one = await parsingOfMaps({ width: 1, height: 1, values: Uint8Array.of(5) }, Uint8Array.of(1));
    for (const recipe of RECIPES) assert.deepEqual(await rowsMade(one, { recipe }), ['#']);
    assert.deepEqual(
      await rowsMade(one, { mode: 'parts', grow: 5, hull: 'all', fillHoles: true, largest: true }),
      ['#'],
    );
  });

  it('takes 255 people', async () => {
    const [width, height] = [255, 6];
    const values = new Uint8Array(width * height).fill(5);
    values.fill(13, 0, width);
    const parsing = await parsingOfMaps(
      { width, height, values },
      values.map((_, p) => (p % width) + 1),
    );
    const { persons, area } = await makeMask(parsing, { persons: 'all' });
    assert.equal(persons.length, 255);
    assert.equal(area, 5 * width);
  });

  it('leaves the parsing as it is', async () => {
    const parsing = await people('dressed');
    const before = structuredClone(parsing);
    await makeMask(parsing, { output: 'all', grow: 2, feather: 3 });
    await makeMask(parsing, { mode: 'parts', output: 'all', invert: true });
    assert.deepEqual(structuredClone(parsing), before);
  });

  it('leaves nothing of what was invisible', async () => {
    const parsing = await two();
    const image = await sharp({
      create: { width: 9, height: 4, channels: 4, background: { r: 255, g: 0, b: 0, alpha: 0 } },
    })
      .png()
      .toBuffer();
    const { agnostic, image: whole } = await makeMask(
      { ...parsing, image },
      { mode: 'parts', output: 'all' },
    );
    const shown = await pixelsOf(agnostic!);
    assert.deepEqual(
      [shown.at(0, 0), shown.at(1, 0)],
      [
        [0, 0, 0, 0],
        [127, 127, 127, 255],
      ],
    );
    assert.deepEqual((await pixelsOf(whole!)).at(0, 0), [0, 0, 0, 0]);
  });

  it('lets the event loop turn on a large picture', async () => {
    const [width, height] = [1600, 1200];
    const values = new Uint8Array(width * height).fill(5);
    const parsing = await parsingOfMaps({ width, height, values }, new Uint8Array(width * height).fill(1));
    let turns = 0;
    const hook = createHook({ init: (_id, type) => (turns += type === 'Immediate' ? 1 : 0) }).enable();
    try {
      await makeMask(parsing);
    } finally {
      hook.disable();
    }
    assert.ok(turns >= 100, `${turns} turns`);
  });
});
