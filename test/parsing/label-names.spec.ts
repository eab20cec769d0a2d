/** Whatever a model calls its labels, persons are persons, and labels of one name are one label. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createPipeline } from '../../src/engine/child/pipeline.ts';
import { openSession } from '../../src/engine/child/session.ts';
import { colorize } from '../../src/parsing/colorize/colorize.ts';
import { crop } from '../../src/parsing/crop/crop.ts';
import { mirroredLabels } from '../../src/parsing/postprocess/flip.ts';
import { personIndex } from '../../src/parsing/options/options.ts';
import { resolvePalette } from '../../src/parsing/options/palette.ts';
import { postprocess } from '../../src/parsing/postprocess/postprocess.ts';
import { previewMaps } from '../../src/parsing/colorize/preview.ts';
import { redact } from '../../src/parsing/redact/redact.ts';
import { summarize } from '../../src/parsing/summary.ts';
import type { Parsing } from '../../src/parsing/types.ts';
import { bundledModelFolder } from '../../src/paths.ts';
import { readManifest } from '../../src/store/manifest.ts';
import { parsingOf, pixelsOf } from './scene.ts';
import { manifest, networkInput } from './support.ts';

/** One person with a part, of a model whose labels are `labels`. */
function onePerson(labels: string[]): Promise<Parsing> {
  return parsingOf({
    labels,
    width: 4,
    height: 2,
    labelRows: ['0110', '0000'],
    personRows: ['1110', '1110'],
    persons: [{ score: 0.9, rows: ['###.', '###.'] }],
    parts: [{ index: 1, person: 1, score: 0.8, rows: ['.##.', '....'] }],
  });
}

describe('the label of whole persons', () => {
  for (const name of ['Human', 'person', '人', 'class 2', 'Face']) {
    const labels = ['Background', 'Hair', name];

    it(`is the last one, also where it is "${name}"`, async () => {
      const parsing = await onePerson(labels);
      assert.equal(personIndex(parsing), 2);

      const persons = await crop(parsing, { what: 'person-parts', labels: [name] });
      assert.deepEqual(
        persons.map(({ label, person, area }) => [label, person, area]),
        [[name, 1, 6]],
      );
      const parts = await crop(parsing, { what: 'person-parts' });
      assert.deepEqual(
        parts.map(({ label }) => label),
        ['Hair'],
      );

      const redacted = await redact(parsing, { method: 'remove', labels: [name], grow: 0, format: 'png' });
      const pixels = await pixelsOf(redacted.image);
      assert.deepEqual(
        pixels.rows({ '.': [0, 0, 0, 0] }).map((row) => row.replace(/[^.]/g, '#')),
        ['...#', '...#'],
      );

      for (const paint of ['parts', 'map'] as const) {
        const drawn = await colorize(parsing, {
          mode: 'map',
          paint,
          labels: [name],
          palette: 'distinct',
          colors: { [name]: 'red' },
        });
        const drawnPixels = await pixelsOf(drawn.image);
        const red = drawnPixels.rows({ r: [255, 0, 0] }).map((row) => row.replace(/[^r]/g, '.'));
        assert.deepEqual(red, ['rrr.', 'rrr.'], paint);
      }
    });

    it(`is in no label map where it is "${name}"`, () => {
      const logits = new Float32Array(2 * 4).fill(-30);
      logits[1] = logits[4 + 2] = 9;
      const masks = new Float32Array(2 * 64).fill(9);
      const parsing = postprocess(
        { logits: { data: logits, dims: [2, 4] }, masks: { data: masks, dims: [2, 8, 8] } },
        networkInput({ width: 32, height: 32 }, { width: 8, height: 8 }),
        manifest('multi', labels),
      );
      assert.deepEqual([parsing.persons.length, parsing.parts.map(({ index }) => index)], [1, [1]]);
      assert.deepEqual(new Set(parsing.labelMap), new Set([1]));
    });
  }

  it('makes no difference to what a model finds', async function () {
    this.timeout(60_000);
    const folder = bundledModelFolder();
    const own = await readManifest(folder);
    const session = await openSession(folder, 2);
    try {
      const image = readFileSync(`${folder}/samples/two-people.png`);
      const [human, other] = await Promise.all(
        ['Human', '人'].map(async (name) => {
          const labels = [...own.labels.slice(0, -1), name];
          const found = await createPipeline(session, { ...own, labels }).parse(image, {
            scoreThreshold: 0.5,
          });
          const facts = { image, cached: false, timing: { ...found.timing, queue: 0, total: 0 } };
          const parsing = { ...found, ...facts, model: { ...own, provider: session.provider } };
          const crops = await crop(parsing, { what: 'person-parts', labels: [name] });
          const { area } = await redact(parsing, { labels: [name] });
          return { persons: found.persons, personMap: found.personMap, count: crops.length, area };
        }),
      );
      assert.ok(human!.count >= 2 && human!.area > 0);
      assert.deepEqual(other, human);
    } finally {
      await session.close();
    }
  });

  it('is that of doubtful persons, too', async () => {
    const parsing = await onePerson(['Background', 'Hair', '人']);
    const doubtful = { persons: parsing.persons, parts: [] };
    assert.equal(personIndex({ ...parsing, persons: [], doubtful }), 2);
  });

  it('is none where there are no persons, or where the last label is that of a part', async () => {
    const single = await parsingOf({
      labels: ['Background', 'Human'],
      width: 2,
      height: 1,
      labelRows: ['01'],
      parts: [{ index: 1, rows: ['.#'] }],
    });
    assert.equal(personIndex(single), -1);
    const [found] = await crop(single, { what: 'person-parts' });
    assert.equal(found!.label, 'Human');
    assert.equal(personIndex(await onePerson(['Background', 'Hair'])), -1);
  });
});

