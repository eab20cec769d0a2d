import assert from 'node:assert/strict';
import type { NodeMessageInFlow } from 'node-red';
import { inOrder } from '../../../nodes/common/in-order.ts';

describe('inOrder', () => {
  const { signal } = new AbortController();
  const message = (payload: unknown): NodeMessageInFlow => ({ _msgid: '', payload });

  it('begins with a message when the one before has ended, well or not', async () => {
    const log: string[] = [];
    const work = inOrder(async (msg) => {
      log.push(`begin ${String(msg.payload)}`);
      await new Promise(setImmediate);
      log.push(`end ${String(msg.payload)}`);
      if (msg.payload === 1) throw new Error('no');
      return msg;
    });
    const results = await Promise.allSettled([1, 2, 3].map((payload) => work(message(payload), signal)));
    assert.deepEqual(
      results.map(({ status }) => status),
      ['rejected', 'fulfilled', 'fulfilled'],
    );
    assert.deepEqual(log, ['begin 1', 'end 1', 'begin 2', 'end 2', 'begin 3', 'end 3']);
  });

  it('passes over a message that was given up while it waited', async () => {
    const worked: unknown[] = [];
    const work = inOrder(async (msg) => {
      worked.push(msg.payload);
      return msg;
    });
    const abort = new AbortController();
    const results = [work(message(1), signal), work(message(2), abort.signal), work(message(3), signal)];
    abort.abort(new Error('gone'));
    await Promise.allSettled(results);
    await assert.rejects(results[1]!, /gone/);
    assert.deepEqual(worked, [1, 3]);
  });
});
