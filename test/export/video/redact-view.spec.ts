/** What is hidden in the frames beside a parsed one. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { RawImage } from '../../../src/image/types.ts';
import { RedactView } from '../../../src/export/video/redact-view.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import type { TrackedParsing } from '../../../src/people/track/types.ts';
import { parsingOf, type Rows } from '../../parsing/scene.ts';

const LABELS = ['Background', 'Face', 'Coat', 'Human'];
const [WIDTH, HEIGHT] = [48, 16];
const FACE = 3;
const MAGENTA = [255, 0, 255];
const OPTIONS = { method: 'fill', color: '#ff00ff', grow: 1 } as const;

type Place = { x: number; y: number };

function rows(x: number, y: number, width: number, height: number): Rows {
  return Array.from({ length: HEIGHT }, (_, row) =>
    Array.from({ length: WIDTH }, (_unused, column) =>
      row >= y && row < y + height && column >= x && column < x + width ? '#' : '.',
    ).join(''),
  );
}

/** People with a face above a coat; each has the number of its place in the list. */
async function frameOf(
  places: readonly (Place | null)[],
  more: Partial<Parsing> = {},
): Promise<TrackedParsing> {
  const there = places.flatMap((place, i) => (place === null ? [] : [{ ...place, track: i + 1 }]));
  const parsing = await parsingOf({
    labels: LABELS,
    width: WIDTH,
    height: HEIGHT,
    persons: there.map(({ x, y }) => ({ score: 0.9, rows: rows(x, y, FACE, 2 * FACE) })),
    parts: there.flatMap(({ x, y }, i) => [
      { index: 1, person: i + 1, score: 0.9, rows: rows(x, y, FACE, FACE) },
      { index: 2, person: i + 1, score: 0.9, rows: rows(x, y + FACE, FACE, FACE) },
    ]),
  });
  const persons = parsing.persons.map((person, i) => ({ ...person, track: there[i]!.track }));
  return { ...parsing, ...more, persons, doubtful: { persons: [], parts: [] } };
}

const grey = (): RawImage => ({
  width: WIDTH,
  height: HEIGHT,
  channels: 3,
  data: Buffer.alloc(3 * WIDTH * HEIGHT, 90),
});

const at = ({ data }: RawImage, x: number, y: number): number[] => [
  ...data.subarray(3 * (y * WIDTH + x), 3 * (y * WIDTH + x) + 3),
];

/** Whether a face at the place is hidden, all of it. */
function isHidden(image: RawImage, { x, y }: Place): boolean {
  for (let dy = 0; dy < FACE; dy++) {
    for (let dx = 0; dx < FACE; dx++) {
      if (at(image, x + dx, y + dy).join() !== MAGENTA.join()) return false;
    }
  }
  return true;
}

const place = fc.record({ x: fc.nat(WIDTH - FACE), y: fc.nat(HEIGHT - 2 * FACE) });

