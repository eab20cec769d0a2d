/** Names, scores and the legend, as colorize draws them. */
import assert from 'node:assert/strict';
import { drawCaptions } from '../../../src/parsing/colorize/captions.ts';
import { colorize, type ColorizeOptions } from '../../../src/parsing/colorize/colorize.ts';
import { readColorizeOptions } from '../../../src/parsing/colorize/colorize-options.ts';
import { Drawing, textWidth } from '../../../src/parsing/colorize/drawing.ts';
import { readableLabel } from '../../../src/parsing/colorize/label-text.ts';
import { layOutLegend, legendEntries, shareText } from '../../../src/parsing/colorize/legend.ts';
import { personColor } from '../../../src/parsing/options/palette.ts';
import type { ShownRegion } from '../../../src/parsing/colorize/regions.ts';
import type { Box, Parsing } from '../../../src/parsing/types.ts';
import { parsingOf, pixelsOf, sourceColor } from '../scene.ts';

const LABELS = ['Background', 'Hair', 'Coat', 'Human'];
const COLORS = { Background: '#000000', Hair: '#c80000', Coat: '#0000c8' };
const [WIDTH, HEIGHT] = [200, 100];

/** Hair (0.8 and 0.4, of the first person) above a coat (0.6, of the second), and a coat of nobody. */
async function scene(): Promise<Parsing> {
  const rows = (left: number, top: number, width: number, height: number): string[] =>
    Array.from({ length: HEIGHT }, (_, y) => {
      const inside = y >= top && y < top + height;
      return `${'.'.repeat(left)}${(inside ? '#' : '.').repeat(width)}${'.'.repeat(WIDTH - left - width)}`;
    });
  return parsingOf({
    width: WIDTH,
    height: HEIGHT,
    labels: LABELS,
    persons: [
      { score: 0.9, rows: rows(0, 0, 100, 40) },
      { score: 0.7, rows: rows(0, 50, 200, 50) },
    ],
    parts: [
      { index: 1, person: 1, score: 0.8, rows: rows(0, 0, 80, 40) },
      { index: 1, person: 1, score: 0.4, rows: rows(80, 0, 20, 40) },
      { index: 2, person: 2, score: 0.6, rows: rows(0, 50, 150, 50) },
      { index: 2, person: null, score: 0.5, rows: rows(180, 60, 10, 10) },
    ],
  });
}

class Recorder extends Drawing {
  readonly boxes: Box[] = [];
  readonly texts: string[] = [];

  override rect(box: Box, look: Parameters<Drawing['rect']>[1]): void {
    this.boxes.push(box);
    super.rect(box, look);
  }

  override text(...[text, ...place]: Parameters<Drawing['text']>): void {
    this.texts.push(text);
    super.text(text, ...place);
  }
}

function region(code: number, person: number, area: number, x = 100, y = 50): ShownRegion {
  return { code, person, area, x, y };
}

async function captions(options: ColorizeOptions, regions: ShownRegion[]): Promise<Recorder> {
  const drawing = new Recorder();
  drawCaptions(drawing, regions, await scene(), readColorizeOptions(LABELS, options), 12);
  return drawing;
}

describe('a label', () => {
  const readable: [string, string][] = [
    ['UpperClothes', 'Upper clothes'],
    ['Upper-clothes', 'Upper clothes'],
    ['upper_clothes', 'Upper clothes'],
    ['Left-arm', 'Left arm'],
    ['Torso-skin', 'Torso skin'],
    ['Face', 'Face'],
    ['ID-Card', 'ID card'],
    ['头发', '头发'],
    ['левая рука', 'Левая рука'],
    ['grade 5-6', 'Grade 5-6'],
  ];
  for (const [label, text] of readable) {
    it(`is written as people write it: ${label}`, () => {
      assert.equal(readableLabel(label), text);
    });
  }
});

