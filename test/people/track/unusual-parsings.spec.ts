/** Tracking of unusual parsings: whatever may come in, and how much of it. */
import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { rleToRuns, runsToRle } from '../../../src/parsing/masks/rle.ts';
import { readOptions } from '../../../src/parsing/options/option-table.ts';
import { type Parsing } from '../../../src/parsing/types.ts';
import { detectionsOf } from '../../../src/people/track/detections.ts';
import { MAX_TOPICS } from '../../../src/people/track/topics.ts';
import { TRACK_OPTIONS } from '../../../src/people/track/track-options.ts';
import { Tracker } from '../../../src/people/track/tracker.ts';
import { type Area } from '../../../src/people/zones/areas.ts';
import { painted } from '../describe/support.ts';
import { at, COLORS, named, numbers, pictureOf, type Someone, START, Tracking } from './support.ts';

describe('tracking of unusual parsings', () => {
  let tracking: Tracking;
  beforeEach(() => (tracking = new Tracking()));

  it('writes into nothing that came in', async () => {
    const parsing = await pictureOf([at(10)]);
    const { image, labelMap, personMap, ...rest } = parsing;
    const copies = [image, labelMap, personMap].map((bytes) => Buffer.from(bytes));
    const before = JSON.stringify(rest);
    const { parsing: tracked } = await tracking.track(parsing, 0);
    assert.deepEqual([image, labelMap, personMap], copies);
    assert.equal(JSON.stringify(rest), before);
    assert.equal(tracked.image, parsing.image);
    assert.equal(tracked.persons[0]!.track, 1);
  });

  it('is not put off by another size of the picture', async () => {
    await tracking.track(await pictureOf([at(10), at(100, COLORS[1])]), 0);
    const large = await pictureOf(
      [{ at: [204, 40, 40, 120], color: COLORS[1]! }, { at: [24, 40, 40, 120] }],
      320,
      180,
    );
    assert.deepEqual(numbers(await tracking.track(large, 0.5)), [2, 1]);
  });

  it('takes a parsing without anybody, of a single human, and of 255 persons', async () => {
    const empty = await tracking.track(await pictureOf([]), 0);
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
    const alone = await tracking.track(single, 0, {}, 'single');
    assert.deepEqual(
      alone.state.persons.map(({ track: number, id, box }) => [number, id, box]),
      [[1, null, { x: 35, y: 5, width: 20, height: 60 }]],
    );
    assert.deepEqual(alone.parsing.persons, []);

    const crowd = Array.from({ length: 255 }, (_, index): Someone => ({
      at: [(index % 51) * 10, Math.floor(index / 51) * 30, 8, 25],
    }));
    const { persons, ...rest } = await pictureOf(crowd, 520, 160);
    assert.equal(new Set(numbers(await tracking.track({ ...rest, persons }, 0, {}, 'crowd'))).size, 255);
    const again = await tracking.track({ ...rest, persons }, 0.2, {}, 'crowd');
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
      await tracking.track(parsing, 0, given);
      const call = tracking.track(parsing, 0.2, given);
      await turnsDuring(call, () =>
        assert.deepEqual([tracking.pass(120), tracking.topics.wait()], [[], undefined]),
      );
      const { state } = await call;
      assert.equal(state.count, 255);
      assert.equal(tracking.pass(120).length, 255, 'when it is done, they may');
    });
  });

  it('does not take parts without persons for somebody where a model knows persons', async () => {
    const parsing = await pictureOf([at(10), at(100)]);
    const parts = parsing.parts.map((part) => ({ ...part, person: null }));
    const labels = [...parsing.labels.slice(0, 20), 'Human'];
    assert.equal((await tracking.track({ ...parsing, labels, persons: [], parts }, 0)).state.count, 0);
  });

  it('makes up no doubtful where a parsing has none, so that redact refuses it as before', async () => {
    const { doubtful: _doubtful, ...old } = await pictureOf([at(10)]);
    const { parsing } = await tracking.track(old as Parsing, 0);
    assert.ok(!('doubtful' in parsing));
    assert.equal(parsing.persons[0]!.track, 1);
  });

  it('goes by places alone where the picture cannot be read', async () => {
    const broken = { image: Buffer.from('no picture') };
    await tracking.track(await pictureOf([at(10)], 160, 90, broken), 0);
    assert.deepEqual(numbers(await tracking.track(await pictureOf([at(13)], 160, 90, broken), 0.5)), [1]);
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
      await tracking.track(parsing, 0, { zones: [all] }, `camera ${number}`);
    const tooMany = await tracking.track(parsing, 1, {}, 'one more');
    assert.equal(tracking.topics.size, MAX_TOPICS);
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
    const again = await tracking.track(parsing, 1, {}, 'camera 0');
    assert.deepEqual(
      named(again),
      ['leave 1', 'gone 1', 'new 1'],
      'the oldest begins anew, and the next one goes',
    );
    assert.deepEqual(
      again.events.map(({ topic }) => topic),
      ['camera 1', 'camera 1', 'camera 0'],
    );
    assert.deepEqual(named(await tracking.track(parsing, 1, {}, 'camera 9')), ['leave 1']);
    tracking.topics.reset('camera 9');
    assert.deepEqual(named(await tracking.track(parsing, 2, {}, 'camera 9')), ['new 1']);
    tracking.topics.reset();
    assert.equal(tracking.topics.size, 0);
  });

  it('is not led astray by specks of a mask far away', async () => {
    await tracking.track(await pictureOf([at(100)]), 0);
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
    assert.deepEqual(numbers(await tracking.track({ ...parsing, persons: [spoiled] }, 0.5)), [1]);
  });
});
