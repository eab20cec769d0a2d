/** Connections that go on although something in them was lost, added or changed: both sides find out, and begin anew. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkerAddress } from '../../../src/engine/remote/client/transport.ts';
import { M2fpError } from '../../../src/errors.ts';
import { PlayedEngine } from '../support/played-engine.ts';
import { errorOf, forever, names, redisUnderTest, request, until } from '../support/redis-workers.ts';
import { between, type StrangeServer } from '../support/strange-server.ts';

type Change = (data: Buffer) => Buffer;

const FAULTS: Record<string, Change> = {
  'says that it is longer than it is': (data) =>
    Buffer.concat([Buffer.from('*3000000\r\n'), data.subarray(data.indexOf('\n') + 1)]),
  'is lost': () => Buffer.alloc(0),
  'loses its second half': (data) => data.subarray(0, data.length / 2),
  'comes after another one': (data) => Buffer.concat([Buffer.from('$-1\r\n'), data]),
  'comes twice': (data) => Buffer.concat([data, data]),
  'begins with something else': (data) => Buffer.concat([Buffer.from('§'), data]),
};

describe('a connection to Redis that goes on although something in it broke', function () {
  this.timeout(20_000);
  const subject = redisUnderTest();
  let way: StrangeServer;
  /** Chooses what is changed, once. */
  let isMeant: (data: Buffer) => boolean;
  let fault: Change | null;
  let address: WorkerAddress;

  beforeEach(async () => {
    fault = null;
    way = await between(subject.redis.address.url, (data) => {
      if (fault === null || !isMeant(data)) return data;
      const changed = fault(data);
      fault = null;
      return changed;
    });
    address = { ...subject.redis.address, url: way.url };
  });
  afterEach(() => way.close());

  for (const [what, change] of Object.entries(FAULTS)) {
    it(`lets a worker go on whose picture ${what}`, async () => {
      const { link } = subject;
      const engine = new PlayedEngine();
      await subject.play(engine, [], address);
      engine.answerAll();
      await link.open();
      isMeant = (data) => data.includes('digest') && !data.includes('"host"');
      fault = change;
      await assertEnds(link.submit(request(link), forever));
      assert.equal(fault, null);
      await until(link, () => link.workers.length === 1);
      assert.equal((await link.submit(request(link), forever)).width, 448);
    });

    it(`lets a client go on whose result ${what}`, async () => {
      const engine = new PlayedEngine();
      await subject.play(engine);
      engine.answerAll();
      const link = subject.linkTo(address);
      await link.open();
      isMeant = (data) => data.length > 500 && data.includes(':answer:');
      fault = change;
      await assertEnds(link.submit(request(link), forever));
      assert.equal(fault, null);
      await until(link, () => link.workers.length === 1);
      assert.equal((await link.submit(request(link), forever)).width, 448);
    });
  }

  it('lets a connection go on that is lost while it is made anew', async () => {
    const { redis, link } = subject;
    const engine = new PlayedEngine();
    await subject.play(engine, [], address);
    engine.answerAll();
    await link.open();
    isMeant = (data) => data.includes('redis_version');
    fault = () => Buffer.alloc(0);
    await redis.ask((client) => client.call('CLIENT', 'KILL', 'TYPE', 'normal'));
    assert.equal((await link.submit(request(link), forever)).width, 448);
    assert.equal(fault, null);
  });

  it('hears what is told to all, although Redis refused that for a while', async () => {
    const { redis, link } = subject;
    const engine = new PlayedEngine();
    await subject.play(engine, [], address);
    await link.open();
    const listeners = async (): Promise<unknown> =>
      (await redis.ask((client) => client.pubsub('NUMSUB', names.cancelled)))[1];
    const { connections } = way;
    // Redis closes the connections of those who hear what they may not.
    await redis.ask((client) => client.acl('SETUSER', 'default', 'resetchannels'));
    while (way.connections === connections) await sleep(10);
    await sleep(300);
    assert.equal(await listeners(), 0);
    await redis.ask((client) => client.acl('SETUSER', 'default', 'allchannels'));
    while ((await listeners()) === 0) await sleep(10);
    const stop = new AbortController();
    const error = errorOf(link.submit(request(link), stop.signal));
    const { aborted } = await engine.nextJob();
    stop.abort(new M2fpError('M2FP_CANCELLED', 'Not wanted any more.'));
    assert.equal((await error).code, 'M2FP_CANCELLED');
    await aborted;
  });
});

/** A picture may fail for it, but its message ends. */
async function assertEnds(parsing: Promise<{ width: number }>): Promise<void> {
  const end = await parsing.catch((error: unknown) => error);
  if (end instanceof M2fpError) assert.equal(end.code, 'M2FP_ENGINE_UNAVAILABLE', end.message);
  else assert.equal((end as { width: number }).width, 448);
}
