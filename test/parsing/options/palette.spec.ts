import assert from 'node:assert/strict';
import cihpLabels from '../../../models/labels/cihp.json' with { type: 'json' };
import lipLabels from '../../../models/labels/lip.json' with { type: 'json' };
import mhpLabels from '../../../models/labels/mhp-v2.json' with { type: 'json' };
import pascalLabels from '../../../models/labels/pascal-person-part.json' with { type: 'json' };
import cihp from '../../../models/palettes/cihp.json' with { type: 'json' };
import lip from '../../../models/palettes/lip.json' with { type: 'json' };
import mhp from '../../../models/palettes/mhp-v2.json' with { type: 'json' };
import pascalPersonPart from '../../../models/palettes/pascal-person-part.json' with { type: 'json' };
import {
  type Rgb,
  UNKNOWN_COLOR,
  hexOf,
  parseColor,
  pascalColor,
  personColor,
  personPartColor,
  resolvePalette,
} from '../../../src/parsing/options/palette.ts';
import { CIHP } from '../support.ts';

const SETS = [
  { set: cihpLabels, table: cihp, size: 21 },
  { set: lipLabels, table: lip, size: 20 },
  { set: pascalLabels, table: pascalPersonPart, size: 8 },
  { set: mhpLabels, table: mhp, size: 60 },
] as const;

function distance(a: Rgb, b: Rgb): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

/** Degrees. */
function hue([r, g, b]: Rgb): number {
  return (Math.atan2(Math.sqrt(3) * (g - b), 2 * r - g - b) * 180) / Math.PI;
}

function hex(color: string): Rgb {
  return parseColor('test', color);
}

describe('label sets and palettes as data', () => {
  for (const { set, table, size } of SETS) {
    it(`${set.name}: ${size} labels, each with a colour of its own`, () => {
      assert.equal(set.labels.length, size);
      assert.equal(set.labels[0], 'Background');
      assert.deepEqual(Object.keys(table), set.labels);
      assert.equal(set.kind, set.humanIndex === null ? 'single' : 'multi');
      assert.equal(set.humanIndex, set.labels.includes('Human') ? size - 1 : null);

      const colors = Object.values(table).map(hex);
      assert.deepEqual(colors[0], [0, 0, 0]);
      colors.push(UNKNOWN_COLOR);
      colors.forEach((a, i) => {
        colors.slice(i + 1).forEach((b, j) => {
          assert.ok(
            distance(a, b) >= 24,
            `${set.labels[i]} and ${set.labels[i + 1 + j] ?? 'unknown'} look alike`,
          );
        });
      });
    });

    it(`${set.name}: left and right are pairs of related hues`, () => {
      const named = set.labels.flatMap((label, index) =>
        label.startsWith('Left-') ? [[index, set.labels.indexOf(label.replace('Left-', 'Right-'))]] : [],
      );
      assert.deepEqual(set.pairs, named);
      const colors = Object.values(table).map(hex);
      for (const [left, right] of named as [number, number][]) {
        const turn = Math.abs(hue(colors[left]!) - hue(colors[right]!));
        assert.ok(Math.min(turn, 360 - turn) < 30, `${set.labels[left]}: ${turn} degrees`);
      }
    });
  }

  it('agree on the colour of a label that several sets have', () => {
    const known = new Map<string, string>();
    for (const { table } of SETS) {
      for (const [label, color] of Object.entries(table)) {
        assert.equal(color, known.get(label) ?? color, label);
        known.set(label, color);
      }
    }
  });

  it('keep the spelling of the data sets', () => {
    assert.deepEqual(cihpLabels.labels, CIHP);
    assert.equal(lipLabels.labels[3], 'Glove');
    assert.equal(lipLabels.labels[10], 'Jumpsuits');
    assert.deepEqual(
      lipLabels.labels.filter((_, i) => i !== 3 && i !== 10),
      CIHP.slice(0, 20).filter((_, i) => i !== 3 && i !== 10),
    );
    assert.equal(mhpLabels.labels[56], 'Other-accessaries');
    assert.equal(mhpLabels.labels[11], 'Jacket/Windbreaker/Hoodie');
    assert.deepEqual(pascalLabels.labels.slice(1, 4), ['Lower-arm', 'Head', 'Upper-leg']);
  });
});

