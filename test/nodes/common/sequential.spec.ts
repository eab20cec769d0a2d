import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { NodeAPI, NodeMessageInFlow } from 'node-red';
import { sequentially } from '../../../nodes/common/sequential.ts';

describe('sequentially', () => {
  const { signal } = new AbortController();
  const RED = { settings: {} } as NodeAPI;
  const message = (payload: unknown): NodeMessageInFlow => ({ _msgid: '', payload });

  it('begins with a message when the one before has ended, well or not', async () => {
    const log: string[] = [];
    const work = sequentially(RED, async (msg) => {
      log.push(`begin ${String(msg.payload)}`);
      await new Promise(setImmediate);
      log.push(`end ${String(msg.payload)}`);
      if (msg.payload === 1) throw new Error('no');
      return [msg];
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
    const work = sequentially(RED, async (msg) => {
      worked.push(msg.payload);
      return [msg];
    });
    const abort = new AbortController();
    const results = [work(message(1), signal), work(message(2), abort.signal), work(message(3), signal)];
    abort.abort(new Error('gone'));
    await Promise.allSettled(results);
    await assert.rejects(results[1]!, /gone/);
    assert.deepEqual(worked, [1, 3]);
  });

  for (const [settings, limit] of [
    [{}, 32],
    [{ nodeMessageBufferMaxLength: 0 }, 32],
    [{ nodeMessageBufferMaxLength: 3 }, 3],
    [{ nodeMessageBufferMaxLength: 200 }, 200],
  ] as const) {
    it(`lets ${limit} wait and refuses more, with ${JSON.stringify(settings)} in settings.js`, async () => {
      const aborts: AbortController[] = [];
      const work = sequentially({ settings } as unknown as NodeAPI, async (msg) => {
        await new Promise(setImmediate);
        return [msg];
      });
      const ask = (): Promise<unknown> => {
        const abort = new AbortController();
        aborts.push(abort);
        return work(message(aborts.length), abort.signal);
      };
      const asked = Array.from({ length: 1 + limit }, ask);
      await assert.rejects(ask(), { code: 'M2FP_BUSY', statusCode: 429 });
      aborts[1]!.abort(new Error('gone'));
      await assert.rejects(asked[1]!, /gone/);
      asked[1] = ask();
      await assert.rejects(ask(), { code: 'M2FP_BUSY' }, 'who gave up has made room for one');
      await Promise.all(asked);
      await ask();
    });
  }

  it('keeps nothing of a message that has ended, in its result, in an error or given up', async () => {
    const collected = new Set<string>();
    const registry = new FinalizationRegistry<string>((name) => collected.add(name));
    const work = sequentially(RED, async (msg) => {
      await new Promise(setImmediate);
      if (msg.topic === 'fails') throw new Error('no');
      return [msg];
    });
    const abort = new AbortController();
    const topics = ['fails', 'given up', 'passes'];
    // In a function of its own, so that no variable here holds a message, or an error whose stack does.
    const send = async (): Promise<void> => {
      const sent = topics.map((topic) => {
        const msg = { ...message(Buffer.alloc(1000)), topic };
        registry.register(msg, topic);
        return work(msg, topic === 'given up' ? abort.signal : signal);
      });
      abort.abort(new Error('gone'));
      await Promise.allSettled(sent);
    };
    await send();
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    for (let turn = 0; turn < 50 && collected.size < 3; turn++) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.deepEqual([...collected].toSorted(), topics.toSorted());
    // It goes on working, and lives until here.
    await work(message(1), signal);
  });
});
