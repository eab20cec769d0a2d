/** Who is gone where no more pictures come. */
import assert from 'node:assert/strict';
import type { GivenOptions } from '../../../src/parsing/options/option-table.ts';
import type { TRACK_OPTIONS } from '../../../src/people/track/track-options.ts';
import type { TrackEvent } from '../../../src/people/track/types.ts';
import { at, COLORS, named, numbers, pictureOf, START, Tracking } from './support.ts';

const LEFT = [
  {
    name: 'left',
    kind: 'zone' as const,
    points: [
      [0, 0],
      [0.5, 0],
      [0.5, 1],
      [0, 1],
    ] as [number, number][],
  },
];
const OPTIONS: GivenOptions<typeof TRACK_OPTIONS> = { goneAfter: 3, zones: LEFT };

describe('tracking without more pictures', () => {
  let tracking: Tracking;
  beforeEach(() => (tracking = new Tracking()));

  /** Pictures of a topic at their own time, each taken so many seconds of the clock after the one before. */
  const take = async (
    people: Parameters<typeof pictureOf>[0],
    second: number,
    options = OPTIONS,
    pace = 1,
    topic = 'yard',
  ) => {
    const last = seconds.get(topic);
    if (last !== undefined) tracking.clock.advance((second - last) * 1000 * pace);
    seconds.set(topic, second);
    return tracking.track(await pictureOf(people), second, options, topic);
  };
  const seconds = new Map<string, number>();
  beforeEach(() => seconds.clear());
  const told = (events: TrackEvent[]) =>
    events.map(({ event, track, time, count }) => [`${event} ${track}`, (time - START) / 1000, count]);

  it('lets go whom two have missed, when it is due, once', async () => {
    await take([at(10)], 0);
    await take([at(10)], 0.5);
    await take([], 1);
    await take([], 1.5);
    assert.equal(tracking.topics.wait(), 2000);
    assert.deepEqual(tracking.pass(1.999), []);
    const events = tracking.pass(0.001);
    assert.deepEqual(told(events), [
      ['leave 1', 3.5, 0],
      ['gone 1', 3.5, 0],
    ]);
    assert.deepEqual([events[0]!.zone, events[0]!.inside, events[1]!.duration], ['left', 0, 0.5]);
    assert.deepEqual(tracking.pass(1), []);
    // One that was taken before, and comes now, has somebody new, and tells nothing twice.
    const late = await tracking.track(await pictureOf([at(10)]), 3.4, OPTIONS);
    assert.deepEqual([numbers(late), named(late), late.state.late], [[2], ['new 2', 'enter 2'], false]);
    assert.deepEqual(late.state.zones['left'], { inside: 1, entered: 2, left: 1, dwell: 0 });
  });

  it('lets each go at a time of their own', async () => {
    await take([at(10), at(100, COLORS[1])], 0);
    await take([at(10)], 1);
    await take([], 2);
    await take([], 2.5);
    assert.deepEqual(told(tracking.pass(0.5)), [['gone 2', 3, 1]]);
    assert.deepEqual(told(tracking.pass(1)), [
      ['leave 1', 4, 0],
      ['gone 1', 4, 0],
    ]);
  });

  it('lets nobody go whom one has missed, or who is counted in pictures, but for the silence', async () => {
    await take([at(10)], 0);
    await take([], 1);
    await take([at(10)], 0, { ...OPTIONS, goneIn: 'frames' }, 1, 'pictures');
    await take([], 1, { ...OPTIONS, goneIn: 'frames' }, 1, 'pictures');
    await take([], 2, { ...OPTIONS, goneIn: 'frames', silence: 0 }, 1, 'pictures');
    // The first topic's last picture was that of the clock's second 1, and it is second 3 now.
    assert.equal(tracking.topics.wait(), 118_000);
    assert.deepEqual(named({ events: tracking.pass(118) }), ['leave 1', 'gone 1']);
    assert.equal(tracking.topics.wait(), undefined);
  });

  it('waits no longer for who is seen again, nor for who was reset', async () => {
    const topics = ['back', 'reset'];
    for (const topic of topics) {
      await take([at(10)], 0, { ...OPTIONS, silence: 0 }, 1, topic);
      for (const second of [0.5, 1]) await take([], second, { ...OPTIONS, silence: 0 }, 1, topic);
    }
    assert.equal(tracking.topics.wait(), 1000);
    await take([at(10)], 1.5, { ...OPTIONS, silence: 0 }, 1, 'back');
    tracking.topics.reset('reset');
    assert.equal(tracking.topics.wait(), undefined);
  });

  it('gives a film that is slower than the clock the time that it takes', async () => {
    await take([at(10)], 0, OPTIONS, 10);
    await take([], 0.2, OPTIONS, 10);
    await take([], 0.4, OPTIONS, 10);
    // Two seconds from picture to picture, and 26 until it is there: only then it would be late.
    assert.equal(Math.round(tracking.topics.wait()!), 26_000);
    const seen = await take([at(10)], 0.6, OPTIONS, 10);
    assert.deepEqual([numbers(seen), seen.events], [[1], []]);
  });

  it('goes by the clock where a film is faster, stands still or begins again', async () => {
    for (const [topic, times] of [
      ['faster', [0, 10, 11]],
      ['still', [5, 5, 5]],
    ] as const) {
      for (const [index, second] of times.entries()) {
        tracking.clock.advance(100);
        await tracking.track(
          await pictureOf(index === 0 ? [at(10)] : []),
          second,
          { ...OPTIONS, goneAfter: 20 },
          topic,
        );
      }
    }
    assert.equal(tracking.topics.wait(), 8700);
    assert.deepEqual(told(tracking.pass(8.7)), [
      ['leave 1', 20, 0],
      ['gone 1', 20, 0],
    ]);
    assert.deepEqual(named({ events: tracking.pass(11.3) }), ['leave 1', 'gone 1']);
  });

  it('says the same as a picture that comes then', async () => {
    await take([at(10)], 0);
    await take([], 1);
    await take([], 2);
    assert.deepEqual(told((await take([], 3)).events), [
      ['leave 1', 3, 0],
      ['gone 1', 3, 0],
    ]);
    assert.deepEqual(tracking.pass(60), []);
  });
});
