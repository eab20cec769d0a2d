import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import sharp from 'sharp';
import { readLabelPng } from '../../bench/accuracy/label-png.ts';
import { colorize, type ColorizeOptions } from '../../src/parsing/colorize.ts';
import { personColor, personPartColor } from '../../src/parsing/palette.ts';
import type { Parsing } from '../../src/parsing/types.ts';
import { formatOf, paint, parsingOf, pixelsOf, sourceColor } from './scene.ts';

const LABELS = ['Background', 'Hair', 'Face', 'Coat', 'Human'];
const COLORS = {
  Background: '#010203',
  Hair: '#c80000',
  Face: '#00c800',
  Coat: '#0000c8',
  Human: '#c8c800',
};
const LEGEND = {
  '.': [1, 2, 3],
  h: [200, 0, 0],
  f: [0, 200, 0],
  c: [0, 0, 200],
  p: [200, 200, 0],
  '?': [],
  u: [128, 128, 128],
};

/** Two persons side by side; the coat (score 0.9) overlaps the face (0.4), a hair (0.3) belongs to nobody. */
async function twoPeople(): Promise<Parsing> {
  return parsingOf({
    width: 8,
    height: 4,
    labels: LABELS,
    labelRows: ['11000022', '22000022', '33000033', '33000030'],
    personRows: ['11000022', '11100022', '11000022', '11000022'],
    persons: [
      { score: 0.9, rows: ['##......', '###.....', '##......', '##......'] },
      { score: 0.8, rows: ['......##', '......##', '......##', '......##'] },
    ],
    parts: [
      { index: 3, person: 1, score: 0.9, rows: ['........', '##......', '##......', '##......'] },
      { index: 2, person: 1, score: 0.4, rows: ['##......', '##......', '........', '........'] },
      { index: 2, person: 2, score: 0.5, rows: ['......##', '......##', '........', '........'] },
      { index: 1, person: null, score: 0.3, rows: ['....#...', '........', '........', '........'] },
    ],
  });
}

async function draw(parsing: Parsing, options: ColorizeOptions): Promise<string[]> {
  const { image } = await colorize(parsing, { colors: COLORS, ...options });
  return (await pixelsOf(image)).rows(LEGEND);
}

