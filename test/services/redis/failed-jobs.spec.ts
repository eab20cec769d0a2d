/** What BullMQ notes of a job that failed: a picture that was taken back while a worker fetched it, say. */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { names, redisUnderTest } from '../support/redis-workers.ts';

const FAILED = `${names.prefix}:${names.jobs}:failed`;

describe('the note of a job that failed', function () {
  this.timeout(20_000);
  const subject = redisUnderTest();

  /** As BullMQ writes it. @param age seconds */
  async function note(id: string, age: number): Promise<void> {
    const at = Date.now() - age * 1000;
    await subject.redis.ask(async (redis) => {
      await redis.hset(names.job(id), {
        name: 'parse',
        data: '{}',
        opts: '{}',
        timestamp: at,
        finishedOn: at,
      });
      await redis.zadd(FAILED, at, id);
    });
  }

  it('goes after a minute, also where no other one fails', async () => {
    await note('old', 61);
    await note('new', 1);
    await subject.link.open();
    const keys = async (): Promise<string[]> =>
      (await subject.redis.keys()).filter((key) => key.startsWith(`${names.prefix}:${names.jobs}:`));
    while ((await keys()).includes(names.job('old'))) await pause(50);
    assert.deepEqual(await keys(), [FAILED, names.job('new')]);
  });
});
