/** Whatever others put into Redis: it is refused with a code, and nothing ends by it. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { deflateSync } from 'node:zlib';
import { Redis } from 'ioredis';
import { Packr } from 'msgpackr';
import type { BullLink } from '../../../src/engine/remote/client/bull-link.ts';
import type { ChildParsing } from '../../../src/engine/protocol.ts';
import { M2fpError } from '../../../src/errors.ts';
import { encodeRle } from '../../../src/parsing/masks/rle.ts';
import { packAnswer, packRequest } from '../../../src/engine/remote/redis/codec.ts';
import { bundled } from '../../support/bundled.ts';
import { twoPeople } from '../../support/images.ts';
import { turnsOf } from '../../support/turns.ts';
import { PlayedEngine } from '../support/played-engine.ts';
import { errorOf, forever, names, redisUnderTest, until } from '../support/redis-workers.ts';
import { SHORT } from '../support/times.ts';

const task = { digest: bundled.digest, image: twoPeople, options: {} };

const packr = new Packr({ useRecords: false });

/** MessagePack of `count` times nothing in a list, in a map. */
function nothings(count: number): Buffer {
  const head = Buffer.from([0x82, 0xa1, 0x76, 0x02, 0xa7, ...Buffer.from('parsing'), 0xdd, 0, 0, 0, 0]);
  head.writeUInt32BE(count, head.length - 4);
  return Buffer.concat([head, Buffer.alloc(count, 0xc0)]);
}

