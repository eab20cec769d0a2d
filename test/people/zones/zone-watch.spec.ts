import assert from 'node:assert/strict';
import type { Area } from '../../../src/people/zones/areas.ts';
import { crosses, depthIn, sideOf } from '../../../src/people/zones/geometry.ts';
import { type ZoneEvent, ZoneWatch } from '../../../src/people/zones/zone-watch.ts';

const PICTURE = { width: 100, height: 100 };
/** The right half of the picture. */
const ROOM: Area = {
  name: 'room',
  kind: 'zone',
  points: [
    [0.5, 0],
    [1, 0],
    [1, 1],
    [0.5, 1],
  ],
};
/** From top to bottom in the middle of the picture: "in" is to the left, where the arrow points. */
const GATE: Area = {
  name: 'gate',
  kind: 'line',
  points: [
    [0.5, 0.2],
    [0.5, 0.8],
  ],
};
const OPTIONS = { margin: 0.1, dwell: 3 };

/** Somebody of 50 pixels at the places, one after the other, a second apart. */
function walk(
  areas: Area[],
  places: (readonly [x: number, y: number] | undefined)[],
  watch = new ZoneWatch(),
): string[][] {
  return places.map((place, second) => {
    const people = place ? [{ track: 1, feet: { x: place[0], y: place[1] }, height: 50 }] : [];
    return watch.update(areas, people, PICTURE, second * 1000, OPTIONS).map(textOf);
  });
}

function textOf(event: ZoneEvent): string {
  if (event.event === 'cross') return `cross ${event.line} ${event.direction}`;
  const duration = 'duration' in event ? ` after ${event.duration}` : '';
  return `${event.event} ${event.zone}${duration}, ${event.inside} inside`;
}

describe('zones', () => {
  it('tell who comes in, dwells and goes out', () => {
    const watch = new ZoneWatch();
    const events = walk(
      [ROOM],
      [
        [20, 50],
        [60, 50],
        [70, 50],
        [80, 50],
        [85, 50],
        [90, 50],
        [20, 50],
      ],
      watch,
    );
    assert.deepEqual(events, [
      [],
      ['enter room, 1 inside'],
      [],
      [],
      ['dwell room after 3, 1 inside'],
      [],
      ['leave room after 5, 0 inside'],
    ]);
    assert.deepEqual(watch.state(6000).zones, { room: { inside: 0, entered: 1, left: 1, dwell: 0 } });
  });

  it('make no storm of what flickers at an edge', () => {
    // 5 pixels of 50 are the margin.
    const events = walk(
      [ROOM],
      [
        [51, 50],
        [49, 50],
        [51, 50],
        [46, 50],
        [52, 50],
        [47, 50],
        [44, 50],
      ],
    );
    assert.deepEqual(
      events.flat().filter((text) => !text.startsWith('dwell')),
      ['enter room, 1 inside', 'leave room after 6, 0 inside'],
    );
  });

  it('know who is in them, for how long, and let those go who are gone', () => {
    const watch = new ZoneWatch();
    const at = (track: number) => ({ track, feet: { x: 75, y: 50 }, height: 50 });
    watch.update([ROOM], [at(1)], PICTURE, 0, OPTIONS);
    watch.update([ROOM], [at(1), at(2)], PICTURE, 2000, OPTIONS);
    assert.deepEqual(watch.zonesOf(2), ['room']);
    assert.deepEqual(watch.state(2500).zones, { room: { inside: 2, entered: 2, left: 0, dwell: 2.5 } });
    // 1 is not seen any more: gone since 2 s, when it was seen last.
    watch.update([ROOM], [at(2)], PICTURE, 9000, OPTIONS);
    assert.deepEqual(watch.gone(1).map(textOf), ['leave room after 2, 1 inside']);
    assert.deepEqual(watch.gone(1), []);
  });

  it('begin anew where the form has others', () => {
    const watch = new ZoneWatch();
    walk([ROOM], [[75, 50]], watch);
    assert.deepEqual(walk([{ ...ROOM, name: 'hall' }], [[75, 50]], watch), [
      ['leave room after 0, 0 inside', 'enter hall, 1 inside'],
    ]);
    assert.deepEqual(Object.keys(watch.state(0).zones), ['hall']);
  });

  it('are left by all who are in them when the form has them no more, or has a line of that name', () => {
    for (const areas of [[], [GATE], [{ ...GATE, name: 'room' }]]) {
      const watch = new ZoneWatch();
      const at = (track: number) => ({ track, feet: { x: 75, y: 50 }, height: 50 });
      watch.update([ROOM], [at(1), at(2)], PICTURE, 0, OPTIONS);
      watch.update([ROOM], [at(1)], PICTURE, 2000, OPTIONS);
      assert.deepEqual(watch.update(areas, [at(1)], PICTURE, 2500, OPTIONS).map(textOf), [
        'leave room after 2, 1 inside',
        'leave room after 0, 0 inside',
      ]);
      assert.deepEqual([watch.zonesOf(1), watch.gone(1)], [[], []]);
    }
  });
});

