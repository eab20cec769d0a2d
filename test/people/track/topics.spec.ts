/** Tracking of parsings: numbers, states, events, and whatever may come in. */
import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { type GivenOptions, readOptions } from '../../../src/parsing/options/option-table.ts';
import { rleToRuns, runsToRle } from '../../../src/parsing/masks/rle.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import { detectionsOf } from '../../../src/people/track/detections.ts';
import type { Area } from '../../../src/people/zones/areas.ts';
import { MAX_TOPICS, Topics } from '../../../src/people/track/topics.ts';
import { TRACK_OPTIONS } from '../../../src/people/track/track-options.ts';
import { Tracker } from '../../../src/people/track/tracker.ts';
import { painted, type Painted, type Rectangle } from '../describe/support.ts';

const START = Date.parse('2026-11-30T08:00:00Z');
const COLORS = ['#c01c20', '#2040c0', '#208040'];

/** Somebody at a place, in a coat of a colour. */
interface Someone {
  at: Rectangle;
  color?: string;
  score?: number;
}

function pictureOf(
  people: Someone[],
  width = 160,
  height = 90,
  more: Partial<Parsing> = {},
): Promise<Parsing> {
  const parts = people.map(({ at: [x, y, w, h], color = COLORS[0]! }, index): Painted => ({
    label: 'Coat',
    at: [x, y, w, h],
    color,
    person: index + 1,
  }));
  return painted({ width, height, persons: people, parts }).then((parsing) => ({ ...parsing, ...more }));
}

const at = (x: number, color = COLORS[0]!): Someone => ({ at: [x, 20, 20, 60], color });

