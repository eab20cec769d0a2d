/** A Node-RED whose Redis is away: it says so at once, keeps nobody waiting, and works again by itself. */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { TIMES } from '../../src/engine/remote/redis/settings.ts';
import type { Health } from '../../src/observe/health.ts';
import type { Problem } from '../../src/service/problem.ts';
import { twoPeople } from '../support/images.ts';
import { example, freePort, NodeRed } from '../support/node-red.ts';
import { RedisServer } from './support/redis.ts';
import { silent, type StrangeServer } from './support/strange-server.ts';
import { WorkerProcess } from './support/worker.ts';

/** What a client waits for an answer at most, milliseconds: four times what it takes, for a machine that is busy. */
const PATIENCE = 20_000;

describe('a Node-RED without its Redis', function () {
  this.timeout(180_000);
  let redis: RedisServer;
  let nodeRed: NodeRed;

  const flowTo = (url: string) =>
    example('4 Parsing service').map((node) =>
      node.type === 'm2fp-model' ? { ...node, source: 'remote', redis: url, queue: 'tests' } : node,
    );
  const start = async (url: string): Promise<void> => {
    nodeRed = await NodeRed.start('node-red', flowTo(url));
  };
  const ready = async (): Promise<{ status: number; codes: string[]; messages: string }> => {
    const response = await fetch(`${nodeRed.url}/m2fp/ready`, { signal: AbortSignal.timeout(PATIENCE) });
    const { reasons } = (await response.json()) as Health;
    const messages = reasons.map(({ message }) => message).join();
    return { status: response.status, codes: reasons.map(({ code }) => code), messages };
  };
  /** Looks until `/ready` says so; returns what it said on the way. */
  const says = async (code: 'redis-lost' | 'redis-refuses' | 'ready', words = /^/): Promise<string[]> => {
    const before: string[] = [];
    for (const until = Date.now() + PATIENCE; Date.now() < until; await pause(50)) {
      const { status, codes, messages } = await ready();
      const said = status === 200 ? 'ready' : codes.join();
      if (said === code) {
        assert.match(messages, words);
        return before;
      }
      if (before.at(-1) !== said) before.push(said);
    }
    return assert.fail(`never ${code}, but ${before.join()}`);
  };
  const parse = (path = '/m2fp/api/parse'): Promise<Response> =>
    nodeRed.post(path, { body: new Uint8Array(twoPeople), signal: AbortSignal.timeout(PATIENCE) });
  const assertRefused = async (response: Response, words = /^/): Promise<void> => {
    const { code, detail } = (await response.json()) as Problem;
    assert.deepEqual([response.status, code], [503, 'M2FP_ENGINE_UNAVAILABLE']);
    assert.match(detail, words);
    assert.match(response.headers.get('retry-after')!, /^\d+$/);
  };

  afterEach(async () => {
    await nodeRed?.stop();
    await WorkerProcess.stopAll();
    await redis?.stop('SIGKILL');
  });

  describe('that was there', () => {
    let worker: WorkerProcess;
    beforeEach(async () => {
      redis = await RedisServer.start({ persistent: true });
      worker = await WorkerProcess.start(redis.address);
      await start(redis.address.url);
      await says('ready');
      assert.equal((await parse()).status, 200);
    });

    it('says that it is lost when it was killed, answers what waits and comes, and goes on when it is back', async () => {
      worker.hold();
      const waiting = parse();
      await pause(500);
      await redis.stop('SIGKILL');
      assert.deepEqual(
        (await says('redis-lost')).filter((said) => said !== 'ready'),
        [],
      );
      await assertRefused(await waiting);
      await assertRefused(await parse());
      await assertRefused(await parse('/m2fp/api/jobs'));
      worker.goOn();
      await redis.start();
      await says('ready');
      assert.equal((await parse()).status, 200);
    });

    it('does the same when it stands still, and its connections do not end', async () => {
      redis.signal('SIGSTOP');
      assert.deepEqual(
        (await says('redis-lost')).filter((said) => said !== 'ready'),
        [],
      );
      await assertRefused(await parse());
      await assertRefused(await parse('/m2fp/api/jobs'));
      redis.signal('SIGCONT');
      await says('ready');
      assert.equal((await parse()).status, 200);
    });

    it('fails no picture when it only restarts', async () => {
      const answers = [parse(), parse()];
      await redis.stop('SIGKILL');
      answers.push(parse(), parse());
      await pause(1500);
      await redis.start();
      answers.push(parse());
      for (const answer of answers) assert.equal((await answer).status, 200, await (await answer).text());
    });
  });

  describe('that takes no changes', () => {
    /** What has it do so, and what ends that. */
    const CAUSES: Record<string, { begin: string[][]; end: string[][]; isLong?: true }> = {
      NOREPLICAS: {
        isLong: true,
        begin: [['CONFIG', 'SET', 'min-replicas-to-write', '1']],
        end: [['CONFIG', 'SET', 'min-replicas-to-write', '0']],
      },
      OOM: {
        isLong: true,
        begin: [['CONFIG', 'SET', 'maxmemory', '100kb']],
        end: [['CONFIG', 'SET', 'maxmemory', '0']],
      },
      READONLY: { begin: [['REPLICAOF', '127.0.0.1', '1']], end: [['REPLICAOF', 'NO', 'ONE']] },
      // It cannot write its file where there is a folder of that name.
      MISCONF: {
        begin: [['CONFIG', 'SET', 'save', '3600 1'], ['BGSAVE']],
        end: [['CONFIG', 'SET', 'save', '']],
      },
    };
    let worker: WorkerProcess;
    const tell = async (commands: string[][]): Promise<void> => {
      await redis.ask(async (client) => {
        for (const [name, ...words] of commands) await client.call(name!, ...words);
      });
    };
    const jobOf = async (): Promise<{ status: number; url: string }> => {
      const response = await parse('/m2fp/api/jobs');
      const { id } = (await response.json()) as { id: string };
      return { status: response.status, url: `${nodeRed.url}/m2fp/api/jobs/${id}` };
    };
    const isDone = async (url: string): Promise<boolean> =>
      ((await (await fetch(url)).json()) as { state: string }).state === 'done';

    for (const [word, { begin, end, isLong = false }] of Object.entries(CAUSES)) {
      it(`says so and why (${word}), loses nothing, and goes on when it takes them again`, async () => {
        redis = await RedisServer.start({ persistent: true, cannotSave: true });
        worker = await WorkerProcess.start(redis.address);
        await start(redis.address.url);
        await says('ready');
        worker.hold();
        const job = await jobOf();
        assert.equal(job.status, 202);
        await tell(begin);
        const words = new RegExp(`\\(${word}\\b`);
        assert.deepEqual(
          (await says('redis-refuses', words)).filter((said) => said !== 'ready'),
          [],
        );
        await assertRefused(await parse(), words);
        await assertRefused(await parse('/m2fp/api/jobs'), words);
        worker.goOn();
        if (isLong) {
          // Longer than a worker is known without a word of it.
          await pause(TIMES.lifetime);
          await says('redis-refuses', words);
        }
        await tell(end);
        await says('ready');
        assert.equal((await parse()).status, 200);
        // Who had it could not put it back, and its lease runs out first.
        if (!isLong) return;
        for (const until = Date.now() + 3 * PATIENCE; !(await isDone(job.url)); await pause(200)) {
          assert.ok(Date.now() < until, 'the job is not done');
        }
      });
    }
  });

  describe('that was never there', () => {
    let server: StrangeServer | undefined;
    afterEach(() => server?.close());

    it('says so, and is ready when it comes', async () => {
      const port = await freePort();
      await start(`redis://127.0.0.1:${port}`);
      await says('redis-lost');
      await assertRefused(await parse());
      redis = await RedisServer.start({ persistent: true, port });
      await WorkerProcess.start(redis.address);
      await says('ready');
      assert.equal((await parse()).status, 200);
    });

    it('says so of one that wants a password', async () => {
      redis = await RedisServer.start({ password: 'secret' });
      await start(redis.address.url);
      await says('redis-lost');
      await assertRefused(await parse());
    });

    it('says so of what accepts connections, and never says a word', async () => {
      server = await silent();
      await start(server.url);
      await says('redis-lost');
      await assertRefused(await parse());
    });
  });
});
