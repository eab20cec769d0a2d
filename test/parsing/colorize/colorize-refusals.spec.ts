/** What colouring refuses, and leaves alone. */
import assert from 'node:assert/strict';
import { colorize, type ColorizeOptions } from '../../../src/parsing/colorize/colorize.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import { LABELS, twoPeople } from './colorize-scene.ts';
import { parsingOf } from '../scene.ts';

describe('colorize', () => {
  for (const [width, height] of [
    [4, 8],
    [9, 4],
    [2, 2],
  ] as const) {
    it(`refuses a picture of ${width} x ${height} where the parsing has another size`, async () => {
      const parsing = await twoPeople();
      const { image } = await parsingOf({ width, height, labels: LABELS });
      await assert.rejects(colorize({ ...parsing, image }, { mode: 'overlay' }), {
        code: 'M2FP_NO_PARSING',
        message: /8 x 4/,
      });
    });
  }

  for (const value of [undefined, null, 'parsing', {}, { parts: [] }]) {
    it(`refuses what is no parsing: ${JSON.stringify(value)}`, async () => {
      await assert.rejects(colorize(value as unknown as Parsing), {
        code: 'M2FP_NO_PARSING',
        message: /wire an M2FP infer node before this node/,
      });
    });
  }

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
    ['labels', { labels: 3 }, /"labels" is 3; allowed: a list of Background, Hair, Face, Coat, Human\./],
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
});
