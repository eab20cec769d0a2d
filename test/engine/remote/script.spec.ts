/** An answer of Redis is taken only where it is to what was asked. */
import assert from 'node:assert/strict';
import type { Redis } from 'ioredis';
import { runScript } from '../../../src/engine/remote/redis/script.ts';

/** A Redis that gives these answers, one after the other, and loses its connection as it is told. */
function answering(...replies: unknown[]) {
  const dropped: string[] = [];
  const redis = {
    callBuffer: () => Promise.resolve(replies.shift()),
    stream: { destroy: ({ message }: Error) => dropped.push(message) },
  };
  return { redis: redis as unknown as Redis, dropped };
}

describe('a script in Redis', () => {
  const mine = [Buffer.from('answer:mine'), 'the answer'];
  const other = [Buffer.from('answer:other'), 'of another picture'];

  it('is answered', async () => {
    const { redis, dropped } = answering(mine);
    assert.deepEqual(await runScript(redis, '', ['answer:mine']), ['the answer']);
    assert.deepEqual(dropped, []);
  });

  for (const [what, wrong] of [
    ['the answer to another question', other],
    ['a text', 'OK'],
    ['nothing', null],
    ['a number', 1],
    ['a list of nothing', [null]],
    ['an empty list', []],
    ['a list in a list', [mine]],
  ] as const) {
    it(`is run anew, on another connection, where ${what} comes`, async () => {
      const { redis, dropped } = answering(wrong, mine);
      assert.deepEqual(await runScript(redis, '', ['answer:mine']), ['the answer']);
      assert.equal(dropped.length, 1);
    });
  }

  it('fails where the answers are always to something else', async () => {
    const { redis } = answering(other, other, other, other, other);
    await assert.rejects(runScript(redis, '', ['answer:mine']), { code: 'M2FP_ENGINE_UNAVAILABLE' });
  });
});