describe('pascalColor', () => {
  it('is the PASCAL VOC colour map', () => {
    // From the VOC2012 development kit's documentation: background, aeroplane ... tvmonitor, and void at 255.
    const published = [
      [0, 0, 0],
      [128, 0, 0],
      [0, 128, 0],
      [128, 128, 0],
      [0, 0, 128],
      [128, 0, 128],
      [0, 128, 128],
      [128, 128, 128],
      [64, 0, 0],
      [192, 0, 0],
      [64, 128, 0],
      [192, 128, 0],
      [64, 0, 128],
      [192, 0, 128],
      [64, 128, 128],
      [192, 128, 128],
      [0, 64, 0],
      [128, 64, 0],
      [0, 192, 0],
      [128, 192, 0],
      [0, 64, 128],
    ];
    assert.deepEqual(
      published.map((_, index) => pascalColor(index)),
      published,
    );
    assert.deepEqual(pascalColor(255), [224, 224, 192]);
  });
});

describe('personColor', () => {
  it('gives neighbours colours that are far apart, the same ones every time', () => {
    const colors = Array.from({ length: 8 }, (_, i) => personColor(i + 1));
    assert.deepEqual(
      colors,
      colors.map((_, i) => personColor(i + 1)),
    );
    for (let i = 1; i < colors.length; i++) assert.ok(distance(colors[i - 1]!, colors[i]!) > 100);
    assert.equal(new Set(colors.map(String)).size, colors.length);
  });

  it('is a reddish colour for the first person and grey for nobody', () => {
    assert.deepEqual(personColor(1), [242, 61, 61]);
    assert.deepEqual(personColor(0), [128, 128, 128]);
  });
});

describe('personPartColor', () => {
  const hueOf = (color: Rgb): number => {
    const [r, g, b] = color;
    const max = Math.max(r, g, b);
    const range = max - Math.min(r, g, b);
    const sector =
      max === r ? ((g - b) / range + 6) % 6 : max === g ? (b - r) / range + 2 : (r - g) / range + 4;
    return sector * 60;
  };

  it('has the hue of the person for every label', () => {
    for (let person = 1; person <= 30; person++) {
      const expected = hueOf(personColor(person));
      for (let index = 0; index < 60; index++) {
        const turn = Math.abs(hueOf(personPartColor(person, index)) - expected);
        assert.ok(Math.min(turn, 360 - turn) < 4, `person ${person}, label ${index}`);
      }
    }
  });

  it('has another shade for every label, far from that of the next', () => {
    const colors = Array.from({ length: 20 }, (_, index) => personPartColor(1, index));
    assert.equal(new Set(colors.map(String)).size, colors.length);
    for (let i = 1; i < colors.length; i++)
      assert.ok(distance(colors[i - 1]!, colors[i]!) > 50, `label ${i}`);
  });

  it('is grey for nobody', () => {
    for (let index = 0; index < 20; index++) {
      const [r, g, b] = personPartColor(0, index);
      assert.ok(r === g && g === b && r > 50 && r < 230);
    }
  });
});

describe('hexOf', () => {
  for (const color of ['#000000', '#0a0b0c', '#ffffff']) {
    it(`is what parseColor reads: ${color}`, () => {
      assert.equal(hexOf(parseColor('', color)), color);
    });
  }
});

