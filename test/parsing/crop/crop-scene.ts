/** What the specs of cropping share: two persons, and looks at what was cut out of them. */
import assert from 'node:assert/strict';
import type { Crop } from '../../../src/parsing/crop/crop.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import { parsingOf, pixelsOf, sourceColor } from '../scene.ts';

/** The background, three labels and the whole person. */
export const LABELS = ['Background', 'Cap/Hat', 'Face', 'Coat', 'Human'];

/** Two persons; the second one's parts come first; a hat belongs to nobody; the first has two faces (two pieces). */
export async function twoPeople(): Promise<Parsing> {
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

/** Asserts that each pixel of a crop is the source's where `rows` has '#', and clear elsewhere. */
export async function assertCutout({ image, box }: Crop, rows: readonly string[]): Promise<void> {
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
export async function assertBox({ image, box, width, height }: Crop): Promise<void> {
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
