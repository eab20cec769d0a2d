/** Boxes of people in the frames of a video, as they are drawn and as a table; and people who keep their colours. */
import assert from 'node:assert/strict';
import { BoxesView } from '../../../src/export/video/boxes-view.ts';
import { ColorizeView, withTracksAsIds } from '../../../src/export/video/colorize-view.ts';
import {
  boxesAsRows,
  boxesBetween,
  BOXES_HEAD,
  type PersonBox,
} from '../../../src/export/video/person-boxes.ts';
import { parsingOf } from '../../parsing/scene.ts';

const box = (name: string, x: number, more: Partial<PersonBox> = {}): PersonBox => {
  const track = Number(/^track (\d+)$/.exec(name)?.[1] ?? 0) || null;
  return { name, track, score: 0.9, x, y: 10, width: 20, height: 40, ...more };
};

describe('boxes between two parsed frames', () => {
  const before = [box('track 1', 0), box('track 2', 100)];
  const after = [box('track 1', 40, { height: 20 }), box('track 3', 200)];

  it('move evenly', () => {
    const [first] = boxesBetween(before, after, 0.25);
    assert.deepEqual([first!.x, first!.height], [10, 35]);
    assert.deepEqual(boxesBetween(before, after, 0.75)[0]!.x, 30);
  });

  it('stay where there is only one of them, up to the half of the way', () => {
    const names = (share: number): string[] => boxesBetween(before, after, share).map(({ name }) => name);
    assert.deepEqual(names(0.4), ['track 1', 'track 2']);
    assert.deepEqual(names(0.6), ['track 1', 'track 3']);
  });

  it('are those that are known', () => {
    assert.deepEqual(boxesBetween(undefined, after, 0.1), after);
    assert.deepEqual(boxesBetween(undefined, undefined, 0.1), []);
  });
});

describe('the table of boxes', () => {
  const columns = BOXES_HEAD.trim().split(',');
  const read = (text: string): Record<string, string>[] =>
    text
      .split('\r\n')
      .filter(Boolean)
      .map((line) => {
        const cells = line.split(',');
        assert.equal(cells.length, columns.length);
        return Object.fromEntries(columns.map((name, i) => [name, cells[i]!]));
      });

  it('has a line for each person, and for each hidden area of others', () => {
    const frame = { frame: 7, time: 0.28, isParsed: true, isBlack: false };
    const area = { x: 1, y: 2, width: 3, height: 4 };
    const hidden = [
      { name: 'track 1', ...area },
      { name: 'track 9', ...area },
      { name: null, ...area },
    ];
    const rows = read(
      boxesAsRows({ ...frame, boxes: [box('track 1', 5), box('frame 7, person 2', 6)], hidden }),
    );
    assert.deepEqual(
      rows.map(({ person, x, hidden: isHidden, hidden_width: width }) => [person, x, isHidden, width]),
      [
        ['1', '5', 'true', '3'],
        ['', '6', 'false', ''],
        ['9', '', 'true', '3'],
        ['', '', 'true', '3'],
      ],
    );
    assert.deepEqual([rows[0]!['frame'], rows[0]!['time'], rows[0]!['parsed']], ['7', '0.28', 'true']);
  });

  it('tells that all of a black frame is hidden', () => {
    const hidden = [{ name: null, x: 0, y: 0, width: 64, height: 36 }];
    const rows = read(boxesAsRows({ frame: 1, time: 1, isParsed: false, isBlack: true, boxes: [box('track 1', 5)], hidden })); // prettier-ignore
    assert.deepEqual(rows.map((row) => row['hidden']), ['true', 'true']); // prettier-ignore
  });
});

describe('people of a video', () => {
  const square = ['##....', '##....', '......', '......'];
  const scene = () =>
    parsingOf({
      labels: ['Background', 'Face', 'Human'],
      width: 6,
      height: 4,
      persons: [{ score: 0.9, rows: square }],
      parts: [{ index: 1, person: 1, score: 0.9, rows: square }],
    });

  it('have the same id, and so the same colour, from frame to frame', async () => {
    const { persons, ...parsing } = await scene();
    const numbered = (track: number | null) =>
      withTracksAsIds({
        ...parsing,
        persons: persons.map((person) => ({ ...person, track })),
        doubtful: { persons: [], parts: [] },
      });
    const { persons: people, parts, personMap } = numbered(7);
    assert.deepEqual([people[0]!.id, parts[0]!.person], [7, 7]);
    assert.ok(personMap.every((id) => id === 0 || id === 7));
    assert.ok(numbered(null).persons[0]!.id > 200);
    assert.ok(numbered(100_000).persons[0]!.id <= 200);
  });

  it('get a box with their number', async () => {
    const [width, height] = [120, 90];
    const image = () => ({
      width,
      height,
      channels: 3 as const,
      data: Buffer.alloc(3 * width * height, 128),
    });
    const view = new BoxesView();
    const plain = await view.drawParsed(image(), []);
    assert.ok(plain.image.data.every((value) => value === 128));
    const { image: drawn } = await view.drawParsed(image(), [box('track 1', 30, { y: 30 })]);
    const differs = (x: number, y: number): boolean => drawn.data[3 * (y * width + x)] !== 128 || drawn.data[3 * (y * width + x) + 1] !== 128; // prettier-ignore
    assert.deepEqual([drawn.width, drawn.height, drawn.channels], [width, height, 3]);
    assert.ok(differs(30, 50) && differs(49, 50) && differs(40, 69));
    assert.ok(!differs(40, 50));
  });

  for (const options of [
    { mode: 'labels' },
    { legend: 'beside' },
    { background: 'remove' },
    { format: 'jpeg' },
  ] as const) {
    it(`are not coloured with ${JSON.stringify(options)}`, () =>
      assert.throws(() => new ColorizeView(['Background', 'Face'], options), { code: 'M2FP_BAD_OPTION' }));
  }
});
