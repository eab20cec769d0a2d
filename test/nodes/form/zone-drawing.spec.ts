import assert from 'node:assert/strict';
import { Drawing } from '../../../nodes/form/zone-drawing.ts';
import { MAX_AREAS, MAX_NAME, MAX_POINTS, readAreas } from '../../../src/people/zones/areas.ts';

describe('what is drawn in a zone editor', () => {
  it('begins with areas that a form may store, each with a name of its own', () => {
    const drawing = new Drawing();
    for (let n = 0; n < MAX_AREAS; n++) assert.ok(drawing.add(n % 2 === 0 ? 'zone' : 'line', 'area'));
    assert.ok(!drawing.add('zone', 'area'));
    assert.deepEqual(readAreas('zones', drawing.areas), drawing.areas);
  });

  it('gives no two areas names that are one without the blanks around them', () => {
    const drawing = new Drawing();
    drawing.add('zone', 'zone');
    drawing.add('zone', 'zone');
    const long = 'a'.repeat(MAX_NAME - 1);
    assert.ok(drawing.rename(0, ` ${long}`));
    assert.ok(!drawing.rename(1, `${long} b`), 'what is cut off leaves a blank at the end');
    assert.deepEqual(readAreas('zones', drawing.areas), drawing.areas);
  });

  it('stays in the picture, however far it is pulled', () => {
    const drawing = new Drawing();
    drawing.add('zone', 'zone');
    const [before] = drawing.areas;
    drawing.movePoint(0, 0, [-3, 7]);
    assert.deepEqual(drawing.areas[0]!.points[0], [0, 1]);
    drawing.undo();
    drawing.move(0, [5, -5]);
    const { points } = drawing.areas[0]!;
    assert.equal(Math.max(...points.map(([x]) => x)), 1);
    assert.equal(Math.min(...points.map(([, y]) => y)), 0);
    // Its shape is the same.
    const width = (list: readonly (readonly [number, number])[]) => list[1]![0] - list[0]![0];
    assert.ok(Math.abs(width(points) - width(before!.points)) < 0.002);
  });

  it('takes a stroke back as one step, and the next one as another', () => {
    const drawing = new Drawing();
    drawing.add('zone', 'zone');
    const [added] = drawing.areas;
    for (const share of [0.31, 0.32, 0.33]) drawing.movePoint(0, 0, [share, share]);
    drawing.endStroke();
    const [moved] = drawing.areas;
    drawing.movePoint(0, 0, [0.5, 0.5]);
    drawing.undo();
    assert.deepEqual(drawing.areas, [moved]);
    drawing.undo();
    assert.deepEqual(drawing.areas, [added]);
    drawing.redo();
    assert.deepEqual(drawing.areas, [moved]);
    // A change ends what could be done again.
    drawing.flip(0);
    assert.ok(!drawing.canRedo);
    for (let n = 0; n < 5; n++) drawing.undo();
    assert.deepEqual([drawing.areas, drawing.chosen, drawing.canUndo], [[], -1, false]);
  });

  it('keeps the corners that an area needs, and no more than it may have', () => {
    const drawing = new Drawing();
    drawing.add('zone', 'zone');
    assert.ok(drawing.removePoint(0, 3));
    assert.ok(!drawing.removePoint(0, 0));
    assert.equal(drawing.addPoint(0, 2), 3);
    const [first, , third, added] = drawing.areas[0]!.points;
    const middle = [0, 1].map((axis) => Math.round(500 * (first![axis]! + third![axis]!)) / 1000);
    assert.deepEqual(added, middle);
    while (drawing.areas[0]!.points.length < MAX_POINTS) drawing.addPoint(0, 0);
    assert.equal(drawing.addPoint(0, 0), undefined);
    drawing.add('line', 'line');
    assert.equal(drawing.addPoint(1, 0), undefined);
    assert.ok(!drawing.removePoint(1, 0));
  });

  it('has names of their own', () => {
    const drawing = new Drawing();
    drawing.add('zone', 'zone');
    drawing.add('zone', 'zone');
    assert.ok(!drawing.rename(0, 'zone 2'));
    assert.ok(!drawing.rename(0, '  '));
    assert.ok(drawing.rename(0, ' door '));
    assert.deepEqual(
      drawing.areas.map(({ name }) => name),
      ['door', 'zone 2'],
    );
    drawing.remove(0);
    assert.equal(drawing.chosen, 0);
  });

  it('never writes into what it was given', () => {
    const given = readAreas('zones', [
      {
        name: 'a',
        points: [
          [0, 0],
          [1, 0],
          [1, 1],
        ],
      },
    ]);
    const before = JSON.stringify(given);
    const drawing = new Drawing(given);
    drawing.movePoint(0, 0, [0.5, 0.5]);
    drawing.addPoint(0, 0);
    drawing.flip(0);
    drawing.rename(0, 'b');
    assert.equal(JSON.stringify(given), before);
  });
});
