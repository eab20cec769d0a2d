/** Jobs in a Redis. */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { REDIS_TIMES, RedisStore } from '../../src/service/jobs/redis/redis-store.ts';
import type { AcceptedJob, JobStore } from '../../src/service/jobs/types.ts';
import { claimed, describeStore, jobOf, LIMITS, resultOf } from '../service/jobs/support/store-contract.ts';
import { RedisServer } from './support/redis.ts';
import { between } from './support/strange-server.ts';

const TIMES = { ...REDIS_TIMES, lease: 900, patience: 1500, retry: 100 };

/** What a store is told of while its Redis is away, and how that comes back. */
const AWAY: Record<string, [away: (redis: RedisServer) => unknown, back: (redis: RedisServer) => unknown]> = {
  'was killed': [(redis) => redis.stop('SIGKILL'), (redis) => redis.start()],
  'stands still': [(redis) => redis.signal('SIGSTOP'), (redis) => redis.signal('SIGCONT')],
};

describe('jobs in a Redis', () => {
  let redis: RedisServer;
  let opened: JobStore[] = [];
  const open = async (limits = {}): Promise<RedisStore> => {
    const store = await RedisStore.open(
      redis.address,
      'jobs',
      { ...LIMITS, ...limits },
      AbortSignal.timeout(10_000),
      TIMES,
    );
    opened.push(store);
    return store;
  };

  describe('as any store', () => {
    before(async () => {
      redis = await RedisServer.start();
    });
    after(() => redis.stop());
    beforeEach(() => redis.ask((client) => client.flushall()));
    afterEach(async () => {
      for (const store of opened) await store.close();
      opened = [];
    });

    describeStore(
      open,
      (ms) => pause(ms),
      (id) =>
        redis.ask(async (client) => {
          // Who is dead does not renew its lease.
          await client.hset(`{m2fp:tests}:service:jobs:job:${id}`, 'token', 'of the dead');
          await client.zadd('{m2fp:tests}:service:jobs:leases', 1, id);
        }),
    );

    it('leaves no key of what is forgotten, and deletes a picture with its outcome', async () => {
      const store = await open();
      const { id } = await store.add(jobOf('the picture', { webhook: 'https://example.org/' }));
      await claimed(store);
      await store.end(id, resultOf('what came of it'));
      const key = (await redis.keys()).find((name) => name.endsWith(id))!;
      const fields = await redis.ask((client) => client.hkeys(key));
      assert.ok(!fields.includes('image') && !fields.includes('message'), fields.join());
      await store.forget(id);
      const left = await redis.keys();
      assert.deepEqual(left, ['{m2fp:tests}:service:jobs:total']);
    });

    it('gives a job to another process when the one that has it is gone', async () => {
      const [here, there] = [await open(), await open()];
      const { id } = await here.add(jobOf('one'));
      const claim = await claimed(here);
      // A lease is renewed while its process lives.
      await pause(1500);
      assert.equal(await there.claim(), undefined);
      // As if its process hung: it renews no more.
      await redis.ask((client) => client.zadd('{m2fp:tests}:service:jobs:leases', 1, id));
      const again = await claimed(there);
      assert.deepEqual([again.id, again.attempts], [id, 2]);
      if (!claim.lost.aborted) {
        await new Promise((resolve) => claim.lost.addEventListener('abort', resolve, { once: true }));
      }
      await claim.release(true);
      assert.equal((await here.get(id))?.state, 'running');
      assert.equal(await there.end(id, resultOf('once')), true);
    });

    it('tells another process that a job of its own was taken back', async () => {
      const [here, there] = [await open(), await open()];
      const { id } = await here.add(jobOf('one'));
      const { lost } = await claimed(there);
      const told = new Promise((resolve) => lost.addEventListener('abort', resolve, { once: true }));
      assert.equal(await here.end(id, resultOf('once')), true);
      await told;
    });

    it('warns of a Redis that keeps nothing on its disk', async () => {
      assert.match((await open()).warning ?? '', /appendonly yes/);
    });
  });

  it('keeps jobs while Redis is killed and started again, and accepts none meanwhile', async () => {
    redis = await RedisServer.start({ persistent: true });
    try {
      const store = await open();
      assert.equal(store.warning, null);
      const first = await store.add(jobOf('one', { webhook: 'https://example.org/' }));
      const second = await store.add(jobOf('two'));
      await claimed(store);
      assert.equal(await store.end(first.id, resultOf('what came of it')), true);
      await redis.stop('SIGKILL');
      const away = { code: 'M2FP_ENGINE_UNAVAILABLE', statusCode: 503 };
      await Promise.all([
        assert.rejects(store.add(jobOf('three')), away),
        assert.rejects(store.claim(), away),
      ]);
      // Whoever comes now waits for nothing, and nothing of theirs waits.
      let waited = false;
      const timer = setTimeout(() => (waited = true), TIMES.patience / 2);
      await assert.rejects(store.add(jobOf('four')), away);
      clearTimeout(timer);
      assert.equal(waited, false);
      await redis.start();
      while (!(await store.get(first.id).catch(() => undefined))) await pause(100);
      assert.equal(String((await store.result(first.id))?.body), 'what came of it');
      assert.equal((await store.delivery())?.job.id, first.id);
      // The claim that was given up holds no job.
      let claim = await store.claim();
      for (; !claim; claim = await store.claim()) await pause(20);
      assert.deepEqual([claim.image.toString(), claim.attempts], ['two', 1]);
      assert.equal(await store.end(second.id, resultOf('two')), true);
      // What was refused is not accepted when Redis is back.
      const isEmpty = async (): Promise<boolean> => {
        const { queued, running, ended } = await store.counts();
        return queued === 0 && running === 0 && ended === 2;
      };
      for (let looks = 0; !(await isEmpty()); looks++) {
        assert.ok(looks < 50);
        await pause(100);
      }
    } finally {
      for (const store of opened) await store.close();
      opened = [];
      await redis.stop();
    }
  });

  describe('that is away', () => {
    let accepted = 0;
    let store: RedisStore;
    const away = { code: 'M2FP_ENGINE_UNAVAILABLE', statusCode: 503 };
    const once = { key: 'a key', digest: 'a digest' };
    const begin = async (): Promise<void> => {
      accepted = 0;
      store = await open();
      store.onAccepted(() => accepted++);
    };
    /** As a client that sends its picture until it is accepted. */
    const insists = async (text: string): Promise<void> => {
      while (!(await store.add(jobOf(text)).catch(() => undefined))) await pause(50);
    };
    beforeEach(async () => {
      redis = await RedisServer.start({ persistent: true });
    });
    afterEach(async () => {
      redis.signal('SIGCONT');
      for (const one of opened) await one.close();
      opened = [];
      await redis.stop();
    });

    for (const [what, [goAway, comeBack]] of Object.entries(AWAY)) {
      it(`keeps and counts nothing that it said no to while Redis ${what}`, async () => {
        await begin();
        await goAway(redis);
        await Promise.all([
          assert.rejects(store.add(jobOf('one')), away),
          assert.rejects(store.add(jobOf('two', { once })), away),
        ]);
        await comeBack(redis);
        // Redis gets what waits for it in the order in which it was sent.
        await insists('three');
        assert.equal((await claimed(store)).image.toString(), 'three');
        assert.equal(await store.claim(), undefined);
        assert.equal(accepted, 1);
      });
    }

    it('counts a job that is kept although its client was told no: Redis died between its keeping and its word', async () => {
      let isLost: boolean | undefined;
      const way = await between(redis.address.url, (data) => {
        if (data.includes(':service:jobs:waiting')) isLost ??= true;
        return isLost === true ? null : data;
      });
      try {
        const address = { ...redis.address, url: way.url };
        store = await RedisStore.open(address, 'jobs', LIMITS, AbortSignal.timeout(10_000), TIMES);
        opened.push(store);
        accepted = 0;
        store.onAccepted(() => accepted++);
        const ends: string[] = [];
        store.onEnded((state) => ends.push(state));
        await Promise.all([
          assert.rejects(store.add(jobOf('one')), away),
          assert.rejects(store.add(jobOf('two', { once })), away),
        ]);
        isLost = false;
        const { id, isAgain } = await insistsOnce();
        assert.equal(isAgain, true);
        assert.equal((await store.get(id))?.state, 'queued');
        // The one without a key, which nobody knows of, is taken back, and counts as that.
        const isTakenBack = (): boolean => accepted === 2 && ends.length === 1;
        while (!isTakenBack()) await pause(20);
        assert.deepEqual([accepted, ends], [2, ['cancelled']]);
        const { queued, ended } = await store.counts();
        assert.deepEqual([queued, ended], [1, 0]);
      } finally {
        await way.close();
      }
    });

    async function insistsOnce(): Promise<AcceptedJob> {
      for (;;) {
        const job = await store.add(jobOf('two', { once })).catch(() => undefined);
        if (job) return job;
        await pause(50);
      }
    }
  });
});
