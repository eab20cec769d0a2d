/** What BullMQ notes of a job that failed: a picture that was taken back while a worker fetched it, say. */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { PlayedEngine } from '../support/played-engine.ts';
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

  for (const [whoever, comes] of [
    ['a client', () => subject.link.open()],
    ['a worker', () => subject.play(new PlayedEngine())],
  ] as const) {
    it(`goes after a minute, also where no other one fails, and only ${whoever} is there`, async () => {
      await note('old', 61);
      await note('new', 1);
      await comes();
      const keys = async (): Promise<string[]> =>
        (await subject.redis.keys()).filter((key) => key.startsWith(`${names.prefix}:${names.jobs}:`));
      while ((await keys()).includes(names.job('old'))) await pause(50);
      assert.deepEqual(await keys(), [FAILED, names.job('new')]);
    });
  }

  it('is not made of a job whose picture is gone: it is over, or sent anew where somebody waits', async () => {
    const { redis } = subject;
    await redis.ask((client) => client.lpush(`${names.prefix}:${names.jobs}:wait`, 'gone'));
    await redis.ask((client) =>
      client.hset(names.job('gone'), { name: 'parse', data: '{}', opts: '{"removeOnComplete":true}' }),
    );
    await subject.play(new PlayedEngine());
    while ((await redis.keys()).includes(names.job('gone'))) await pause(20);
    assert.deepEqual(
      (await redis.keys()).filter((key) => key.includes(':failed')),
      [],
    );
  });
});
