import assert from 'node:assert/strict';
import {
  agreementOf,
  agreementOverall,
  outlineOf,
  type PictureAgreement,
} from '../../src/parsing/agreement.ts';
import { parsingOf, type Scene } from './scene.ts';

const LABELS = ['Background', 'Hat', 'Hair', 'Human'];

async function outline(scene: Omit<Scene, 'labels' | 'width' | 'height'>, [width, height] = [4, 3]) {
  return outlineOf(await parsingOf({ labels: LABELS, width, height, ...scene }));
}

const close = (found: number | null, expected: number) =>
  assert.ok(found !== null && Math.abs(found - expected) < 1e-12, `${found} instead of ${expected}`);

describe('the agreement of two parsings', () => {
  it('counts equal pixels, and those of the foreground', async () => {
    const a = await outline({ labelRows: ['1100', '2200', '0000'] });
    const b = await outline({ labelRows: ['1000', '2210', '0000'] });
    // Two of twelve differ; of five that are something in either, three are the same.
    const { pixels, foreground } = agreementOf(a, b);
    close(pixels, 10 / 12);
    close(foreground, 3 / 5);
  });

  it('has no foreground to speak of in two empty pictures, and all of it to lose where one is empty', async () => {
    const empty = await outline({});
    const full = await outline({ labelRows: ['1111', '1111', '1111'] });
    assert.deepEqual(agreementOf(empty, empty).foreground, null);
    assert.deepEqual(agreementOf(empty, empty).pixels, 1);
    assert.deepEqual([agreementOf(full, empty).pixels, agreementOf(full, empty).foreground], [0, 0]);
    assert.deepEqual(agreementOf(full, full).foreground, 1);
  });

  it('matches persons by their masks, from an overlap of one half on', async () => {
    const a = await outline({
      persons: [
        { score: 0.9, rows: ['##..', '##..', '....'] },
        { score: 0.8, rows: ['...#', '...#', '....'] },
      ],
    });
    const b = await outline({
      persons: [
        // Shares one pixel of two with the second, whose union is two: just enough.
        { score: 0.7, rows: ['...#', '....', '....'] },
        // Three of five with the first.
        { score: 0.95, rows: ['#...', '##..', '#...'] },
      ],
    });
    const { persons } = agreementOf(a, b);
    assert.deepEqual([persons.reference, persons.other, persons.pairs.length], [2, 2, 2]);
    assert.deepEqual(
      persons.pairs.map(({ iou, scores }) => [iou, ...scores]),
      [
        [3 / 5, 0.9, 0.95],
        [1 / 2, 0.8, 0.7],
      ],
    );
  });

  it('does not match what overlaps by less than half', async () => {
    const a = await outline({ persons: [{ rows: ['###.', '....', '....'] }] });
    const b = await outline({ persons: [{ rows: ['.###', '#...', '....'] }] });
    assert.deepEqual(agreementOf(a, b).persons, { reference: 1, other: 1, pairs: [] });
  });

  it('matches one to one, what overlaps most first', async () => {
    const a = await outline({ persons: [{ score: 0.5, rows: ['####', '....', '....'] }] });
    const b = await outline({
      persons: [
        { score: 0.9, rows: ['###.', '....', '....'] },
        { score: 0.6, rows: ['####', '....', '....'] },
      ],
    });
    assert.deepEqual(agreementOf(a, b).persons, {
      reference: 1,
      other: 2,
      pairs: [{ iou: 1, scores: [0.5, 0.6] }],
    });
  });

  it('matches parts of the same label only', async () => {
    const rows = ['##..', '##..', '....'];
    const a = await outline({ parts: [{ index: 1, rows }] });
    const b = await outline({ parts: [{ index: 2, rows }] });
    assert.deepEqual(agreementOf(a, b).parts, { reference: 1, other: 1, pairs: [] });
    assert.equal(agreementOf(a, a).parts.pairs.length, 1);
  });

  it('leaves out what neither is sure of, and keeps a pair of which one is', async () => {
    const [left, right, low] = [
      ['##..', '....', '....'],
      ['..##', '....', '....'],
      ['....', '....', '####'],
    ];
    const a = await outline({
      parts: [
        { index: 1, score: 0.51, rows: left },
        { index: 1, score: 0.3, rows: right },
        { index: 1, score: 0.2, rows: low },
      ],
    });
    const b = await outline({
      parts: [
        { index: 1, score: 0.49, rows: left },
        { index: 1, score: 0.4, rows: right },
        { index: 2, score: 0.7, rows: low },
      ],
    });
    assert.deepEqual(agreementOf(a, b, 0.5).parts, {
      reference: 1,
      other: 2,
      pairs: [{ iou: 1, scores: [0.51, 0.49] }],
    });
    assert.equal(agreementOf(a, b).parts.pairs.length, 2);
  });

  it('refuses pictures of two sizes', async () => {
    const [a, b] = await Promise.all([outline({}), outline({}, [3, 4])]);
    assert.throws(() => agreementOf(a, b), /4 x 3 pixels cannot be compared with one of 3 x 4/);
  });

  it('sums up pictures, each as much as the other', () => {
    const none = { reference: 0, other: 0, pairs: [] };
    const pictures: PictureAgreement[] = [
      {
        pixels: 0.9,
        foreground: 0.5,
        persons: { reference: 2, other: 1, pairs: [{ iou: 0.75, scores: [0.9, 0.7] }] },
        parts: none,
      },
      {
        pixels: 1,
        foreground: null,
        persons: { reference: 1, other: 2, pairs: [{ iou: 0.5, scores: [0.6, 0.7] }] },
        parts: none,
      },
    ];
    const { persons, parts, ...rest } = agreementOverall(pictures);
    assert.deepEqual(rest, {
      pictures: 2,
      pixels: 0.95,
      medianPixels: 0.95,
      leastPixels: 0.9,
      foreground: 0.5,
    });
    assert.deepEqual([persons.reference, persons.other, persons.matched], [3, 3, 2]);
    close(persons.iou, 0.625);
    close(persons.meanScoreDifference, 0.15);
    close(persons.greatestScoreDifference, 0.2);
    assert.deepEqual(parts, {
      reference: 0,
      other: 0,
      matched: 0,
      iou: null,
      meanScoreDifference: null,
      greatestScoreDifference: null,
    });
  });

  it('says nothing of no pictures', () => {
    const { pictures, pixels, medianPixels, leastPixels, foreground } = agreementOverall([]);
    assert.deepEqual([pictures, pixels, medianPixels, leastPixels, foreground], [0, null, null, null, null]);
  });
});
