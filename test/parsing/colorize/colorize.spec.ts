import assert from 'node:assert/strict';
import sharp from 'sharp';
import { readLabelPng } from '../../../bench/accuracy/label-png.ts';
import { colorize, type ColorizeOptions } from '../../../src/parsing/colorize/colorize.ts';
import { personColor, personPartColor } from '../../../src/parsing/options/palette.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import { COLORS, LABELS, twoPeople } from './colorize-scene.ts';
import { parsingOf, pixelsOf, sourceColor } from '../scene.ts';

const LEGEND = {
  '.': [1, 2, 3],
  h: [200, 0, 0],
  f: [0, 200, 0],
  c: [0, 0, 200],
  p: [200, 200, 0],
  '?': [],
  u: [128, 128, 128],
};

async function draw(parsing: Parsing, options: ColorizeOptions): Promise<string[]> {
  const { image } = await colorize(parsing, { mode: 'map', colors: COLORS, ...options });
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
      (
        await pixelsOf(
          (await colorize(parsing, { mode: 'map', colors: COLORS, by: 'person', ...options })).image,
        )
      ).rows(legend);
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
      parts: [{ index: 1, score: 0.4, rows: ['.#..'] }],
    });
    const colors = { Background: COLORS.Background, Hair: COLORS.Hair };
    assert.deepEqual(await draw(parsing, { colors }), ['.h..']);
    assert.deepEqual(await draw(parsing, { colors, paint: 'map' }), ['.huu']);
    assert.deepEqual(await draw(parsing, { colors, paint: 'map', labels: ['Hair'] }), ['.h..']);
    parsing.labelMap.fill(255);
    assert.deepEqual(await draw(parsing, { colors, paint: 'map' }), ['uuuu']);
  });

  it('paints the PASCAL palette by label index', async () => {
    const { image } = await colorize(await twoPeople(), { mode: 'map', palette: 'pascal' });
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
      (
        await pixelsOf(
          (await colorize(parsing, { mode: 'map', paint: 'map', colors: COLORS, ...options })).image,
        )
      ).rows(legend)[0];
    assert.equal(await line({}), '.hhffhh.');
    assert.equal(await line({ contours: 1 }), 'whwfwhw.');
    assert.equal(await line({ contours: 1, contourColor: [9, 8, 7] }), 'xhxfxhx.');
    assert.equal(await line({ contours: 2 }), 'wwwwwwww');
    assert.equal(await line({ contours: 1, labels: ['Face'] }), '..wfw...');
    // By person a change of label is no border.
    const persons = { w: [255, 255, 255], '.': [1, 2, 3], 1: personColor(1), 2: personColor(2) };
    const { image } = await colorize(parsing, {
      mode: 'map',
      paint: 'map',
      by: 'person',
      contours: 1,
      colors: COLORS,
    });
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
      persons: [{ rows: ['###...'] }, { rows: ['...###'] }],
      parts: [
        { index: 3, person: 1, rows: ['###...'] },
        { index: 3, person: 2, rows: ['...###'] },
      ],
    });
    const { image } = await colorize(parsing, { mode: 'map', contours: 1, colors: COLORS });
    assert.deepEqual((await pixelsOf(image)).rows({ ...LEGEND, w: [255, 255, 255] }), ['ccwccc']);
  });

  for (const background of ['dim', 'blur'] as const) {
    it(`has no source to change where there are only colours: ${background}`, async () => {
      const parsing = await twoPeople();
      assert.deepEqual(await draw(parsing, { background }), await draw(parsing, {}));
    });
  }

  it('paints the parts of each person in shades of one hue', async () => {
    const parsing = await twoPeople();
    const pixels = await pixelsOf((await colorize(parsing, { mode: 'map', by: 'person-part' })).image);
    assert.deepEqual(pixels.at(0, 0), [...personPartColor(1, 2)]);
    assert.deepEqual(pixels.at(0, 1), [...personPartColor(1, 3)]);
    assert.deepEqual(pixels.at(7, 0), [...personPartColor(2, 2)]);
    assert.deepEqual(pixels.at(4, 0), [...personPartColor(0, 1)]);
    assert.deepEqual(pixels.at(2, 0), [0, 0, 0]);
    // By part, whole persons are not painted, and two labels have a line between them.
    const lines = await pixelsOf(
      (await colorize(parsing, { mode: 'map', by: 'person-part', contours: 1 })).image,
    );
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

    it('writes indices with the palette, and in grey', async () => {
      const parsing = await twoPeople();
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
            .toColorspace('b-w')
            .raw()
            .toBuffer()),
        ].slice(0, 8),
        [2, 2, 0, 0, 1, 0, 2, 2],
      );
    });

    for (const mode of ['labels', 'indexed'] as const) {
      it(`writes label indices: ${mode}`, async () => {
        const parsing = await twoPeople();
        const parts = ['2 2 0 0 1 0 2 2', '3 3 0 0 0 0 2 2', '3 3 0 0 0 0 0 0', '3 3 0 0 0 0 0 0'];
        const map = ['1 1 0 0 0 0 2 2', '2 2 0 0 0 0 2 2', '3 3 0 0 0 0 3 3', '3 3 0 0 0 0 3 0'];
        assert.deepEqual(await numbers(parsing, { mode }), parts, mode);
        assert.deepEqual(await numbers(parsing, { mode, paint: 'map' }), map, mode);
        // Persons have no numbers here, and lines and names would be wrong ones.
        const drawn = { by: 'person', contours: 3, names: true, legend: 'below' } as const;
        assert.deepEqual(await numbers(parsing, { mode, ...drawn }), parts, mode);
        assert.deepEqual((await numbers(parsing, { mode, labels: ['Coat'] }))[0], '0 0 0 0 0 0 0 0');
      });
    }

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
});
