import assert from 'node:assert/strict';
import {
  imageThumbnail,
  previewMaps,
  previewSource,
  previewThumbnail,
} from '../../../src/parsing/colorize/preview.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import { formatOf, parsingOf, pixelsOf, sourceColor } from '../scene.ts';

const LABELS = ['Background', 'Hair', 'Coat', 'Human'];

/** A person with hair over a coat, and a doubtful coat of nobody. */
function person(width = 8, height = 4): Promise<Parsing> {
  const rows = (inside: (x: number, y: number) => boolean): string[] =>
    Array.from({ length: height }, (_, y) =>
      Array.from({ length: width }, (_unused, x) => (inside(x, y) ? '#' : '.')).join(''),
    );
  return parsingOf({
    width,
    height,
    labels: LABELS,
    persons: [{ score: 0.9, rows: rows((x) => x < width / 2) }],
    parts: [
      { index: 1, person: 1, score: 0.8, rows: rows((x, y) => x < width / 2 && y < height / 4) },
      { index: 2, person: 1, score: 0.7, rows: rows((x, y) => x < width / 2 && y >= height / 4) },
      { index: 2, person: null, score: 0.2, rows: rows((x) => x === width - 1) },
    ],
  });
}

describe('the preview', () => {
  for (const view of ['overlay', 'map', 'original'] as const) {
    it(`shrinks the ${view} to a JPEG whose longer side is no more than told`, async () => {
      const parsing = await person(64, 32);
      const { image, width, height } = await previewThumbnail(parsing, { view, minScore: 0.3, maxSide: 16 });
      assert.equal(formatOf(image), 'jpeg');
      assert.deepEqual([width, height], [16, 8]);
      const pixels = await pixelsOf(image);
      assert.deepEqual([pixels.width, pixels.height], [16, 8]);
    });
  }

  it('does not enlarge', async () => {
    const { width, height } = await previewSource(await person(), 100);
    assert.deepEqual([width, height], [8, 4]);
  });

  it('tells the largest labels first, with the colours of the overlay', async () => {
    const { legend } = await previewThumbnail(await person(), { view: 'map', minScore: 0.3, maxSide: 8 });
    assert.deepEqual(
      legend.map(({ name }) => name),
      ['Coat', 'Hair'],
    );
    for (const { color } of legend) assert.match(color, /^#[0-9a-f]{6}$/);
  });

  it('shows what a picture shows', async () => {
    const { image } = await person();
    const small = await pixelsOf((await imageThumbnail(image, 8)).image);
    // As near as a JPEG is.
    small.at(3, 2).forEach((value, channel) => assert.ok(Math.abs(value - sourceColor(3, 2)[channel]!) < 40));
  });

  it('has the label and the person of each pixel in its maps', async () => {
    const { maps } = await previewMaps(await person(), 0.3, { width: 8, height: 4 });
    const pixels = await pixelsOf(maps.image);
    assert.deepEqual(pixels.rows({ h: [2, 1, 0], c: [3, 1, 0], '.': [0, 0, 0] }), [
      'hhhh....',
      'cccc....',
      'cccc....',
      'cccc....',
    ]);
  });

  it('takes the nearest pixel for maps of another size', async () => {
    const { maps } = await previewMaps(await person(64, 32), 0.3, { width: 8, height: 4 });
    const pixels = await pixelsOf(maps.image);
    assert.deepEqual(pixels.rows({ h: [2, 1, 0], c: [3, 1, 0], '.': [0, 0, 0] }), [
      'hhhh....',
      'cccc....',
      'cccc....',
      'cccc....',
    ]);
  });

  it('tells shares, persons and parts of the score', async () => {
    const { facts } = await previewMaps(await person(), 0.3, { width: 8, height: 4 });
    assert.deepEqual(
      facts.labels.map(({ code, name, share }) => ({ code, name, share })),
      [
        { code: 3, name: 'Coat', share: 12 / 32 },
        { code: 2, name: 'Hair', share: 4 / 32 },
      ],
    );
    assert.deepEqual(facts.persons, [{ id: 1, score: 0.9, box: { x: 0, y: 0, width: 4, height: 4 } }]);
    assert.deepEqual(facts.parts, [
      { label: 'Hair', person: 1, score: 0.8 },
      { label: 'Coat', person: 1, score: 0.7 },
    ]);
    assert.deepEqual([facts.width, facts.height, facts.model], [8, 4, 'test']);
    const all = await previewMaps(await person(), 0, { width: 8, height: 4 });
    assert.equal(all.facts.parts.length, 3);
  });
});