describe('labels of one name', () => {
  for (const names of [
    ['Left-arm', 'left arm'],
    ['左臂', '左臂'],
  ] as const) {
    const labels = ['Background', ...names, 'Human'];
    let parsing: Parsing;

    before(async () => {
      parsing = await parsingOf({
        labels,
        width: 4,
        height: 1,
        labelRows: ['0112'],
        parts: [
          { index: 1, score: 0.9, rows: ['.##.'] },
          { index: 2, score: 0.8, rows: ['...#'] },
        ],
      });
    });

    it(`${names.join(' and ')} are chosen, coloured, counted and cut out together`, async () => {
      const [first] = names;
      assert.deepEqual((await summarize(parsing)).shares, { Background: 0.25, [first]: 0.75 });
      const [union, ...more] = await crop(parsing, { what: 'labels', labels: [names[1]] });
      assert.deepEqual([union!.label, union!.area, more.length], [first, 3, 0]);
      const { facts } = await previewMaps(parsing, 0, parsing);
      assert.deepEqual(
        facts.labels.map(({ name, share }) => [name, share]),
        [[first, 0.75]],
      );
      assert.deepEqual(new Set(facts.parts.map(({ label }) => label)), new Set([first]));
    });

    for (const palette of ['auto', 'pascal', 'distinct'] as const) {
      it(`${names.join(' and ')} have one colour in the palette ${palette}`, () => {
        const colors = resolvePalette(labels, { palette });
        assert.deepEqual(colors[1], colors[2], palette);
        assert.notDeepEqual(colors[0], colors[1]);
      });
    }

    it(`${names.join(' and ')} keep their own numbers in pictures of numbers`, async () => {
      const { image } = await colorize(parsing, { mode: 'labels', format: 'png' });
      const pixels = await pixelsOf(image);
      assert.deepEqual(
        [0, 1, 2, 3].map((x) => pixels.at(x, 0)[0]),
        [0, 1, 1, 2],
      );
    });
  }

  it('change places in a mirror one by one', () => {
    assert.deepEqual(mirroredLabels(['left arm', 'Left-arm', 'right arm', 'Right_arm']), [2, 3, 0, 1]);
    assert.deepEqual(mirroredLabels(['left arm', 'Left-arm', 'right arm']), [2, 1, 0]);
    assert.deepEqual(mirroredLabels(['face', 'Face']), [0, 1]);
  });
});
