/** Tracking over time: late pictures, and clocks that are set. */
import assert from 'node:assert/strict';
import { readOptions } from '../../../src/parsing/options/option-table.ts';
import { TRACK_OPTIONS } from '../../../src/people/track/track-options.ts';
import { at, named, numbers, pictureOf, START, Tracking } from './support.ts';

describe('tracking over time', () => {
  let tracking: Tracking;
  beforeEach(() => (tracking = new Tracking()));

  it('lets go who was not seen for too long also where no pictures came meanwhile', async () => {
    await tracking.track(await pictureOf([at(10)]), 0);
    for (const second of [0.4, 0.8, 1.2]) await tracking.track(await pictureOf([]), second);
    const later = await tracking.track(await pictureOf([at(10)]), 7.2);
    assert.deepEqual(named(later), ['gone 1', 'new 2']);
    assert.deepEqual(
      later.events.map(({ count, time }) => [count, time]),
      [
        [0, START + 7200],
        [1, START + 7200],
      ],
    );
    // Nobody has looked for who is in the next picture, however late it comes.
    assert.deepEqual(named(await tracking.track(await pictureOf([at(10)]), 67)), []);
  });

  it('learns nothing from a frame that comes late, and stays as it is for one that comes twice', async () => {
    const [early, parsing] = [await pictureOf([at(60)]), await pictureOf([at(20)])];
    await tracking.track(parsing, 10);
    const late = await tracking.track(early, 9);
    assert.deepEqual([late.state.late, late.events, late.state.time], [true, [], START + 9000]);
    const twice = await tracking.track(parsing, 10);
    assert.deepEqual([numbers(twice), twice.events, twice.state.late], [[1], [], false]);
  });

  describe('of a clock that is set', () => {
    /** Tracks frames at those seconds, somebody in each. @returns for each whether it was late, and its events */
    const at10 = async (seconds: number[]) => {
      const parsing = await pictureOf([at(10)]);
      const told: string[] = [];
      const warnings: string[] = [];
      for (const second of seconds) {
        const tracked = await tracking.track(parsing, second);
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
      const [gone] = (await tracking.track(await pictureOf([]), 3600)).events;
      assert.deepEqual([gone, (await at10([0, 1, 2])).warnings], [undefined, []], 'told once');
    });

    it('tells when who was there was seen by the clock as it was', async () => {
      await at10([3600, 3601, 0, 1]);
      const { events } = await tracking.track(await pictureOf([]), 2);
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
      assert.equal(tracking.pass(120).length, 1);
      assert.deepEqual((await at10([0, 1])).told, ['new 2', '']);
    });

    it('takes when a picture arrived where its time lies far ahead, and says so once', async () => {
      const parsing = await pictureOf([at(10)]);
      const options = readOptions(TRACK_OPTIONS, {});
      const hours = (n: number) => START + n * 3_600_000;
      const take = (time: number, now: number) => tracking.topics.track(parsing, 'yard', time, options, now);
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
});