describe('colorize', () => {
  it('paints the parts, those of higher score over those of lower score', async () => {
    const parsing = await twoPeople();
    const expected = ['ff..h.ff', 'cc....ff', 'cc......', 'cc......'];
    assert.deepEqual(await draw(parsing, {}), expected);
    parsing.parts.reverse();
    assert.deepEqual(await draw(parsing, { mode: 'map', paint: 'parts', by: 'label' }), expected);
  });

  it('leaves out what scores too low, of parts by default below 0.3', async () => {
    const parts = [
      { index: 1, score: 0.29, rows: ['##..'] },
      { index: 2, score: 0.3, rows: ['..#.'] },
    ];
    const parsing = await parsingOf({ labels: ['Background', 'Face', 'Hair'], width: 4, height: 1, parts });
    const colors = { Background: COLORS.Background, Face: COLORS.Face, Hair: COLORS.Hair };
    assert.deepEqual(await draw(parsing, { colors }), ['..h.']);
    assert.deepEqual(await draw(parsing, { colors, minScore: 0.1 }), ['ffh.']);
    assert.deepEqual(await draw(parsing, { colors, minScore: 1 }), ['....']);
  });

  it('paints the label map', async () => {
    assert.deepEqual(await draw(await twoPeople(), { paint: 'map' }), [
      'hh....ff',
      'ff....ff',
      'cc....cc',
      'cc....c.',
    ]);
  });

  it('paints only the chosen labels, by names in any spelling', async () => {
    const parsing = await twoPeople();
    assert.deepEqual(await draw(parsing, { labels: ['FACE'] }), [
      'ff....ff',
      'ff....ff',
      '........',
      '........',
    ]);
    assert.deepEqual(await draw(parsing, { paint: 'map', labels: ['Coat', 'hair'] }), [
      'hh......',
      '........',
      'cc....cc',
      'cc....c.',
    ]);
    assert.deepEqual(await draw(parsing, { labels: [] }), Array(4).fill('........'));
  });

  it('paints whole persons beneath the parts where "Human" is chosen', async () => {
    const parsing = await twoPeople();
    assert.deepEqual(await draw(parsing, { labels: ['Human', 'Coat'] }), [
      'pp....pp',
      'ccp...pp',
      'cc....pp',
      'cc....pp',
    ]);
    assert.deepEqual(await draw(parsing, { paint: 'map', labels: ['Human', 'Coat'] }), [
      'pp....pp',
      'ppp...pp',
      'cc....cc',
      'cc....cp',
    ]);
  });

  it('paints persons in their colours, and grey what belongs to nobody', async () => {
    const parsing = await twoPeople();
    const legend = { '.': [1, 2, 3], 1: personColor(1), 2: personColor(2), u: [128, 128, 128] };
    const persons = async (options: ColorizeOptions) =>
      (await pixelsOf((await colorize(parsing, { colors: COLORS, by: 'person', ...options })).image)).rows(
        legend,
      );
    assert.deepEqual(await persons({}), ['11..u.22', '111...22', '11....22', '11....22']);
    assert.deepEqual(await persons({ paint: 'map' }), ['11....22', '111...22', '11....22', '11....22']);
    assert.deepEqual(await persons({ labels: ['Face'] }), ['11....22', '11....22', '........', '........']);
    assert.deepEqual(await persons({ paint: 'map', labels: ['Coat'] }), [
      '........',
      '........',
      '11....22',
      '11....2.',
    ]);
  });

  it('makes a label index without a name grey', async () => {
    const parsing = await parsingOf({
      width: 4,
      height: 1,
      labels: ['Background', 'Hair'],
      labelRows: ['012z'],
      parts: [
        { index: 1, score: 0.4, rows: ['.#..'] },
        { index: 200, score: 0.3, rows: ['..##'] },
      ],
    });
    const colors = { Background: COLORS.Background, Hair: COLORS.Hair };
    assert.deepEqual(await draw(parsing, { colors }), ['.huu']);
    assert.deepEqual(await draw(parsing, { colors, paint: 'map' }), ['.huu']);
    assert.deepEqual(await draw(parsing, { colors, paint: 'map', labels: ['Hair'] }), ['.h..']);
    parsing.labelMap.fill(255);
    assert.deepEqual(await draw(parsing, { colors, paint: 'map' }), ['uuuu']);
  });

  it('paints the PASCAL palette by label index', async () => {
    const { image } = await colorize(await twoPeople(), { palette: 'pascal' });
    const pixels = await pixelsOf(image);
    assert.deepEqual(
      [pixels.at(0, 3), pixels.at(7, 0), pixels.at(2, 0)],
      [
        [128, 128, 0],
        [0, 128, 0],
        [0, 0, 0],
      ],
    );
  });

  it('lays the colours over the source: source + (colour - source) x opacity', async () => {
    const parsing = await twoPeople();
    for (const opacity of [0, 0.25, 0.6, 1]) {
      const { image } = await colorize(parsing, { mode: 'overlay', opacity, colors: COLORS });
      const pixels = await pixelsOf(image);
      assert.equal(pixels.channels, 3);
      for (let x = 0; x < 8; x++) {
        const source = sourceColor(x, 0);
        const color = x < 2 || x > 5 ? [0, 200, 0] : x === 4 ? [200, 0, 0] : source;
        const expected = source.map((value, i) => Math.round(value * (1 - opacity) + color[i]! * opacity));
        assert.deepEqual(pixels.at(x, 0), expected, `opacity ${opacity} at ${x}`);
      }
    }
    const { image } = await colorize(parsing, { mode: 'overlay', colors: COLORS });
    assert.deepEqual(
      (await pixelsOf(image)).at(4, 0),
      sourceColor(4, 0).map((value, i) => Math.round(value * 0.4 + [200, 0, 0][i]! * 0.6)),
    );
  });

  it('draws opaque contours around labels and persons', async () => {
    const parsing = await parsingOf({
      width: 8,
      height: 1,
      labels: LABELS,
      labelRows: ['01122110'],
      personRows: ['01111220'],
    });
    const legend = { ...LEGEND, w: [255, 255, 255], x: [9, 8, 7] };
    const line = async (options: ColorizeOptions) =>
      (await pixelsOf((await colorize(parsing, { paint: 'map', colors: COLORS, ...options })).image)).rows(
        legend,
      )[0];
    assert.equal(await line({}), '.hhffhh.');
    assert.equal(await line({ contours: 1 }), 'whwfwhw.');
    assert.equal(await line({ contours: 1, contourColor: [9, 8, 7] }), 'xhxfxhx.');
    assert.equal(await line({ contours: 2 }), 'wwwwwwww');
    assert.equal(await line({ contours: 1, labels: ['Face'] }), '..wfw...');
    // By person a change of label is no border.
    const persons = { w: [255, 255, 255], '.': [1, 2, 3], 1: personColor(1), 2: personColor(2) };
    const { image } = await colorize(parsing, { paint: 'map', by: 'person', contours: 1, colors: COLORS });
    assert.equal((await pixelsOf(image)).rows(persons)[0], 'w111w2w.');
    // Whatever the opacity.
    const overlay = await pixelsOf(
      (await colorize(parsing, { paint: 'map', mode: 'overlay', opacity: 0, contours: 1 })).image,
    );
    assert.deepEqual(overlay.at(0, 0), [255, 255, 255]);
    assert.deepEqual(overlay.at(1, 0), sourceColor(1, 0));
  });

  it('draws a contour between two persons whose parts have the same label', async () => {
    const parsing = await parsingOf({
      width: 6,
      height: 1,
      labels: LABELS,
      parts: [
        { index: 3, person: 1, rows: ['###...'] },
        { index: 3, person: 2, rows: ['...###'] },
      ],
    });
    const { image } = await colorize(parsing, { contours: 1, colors: COLORS });
    assert.deepEqual((await pixelsOf(image)).rows({ ...LEGEND, w: [255, 255, 255] }), ['ccwccc']);
  });

  it('leaves what is not painted transparent, by the old name too', async () => {
    const parsing = await twoPeople();
    for (const [mode, background] of [
      ['map', 'remove'],
      ['map', 'transparent'],
      ['overlay', 'remove'],
      ['overlay', 'transparent'],
    ] as const) {
      const options = { mode, opacity: 1, colors: COLORS, background } as const;
      const pixels = await pixelsOf((await colorize(parsing, options)).image);
      assert.equal(pixels.channels, 4);
      assert.deepEqual(pixels.at(0, 0), [0, 200, 0, 255], mode);
      assert.deepEqual(pixels.at(2, 0), [0, 0, 0, 0], mode);
      const webp = await colorize(parsing, { ...options, format: 'webp' });
      assert.equal((await sharp(webp.image).metadata()).hasAlpha, true, mode);
    }
  });

  it('makes the background of an overlay darker', async () => {
    const parsing = await twoPeople();
    for (const [dim, factor] of [
      [undefined, 0.4],
      [0.25, 0.75],
      [1, 0],
    ] as const) {
      const options = { mode: 'overlay', opacity: 0.5, colors: COLORS, background: 'dim', dim } as const;
      const pixels = await pixelsOf((await colorize(parsing, options)).image);
      const dark = sourceColor(3, 2).map((value) => Math.round(value * factor));
      assert.deepEqual(pixels.at(3, 2), dark);
      // What is painted lies on the source as it is.
      const [red, green, blue] = sourceColor(0, 0);
      assert.deepEqual(pixels.at(0, 0), [
        Math.round(red / 2),
        Math.round((green + 200) / 2),
        Math.round(blue / 2),
      ]);
    }
  });

  it('puts the background of an overlay out of focus, and nothing that is painted', async () => {
    const [width, height] = [60, 20];
    const stripes = paint(width, height, (x) => (Math.floor(x / 2) % 2 === 0 ? [0, 0, 0] : [255, 255, 255]));
    const image = await sharp(stripes, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer();
    const rows = Array<string>(height).fill(`${'#'.repeat(20)}${'.'.repeat(40)}`);
    const parsing = await parsingOf({ width, height, labels: LABELS, image, parts: [{ index: 1, rows }] });
    const options = { mode: 'overlay', opacity: 0, background: 'blur' } as const;
    const pixels = await pixelsOf((await colorize(parsing, { ...options, blurRadius: 6 })).image);
    for (let x = 0; x < 20; x++) assert.deepEqual(pixels.at(x, 10), x % 4 < 2 ? [0, 0, 0] : [255, 255, 255]);
    for (let x = 25; x < 50; x++) {
      const [red] = pixels.at(x, 10);
      assert.ok(red! > 100 && red! < 155, `${red} at ${x}`);
    }
    // 1.5 % of 60 pixels is less than a stripe.
    const [sharper] = (await pixelsOf((await colorize(parsing, options)).image)).at(40, 10);
    assert.ok(sharper! < 90 || sharper! > 165, `${sharper}`);
  });

  it('has no source to change where there are only colours', async () => {
    const parsing = await twoPeople();
    for (const background of ['dim', 'blur'] as const) {
      assert.deepEqual(await draw(parsing, { background }), await draw(parsing, {}));
    }
  });

  it('paints the parts of each person in shades of one hue', async () => {
    const parsing = await twoPeople();
    const pixels = await pixelsOf((await colorize(parsing, { by: 'person-part' })).image);
    assert.deepEqual(pixels.at(0, 0), [...personPartColor(1, 2)]);
    assert.deepEqual(pixels.at(0, 1), [...personPartColor(1, 3)]);
    assert.deepEqual(pixels.at(7, 0), [...personPartColor(2, 2)]);
    assert.deepEqual(pixels.at(4, 0), [...personPartColor(0, 1)]);
    assert.deepEqual(pixels.at(2, 0), [0, 0, 0]);
    // By part, whole persons are not painted, and two labels have a line between them.
    const lines = await pixelsOf((await colorize(parsing, { by: 'person-part', contours: 1 })).image);
    assert.deepEqual(lines.at(0, 0), [255, 255, 255]);
  });

  describe('with numbers as pixels', () => {
    const numbers = async (parsing: Parsing, options: ColorizeOptions): Promise<string[]> => {
      const { image, ...facts } = await colorize(parsing, options);
      assert.deepEqual(facts, { width: parsing.width, height: parsing.height, mime: 'image/png' });
      const { data, width } = readLabelPng(image, 'test');
      const rows = data.length / width;
      return Array.from({ length: rows }, (_, y) => [...data.subarray(y * width, (y + 1) * width)].join(' '));
    };

    it('writes label indices, in grey and with the palette', async () => {
      const parsing = await twoPeople();
      const parts = ['2 2 0 0 1 0 2 2', '3 3 0 0 0 0 2 2', '3 3 0 0 0 0 0 0', '3 3 0 0 0 0 0 0'];
      const map = ['1 1 0 0 0 0 2 2', '2 2 0 0 0 0 2 2', '3 3 0 0 0 0 3 3', '3 3 0 0 0 0 3 0'];
      for (const mode of ['labels', 'indexed'] as const) {
        assert.deepEqual(await numbers(parsing, { mode }), parts, mode);
        assert.deepEqual(await numbers(parsing, { mode, paint: 'map' }), map, mode);
        // Persons have no numbers here, and lines and names would be wrong ones.
        const drawn = { by: 'person', contours: 3, names: true, legend: 'below' } as const;
        assert.deepEqual(await numbers(parsing, { mode, ...drawn }), parts, mode);
        assert.deepEqual((await numbers(parsing, { mode, labels: ['Coat'] }))[0], '0 0 0 0 0 0 0 0');
      }
      const { image } = await colorize(parsing, { mode: 'indexed', colors: COLORS });
      assert.deepEqual((await pixelsOf(image)).rows(LEGEND), [
        'ff..h.ff',
        'cc....ff',
        'cc......',
        'cc......',
      ]);
      assert.deepEqual(
        [
          ...(await sharp((await colorize(parsing, { mode: 'labels' })).image)
            .toColourspace('b-w')
            .raw()
            .toBuffer()),
        ].slice(0, 8),
        [2, 2, 0, 0, 1, 0, 2, 2],
      );
    });

    it('writes the ids of persons', async () => {
      const parsing = await twoPeople();
      const parts = ['1 1 0 0 0 0 2 2', '1 1 1 0 0 0 2 2', '1 1 0 0 0 0 2 2', '1 1 0 0 0 0 2 2'];
      assert.deepEqual(await numbers(parsing, { mode: 'persons' }), parts);
      assert.deepEqual(await numbers(parsing, { mode: 'persons', paint: 'map' }), parts);
    });

    it('writes 255 for a label index without a name', async () => {
      const labels = ['Background', 'Hair'];
      const parsing = await parsingOf({ width: 3, height: 1, labels, labelRows: ['01z'] });
      assert.deepEqual(await numbers(parsing, { mode: 'labels', paint: 'map' }), ['0 1 255']);
    });
  });

  it('writes png, jpeg and webp', async () => {
    const parsing = await twoPeople();
    for (const format of ['png', 'jpeg', 'webp'] as const) {
      const { image, ...facts } = await colorize(parsing, { format });
      assert.equal(formatOf(image), format);
      assert.deepEqual(facts, { width: 8, height: 4, mime: `image/${format}` });
      const { width, height } = await sharp(image).metadata();
      assert.deepEqual([width, height], [8, 4]);
    }
    assert.equal(formatOf((await colorize(parsing)).image), 'png');
  });

  it('passes the quality on', async () => {
    const parsing = await parsingOf({ width: 64, height: 64, labels: LABELS });
    const size = async (quality: number): Promise<number> =>
      (await colorize(parsing, { mode: 'overlay', format: 'jpeg', quality })).image.length;
    assert.ok((await size(95)) > 1.5 * (await size(20)));
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
      parts: [{ index: 1, rows: ['..#', '...'] }],
    });
    const pixels = await pixelsOf(
      (await colorize(parsing, { mode: 'overlay', opacity: 1, colors: COLORS })).image,
    );
    assert.deepEqual([pixels.width, pixels.height], [3, 2]);
    for (let y = 0; y < 2; y++) {
      for (let x = 0; x < 3; x++) {
        const expected = x === 2 && y === 0 ? [200, 0, 0] : [100 * y, 50 * (2 - x), 77];
        assert.deepEqual(pixels.at(x, y), expected, `${x}, ${y}`);
      }
    }
  });

  it('needs the picture only for an overlay', async () => {
    const parsing = { ...(await twoPeople()), image: Buffer.from('not a picture') };
    await colorize(parsing);
    await assert.rejects(colorize(parsing, { mode: 'overlay' }), { code: 'M2FP_UNSUPPORTED_FORMAT' });
  });

  it('refuses a picture of another size than the parsing', async () => {
    const parsing = await twoPeople();
    for (const [width, height] of [
      [4, 8],
      [9, 4],
      [2, 2],
    ] as const) {
      const { image } = await parsingOf({ width, height, labels: LABELS });
      await assert.rejects(colorize({ ...parsing, image }, { mode: 'overlay' }), {
        code: 'M2FP_NO_PARSING',
        message: /8 x 4/,
      });
    }
  });

  it('refuses what is no parsing', async () => {
    for (const value of [undefined, null, 'parsing', {}, { parts: [] }]) {
      await assert.rejects(colorize(value as unknown as Parsing), {
        code: 'M2FP_NO_PARSING',
        message: /wire an M2FP infer node before this node/,
      });
    }
  });

  it('refuses a damaged mask', async () => {
    const parsing = await twoPeople();
    parsing.parts[0]!.mask.counts = '~~~';
    await assert.rejects(colorize(parsing), { code: 'M2FP_NO_PARSING' });
  });

  const bad: [name: keyof ColorizeOptions, options: object, message: RegExp][] = [
    ['mode', { mode: 'blend' }, /"mode" is "blend"; allowed: map, overlay, labels, indexed, persons\./],
    ['opacity', { opacity: 1.5 }, /"opacity" is 1.5; allowed: a number from 0 to 1\./],
    ['opacity', { opacity: '0.5' }, /"opacity" is "0.5"/],
    ['opacity', { opacity: Number.NaN }, /"opacity" is NaN/],
    ['contours', { contours: -1 }, /"contours" is -1; allowed: a whole number from 0 to 64\./],
    ['contours', { contours: 1.5 }, /"contours" is 1.5/],
    ['contours', { contours: 65 }, /"contours" is 65/],
    ['contourColor', { contourColor: 'whitish' }, /"contourColor" is "whitish"; allowed: "#rgb"/],
    [
      'labels',
      { labels: 'Hair' },
      /"labels" is "Hair"; allowed: a list of Background, Hair, Face, Coat, Human\./,
    ],
    ['labels', { labels: ['Hair', 'Tail'] }, /"labels" is "Tail"; allowed: a list of Background, Hair/],
    ['labels', { labels: [1] }, /"labels" is 1/],
    ['by', { by: 'part' }, /"by" is "part"; allowed: label, person, person-part\./],
    ['paint', { paint: 'all' }, /"paint" is "all"; allowed: parts, map\./],
    [
      'background',
      { background: 'fog' },
      /"background" is "fog"; allowed: keep, dim, blur, remove, transparent\./,
    ],
    ['dim', { dim: 1.1 }, /"dim" is 1.1; allowed: a number from 0 to 1\./],
    ['blurRadius', { blurRadius: 501 }, /"blurRadius" is 501; allowed: a number from 0 to 500\./],
    ['names', { names: 'yes' }, /"names" is "yes"; allowed: true, false\./],
    ['scores', { scores: 1 }, /"scores" is 1; allowed: true, false\./],
    ['legend', { legend: 'left' }, /"legend" is "left"; allowed: none, beside, below\./],
    ['textSize', { textSize: 201 }, /"textSize" is 201; allowed: a number from 0 to 200\./],
    [
      'format',
      { format: 'webp', mode: 'indexed' },
      /"format" is "webp"; allowed: png where "mode" is "indexed"/,
    ],
    ['format', { format: 'gif' }, /"format" is "gif"; allowed: png, jpeg, webp\./],
    ['format', { format: 'jpeg', background: 'transparent' }, /"format" is "jpeg"; allowed: png or webp/],
    [
      'format',
      { format: 'jpeg', background: 'remove' },
      /allowed: png or webp where "background" is "remove"/,
    ],
    ['quality', { quality: 0 }, /"quality" is 0; allowed: a whole number from 1 to 100\./],
    ['quality', { quality: null }, /"quality" is null/],
    ['palette', { palette: 'none' }, /"palette" is "none"; allowed: auto/],
    ['colors', { colors: { Tail: 'red' } }, /"colors" is "Tail"/],
  ];
  for (const [name, options, message] of bad) {
    it(`refuses a wrong ${name}: ${JSON.stringify(options)}`, async () => {
      await assert.rejects(colorize(await twoPeople(), options), { code: 'M2FP_BAD_OPTION', message });
    });
  }

  it('refuses an option that it does not have', async () => {
    await assert.rejects(colorize(await twoPeople(), { colour: 'red' } as object), {
      code: 'M2FP_BAD_OPTION',
      message: /no option "colour"; allowed: mode, opacity, contours,/,
    });
  });

  it('writes nothing into the parsing', async () => {
    const parsing = await twoPeople();
    const before = structuredClone(parsing);
    for (const mode of ['map', 'overlay'] as const) {
      for (const paintFrom of ['map', 'parts'] as const) {
        await colorize(parsing, { mode, paint: paintFrom, by: 'person', contours: 2 });
      }
    }
    assert.deepEqual(structuredClone(parsing), before);
  });

  describe('on a large picture', () => {
    const width = 2000;
    const height = 1000;
    let parsing: Parsing;

    before(async () => {
      const image = await sharp({ create: { width, height, channels: 3, background: '#446688' } })
        .png({ compressionLevel: 1 })
        .toBuffer();
      const rows = Array<string>(height).fill('#'.repeat(width));
      parsing = await parsingOf({ width, height, labels: LABELS, image, parts: [{ index: 1, rows }] });
    });

    /** How often a loop let the event loop turn. */
    async function turns(options: ColorizeOptions): Promise<number> {
      let count = 0;
      const hook = createHook({ init: (_id, type) => (count += type === 'Immediate' ? 1 : 0) }).enable();
      try {
        await colorize(parsing, options);
      } finally {
        hook.disable();
      }
      return count;
    }

    it('lets the event loop turn while it paints, outlines and draws', async () => {
      const parts = await turns({});
      const map = await turns({ paint: 'map' });
      const overlay = await turns({ mode: 'overlay' });
      const outlined = await turns({ contours: 3 });
      // Bands of a million steps, 2 million pixels: painting takes 4 (parts) or 3 (map) steps a pixel, drawing 4 (map)
      // or 6 (overlay), finding and thickening contours 3 in each of four passes.
      assert.ok(parts >= 12, `parts: ${parts} turns`);
      assert.ok(map >= 10, `map: ${map} turns`);
      assert.ok(overlay >= 15, `overlay: ${overlay} turns`);
      assert.ok(outlined - parts >= 20, `contours: ${outlined - parts} turns`);
    }).timeout(60_000);
  });
});
