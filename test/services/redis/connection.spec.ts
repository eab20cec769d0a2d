/** The way to a real Redis, and what stands in it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { inspect } from 'node:util';
import type { WorkerAddress } from '../../../src/engine/remote/client/transport.ts';
import type { Times } from '../../../src/engine/remote/redis/settings.ts';
import { M2fpError } from '../../../src/errors.ts';
import { start } from '../../cli/support.ts';
import { freePort } from '../../support/node-red.ts';
import { PlayedEngine } from '../support/played-engine.ts';
import { makeCertificate, RedisServer } from '../support/redis.ts';
import { errorOf, forever, names, redisUnderTest, taken, request, until } from '../support/redis-workers.ts';
import { WorkerProcess } from '../support/worker.ts';

describe('workers on Redis', function () {
  this.timeout(60_000);
  const subject = redisUnderTest();
  const { linkTo, play } = subject;

  it('is content with a user who may only touch the queue, as docs/operating.md says', async () => {
    const { redis, link } = subject;
    const page = await readFile(join(import.meta.dirname, '../../../docs/operating.md'), 'utf8');
    const rules = /ACL SETUSER m2fp on '>PASSWORD' (.+)\n/.exec(page)![1]!;
    const user = { username: 'camera', password: 'a password' };
    await redis.ask((client) =>
      client.acl(
        'SETUSER',
        user.username,
        'on',
        `>${user.password}`,
        ...rules.replaceAll("'", '').replaceAll('{m2fp:m2fp}', names.prefix).split(' '),
      ),
    );
    const env = { M2FP_REDIS_USERNAME: user.username, M2FP_REDIS_PASSWORD: user.password };
    const command = start(
      ['worker', '--redis', redis.address.url, '--queue', 'tests', '--threads', '1'],
      env,
    );
    await command.says('Serving');
    const limited = linkTo({ ...redis.address, ...user });
    await limited.open();
    const asked = { ...request(link), digest: limited.workers[0]!.manifest.digest };
    const { persons } = await limited.submit(asked, forever);
    assert.ok(persons.length > 0);
    const controller = new AbortController();
    const recalled = errorOf(limited.submit(asked, controller.signal));
    controller.abort(new M2fpError('M2FP_CANCELLED', 'The request was cancelled.'));
    assert.equal((await recalled).code, 'M2FP_CANCELLED');

    const stranger = linkTo({ ...redis.address, ...user, queue: 'another' });
    assert.match((await errorOf(stranger.open())).message, /does not allow its user what is needed: NOPERM/);
    command.child.kill('SIGTERM');
    assert.equal((await command.ended).code, 0);
  });

  it('gets over a Redis that is killed and comes back with nothing', async () => {
    const { redis, link } = subject;
    const worker = await WorkerProcess.start(redis.address);
    await link.open();
    const { all } = await taken(redis, 1);
    worker.hold();
    const asked = request(link);
    const parsings = [link.submit(asked, forever), link.submit(asked, forever)];
    await all;
    await redis.stop('SIGKILL');
    await until(link, () => link.failure !== null);
    assert.equal(link.failure?.code, 'M2FP_ENGINE_UNAVAILABLE');
    assert.deepEqual(link.workers, []);
    parsings.push(link.submit(asked, forever));
    await worker.says('Trying again');
    await redis.start();
    await until(link, () => link.failure === null && link.workers.length === 1);
    await worker.says('is back.\n');
    worker.goOn();
    for (const parsing of await Promise.all(parsings)) assert.ok(parsing.persons.length > 0);
    assert.equal(worker.log.match(/Trying again/g)?.length, 1, worker.log);
    assert.equal(worker.log.match(/is back/g)?.length, 1, worker.log);
    worker.stop();
    assert.equal(await worker.ended(), 0);
    await link.close();
    assert.deepEqual(await redis.keys(), []);
  });

  it('survives what others put under its keys', async () => {
    const { redis, link } = subject;
    const engine = new PlayedEngine();
    await link.open();
    await redis.ask(async (client) => {
      await client.sadd(names.workers, 'one', 'two');
      await client.set(names.worker('one'), 'no JSON');
      await client.set(names.worker('two'), '{"id":3}');
    });
    await play(engine);
    await until(link, () => link.workers.length === 1);
    const parsing = link.submit(request(link), forever);
    const { resolve } = await engine.nextJob();
    const [id = ''] = await redis.ask((client) => client.keys(names.request('*')));
    await redis.ask((client) => client.set(id.replace(':request:', ':answer:'), 'no answer'));
    assert.match((await errorOf(parsing)).message, /cannot be read/);
    resolve();
  });

  it('can be closed with pictures under way, and opened again', async () => {
    const { link } = subject;
    const engine = new PlayedEngine();
    await play(engine);
    await link.open();
    const error = errorOf(link.submit(request(link), forever));
    const { aborted } = await engine.nextJob();
    await link.close();
    assert.equal((await error).code, 'M2FP_CANCELLED');
    await aborted;
    assert.deepEqual(link.workers, []);
    await link.open();
    const parsing = link.submit(request(link), forever);
    (await engine.nextJob()).resolve();
    assert.equal((await parsing).width, 448);
  });

  describe('without a way there', () => {
    let stranger: Server | undefined;
    afterEach(() => stranger?.close());

    async function failure(address: Partial<WorkerAddress>, times?: Partial<Times>): Promise<string> {
      const { code, message } = await errorOf(linkTo({ ...subject.redis.address, ...address }, times).open());
      assert.equal(code, 'M2FP_ENGINE_UNAVAILABLE');
      return message;
    }

    async function listen(server: Server): Promise<string> {
      stranger = server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return `redis://127.0.0.1:${(server.address() as AddressInfo).port}`;
    }

    it('says that nobody is there', async () => {
      const url = `redis://127.0.0.1:${await freePort()}`;
      assert.equal(
        await failure({ url }),
        `Nobody answers at ${url}: is Redis running there? (connection refused)`,
      );
      assert.match(await failure({ url: 'redis://nowhere.invalid' }), /^There is no machine of the name/);
    });

    it('says that somebody else is there', async () => {
      const url = await listen(createHttpServer());
      assert.equal(await failure({ url }), `What answers at ${url} is not Redis.`);
    });

    it('does not wait long for one that says nothing', async () => {
      const url = await listen(createServer());
      const { message } = await errorOf(linkTo({ ...subject.redis.address, url }, { connect: 100 }).open());
      assert.match(message, /does not answer/);
    });

    it('says that the other side may not speak TLS', async () => {
      const { redis } = subject;
      const url = redis.address.url.replace('redis:', 'rediss:');
      assert.match(await failure({ url }, { connect: 500 }), /does not answer, or not with TLS/);
    });

    it('can be closed while it tries', async () => {
      const url = await listen(createServer());
      const silent = linkTo({ ...subject.redis.address, url });
      const error = errorOf(silent.open());
      await silent.close();
      assert.equal((await error).code, 'M2FP_CANCELLED');
    });

    it('speaks TLS with those whom it trusts', async () => {
      const certificate = makeCertificate();
      const safe = await RedisServer.start({ certificate });
      try {
        const { url } = safe.address;
        assert.match(await failure({ url }), /^The certificate of rediss:.* NODE_EXTRA_CA_CERTS/);
        const command = start(['worker', '--redis', url], { NODE_EXTRA_CA_CERTS: certificate.certificate });
        await command.says('Serving');
        command.child.kill('SIGTERM');
        assert.equal((await command.ended).code, 0);
      } finally {
        await safe.stop();
      }
    });

    it('needs the right password, and tells nobody what it was', async () => {
      const locked = await RedisServer.start({ password: 'the right one' });
      try {
        const { url } = locked.address;
        const refused = await errorOf(linkTo({ ...locked.address, password: 'a wrong one' }).open());
        assert.ok(!inspect(refused, { depth: 9 }).includes('a wrong one'));
        assert.equal(refused.message, `Redis at ${url} refuses the user name or password.`);
        assert.equal(await failure({ url }), `Redis at ${url} wants a password, and none is set.`);
        await linkTo(locked.address).open();
        const command = start(['worker', '--redis', url], { M2FP_REDIS_PASSWORD: 'the right one' });
        await command.says('Serving');
        command.child.kill('SIGINT');
        assert.equal((await command.ended).code, 0);
      } finally {
        await locked.stop();
      }
    });
  });
});
