/** What the clock of a Redis says, as far as its answers tell. */
import assert from 'node:assert/strict';
import { RedisClock } from '../../../src/engine/remote/redis/redis-clock.ts';

describe('RedisClock', () => {
  it('knows nothing before Redis has told', () => {
    assert.equal(new RedisClock().at(1000), null);
  });

  it('is never ahead of what Redis says, and as near as the quickest answer', () => {
    const clock = new RedisClock();
    // Redis is 5000 ahead; it was asked at 0 and answered at 100, when it read 5050.
    clock.note(0, 100, 5050);
    assert.equal(clock.at(200), 5150);
    clock.note(300, 302, 5301);
    assert.equal(clock.at(400), 5399);
    // A slow answer tells less than is known.
    clock.note(500, 900, 5700);
    assert.equal(clock.at(1000), 5999);
  });

  it('follows a clock that was set', () => {
    const clock = new RedisClock();
    clock.note(0, 2, 5001);
    clock.note(10, 12, 4011);
    assert.equal(clock.at(20), 4019);
    clock.note(30, 32, 9031);
    assert.equal(clock.at(40), 9039);
  });
});