describe('a redacted video', () => {
  const view = new RedactView(LABELS, OPTIONS);

  it('hides the way between two parsed frames, where somebody goes straight', async () => {
    await fc.assert(
      fc.asyncProperty(place, place, fc.integer({ min: 1, max: 9 }), async (from, to, tenths) => {
        const [before, after] = [await frameOf([from]), await frameOf([to])];
        const share = tenths / 10;
        const read = [await view.read(before, 0, 0), await view.read(after, 10, 10 / 5)] as const;
        const { image, isBlack } = await view.drawBetween(grey(), ...read, share);
        const way = (side: keyof Place): number => Math.round(from[side] + (to[side] - from[side]) * share);
        for (const one of [from, to, { x: way('x'), y: way('y') }]) assert.ok(isHidden(image, one));
        assert.equal(isBlack, false);
      }),
      { numRuns: 60 },
    );
  });

  it('hides in a frame what those beside it hide: a face that is missed once does not show', async () => {
    const seen = await view.read(await frameOf([{ x: 5, y: 2 }]), 0, 0);
    const missed = await view.read(await frameOf([null, { x: 30, y: 2 }]), 1, 1 / 5);
    const { image, hidden } = await view.drawParsed(grey(), missed, [seen]);
    assert.ok(isHidden(image, { x: 5, y: 2 }) && isHidden(image, { x: 30, y: 2 }));
    assert.deepEqual(new Set(hidden.map(({ name }) => name)), new Set(['track 1', 'track 2']));
    assert.deepEqual(at(image, 20, 10), [90, 90, 90]);
  });

  it('hides what somebody reaches who is not found again', async () => {
    const before = await view.read(await frameOf([{ x: 20, y: 4 }]), 0, 0);
    const after = await view.read(await frameOf([]), 5, 1);
    const { image } = await view.drawBetween(grey(), before, after, 0.5);
    // In a second, as far as he is tall.
    assert.ok(isHidden(image, { x: 20 - 2 * FACE, y: 4 }) && isHidden(image, { x: 20 + 2 * FACE, y: 4 }));
    assert.deepEqual(at(image, 40, 4), [90, 90, 90]);
  });

  it('hides the way to the edge over which somebody has run out of the picture, or come in', async () => {
    const nobody = await view.read(await frameOf([]), 5, 0.5);
    for (const [x, edge] of [
      [12, 0],
      [WIDTH - FACE - 12, WIDTH - FACE],
    ] as const) {
      for (const time of [0, 1]) {
        const seen = await view.read(await frameOf([{ x, y: 5 }]), 10 * time, time);
        const two = time === 0 ? ([seen, nobody] as const) : ([nobody, seen] as const);
        const { image, hidden } = await view.drawBetween(grey(), ...two, 0.5);
        for (let way = Math.min(x, edge); way <= Math.max(x, edge); way++) {
          assert.ok(isHidden(image, { x: way, y: 5 }), `${x}, ${time}: ${way}`);
        }
        assert.equal(hidden.length, 1);
        // Nobody runs so far.
        assert.deepEqual(at(image, WIDTH / 2, 5), [90, 90, 90]);
      }
    }
  });

  it('hides the way over the upper edge, too, where that is nearer', async () => {
    const seen = await view.read(await frameOf([{ x: 10, y: 5 }]), 0, 0);
    const { image } = await view.drawBetween(grey(), seen, await view.read(await frameOf([]), 2, 0.2), 0.5);
    for (let y = 0; y <= 5; y++) assert.ok(isHidden(image, { x: 10, y }), `${y}`);
  });

  it('does not hide what lies between two people', async () => {
    const before = await view.read(await frameOf([{ x: 2, y: 2 }, null]), 0, 0);
    const after = await view.read(await frameOf([null, { x: 40, y: 2 }]), 4, 4 / 5);
    const { image } = await view.drawBetween(grey(), before, after, 0.5);
    assert.deepEqual(at(image, 21, 3), [90, 90, 90]);
  });

  it('is black where nobody knows who is in a frame', async () => {
    const read = await view.read(await frameOf([{ x: 5, y: 2 }]), 0, 0);
    for (const [before, after] of [
      [undefined, undefined],
      [read, undefined],
      [undefined, read],
    ] as const) {
      // prettier-ignore
      const { image, isBlack, hidden } = await view.drawBetween(grey(), before, after, 0.3);
      assert.ok(isBlack && image.data.every((value) => value === 0));
      assert.deepEqual(hidden, [{ name: null, x: 0, y: 0, width: WIDTH, height: HEIGHT }]);
    }
  });

  it('is black where somebody is not covered and the rule is to drop', async () => {
    const drops = new RedactView(LABELS, { ...OPTIONS, uncovered: 'drop' });
    const uncovered = await frameOf([{ x: 5, y: 2 }]);
    const read = await drops.read({ ...uncovered, parts: [], labelMap: Buffer.alloc(WIDTH * HEIGHT) }, 0, 0);
    const fine = await drops.read(uncovered, 1, 1 / 5);
    assert.ok((await drops.drawParsed(grey(), read, [fine])).isBlack);
    assert.ok((await drops.drawBetween(grey(), fine, read, 0.2)).isBlack);
    assert.ok(!(await drops.drawParsed(grey(), fine, [read])).isBlack);
  });

  it('keeps somebody by the number that stays, whatever the id in a frame', async () => {
    const keeps = new RedactView(LABELS, { ...OPTIONS, keep: 'track 2' });
    const both = await keeps.read(
      await frameOf([
        { x: 5, y: 2 },
        { x: 30, y: 2 },
      ]),
      0,
      0,
    );
    const alone = await keeps.read(await frameOf([null, { x: 30, y: 2 }]), 1, 1 / 5);
    const { image } = await keeps.drawParsed(grey(), both, [alone]);
    assert.ok(isHidden(image, { x: 5, y: 2 }));
    assert.deepEqual(at(image, 31, 3), [90, 90, 90]);
  });

  it('colours another way without hiding more than its own frame', async () => {
    const recolors = new RedactView(LABELS, { method: 'recolor' });
    const [first, second] = [await frameOf([{ x: 5, y: 2 }]), await frameOf([{ x: 30, y: 2 }])];
    const read = [await recolors.read(first, 0, 0), await recolors.read(second, 1, 1 / 5)] as const;
    const { image } = await recolors.drawBetween(grey(), ...read, 0.2);
    assert.notDeepEqual(at(image, 6, 3), [90, 90, 90]);
    assert.deepEqual(at(image, 31, 3), [90, 90, 90]);
  });

  for (const [name, options] of [
    ['method', { method: 'remove' }],
    ['persons', { persons: [1] }],
    ['keep', { keep: '1' }],
    ['keep', { keep: 'zone door' }],
    ['format', { format: 'png' }],
    ['labels', { labels: ['Nose'] }],
  ] as const) {
    it(`refuses ${JSON.stringify(options)}`, () =>
      assert.throws(() => new RedactView(LABELS, options), {
        code: 'M2FP_BAD_OPTION',
        message: new RegExp(`"${name}"`),
      }));
  }
});