describe('names and scores', () => {
  const regions = [region(2, 1, 500, 50, 20), region(3, 2, 900, 75, 75), region(3, 0, 100, 185, 65)];

  it('name what is shown, with the best score that belongs to it', async () => {
    assert.deepEqual((await captions({ names: true }, regions)).texts, ['Coat', 'Hair', 'Coat']);
    assert.deepEqual((await captions({ names: true, scores: true }, regions)).texts, [
      'Coat 0.60',
      'Hair 0.80',
      'Coat 0.50',
    ]);
    assert.deepEqual((await captions({ scores: true }, regions)).texts, ['0.60', '0.80', '0.50']);
    assert.deepEqual((await captions({ names: true, by: 'person-part' }, regions)).texts, [
      'Coat',
      'Hair',
      'Coat',
    ]);
  });

  it('are readable, in the legend, too, and in the script of the model', async () => {
    const parsing = { ...(await scene()), labels: ['背景', 'UpperClothes', '外套', 'Human'] };
    const plan = readColorizeOptions(parsing.labels, { names: true });
    const drawing = new Recorder();
    drawCaptions(drawing, regions, parsing, plan, 12);
    assert.deepEqual(drawing.texts, ['外套', 'Upper clothes', '外套']);
    assert.deepEqual(
      legendEntries(regions, parsing, plan).map(({ name }) => name),
      ['Upper clothes', '外套'],
    );
    const { image } = await colorize(parsing, { names: true, legend: 'below', textSize: 16 });
    const other = { ...parsing, labels: ['背景', 'UpperClothes', '外衣', 'Human'] };
    const { image: another } = await colorize(other, { names: true, legend: 'below', textSize: 16 });
    assert.notDeepEqual(image, another);
  });

  it('number the persons where it goes by person, and not what is nobody’s', async () => {
    const both = await captions({ names: true, scores: true, by: 'person' }, [
      region(1, 1, 500, 50, 20),
      region(1, 2, 900, 75, 75),
      region(1, 0, 100),
    ]);
    assert.deepEqual(both.texts, ['#2 0.70', '#1 0.90']);
  });

  it('stay inside the picture and off each other; what has no room is left out', async () => {
    const corner = await captions({ names: true }, [region(2, 1, 500, 0, 0), region(3, 2, 900, 199, 99)]);
    for (const { x, y, width, height } of corner.boxes) {
      assert.ok(x >= 0 && y >= 0 && x + width <= WIDTH && y + height <= HEIGHT);
    }
    const crowd = await captions(
      { names: true },
      Array.from({ length: 9 }, (_, i) => region(2, i + 1, 100 - i)),
    );
    assert.equal(crowd.boxes.length, 3);
    crowd.boxes.forEach((a, i) =>
      crowd.boxes.slice(i + 1).forEach((b) => assert.ok(a.y + a.height <= b.y || b.y + b.height <= a.y)),
    );
    const large = new Recorder();
    drawCaptions(large, regions, await scene(), readColorizeOptions(LABELS, { names: true }), 150);
    assert.deepEqual(large.texts, []);
  });

  it('lie on the picture in the colour of the part, and change nothing else', async () => {
    const parsing = await scene();
    const options = { mode: 'overlay', colors: COLORS, opacity: 0.5 } as const;
    const plain = await pixelsOf((await colorize(parsing, options)).image);
    const named = await pixelsOf((await colorize(parsing, { ...options, names: true, textSize: 12 })).image);
    assert.equal(named.channels, 3);
    let changed = 0;
    for (let y = 0; y < HEIGHT; y++) {
      for (let x = 0; x < WIDTH; x++) if (plain.at(x, y).join() !== named.at(x, y).join()) changed++;
    }
    // Two boxes of "Hair" and "Coat", and the coat of nobody.
    const box = (textWidth('Hair', 12) + textWidth('Coat', 12) * 2 + 3 * 8) * 16;
    assert.ok(changed > box / 2 && changed < box * 1.2, `${changed} of ${box} pixels`);
    assert.deepEqual(named.at(199, 0), sourceColor(199, 0));
    // The middle of the hair is white on red, or red.
    const [red, green] = named.at(34, 20) as [number, number];
    assert.ok(red > 150 && (green < 110 || green > 140), `${red}, ${green}`);
  });

  it('keep a removed background clear', async () => {
    const { image } = await colorize(await scene(), { mode: 'map', background: 'remove', names: true });
    const pixels = await pixelsOf(image);
    assert.equal(pixels.channels, 4);
    assert.deepEqual(pixels.at(199, 0), [0, 0, 0, 0]);
    assert.equal(pixels.at(5, 5)[3], 255);
  });
});

