/** How a client hears that a picture is done: at once, whatever happened to the stream of events and the way to it. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { BullLink } from '../../../src/engine/remote/client/bull-link.ts';
import { PlayedEngine } from '../support/played-engine.ts';
import { names, redisUnderTest, request, until } from '../support/redis-workers.ts';
import { between } from '../support/strange-server.ts';
import { SHORT } from '../support/times.ts';

/** Looks after its pictures only where events tell it to. */
const NEVER_LOOKS = { ...SHORT, check: 3_600_000 };

const NO_EVENTS: Record<string, string[]> = {
  'says nothing': ['junk', 'x'],
  'is no JSON': ['event', 'completed', 'jobId', 'x', 'returnvalue', '{'],
  'has no result': ['event', 'completed', 'jobId', 'x'],
  'is an error': ['event', 'error', 'jobId', 'x'],
  'failed for no reason': ['event', 'failed', 'jobId', 'toString'],
  'is larger than a reply may be': ['event', 'failed', 'jobId', 'x', 'failedReason', 'x'.repeat(9e6)],
};

describe('a client that waits for a picture', function () {
  this.timeout(30_000);
  const subject = redisUnderTest();
  let client: Redis;

  beforeEach(() => {
    client = new Redis(subject.redis.address.url);
  });
  afterEach(() => client.disconnect());

  async function opened(address = subject.redis.address): Promise<BullLink> {
    const link = subject.linkTo(address, NEVER_LOOKS);
    await link.open();
    await until(link, () => link.workers.length === 1);
    return link;
  }

  async function works(link: BullLink): Promise<void> {
    const parsing = await link.submit(request(link), AbortSignal.timeout(5000));
    assert.equal(parsing.width, 448);
  }

  beforeEach(async () => {
    const engine = new PlayedEngine();
    await subject.play(engine);
    engine.answerAll();
  });

  for (const [what, fields] of Object.entries(NO_EVENTS)) {
    it(`hears of it although an event ${what}, again and again`, async () => {
      const link = await opened();
      for (let i = 0; i < 4; i++) {
        await client.xadd(names.events, '*', ...fields);
        await sleep(300);
      }
      await works(link);
    });
  }

  it('hears of it among the events of others, while clients come and go', async () => {
    const stop = new AbortController();
    const others = (async () => {
      for (let i = 0; !stop.signal.aborted; i++) {
        const fields = ['event', 'completed', 'jobId', `other-${i}`, 'returnvalue', 'null', 'prev', 'active'];
        await client.xadd(names.events, '*', ...fields);
        await sleep(20);
      }
    })();
    for (let i = 0; i < 4; i++) {
      const link = await opened();
      await works(link);
      await link.close();
    }
    const link = await opened();
    stop.abort();
    await others;
    await works(link);
  });

  it('hears of it after the connection that reads events was closed', async () => {
    const link = await opened();
    for (let i = 0; i < 3; i++) {
      const list = String(await client.client('LIST'));
      const reading = list.split('\n').filter((line) => line.includes('cmd=xread'));
      for (const line of reading) await client.client('KILL', 'ID', /\bid=(\d+)/.exec(line)![1]!);
      await works(link);
    }
  });

  it('hears of it after the stream of events was deleted', async () => {
    const link = await opened();
    await works(link);
    await client.del(names.events);
    await works(link);
  });

  it('hears of it after something else lay in place of the stream for a while', async () => {
    const link = await opened();
    await client.del(names.events);
    await client.set(names.events, 'x');
    await sleep(700);
    await client.del(names.events);
    await works(link);
  });

  for (const [what, change] of Object.entries({
    'was lost': () => Buffer.alloc(0),
    'came twice': (data: Buffer) => Buffer.concat([data, data]),
    'came after another one': (data: Buffer) => Buffer.concat([Buffer.from('$-1\r\n'), data]),
  })) {
    it(`hears of it although the answer that holds the event ${what}`, async () => {
      let left = 1;
      const way = await between(subject.redis.address.url, (data) => {
        if (left === 0 || !data.includes('completed')) return data;
        left--;
        return change(data);
      });
      try {
        const link = await opened({ ...subject.redis.address, url: way.url });
        await works(link);
        assert.equal(left, 0);
        await works(link);
        await link.close();
      } finally {
        await way.close();
      }
    });
  }
});
