/** One timer for all topics of a node. */
import assert from 'node:assert/strict';
import { WakeTimer } from '../../../nodes/m2fp-track/wake-timer.ts';
import { readOptions } from '../../../src/parsing/options/option-table.ts';
import { MAX_TOPICS, Topics } from '../../../src/people/track/topics.ts';
import { TRACK_OPTIONS } from '../../../src/people/track/track-options.ts';
import { FakeClock } from '../../engine/support/fakes.ts';
import { at, pictureOf, START } from '../../people/track/support.ts';

describe('the timer of a track node', () => {
  it('is one, for whatever is first, and none when there is nothing to wait for, or when it was closed', async () => {
    const clock = new FakeClock();
    const topics = new Topics(clock);
    const told: string[] = [];
    const timer = new WakeTimer(
      topics,
      (events) => told.push(events.map(({ topic }) => topic).join()),
      clock,
    );
    const parsing = await pictureOf([at(10)]);
    timer.set();
    assert.deepEqual(clock.pending(), []);
    for (let n = MAX_TOPICS + 3; n > 0; n--) {
      await topics.track(parsing, `t${n}`, START, readOptions(TRACK_OPTIONS, { silence: n }));
      timer.set();
      assert.equal(clock.pending().length, 1);
    }
    clock.advance(1000);
    assert.deepEqual([told, clock.pending()], [['t1'], [1000]]);
    clock.advance(MAX_TOPICS * 1000);
    assert.deepEqual([told.length, told.at(-1), clock.pending()], [MAX_TOPICS, `t${MAX_TOPICS}`, []]);
    await topics.track(parsing, 'again', START, readOptions(TRACK_OPTIONS, {}));
    timer.set();
    assert.deepEqual(clock.pending(), [120_000]);
    timer.close();
    timer.set();
    assert.deepEqual(clock.pending(), []);
  });
});