describe('the legend', () => {
  const regions = [region(2, 1, 4000), region(3, 2, 7500), region(3, 0, 100)];
  const entries = async (options: ColorizeOptions) =>
    legendEntries(regions, await scene(), readColorizeOptions(LABELS, { colors: COLORS, ...options }));

  it('has the labels that occur, with all pixels of each', async () => {
    assert.deepEqual(await entries({}), [
      { name: 'Hair', color: [200, 0, 0], area: 4000 },
      { name: 'Coat', color: [0, 0, 200], area: 7600 },
    ]);
  });

  for (const by of ['person', 'person-part'] as const) {
    it(`has the persons where they have hues, nobody last: ${by}`, async () => {
      assert.deepEqual(await entries({ by }), [
        { name: '#1', color: personColor(1), area: 4000 },
        { name: '#2', color: personColor(2), area: 7500 },
        { name: 'nobody', color: [128, 128, 128], area: 100 },
      ]);
    });
  }

  it('says shares in percent', () => {
    assert.deepEqual(
      [1, 20, 250, 20_000].map((area) => shareText(area, 20_000)),
      ['<0.1 %', '0.1 %', '1.3 %', '100.0 %'],
    );
  });

  it('takes as many columns as it needs beside, and as fit below', () => {
    const rows = Array.from({ length: 20 }, () => ({ name: 'Hair', color: [0, 0, 0] as const, area: 10 }));
    const beside = layOutLegend(rows, { width: 300, height: 110 }, 'beside', 10);
    assert.deepEqual([beside.height, beside.rows, beside.x, beside.y], [110, 5, 300, 0]);
    assert.equal(beside.width, 300 + Math.ceil(4 * beside.columnWidth + 10));
    const below = layOutLegend(rows, { width: 300, height: 110 }, 'below', 10);
    const columns = Math.floor(290 / below.columnWidth);
    assert.deepEqual([below.width, below.rows], [300, Math.ceil(20 / columns)]);
    assert.equal(below.height, 110 + below.rows * 16 + 20);
    assert.deepEqual([below.x, below.y], [0, 110]);
    const tiny = { width: 5, height: 5 };
    assert.equal(layOutLegend(rows, tiny, 'beside', 10).rows, 1);
    assert.equal(layOutLegend(rows, tiny, 'beside', 10).height, 36);
    assert.equal(layOutLegend(rows, tiny, 'below', 10).rows, 20);
  });

  for (const legend of ['beside', 'below'] as const) {
    it(`lies ${legend} the picture, which stays as it is`, async () => {
      const parsing = await scene();
      const { image, width, height } = await colorize(parsing, {
        mode: 'map',
        colors: COLORS,
        legend,
        textSize: 10,
      });
      const plain = await pixelsOf((await colorize(parsing, { mode: 'map', colors: COLORS })).image);
      const pixels = await pixelsOf(image);
      assert.deepEqual([pixels.width, pixels.height, pixels.channels], [width, height, 3]);
      assert.ok(
        legend === 'beside' ? width > WIDTH && height === HEIGHT : width === WIDTH && height > HEIGHT,
      );
      for (const [x, y] of [
        [0, 0],
        [199, 99],
        [100, 45],
        [149, 60],
      ] as const) {
        assert.deepEqual(pixels.at(x, y), plain.at(x, y));
      }
      // The first swatch: red, on white.
      const [x, y] = legend === 'beside' ? [WIDTH + 15, 18] : [15, HEIGHT + 18];
      assert.deepEqual(pixels.at(x, y), [200, 0, 0]);
      assert.deepEqual(pixels.at(width - 1, height - 1), [255, 255, 255]);
    });
  }

  it('is not there where nothing is shown', async () => {
    const { width, height } = await colorize(await scene(), { mode: 'map', labels: [], legend: 'beside' });
    assert.deepEqual([width, height], [WIDTH, HEIGHT]);
  });
});
