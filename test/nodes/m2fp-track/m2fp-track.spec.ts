import assert from 'node:assert/strict';
import type { NodeMessage } from 'node-red';
import { readSequence } from '../../../bench/track/sequences.ts';
import { keepTopics, takeTopics } from '../../../nodes/m2fp-track/kept-topics.ts';
import { checkParsing } from '../../../src/parsing/check.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import { readOptions } from '../../../src/parsing/options/option-table.ts';
import { MAX_TOPICS, Topics } from '../../../src/people/track/topics.ts';
import { TRACK_OPTIONS } from '../../../src/people/track/track-options.ts';
import { FakeClock } from '../../engine/support/fakes.ts';
import type { TrackEvent, TrackState } from '../../../src/people/track/types.ts';
import { nodeConfig } from '../support/flows.ts';
import { notPlain } from '../support/plain-data.ts';
import { deploy, type Events, nodeOf, send, startFlow, stopFlow } from '../support/red.ts';

const RIGHT = {
  name: 'right',
  kind: 'zone',
  points: [
    [0.5, 0],
    [1, 0],
    [1, 1],
    [0.5, 1],
  ],
};

/** A message as a flow may have it, whatever its types say. */
const notTyped = (msg: object): NodeMessage => msg as NodeMessage;

describe('m2fp-track', () => {
  const { frames } = readSequence('pass', 5);
  /** One in which two people are to be seen, and those after it. */
  const both = frames.filter(({ parsing }) => parsing.persons.length === 2);
  const parsingAt = (index: number): Parsing => both[index]!.parsing;
  const WIRES = { wires: [['out'], ['out2']] };

  const start = (properties = {}): Promise<Events> =>
    startFlow([nodeConfig('m2fp-track', 'node', { ...WIRES, ...properties })]);
  const stateOf = (events: Events, index: number): TrackState => events.sent[index]!.payload as TrackState;
  const told = (events: Events): TrackEvent[] =>
    events.sentOnSecondWire.map(({ payload }) => payload as TrackEvent);
  const numbers = (events: Events, index: number): unknown[] =>
    (events.sent[index]!['parsing'] as { persons: { track: unknown }[] }).persons.map(({ track }) => track);

  afterEach(async () => {
    await stopFlow();
    // What the node keeps for the one that takes its place.
    takeTopics('node');
  });

  it('sends people with numbers and the state on, and an event for each who is new', async () => {
    const events = await start();
    send({ parsing: parsingAt(0), topic: 'yard', mine: 1, frame: { camera: 'x', number: 1, time: 1000 } });
    send({ parsing: parsingAt(1), topic: 'yard', frame: { time: '1970-01-01T00:00:01.200Z' } });
    await events.ended(2);
    assert.deepEqual(
      [numbers(events, 0), numbers(events, 1)],
      [
        [1, 2],
        [1, 2],
      ],
    );
    const [first] = events.sent;
    assert.deepEqual([first!['mine'], first!.topic], [1, 'yard']);
    assert.equal((first!['parsing'] as Parsing).image, parsingAt(0).image);
    checkParsing(first!['parsing']);
    assert.deepEqual(
      [stateOf(events, 1).count, stateOf(events, 1).time, stateOf(events, 1).late],
      [2, 1200, false],
    );
    assert.deepEqual(
      told(events).map(({ event, track, topic, time }) => [event, track, topic, time]),
      [
        ['new', 1, 'yard', 1000],
        ['new', 2, 'yard', 1000],
      ],
    );
    assert.deepEqual(
      events.sentOnSecondWire.map(({ topic }) => topic),
      ['yard', 'yard'],
    );
    for (const message of [...events.sent, ...events.sentOnSecondWire])
      assert.deepEqual(notPlain(message), []);
    assert.ok(!('track' in parsingAt(0).persons[0]!));
  });

  it('keeps the topics apart, and takes the camera of the frame for one', async () => {
    const events = await start();
    for (const msg of [{ topic: 'a' }, { frame: { camera: 'b' } }, { topic: 'a' }, {}])
      send({ ...msg, parsing: parsingAt(0) });
    await events.until(() => events.sentOnSecondWire.length === 6);
    assert.deepEqual(
      told(events).map(({ topic }) => topic),
      ['a', 'a', 'b', 'b', '', ''],
    );
    // Whose numbers they are goes with them: others may give the message another topic.
    assert.deepEqual(
      events.sent.map(({ parsing }) => (parsing as { topic: unknown }).topic),
      ['a', 'b', 'a', ''],
    );
  });

  it('takes a number for a topic of its own, as text', async () => {
    const events = await start();
    const numbered = [1, 2, 1, 0].map((topic) => ({ topic, parsing: parsingAt(0) }));
    for (const msg of [...numbered, { frame: { camera: 2 }, parsing: parsingAt(0) }]) send(notTyped(msg));
    await events.ended(5);
    assert.deepEqual(
      events.sent.map(({ parsing }) => (parsing as { topic: unknown }).topic),
      ['1', '2', '1', '0', '2'],
    );
    assert.deepEqual(
      told(events).map(({ event, topic }) => `${event} ${topic}`),
      ['1', '2', '0'].flatMap((topic) => [`new ${topic}`, `new ${topic}`]),
    );
    send(notTyped({ topic: 1, reset: true }));
    send({ topic: '1', parsing: parsingAt(0) });
    await events.until(() => events.sentOnSecondWire.length === 8);
  });

  it('tells who is gone with a topic that is forgotten, by its name', async () => {
    const events = await start();
    // One after the other: more than 32 that wait are refused.
    for (let number = 0; number <= MAX_TOPICS; number++) {
      send({ topic: `t${number}`, parsing: parsingAt(0) });
      await events.ended(number + 1);
    }
    await events.until(() => events.sentOnSecondWire.length === 2 * (MAX_TOPICS + 1) + 2);
    const gone = events.sentOnSecondWire.filter(({ payload }) => (payload as TrackEvent).event === 'gone');
    assert.deepEqual(
      gone.map(({ topic, payload }) => [topic, (payload as TrackEvent).topic]),
      [
        ['t0', 't0'],
        ['t0', 't0'],
      ],
    );
  });

  it('tells of zones of the form, and of the message', async () => {
    const events = await start({ zones: JSON.stringify([RIGHT]), updates: true });
    send({ parsing: parsingAt(0) });
    send({ parsing: parsingAt(1), m2fp: { zones: [{ ...RIGHT, name: 'mine' }], updates: false } });
    await events.until(() => events.sent.length === 2 && events.sentOnSecondWire.length >= 5);
    assert.equal(stateOf(events, 0).zones['right']!.inside, 1);
    assert.deepEqual(Object.keys(stateOf(events, 1).zones), ['mine']);
    const [, , entered, ...updates] = told(events);
    assert.deepEqual([entered!.event, entered!.zone, entered!.inside], ['enter', 'right', 1]);
    assert.deepEqual(
      updates.slice(0, 2).map(({ event }) => event),
      ['update', 'update'],
    );
  });

  it('forgets a topic, or all, by a message that goes no further', async () => {
    const events = await start();
    for (const topic of ['a', 'b']) send({ topic, parsing: parsingAt(0) });
    send({ topic: 'a', reset: true });
    for (const topic of ['a', 'b']) send({ topic, parsing: parsingAt(1) });
    send({ reset: true });
    send({ topic: 'b', parsing: parsingAt(2) });
    await events.until(() => events.sentOnSecondWire.length === 8);
    assert.deepEqual([events.sent.length, events.done.length], [5, 7]);
    const news = told(events).filter(({ event }) => event === 'new');
    assert.deepEqual(
      news.map(({ topic, track }) => `${topic} ${track}`),
      ['a 1', 'a 2', 'b 1', 'b 2', 'a 1', 'a 2', 'b 1', 'b 2'],
    );
  });

  it('knows people still after a deploy of everything', async () => {
    const before = await start();
    send({ topic: 'a', parsing: parsingAt(0), frame: { time: 1000 } });
    await before.ended();
    const after = await deploy([nodeConfig('m2fp-track', 'node', { ...WIRES, goneAfter: 9 })]);
    send({ topic: 'a', parsing: parsingAt(1), frame: { time: 1200 } });
    await after.ended();
    assert.deepEqual([numbers(after, 0), told(after)], [[1, 2], []]);
  });

  it('lets everybody go where no picture comes any more', async () => {
    const events = await start({ silence: 0.05 });
    send({ topic: 'a', parsing: parsingAt(0), frame: { time: 1000 } });
    await events.until(() => events.sentOnSecondWire.length === 4);
    assert.deepEqual(
      told(events)
        .slice(2)
        .map(({ event, time, count }) => [event, time, count]),
      [
        ['gone', 1050, 0],
        ['gone', 1050, 0],
      ],
    );
  });

  it('lets those go by the clock whom two pictures have missed, where no third one comes', async () => {
    const events = await start({ zones: JSON.stringify([RIGHT]) });
    const nobody = { ...parsingAt(0), persons: [], parts: [], doubtful: { persons: [], parts: [] } };
    for (const parsing of [parsingAt(0), nobody, nobody])
      send({ topic: 'a', parsing, frame: { time: 1000 }, m2fp: { goneAfter: 0.05 } });
    await events.until(() => events.sentOnSecondWire.length === 6);
    assert.deepEqual(
      told(events)
        .slice(3)
        .map(({ event, time, count }) => `${event} ${time} ${count}`)
        .toSorted(),
      ['gone 1050 0', 'gone 1050 0', 'leave 1050 0'],
    );
    await events.until(() => events.statuses.some(({ text }) => text === 'people: 0'));
  });

  it('goes on to wait for that after a deploy of everything', async () => {
    const clock = new FakeClock();
    const topics = new Topics(clock);
    await topics.track(parsingAt(0), 'a', 1000, readOptions(TRACK_OPTIONS, {}));
    clock.advance(120_000);
    keepTopics('node', topics);
    const events = await start();
    await events.until(() => events.sentOnSecondWire.length === 2);
    assert.deepEqual(
      told(events).map(({ event, topic, time }) => [event, topic, time]),
      [
        ['gone', 'a', 121_000],
        ['gone', 'a', 121_000],
      ],
    );
  });

  it('warns of a clock that is set, and goes on', async () => {
    const events = await start();
    const hour = 3_600_000;
    const warnings: unknown[] = [];
    nodeOf('node').warn = (text) => warnings.push(text);
    for (const time of [2 * hour, hour, hour + 1, hour + 2, hour + 3])
      send({ parsing: parsingAt(0), frame: { time } });
    await events.ended(5);
    const late = events.sent.map((_, index) => stateOf(events, index).late);
    assert.deepEqual(late, [false, true, true, false, false]);
    assert.deepEqual([warnings.length, String(warnings[0]).includes('have gone back')], [1, true]);
  });

  it('says on its status how many are there', async () => {
    const events = await start();
    send({ parsing: parsingAt(0) });
    await events.until(() => events.statuses.some(({ text }) => text === 'people: 2'));
  });

  for (const [what, msg, code] of [
    ['without a parsing', {}, 'M2FP_NO_PARSING'],
    ['with a parsing that is none', { parsing: { persons: [] } }, 'M2FP_NO_PARSING'],
    ['with a time that is none', { frame: { time: 'noon' } }, 'M2FP_BAD_OPTION'],
    ['with a time that is no number', { frame: { time: NaN } }, 'M2FP_BAD_OPTION'],
    ['with a topic that is none', { topic: { camera: 1 } }, 'M2FP_BAD_OPTION'],
    ['with a camera that is none', { frame: { camera: ['a'] } }, 'M2FP_BAD_OPTION'],
    ['with zones that are none', { m2fp: { zones: 'here' } }, 'M2FP_BAD_OPTION'],
    ['with an option that there is not', { m2fp: { track: { zone: [] } } }, 'M2FP_BAD_OPTION'],
  ] as const) {
    it(`refuses a message ${what}`, async () => {
      const events = await start();
      send(notTyped(code === 'M2FP_NO_PARSING' ? msg : { parsing: parsingAt(0), ...msg }));
      await events.ended();
      assert.deepEqual([events.caught[0]?.error.code, events.sent.length], [code, 0]);
    });
  }

  it('ends every message in the order in which they came, also when it is stopped', async () => {
    const events = await start();
    for (let index = 0; index < 10; index++) send({ parsing: parsingAt(index % both.length), n: index });
    await stopFlow();
    assert.equal(events.done.length, 10);
  });
});