describe('lines', () => {
  it('are crossed in both directions', () => {
    const watch = new ZoneWatch();
    const events = walk(
      [GATE],
      [
        [70, 50],
        [30, 50],
        [20, 50],
        [80, 50],
      ],
      watch,
    );
    assert.deepEqual(events, [[], ['cross gate in'], [], ['cross gate out']]);
    assert.deepEqual(watch.state(0).lines, { gate: { in: 1, out: 1 } });
  });

  it('are not crossed by who hovers on them, nor round their ends', () => {
    assert.deepEqual(
      walk(
        [GATE],
        [
          [56, 50],
          [48, 50],
          [52, 50],
          [47, 50],
          [54, 50],
        ],
      ).flat(),
      [],
    );
    assert.deepEqual(
      walk(
        [GATE],
        [
          [70, 90],
          [30, 95],
        ],
      ).flat(),
      [],
    );
    // And who comes back across them has crossed them once.
    assert.deepEqual(
      walk(
        [GATE],
        [
          [70, 90],
          [30, 95],
          [30, 50],
          [70, 50],
        ],
      ).flat(),
      ['cross gate out'],
    );
  });

  it('are crossed by somebody who was hidden on the way', () => {
    assert.deepEqual(walk([GATE], [[70, 50], undefined, undefined, [30, 50]]).flat(), ['cross gate in']);
  });
});

describe('geometry', () => {
  const square = [
    { x: 0, y: 0 },
    { x: 10, y: 0 },
    { x: 10, y: 10 },
    { x: 0, y: 10 },
  ];

  it('tells how deep a point lies in a polygon', () => {
    assert.equal(depthIn(square, { x: 5, y: 5 }), 5);
    assert.equal(depthIn(square, { x: 9, y: 5 }), 1);
    assert.equal(depthIn(square, { x: 13, y: 14 }), -5);
    // A corner that points inwards.
    const dent = [...square, { x: 5, y: 5 }];
    assert.ok(depthIn(dent, { x: 2, y: 5 }) < 0);
    assert.ok(depthIn(dent, { x: 8, y: 5 }) > 0);
  });

  it('tells the side of a line, and what crosses it', () => {
    const [a, b] = [
      { x: 0, y: 0 },
      { x: 10, y: 0 },
    ];
    assert.equal(sideOf(a, b, { x: 3, y: 4 }), 4);
    assert.equal(sideOf(b, a, { x: 3, y: 4 }), -4);
    assert.equal(sideOf(a, a, { x: 3, y: 4 }), 0);
    assert.ok(crosses(a, b, { x: 5, y: -1 }, { x: 5, y: 1 }));
    assert.ok(!crosses(a, b, { x: 15, y: -1 }, { x: 15, y: 1 }));
    assert.ok(!crosses(a, b, { x: 5, y: 2 }, { x: 5, y: 1 }));
  });
});