describe('resolvePalette', () => {
  it('gives every label index a colour of its own where that is asked for', () => {
    const labels = Array.from({ length: 60 }, (_, i) => `label ${i}`);
    const colors = resolvePalette(labels, { palette: 'distinct' });
    assert.deepEqual(colors[0], [0, 0, 0]);
    assert.equal(new Set(colors.map(String)).size, labels.length);
    for (let i = 1; i < colors.length; i++)
      assert.ok(distance(colors[i - 1]!, colors[i]!) > 60, `label ${i}`);
  });

  it('takes the table that knows most of the labels, whatever their order and spelling', () => {
    // Most labels are in all sets: the best match decides, whatever the order and spelling.
    const shuffled = ['Background', 'GLOVE', 'jumpsuits', 'left arm', 'Hair'];
    assert.deepEqual(
      resolvePalette(shuffled),
      [lip.Background, lip.Glove, lip.Jumpsuits, lip['Left-arm'], lip.Hair].map(hex),
    );
  });

  for (const { set, table } of SETS) {
    it(`takes the table of the label set that the labels are from: ${set.name}`, () => {
      assert.deepEqual(resolvePalette(set.labels), Object.values(table).map(hex), set.name);
    });
  }

  it('makes labels grey that the table does not know', () => {
    assert.deepEqual(
      resolvePalette(['背景', '头发', '脸']),
      resolvePalette(['背景', '头发', '脸'], { palette: 'distinct' }),
    );
    assert.deepEqual(resolvePalette(['Background', 'Hair', 'Tail']), [
      hex(cihp.Background),
      hex(cihp.Hair),
      [128, 128, 128],
    ]);
    assert.deepEqual(resolvePalette(['Background', 'Helmet'], { palette: 'cihp' })[1], [128, 128, 128]);
    assert.deepEqual(resolvePalette(['Background', 'Helmet'], { palette: 'mhp-v2' })[1], hex(mhp.Helmet));
  });

  it('takes the PASCAL palette by index', () => {
    assert.deepEqual(resolvePalette(['x', 'y', 'z'], { palette: 'pascal' }), [
      [0, 0, 0],
      [128, 0, 0],
      [0, 128, 0],
    ]);
  });

  it("puts the user's colours on top, in every way to write one", () => {
    const labels = ['Background', 'Hat', 'Hair', 'Face', 'Left-arm', 'Coat'];
    const colors = { hat: '#f80', HAIR: '#0A141e', Face: [1, 2, 3], left_arm: 'Orange' } as const;
    const expected = [
      hex(cihp.Background),
      [255, 136, 0],
      [10, 20, 30],
      [1, 2, 3],
      [255, 165, 0],
      hex(cihp.Coat),
    ];
    assert.deepEqual(resolvePalette(labels, { colors }), expected);
    assert.deepEqual(resolvePalette(labels, { colors: JSON.stringify(colors) }), expected);
    assert.deepEqual(resolvePalette(labels, { colors: '  ' }), resolvePalette(labels));
  });

  it('gives two labels of one name the same colour of the user', () => {
    assert.deepEqual(
      resolvePalette(['Bag', 'Hat', 'bag'], { palette: 'pascal', colors: { Bag: '#010203' } }),
      [
        [1, 2, 3],
        [128, 0, 0],
        [1, 2, 3],
      ],
    );
  });

  const bad: [name: string, options: unknown, message: RegExp][] = [
    ['an unknown palette', { palette: 'voc' }, /"palette" is "voc"; allowed: auto, pascal, distinct, cihp/],
    ['an unknown option', { colours: {} }, /no option "colours"; allowed: palette, colors/],
    ['options that are a list', [], /"options" is \[\]/],
    [
      'a label that is not there',
      { colors: { Tail: 'red' } },
      /"colors" is "Tail"; allowed: .*Background, Hair/,
    ],
    [
      'a colour of four digits',
      { colors: { Hair: '#1234' } },
      /"colors\["Hair"\]" is "#1234"; allowed: "#rgb"/,
    ],
    ['an unknown name', { colors: { Hair: 'fuchsia-ish' } }, /Hair.*fuchsia-ish.*black, blue/],
    ["a name of the object's prototype", { colors: { Hair: 'constructor' } }, /Hair.*constructor/],
    ['two channels', { colors: { Hair: [1, 2] } }, /Hair.*\[1,2\]/],
    ['four channels', { colors: { Hair: [1, 2, 3, 4] } }, /Hair/],
    ['a channel above 255', { colors: { Hair: [0, 0, 256] } }, /Hair/],
    ['a channel that is no whole number', { colors: { Hair: [0, 0, 0.5] } }, /Hair/],
    ['a number', { colors: { Hair: 0xff0000 } }, /Hair/],
    ['a table that is a list', { colors: [] }, /"colors" is \[\]; allowed: an object/],
    ['text that is no JSON', { colors: '{Hair: red}' }, /"colors" is .*; allowed: a JSON object/],
    ['JSON that is no object', { colors: '7' }, /"colors" is "7"; allowed: an object/],
  ];
  for (const [name, options, message] of bad) {
    it(`refuses ${name}`, () => {
      assert.throws(() => resolvePalette(['Background', 'Hair'], options as object), {
        code: 'M2FP_BAD_OPTION',
        message,
      });
    });
  }
});