describe('tracking', () => {
  let topics: Topics;
  beforeEach(() => (topics = new Topics()));

  /** Tracks a picture so many seconds after the start. */
  const track = (
    parsing: Parsing,
    second: number,
    given: GivenOptions<typeof TRACK_OPTIONS> = {},
    topic = 'yard',
  ) => topics.track(parsing, topic, START + second * 1000, readOptions(TRACK_OPTIONS, given));
  const numbers = ({ parsing }: { parsing: { persons: { track: number | null }[] } }) =>
    parsing.persons.map((person) => person.track);
  const named = ({ events }: { events: { event: string; track: number }[] }) =>
    events.map(({ event, track: number }) => `${event} ${number}`);

  it('keeps numbers, whatever the order in which people come', async () => {
    const first = await track(await pictureOf([at(10), at(100, COLORS[1])]), 0);
    assert.deepEqual(numbers(first), [1, 2]);
    assert.deepEqual(named(first), ['new 1', 'new 2']);
    const second = await track(await pictureOf([at(98, COLORS[1]), at(14)]), 0.5);
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

  it('writes into nothing that came in', async () => {
    const parsing = await pictureOf([at(10)]);
    const { image, labelMap, personMap, ...rest } = parsing;
    const copies = [image, labelMap, personMap].map((bytes) => Buffer.from(bytes));
    const before = JSON.stringify(rest);
    const { parsing: tracked } = await track(parsing, 0);
    assert.deepEqual([image, labelMap, personMap], copies);
    assert.equal(JSON.stringify(rest), before);
    assert.equal(tracked.image, parsing.image);
    assert.equal(tracked.persons[0]!.track, 1);
  });

  it('finds somebody again who was hidden, and lets go who is not seen for too long', async () => {
    await track(await pictureOf([at(10)]), 0);
    const hidden = await track(await pictureOf([]), 1);
    assert.deepEqual(
      hidden.state.persons.map(({ hidden: isHidden, id }) => [isHidden, id]),
      [[true, null]],
    );
    assert.deepEqual(numbers(await track(await pictureOf([at(16)]), 2)), [1]);
    await track(await pictureOf([]), 4);
    const later = await track(await pictureOf([]), 8);
    assert.deepEqual(named(later), ['gone 1']);
    assert.deepEqual([later.events[0]!.duration, later.events[0]!.count], [2, 0]);
    assert.deepEqual(numbers(await track(await pictureOf([at(16)]), 9)), [2]);
  });

  it('counts frames where it shall, and waits for two where frames are rare', async () => {
    for (const goneAfter of [0, 1, 2, 3]) {
      const frames = { goneAfter, goneIn: 'frames' as const };
      const topic = `gone after ${goneAfter}`;
      await track(await pictureOf([at(10)]), 0, frames, topic);
      // Who is missed in fewer is not gone, whoever is seen in between begins anew, and 0 is as 1.
      const misses = Math.max(1, goneAfter);
      for (let frame = 1; frame < misses; frame++)
        assert.deepEqual(named(await track(await pictureOf([]), frame, frames, topic)), []);
      assert.deepEqual(named(await track(await pictureOf([at(10)]), misses, frames, topic)), []);
      const gone = [];
      for (let frame = 1; frame <= misses; frame++)
        gone.push(...named(await track(await pictureOf([]), misses + frame, frames, topic)));
      assert.deepEqual(gone, ['gone 1'], topic);
      assert.equal((await track(await pictureOf([]), 2 * misses, frames, topic)).state.count, 0);
    }
    await track(await pictureOf([at(10)]), 0, {}, 'slow');
    assert.deepEqual(named(await track(await pictureOf([]), 20, {}, 'slow')), []);
    assert.deepEqual(named(await track(await pictureOf([]), 40, {}, 'slow')), ['gone 1']);
  });

  it('lets go who was not seen for too long also where no pictures came meanwhile', async () => {
    await track(await pictureOf([at(10)]), 0);
    for (const second of [0.4, 0.8, 1.2]) await track(await pictureOf([]), second);
    const later = await track(await pictureOf([at(10)]), 7.2);
    assert.deepEqual(named(later), ['gone 1', 'new 2']);
    assert.deepEqual(
      later.events.map(({ count, time }) => [count, time]),
      [
        [0, START + 7200],
        [1, START + 7200],
      ],
    );
    // Nobody has looked for who is in the next picture, however late it comes.
    assert.deepEqual(named(await track(await pictureOf([at(10)]), 67)), []);
  });

  it('tells people apart by their clothes where both come out at the other side', async () => {
    const [red, blue] = [COLORS[0]!, COLORS[1]!];
    await track(await pictureOf([at(20, red), at(120, blue)]), 0);
    await track(await pictureOf([at(40, red), at(100, blue)]), 1);
    // One behind the other, then apart; each has turned back where the other went on.
    await track(await pictureOf([at(70, blue)]), 2);
    assert.deepEqual(numbers(await track(await pictureOf([at(58, red), at(84, blue)]), 3)), [1, 2]);
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
      await track(await dressed(130, 20, color), 0, {}, other);
      await track(await dressed(136, 20, color), 0.2, {}, other);
      await track(await dressed(148, 12, color), 0.4, {}, other);
      await track(await pictureOf([]), 0.6, {}, other);
      assert.deepEqual(numbers(await track(await dressed(140, 20, other), 0.8, {}, other)), [2]);
    }
  });

  it('gives numbers only to who was seen often enough, and scores enough', async () => {
    const first = await track(await pictureOf([at(10)]), 0, { confirm: 2 });
    assert.deepEqual([numbers(first), first.state.count, first.events], [[null], 0, []]);
    const second = await track(await pictureOf([at(12), { ...at(100), score: 0.4 }]), 0.5, { confirm: 2 });
    assert.deepEqual([numbers(second), named(second)], [[1, null], ['new 1']]);
    const weak = await track(await pictureOf([at(14), { ...at(100), score: 0.4 }]), 1, { confirm: 1 });
    assert.deepEqual(numbers(weak), [1, null]);
  });

  it('finds the doubtful again, but takes them for nobody new', async () => {
    await track(await pictureOf([at(10)]), 0);
    const parsing = await pictureOf([at(12), at(110)]);
    const [known, stranger] = parsing.persons;
    const doubtful = { persons: [known!, stranger!], parts: [] };
    const tracked = await track({ ...parsing, persons: [], parts: [], doubtful }, 0.5);
    assert.deepEqual(
      tracked.parsing.doubtful?.persons.map((person) => person.track),
      [1, null],
    );
    assert.equal(tracked.state.count, 1);
  });

  it('says who is updated where it shall, and carries descriptions along', async () => {
    const parsing = await pictureOf([at(10)]);
    const persons = parsing.persons.map((person) => ({ ...person, description: { sentence: 'red coat' } }));
    const { events, state } = await track({ ...parsing, persons }, 0, { updates: true });
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
    await track(await pictureOf([at(30)]), 0, options);
    const inside = await track(await pictureOf([at(90)]), 1, options);
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
    assert.deepEqual(named(await track(await pictureOf([at(95)]), 3, options)), ['dwell 1']);
    // No frame comes any more.
    const silent = topics.silence('yard', 60);
    assert.deepEqual(
      silent.map(({ event, duration, count, time }) => [event, duration, count, time]),
      [
        ['leave', 2, 0, START + 63_000],
        ['gone', 3, 0, START + 63_000],
      ],
    );
    assert.deepEqual(topics.silence('yard', 60), []);
    assert.deepEqual(topics.silence('nowhere', 60), []);
  });

  it('learns nothing from a frame that comes late, and stays as it is for one that comes twice', async () => {
    const [early, parsing] = [await pictureOf([at(60)]), await pictureOf([at(20)])];
    await track(parsing, 10);
    const late = await track(early, 9);
    assert.deepEqual([late.state.late, late.events, late.state.time], [true, [], START + 9000]);
    const twice = await track(parsing, 10);
    assert.deepEqual([numbers(twice), twice.events, twice.state.late], [[1], [], false]);
  });

  describe('of a clock that is set', () => {
    /** Tracks frames at those seconds, somebody in each. @returns for each whether it was late, and its events */
    const at10 = async (seconds: number[]) => {
      const parsing = await pictureOf([at(10)]);
      const told: string[] = [];
      const warnings: string[] = [];
      for (const second of seconds) {
        const tracked = await track(parsing, second);
        told.push([...(tracked.state.late ? ['late'] : []), ...named(tracked)].join(', '));
        warnings.push(...tracked.warnings);
      }
      return { told, warnings };
    };

    it('begins anew with the third picture in a row from long before', async () => {
      const { told, warnings } = await at10([3600, 3601, 0, 1, 2, 3, 4]);
      assert.deepEqual(told, ['new 1', '', 'late', 'late', 'gone 1, new 2', '', '']);
      assert.deepEqual(
        [warnings.length, /times of pictures of yard have gone back/.test(warnings[0]!)],
        [1, true],
      );
      // Who went did so before the clock was set.
      const [gone] = (await track(await pictureOf([]), 3600)).events;
      assert.deepEqual([gone, (await at10([0, 1, 2])).warnings], [undefined, []], 'told once');
    });

    it('tells when who was there was seen by the clock as it was', async () => {
      await at10([3600, 3601, 0, 1]);
      const { events } = await track(await pictureOf([]), 2);
      assert.deepEqual(
        events.map(({ event, time, duration, count, person }) => [event, time, duration, count, person.age]),
        [['gone', START + 3_601_000, 1, 0, 1]],
      );
    });

    it('begins anew with a film of some seconds that begins again', async () => {
      const film = Array.from({ length: 20 }, (_, frame) => frame * 0.4);
      const { told } = await at10([...film, ...film]);
      const late = told.filter((text) => text.startsWith('late')).length;
      assert.deepEqual([late, told.at(-1)], [9, '']);
    });

    it('is not misled by pictures that overtake one another, nor by a single one from long before', async () => {
      const { told } = await at10([10, 7, 8, 9, 11, 8, 12, -60, 13, -59, -58, 14, 11, 12, 13, 15]);
      assert.deepEqual(
        told.map((text) => (text === 'late' ? 1 : 0)),
        [0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 0, 1, 1, 1, 0],
      );
      assert.deepEqual(
        told.filter((text) => text.includes('gone')),
        [],
      );
    });

    it('takes any time after a silence, and goes on counting', async () => {
      await at10([3600]);
      assert.equal(topics.silence('yard', 3).length, 1);
      assert.deepEqual((await at10([0, 1])).told, ['new 2', '']);
    });

    it('takes when a picture arrived where its time lies far ahead, and says so once', async () => {
      const parsing = await pictureOf([at(10)]);
      const options = readOptions(TRACK_OPTIONS, {});
      const hours = (n: number) => START + n * 3_600_000;
      const take = (time: number, now: number) => topics.track(parsing, 'yard', time, options, now);
      const first = await take(Date.parse('3000-01-01'), hours(0));
      assert.deepEqual([first.state.time, first.warnings.length], [hours(0), 1]);
      assert.match(first.warnings[0]!, /day ahead/);
      const next = await take(hours(0) + 500, hours(0) + 500);
      assert.deepEqual([next.state.late, numbers(next), next.warnings], [false, [1], []]);
      const again = await take(hours(48), hours(0) + 1000);
      assert.deepEqual([again.state.time, numbers(again), again.warnings], [hours(0) + 1000, [1], []]);
      // A film that began just now is played faster, and has come to its end.
      assert.equal((await take(hours(23), hours(0) + 2000)).state.time, hours(23));
    });
  });

  it('is not put off by another size of the picture', async () => {
    await track(await pictureOf([at(10), at(100, COLORS[1])]), 0);
    const large = await pictureOf(
      [{ at: [204, 40, 40, 120], color: COLORS[1]! }, { at: [24, 40, 40, 120] }],
      320,
      180,
    );
    assert.deepEqual(numbers(await track(large, 0.5)), [2, 1]);
  });

  it('takes a parsing without anybody, of a single human, and of 255 persons', async () => {
    const empty = await track(await pictureOf([]), 0);
    assert.deepEqual([empty.state.count, empty.events], [0, []]);

    const single = await painted({
      width: 100,
      height: 90,
      labels: ['Background', 'Hair', 'Coat', 'Left-shoe'],
      persons: [],
      parts: [
        { label: 'Hair', at: [40, 5, 10, 10], color: '#222222', person: null },
        { label: 'Coat', at: [35, 15, 20, 50], color: '#c01c20', person: null },
      ],
    });
    const alone = await track(single, 0, {}, 'single');
    assert.deepEqual(
      alone.state.persons.map(({ track: number, id, box }) => [number, id, box]),
      [[1, null, { x: 35, y: 5, width: 20, height: 60 }]],
    );
    assert.deepEqual(alone.parsing.persons, []);

    const crowd = Array.from({ length: 255 }, (_, index): Someone => ({
      at: [(index % 51) * 10, Math.floor(index / 51) * 30, 8, 25],
    }));
    const { persons, ...rest } = await pictureOf(crowd, 520, 160);
    assert.equal(new Set(numbers(await track({ ...rest, persons }, 0, {}, 'crowd'))).size, 255);
    const again = await track({ ...rest, persons }, 0.2, {}, 'crowd');
    assert.deepEqual([new Set(numbers(again)).size, again.events], [255, []]);
  });

  describe('of 255 who stand close', () => {
    const crowd = Array.from({ length: 255 }, (_, index): Someone => ({ at: [index, 10, 60, 120] }));
    const given = { look: false };
    const options = readOptions(TRACK_OPTIONS, given);
    let parsing: Parsing;
    before(async () => (parsing = await pictureOf(crowd, 520, 160)));

    /** Counts the turns of the event loop until `work` is done. */
    async function turnsDuring(work: Promise<unknown>, eachTurn: (turn: number) => void = () => {}) {
      const over = new AbortController();
      void work.finally(() => over.abort());
      let turn = 0;
      for (; !over.signal.aborted; turn++) {
        await setImmediate();
        if (!over.signal.aborted) eachTurn(turn);
      }
      return turn;
    }

    it('lets others have their turn while it finds out who is who', async () => {
      const tracker = new Tracker();
      const detections = await detectionsOf(parsing, false);
      await tracker.update(detections, START, 160, options);
      const turns = await turnsDuring(tracker.update(detections, START + 200, 160, options));
      // In one go it would be two.
      assert.ok(turns > 4, `${turns} turns`);
      assert.equal(tracker.tracks.length, 255);
    });

    it('lets nobody go for want of pictures meanwhile', async () => {
      await track(parsing, 0, given);
      const before = await turnsDuring(detectionsOf(parsing, false));
      const tracking = track(parsing, 0.2, given);
      await turnsDuring(tracking, (turn) => {
        if (turn > before) topics.silence('yard', 120);
      });
      const { state } = await tracking;
      assert.equal(state.count, 255);
      assert.equal(topics.silence('yard', 120).length, 255, 'when it is done, they may');
    });
  });

  it('does not take parts without persons for somebody where a model knows persons', async () => {
    const parsing = await pictureOf([at(10), at(100)]);
    const parts = parsing.parts.map((part) => ({ ...part, person: null }));
    const labels = [...parsing.labels.slice(0, 20), 'Human'];
    assert.equal((await track({ ...parsing, labels, persons: [], parts }, 0)).state.count, 0);
  });

  it('makes up no doubtful where a parsing has none, so that redact refuses it as before', async () => {
    const { doubtful: _doubtful, ...old } = await pictureOf([at(10)]);
    const { parsing } = await track(old as Parsing, 0);
    assert.ok(!('doubtful' in parsing));
    assert.equal(parsing.persons[0]!.track, 1);
  });

  it('goes by places alone where the picture cannot be read', async () => {
    const broken = { image: Buffer.from('no picture') };
    await track(await pictureOf([at(10)], 160, 90, broken), 0);
    assert.deepEqual(numbers(await track(await pictureOf([at(13)], 160, 90, broken), 0.5)), [1]);
  });

  it('keeps topics apart, no more than it may, and forgets what it shall', async () => {
    const parsing = await pictureOf([at(10)]);
    const all: Area = {
      name: 'all',
      kind: 'zone',
      points: [
        [0, 0],
        [1, 0],
        [1, 1],
        [0, 1],
      ],
    };
    for (let number = 0; number < MAX_TOPICS; number++)
      await track(parsing, 0, { zones: [all] }, `camera ${number}`);
    const tooMany = await track(parsing, 1, {}, 'one more');
    assert.equal(topics.size, MAX_TOPICS);
    assert.deepEqual(
      tooMany.events.map(({ event, topic, time, count, person }) => [
        event,
        topic,
        time,
        count,
        person.track,
      ]),
      [
        ['leave', 'camera 0', START, 0, 1],
        ['gone', 'camera 0', START, 0, 1],
        ['new', 'one more', START + 1000, 1, 1],
      ],
    );
    const again = await track(parsing, 1, {}, 'camera 0');
    assert.deepEqual(
      named(again),
      ['leave 1', 'gone 1', 'new 1'],
      'the oldest begins anew, and the next one goes',
    );
    assert.deepEqual(
      again.events.map(({ topic }) => topic),
      ['camera 1', 'camera 1', 'camera 0'],
    );
    assert.deepEqual(named(await track(parsing, 1, {}, 'camera 9')), ['leave 1']);
    topics.reset('camera 9');
    assert.deepEqual(named(await track(parsing, 2, {}, 'camera 9')), ['new 1']);
    topics.reset();
    assert.equal(topics.size, 0);
  });

  it('is not led astray by specks of a mask far away', async () => {
    await track(await pictureOf([at(100)]), 0);
    const parsing = await pictureOf([at(98)]);
    const [person] = parsing.persons;
    const speck = await painted({
      width: 160,
      height: 90,
      persons: [],
      parts: [
        { label: 'Coat', at: [98, 20, 20, 60], color: '#fff' },
        { label: 'Coat', at: [2, 2, 3, 3], color: '#fff' },
      ],
    });
    const runs = speck.parts
      .map(({ mask }) => [...rleToRuns(mask)])
      .toReversed()
      .flat();
    const mask = runsToRle(Uint32Array.from(runs), 160, 90);
    const spoiled = { ...person!, mask, area: person!.area + 9, box: { x: 2, y: 2, width: 116, height: 78 } };
    assert.deepEqual(numbers(await track({ ...parsing, persons: [spoiled] }, 0.5)), [1]);
  });
});
