/** Tracking: numbers, events and zones of people who walk. */
import assert from 'node:assert/strict';
import { painted } from '../describe/support.ts';
import { at, COLORS, named, numbers, pictureOf, START, Tracking } from './support.ts';

describe('tracking', () => {
  let tracking: Tracking;
  beforeEach(() => (tracking = new Tracking()));

  it('keeps numbers, whatever the order in which people come', async () => {
    const first = await tracking.track(await pictureOf([at(10), at(100, COLORS[1])]), 0);
    assert.deepEqual(numbers(first), [1, 2]);
    assert.deepEqual(named(first), ['new 1', 'new 2']);
    const second = await tracking.track(await pictureOf([at(98, COLORS[1]), at(14)]), 0.5);
    assert.deepEqual(numbers(second), [2, 1]);
    assert.deepEqual(second.events, []);
    assert.deepEqual(
      second.state.persons.map(({ track: number, id, hidden, since, seen, age }) => [
        number,
        id,
        hidden,
        since,
        seen,
        age,
      ]),
      [
        [1, 2, false, START, START + 500, 0.5],
        [2, 1, false, START, START + 500, 0.5],
      ],
    );
    assert.equal(second.state.count, 2);
    JSON.stringify(second.state);
  });

  it('finds somebody again who was hidden, and lets go who is not seen for too long', async () => {
    await tracking.track(await pictureOf([at(10)]), 0);
    const hidden = await tracking.track(await pictureOf([]), 1);
    assert.deepEqual(
      hidden.state.persons.map(({ hidden: isHidden, id }) => [isHidden, id]),
      [[true, null]],
    );
    assert.deepEqual(numbers(await tracking.track(await pictureOf([at(16)]), 2)), [1]);
    await tracking.track(await pictureOf([]), 4);
    const later = await tracking.track(await pictureOf([]), 8);
    assert.deepEqual(named(later), ['gone 1']);
    assert.deepEqual([later.events[0]!.duration, later.events[0]!.count], [2, 0]);
    assert.deepEqual(numbers(await tracking.track(await pictureOf([at(16)]), 9)), [2]);
  });

  it('counts frames where it shall, and waits for two where frames are rare', async () => {
    for (const goneAfter of [0, 1, 2, 3]) {
      const frames = { goneAfter, goneIn: 'frames' as const };
      const topic = `gone after ${goneAfter}`;
      await tracking.track(await pictureOf([at(10)]), 0, frames, topic);
      // Who is missed in fewer is not gone, whoever is seen in between begins anew, and 0 is as 1.
      const misses = Math.max(1, goneAfter);
      for (let frame = 1; frame < misses; frame++)
        assert.deepEqual(named(await tracking.track(await pictureOf([]), frame, frames, topic)), []);
      assert.deepEqual(named(await tracking.track(await pictureOf([at(10)]), misses, frames, topic)), []);
      const gone = [];
      for (let frame = 1; frame <= misses; frame++)
        gone.push(...named(await tracking.track(await pictureOf([]), misses + frame, frames, topic)));
      assert.deepEqual(gone, ['gone 1'], topic);
      assert.equal((await tracking.track(await pictureOf([]), 2 * misses, frames, topic)).state.count, 0);
    }
    await tracking.track(await pictureOf([at(10)]), 0, {}, 'slow');
    assert.deepEqual(named(await tracking.track(await pictureOf([]), 20, {}, 'slow')), []);
    assert.deepEqual(named(await tracking.track(await pictureOf([]), 40, {}, 'slow')), ['gone 1']);
  });

  it('tells people apart by their clothes where both come out at the other side', async () => {
    const [red, blue] = [COLORS[0]!, COLORS[1]!];
    await tracking.track(await pictureOf([at(20, red), at(120, blue)]), 0);
    await tracking.track(await pictureOf([at(40, red), at(100, blue)]), 1);
    // One behind the other, then apart; each has turned back where the other went on.
    await tracking.track(await pictureOf([at(70, blue)]), 2);
    assert.deepEqual(numbers(await tracking.track(await pictureOf([at(58, red), at(84, blue)]), 3)), [1, 2]);
  });

  it('does not take who comes in at an edge for who left there in another coat', async () => {
    const dressed = (x: number, width: number, color: string) =>
      painted({
        width: 160,
        height: 90,
        persons: [{ at: [x, 10, width, 75] }],
        parts: [
          { label: 'Hair', at: [x, 10, width, 10], color: '#302018', person: 1 },
          { label: 'Coat', at: [x, 20, width, 30], color, person: 1 },
          { label: 'Pants', at: [x, 50, width, 35], color: '#303848', person: 1 },
        ],
      });
    for (const [color, other] of [
      ['#703090', '#90d080'],
      ['#208040', '#60a030'],
    ] as const) {
      await tracking.track(await dressed(130, 20, color), 0, {}, other);
      await tracking.track(await dressed(136, 20, color), 0.2, {}, other);
      await tracking.track(await dressed(148, 12, color), 0.4, {}, other);
      await tracking.track(await pictureOf([]), 0.6, {}, other);
      assert.deepEqual(numbers(await tracking.track(await dressed(140, 20, other), 0.8, {}, other)), [2]);
    }
  });

  it('gives numbers only to who was seen often enough, and scores enough', async () => {
    const first = await tracking.track(await pictureOf([at(10)]), 0, { confirm: 2 });
    assert.deepEqual([numbers(first), first.state.count, first.events], [[null], 0, []]);
    const second = await tracking.track(await pictureOf([at(12), { ...at(100), score: 0.4 }]), 0.5, {
      confirm: 2,
    });
    assert.deepEqual([numbers(second), named(second)], [[1, null], ['new 1']]);
    const weak = await tracking.track(await pictureOf([at(14), { ...at(100), score: 0.4 }]), 1, {
      confirm: 1,
    });
    assert.deepEqual(numbers(weak), [1, null]);
  });

  it('finds the doubtful again, but takes them for nobody new', async () => {
    await tracking.track(await pictureOf([at(10)]), 0);
    const parsing = await pictureOf([at(12), at(110)]);
    const [known, stranger] = parsing.persons;
    const doubtful = { persons: [known!, stranger!], parts: [] };
    const tracked = await tracking.track({ ...parsing, persons: [], parts: [], doubtful }, 0.5);
    assert.deepEqual(
      tracked.parsing.doubtful?.persons.map((person) => person.track),
      [1, null],
    );
    assert.equal(tracked.state.count, 1);
  });

  it('says who is updated where it shall, and carries descriptions along', async () => {
    const parsing = await pictureOf([at(10)]);
    const persons = parsing.persons.map((person) => ({ ...person, description: { sentence: 'red coat' } }));
    const { events, state } = await tracking.track({ ...parsing, persons }, 0, { updates: true });
    assert.deepEqual(
      events.map(({ event }) => event),
      ['new', 'update'],
    );
    assert.deepEqual(state.persons[0]!.description, { sentence: 'red coat' });
    assert.deepEqual(events[0]!.person, state.persons[0]);
  });

  it('tells of zones and lines, with who is inside', async () => {
    const zones = [
      {
        name: 'right',
        kind: 'zone' as const,
        points: [
          [0.5, 0],
          [1, 0],
          [1, 1],
          [0.5, 1],
        ] as [number, number][],
      },
      {
        name: 'gate',
        kind: 'line' as const,
        points: [
          [0.5, 0],
          [0.5, 1],
        ] as [number, number][],
      },
    ];
    const options = { zones, dwell: 2 };
    await tracking.track(await pictureOf([at(30)]), 0, options);
    const inside = await tracking.track(await pictureOf([at(90)]), 1, options);
    assert.deepEqual(
      inside.events.map(({ event, zone, line, direction, count }) => [event, zone ?? line, direction, count]),
      [
        ['enter', 'right', undefined, 1],
        ['cross', 'gate', 'out', 1],
      ],
    );
    assert.deepEqual(inside.state.persons[0]!.zones, ['right']);
    assert.deepEqual(inside.state.zones['right'], { inside: 1, entered: 1, left: 0, dwell: 0 });
    assert.deepEqual(inside.state.lines, { gate: { in: 0, out: 1 } });
    assert.deepEqual(named(await tracking.track(await pictureOf([at(95)]), 3, options)), ['dwell 1']);
    // No frame comes any more.
    const silent = tracking.pass(120);
    assert.deepEqual(
      silent.map(({ event, duration, count, time }) => [event, duration, count, time]),
      [
        ['leave', 2, 0, START + 123_000],
        ['gone', 3, 0, START + 123_000],
      ],
    );
    assert.deepEqual([tracking.pass(120), tracking.topics.wait()], [[], undefined]);
  });
});
