/** What cropping refuses, and leaves alone. */
import assert from 'node:assert/strict';
import { type CropOptions, crop } from '../../../src/parsing/crop/crop.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import { LABELS, twoPeople } from './crop-scene.ts';
import { parsingOf } from '../scene.ts';

describe('crop', () => {
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
    ['labels', { labels: 3 }, /"labels" is 3; allowed: a list of Background, Cap\/Hat/],
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
    ['minArea', { minArea: -1 }, /"minArea" is -1; allowed: a number of pixels from 0, or a text/],
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
    ['scale', { scale: 'half' }, /"scale" is "half"; allowed: none, max, exact, canvas\./],
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

  it('takes a blank fill for none, as the form does', async () => {
    const crops = await crop(await twoPeople(), { fill: '' });
    assert.deepEqual(crops, await crop(await twoPeople(), {}));
  });

  it('refuses an option that it does not have', async () => {
    await assert.rejects(crop(await twoPeople(), { border: 3 } as object), {
      code: 'M2FP_BAD_OPTION',
      message: /no option "border"; allowed: what, labels, groups, mode/,
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
});