describe('what others put into Redis', function () {
  this.timeout(60_000);
  const subject = redisUnderTest();
  const { linkTo, play } = subject;
  let client: Redis;

  beforeEach(() => {
    client = new Redis(subject.redis.address.url);
  });
  afterEach(() => client.disconnect());

  /** Has somebody put something under a key in place of the answer to the next picture; what comes of that. */
  async function answered(link: BullLink, engine: PlayedEngine, put: (key: string) => Promise<unknown>) {
    const parsing = link.submit(task, forever);
    const { resolve } = await engine.nextJob();
    const [key = ''] = await client.keys(names.request('*'));
    await put(key.replace(':request:', ':answer:'));
    const error = await errorOf(parsing);
    resolve();
    return error;
  }

  /** A picture still goes there and back. */
  async function works(link: BullLink, engine: PlayedEngine): Promise<void> {
    const parsing = link.submit(task, forever);
    (await engine.nextJob()).resolve();
    assert.equal((await parsing).width, 448);
  }

  const other = {
    width: 1,
    height: 1,
    labels: ['a'],
    labelMap: Buffer.alloc(1),
    personMap: Buffer.alloc(1),
  };
  const answers: Record<string, (key: string) => Promise<unknown>> = {
    'a list without end': (key) => client.set(key, deflateSync(nothings(5_000_000), { level: 1 })),
    'lists in lists': (key) => client.set(key, deflateSync(Buffer.alloc(1_000_000, 0x91))),
    'far too many bytes': (key) => client.setrange(key, 400e6, 'x'),
    'a hash': (key) => client.hset(key, 'a', 'b'),
    'a text': (key) => client.set(key, 'no answer'),
    'no person': (key) =>
      client.set(key, deflateSync(packr.pack({ v: 2, parsing: { ...other, persons: [null] } }))),
    'another picture': async (key) => {
      const nobody = { persons: [], parts: [] };
      const timing = { decode: 1, preprocess: 1, inference: 1, postprocess: 1 };
      const parsing = { ...other, ...nobody, doubtful: nobody, timing };
      return client.set(key, await packAnswer({ parsing }));
    },
    'an error of megabytes': (key) =>
      client.set(key, deflateSync(packr.pack({ v: 2, error: { message: 'x'.repeat(5e6) } }))),
  };
  for (const [what, put] of Object.entries(answers)) {
    it(`as an answer: ${what}`, async () => {
      const { link } = subject;
      const engine = new PlayedEngine();
      await play(engine);
      await link.open();
      const { longest, result } = await turnsOf(() => answered(link, engine, put));
      assert.equal(result.code, 'M2FP_ENGINE_UNAVAILABLE', what);
      assert.ok(result.message.length < 400, what);
      // The bytes that the test itself makes take longer.
      if (!what.startsWith('a list')) assert.ok(longest < 200, `${what}: ${longest} ms in one go`);
      await works(link, engine);
    });
  }

  it('as an answer: a parsing whose scores are not those that were asked for', async () => {
    const { link } = subject;
    const engine = new PlayedEngine();
    await play(engine);
    await link.open();
    const asked = { ...task, options: { scoreThreshold: 0.5 } };
    const ask = () => link.submit(asked, forever, { model: bundled });
    const genuine = ask();
    (await engine.nextJob()).resolve();
    const parsing = await genuine;
    const mask = encodeRle(Buffer.alloc(parsing.labelMap.length), parsing.width, parsing.height);
    const region = { id: 1, box: { x: 0, y: 0, width: 0, height: 0 }, area: 0, mask };
    const part = { ...region, label: bundled.labels[1]!, index: 1, person: null };
    const forged: Partial<ChildParsing>[] = [
      { doubtful: { persons: [], parts: [{ ...part, score: 0.99 }] } },
      { doubtful: { persons: [{ ...region, score: 0.99 }], parts: [] } },
      { parts: [{ ...part, score: 0.2 }] },
      { persons: [{ ...region, score: 0.2 }] },
    ];
    for (const change of forged) {
      const answer = ask();
      const { resolve } = await engine.nextJob();
      const [key = ''] = await client.keys(names.request('*'));
      await client.set(
        key.replace(':request:', ':answer:'),
        await packAnswer({ parsing: { ...parsing, ...change } }),
      );
      const error = await errorOf(answer);
      resolve();
      assert.equal(error.code, 'M2FP_ENGINE_UNAVAILABLE');
      assert.match(error.message, /does not fit what was asked: .+ holds a score of/);
    }
    await works(link, engine);
  });

  const requests: Record<string, [code: string, put: (key: string) => Promise<unknown>]> = {
    'a list without end': ['M2FP_BAD_IMAGE', (key) => client.set(key, nothings(10_000_000))],
    'lists in lists': ['M2FP_BAD_IMAGE', (key) => client.set(key, Buffer.alloc(1_000_000, 0x91))],
    'far too many bytes': ['M2FP_IMAGE_TOO_LARGE', (key) => client.setrange(key, 400e6, 'x')],
    'a list': ['M2FP_BAD_IMAGE', (key) => client.lpush(key, 'x')],
    'numbers of 64 bits': [
      'M2FP_BAD_IMAGE',
      (key) =>
        client.set(
          key,
          packr.pack({ v: 2, digest: '', image: Buffer.alloc(1), options: { shortSide: 2n ** 60n } }),
        ),
    ],
  };
  for (const [what, [code, put]] of Object.entries(requests)) {
    it(`as a picture: ${what}`, async () => {
      // One that looks after its pictures would put the right one back.
      const link = linkTo(subject.redis.address, { ...SHORT, check: 3_600_000 });
      const engine = new PlayedEngine();
      await link.open();
      await play(engine);
      await until(link, () => link.workers.length === 1);
      // The only worker is at another picture meanwhile.
      const first = link.submit(task, forever);
      const { resolve } = await engine.nextJob();
      const before = new Set(await client.keys(names.request('*')));
      const parsing = errorOf(link.submit(task, forever));
      let key: string | undefined;
      while (key === undefined) {
        await sleep(10);
        key = (await client.keys(names.request('*'))).find((found) => !before.has(found));
      }
      await client.del(key);
      await put(key);
      resolve();
      await first;
      assert.equal((await parsing).code, code, what);
      await works(link, engine);
    });
  }

  it('as jobs', async () => {
    const { link } = subject;
    const engine = new PlayedEngine();
    const log: string[] = [];
    await play(engine, log);
    await link.open();
    const jobs = { nonsense: { data: '{', name: 'parse' }, foreign: { data: '{}', opts: '[' }, empty: {} };
    for (const [id, fields] of Object.entries(jobs)) {
      await client.hset(names.job(id), { timestamp: '1', ...fields });
      await client.lpush(`${names.prefix}:${names.jobs}:wait`, id);
    }
    await client.lpush(`${names.prefix}:${names.jobs}:wait`, 'nowhere', 'x'.repeat(100_000));
    await client.set(names.job('text'), 'no job');
    await client.lpush(`${names.prefix}:${names.jobs}:wait`, 'text');
    await client.zadd(`${names.prefix}:${names.jobs}:marker`, 0, '0');
    await works(link, engine);
    assert.ok(log.every((line) => line.length < 1000));
  });

  const records: Record<string, Record<string, string>> = {
    'data that is no JSON': { data: '{{{' },
    'no data': { data: 'null' },
    'options that are no JSON': { opts: '{{{' },
    'no options': { opts: 'null' },
    'a list of options': { opts: '[]' },
    'progress that is no JSON': { progress: '{{{' },
    'a parent': { parentKey: 'x:y', parent: '{{{' },
    'a time for the next one': { rjk: 'repeat', nrjid: 'x' },
    'options for the next one': { rjk: 'x', opts: '{"repeat":{"every":1},"delay":-5}' },
    'results that are no JSON': { stacktrace: '{{{', returnvalue: '{{{', failedReason: '{{' },
    'a million attempts': { opts: '{"attempts":1000000,"backoff":{"type":"x","delay":0}}' },
    'telemetry that is no JSON': { opts: '{"tm":"{{{","omc":1}' },
  };
  for (const [what, fields] of Object.entries(records)) {
    for (const isThere of [true, false]) {
      it(`as the record of a job with ${what}, ${isThere ? 'whose picture is there' : 'without a picture'}`, async () => {
        const engine = new PlayedEngine();
        await play(engine);
        engine.answerAll();
        const id = 'spoiled';
        if (isThere) await client.set(names.request(id), packRequest(task));
        await client.hset(names.job(id), {
          name: 'parse',
          data: '{}',
          opts: '{}',
          timestamp: '1',
          ...fields,
        });
        await client.lpush(`${names.prefix}:${names.jobs}:wait`, id);
        await client.zadd(`${names.prefix}:${names.jobs}:marker`, 0, '0');
        // What has a parent cannot be finished, and is given up as one over which workers die.
        const deadline = performance.now() + 10_000;
        const ended = async (): Promise<boolean> =>
          isThere
            ? (await client.exists(names.answer(id))) === 1
            : (await client.exists(names.job(id))) === 0 ||
              (await client.hexists(names.job(id), 'failedReason')) === 1;
        while (!(await ended())) {
          assert.ok(performance.now() < deadline, 'Nothing was answered');
          await sleep(10);
        }
      });
    }
  }

  it('takes a picture anew that a worker took the job of, and Redis had lost', async () => {
    const { redis } = subject;
    const link = linkTo(redis.address, { ...SHORT, check: 3_600_000 });
    const engine = new PlayedEngine();
    await link.open();
    const parsing = link.submit(task, forever);
    let keys: string[] = [];
    while (keys.length === 0) {
      keys = await client.keys(names.request('*'));
      await sleep(10);
    }
    await sleep(200);
    await client.del(...keys);
    await play(engine);
    engine.answerAll();
    assert.equal((await parsing).width, 448);
  });

  it('as workers', async () => {
    const { link, redis } = subject;
    const engine = new PlayedEngine();
    await play(engine);
    const facts = JSON.parse((await client.get((await client.keys(names.worker('*')))[0]!))!) as object;
    const told = (id: string, change: object) =>
      client.set(names.worker(id), JSON.stringify({ ...facts, id, ...change }));
    const wrong: Record<string, () => Promise<unknown>> = {
      none: () => client.set(names.worker('none'), 'null'),
      long: () => told('long', { more: 'x'.repeat(1e6) }),
      host: () => told('host', { host: 'x'.repeat(1000) }),
      slots: () => told('slots', { slots: 1e15 }),
      manifest: () => told('manifest', { manifest: { digest: 'x' } }),
      labels: () => told('labels', { manifest: { ...bundledIn(facts), labels: [1, 2] } }),
      sides: () =>
        told('sides', {
          manifest: { ...bundledIn(facts), input: { kind: 'short-side', shortSide: 1e6, longSide: 1e6 } },
        }),
      deep: () => client.set(names.worker('deep'), '['.repeat(10_000) + ']'.repeat(10_000)),
      list: () => client.lpush(names.worker('list'), 'x'),
    };
    for (const [id, put] of Object.entries(wrong)) {
      await put();
      await client.sadd(names.workers, id);
    }
    await client.sadd(names.workers, 'x'.repeat(1e6), ...Array.from({ length: 200 }, (_, n) => `dead ${n}`));
    await link.open();
    await until(link, () => link.workers.length === 1);
    await works(link, engine);

    const { message } = await (async () => {
      await client.del(names.workers);
      await client.set(names.workers, 'no set');
      return errorOf(linkTo(redis.address).open());
    })();
    assert.match(message, /^Somebody else has put something under the keys of the queue/);
    await until(link, () => link.failure !== null);
    assert.match(link.failure!.message, /^Somebody else/);
    await client.del(names.workers);
    await until(link, () => link.failure === null && link.workers.length === 1);
    await works(link, engine);
  });

  it('as news, also while connections are made', async () => {
    const { redis } = subject;
    const dry = new AbortController();
    const flood = (async () => {
      while (!dry.signal.aborted)
        await Promise.all(Array.from({ length: 50 }, () => client.publish(names.news, 'x')));
    })();
    for (let times = 0; times < 20; times++) {
      const link = linkTo(redis.address);
      await link.open();
      await link.close();
    }
    await client.publish(names.news, 'x'.repeat(20e6));
    const engine = new PlayedEngine();
    const link = linkTo(redis.address);
    await link.open();
    await play(engine);
    await client.publish(names.cancelled, 'x'.repeat(20e6));
    await until(link, () => link.workers.length === 1);
    await works(link, engine);
    dry.abort();
    await flood;
  });

  it('as events', async () => {
    const { redis } = subject;
    // Only events tell it in time.
    const link = linkTo(redis.address, { ...SHORT, check: 3_600_000 });
    const engine = new PlayedEngine();
    await play(engine);
    await link.open();
    await client.xadd(names.events, '*', 'event', 'completed', 'jobId', 'x', 'returnvalue', '{');
    await client.xadd(names.events, '*', 'event', 'error', 'jobId', 'x');
    await client.xadd(names.events, '*', 'event', 'failed', 'jobId', 'x');
    await sleep(500);
    await works(link, engine);
  });

  it('takes a picture from a worker whose engine gave up, and gives it to another one', async () => {
    const { link } = subject;
    const [first, second] = [new PlayedEngine(), new PlayedEngine()];
    const down = await play(first);
    await link.open();
    const parsing = link.submit(task, forever);
    const job = await first.nextJob();
    await play(second);
    first.giveUp('It crashed five times.');
    const refusal = 'It crashed five times, and is tried again in 29 s.';
    job.reject(new M2fpError('M2FP_ENGINE_CRASHED', refusal, { cause: first.failure }));
    (await second.nextJob()).resolve();
    assert.equal((await parsing).width, 448);
    assert.equal((await errorOf(down.ended)).code, 'M2FP_ENGINE_CRASHED');
  });
});

function bundledIn(facts: object): object {
  return (facts as { manifest: object }).manifest;
}
