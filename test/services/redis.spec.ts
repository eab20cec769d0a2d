/** Workers behind a real Redis. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { QueueEvents } from 'bullmq';
import { acquireEngine, shutdownEngines } from '../../src/engine/index.ts';
import type { ChildParsing } from '../../src/engine/protocol.ts';
import { BullLink } from '../../src/engine/remote/bull-link.ts';
import type { RemoteTask, WorkerAddress } from '../../src/engine/remote/link.ts';
import { namesOf } from '../../src/engine/remote/names.ts';
import type { Times } from '../../src/engine/remote/times.ts';
import { type RunningWorker, startWorker } from '../../src/engine/remote/worker.ts';
import { M2fpError } from '../../src/errors.ts';
import { preprocess } from '../../src/image/index.ts';
import { bundledModelFolder } from '../../src/paths.ts';
import { start } from '../cli/support.ts';
import { freePort } from '../support/node-red.ts';
import { twoPeople } from '../support/pictures.ts';
import { childrenOf } from '../support/processes.ts';
import { PlayedEngine } from './support/played-engine.ts';
import { makeCertificate, RedisServer } from './support/redis.ts';
import { SHORT } from './support/times.ts';
import { WorkerProcess } from './support/worker.ts';

const names = namesOf('tests');
const forever = new AbortController().signal;

describe('workers on Redis', function () {
  this.timeout(60_000);
  let redis: RedisServer;
  let link: BullLink;
  const links: BullLink[] = [];
  const workers: RunningWorker[] = [];

  beforeEach(async () => {
    redis = await RedisServer.start();
    link = linkTo(redis.address);
  });
  afterEach(async () => {
    await Promise.all([...links.splice(0), ...workers.splice(0)].map((one) => one.close()));
    await WorkerProcess.stopAll();
    await redis.stop();
  });
  after(shutdownEngines);

  function linkTo(address: WorkerAddress, times: Partial<Times> = SHORT): BullLink {
    const made = new BullLink(address, times);
    links.push(made);
    return made;
  }

  /** A worker in this process, on an engine that the test plays. */
  async function play(engine: PlayedEngine, log: string[] = []): Promise<RunningWorker> {
    const acquire = () => Promise.resolve({ engine, release: () => {} });
    const worker = await startWorker(
      { address: redis.address, engine: { model: '' }, log: (line) => log.push(line) },
      { times: SHORT, acquire },
    );
    workers.push(worker);
    return worker;
  }

  /** Resolves when `condition` holds of the link. */
  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        const unsubscribe = link.subscribe(() => {
          unsubscribe();
          resolve();
        });
      });
    }
  }

  function task(image: RemoteTask['image'] = twoPeople): RemoteTask {
    return { digest: link.workers[0]?.manifest.digest ?? '', image, options: {} };
  }

  /** Resolves when workers have `count` more pictures in hand; call it before they get them. */
  async function taken(count: number): Promise<{ all: Promise<void> }> {
    const { hostname: host, port } = new URL(redis.address.url);
    const events = new QueueEvents(names.jobs, {
      connection: { host, port: Number(port) },
      prefix: names.prefix,
      skipVersionCheck: true,
      lastEventId: '0',
    });
    events.on('error', () => {});
    await events.waitUntilReady();
    const all = new Promise<void>((resolve) => {
      let left = count;
      events.on('active', () => {
        left--;
        if (left === 0) resolve(events.close());
      });
    });
    return { all };
  }

  async function errorOf(work: Promise<unknown>): Promise<M2fpError> {
    const error = await work.then(
      () => assert.fail('Nothing was thrown'),
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof M2fpError, String(error));
    return error;
  }

  const withoutTiming = ({ timing: _timing, ...rest }: ChildParsing) => rest;

  it('gives what an engine of this machine gives, through the command', async () => {
    const command = start(['worker', '--redis', redis.address.url, '--queue', 'tests', '--threads', '1']);
    await command.says('Serving');
    await link.open();
    assert.equal(link.workers.length, 1);
    const lease = await acquireEngine({ model: bundledModelFolder() });
    const { engine } = lease;
    const { input } = await preprocess(twoPeople, engine.info().manifest.input);
    for (const image of [twoPeople, input]) {
      const { image: _image, model: _model, cached: _cached, ...local } = await engine.parse({ image });
      const sent = Buffer.isBuffer(image)
        ? image
        : { ...image, source: { ...image.source, image: Buffer.alloc(0) } };
      const remote = await link.submit(task(sent), forever);
      assert.ok(local.persons.length > 0);
      assert.deepEqual(withoutTiming(remote), withoutTiming(local));
      assert.ok(remote.timing.inference > 0);
    }
    lease.release();
    command.child.kill('SIGTERM');
    const { code, out, err } = await command.ended;
    assert.equal(code, 0, err);
    assert.equal(out, '');
    assert.match(
      err,
      /^m2fp: Serving m2fp-demo \(fp16, digest \w{12}\) with 1 process of 1 thread \(cpu\) in the queue tests of redis:.+\n.+SIGTERM.+\nm2fp: Stopped\.\n$/,
    );
    await until(() => link.workers.length === 0);
    assert.deepEqual(await redis.keys(), []);
  });

  it('is content with a user who may only touch the queue, as README says', async () => {
    const readme = await readFile(join(import.meta.dirname, '../../README.md'), 'utf8');
    const rules = /ACL SETUSER m2fp on '>PASSWORD' (.+)\n/.exec(readme)![1]!;
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
    const picture = { ...task(), digest: limited.workers[0]!.manifest.digest };
    const { persons } = await limited.submit(picture, forever);
    assert.ok(persons.length > 0);
    const controller = new AbortController();
    const recalled = errorOf(limited.submit(picture, controller.signal));
    controller.abort(new M2fpError('M2FP_CANCELLED', 'The request was cancelled.'));
    assert.equal((await recalled).code, 'M2FP_CANCELLED');

    const stranger = linkTo({ ...redis.address, ...user, queue: 'another' });
    assert.match((await errorOf(stranger.open())).message, /does not allow its user what is needed: NOPERM/);
    command.child.kill('SIGTERM');
    assert.equal((await command.ended).code, 0);
  });

  it('shares pictures among workers', async () => {
    const both = await Promise.all([1, 2].map(() => WorkerProcess.start(redis.address)));
    await link.open();
    assert.equal(link.workers.length, 2);
    const { all } = await taken(2);
    for (const worker of both) worker.hold();
    const parsings = Array.from({ length: 6 }, () => link.submit(task(), forever));
    await all;
    const busy = await redis.ask(async (client) => {
      const ids = await client.lrange(`${names.prefix}:${names.jobs}:active`, 0, -1);
      return Promise.all(ids.map((id) => client.hget(names.job(id), 'pb')));
    });
    assert.equal(busy.length, 2);
    assert.deepEqual(new Set(busy), new Set(link.workers.map(({ id }) => id)));
    for (const worker of both) worker.goOn();
    const [first, ...others] = await Promise.all(parsings);
    for (const other of others) assert.deepEqual(withoutTiming(other), withoutTiming(first!));
    await link.close();
    assert.deepEqual(
      await redis.keys(),
      [
        names.workers,
        ...(await redis.ask((client) => client.smembers(names.workers))).map((id) => names.worker(id)),
      ].toSorted(),
    );
  });

  it('gives the picture of a worker that dies to another one', async () => {
    const first = await WorkerProcess.start(redis.address);
    await link.open();
    const { all } = await taken(1);
    first.hold();
    const parsing = link.submit(task(), forever);
    await all;
    await WorkerProcess.start(redis.address);
    await first.kill();
    assert.ok((await parsing).persons.length > 0);
    await until(() => link.workers.length === 1);
  });

  it('gives up a picture over which two workers died', async () => {
    const worker = await WorkerProcess.start(redis.address);
    await link.open();
    worker.hold();
    const first = await taken(1);
    const error = errorOf(link.submit(task(), forever));
    await first.all;
    const second = await WorkerProcess.start(redis.address);
    const again = await taken(2);
    second.hold();
    await worker.kill();
    await again.all;
    await WorkerProcess.start(redis.address);
    await second.kill();
    const { code, message } = await error;
    assert.deepEqual(
      [code, message],
      ['M2FP_ENGINE_CRASHED', 'Two workers died over the picture, one after the other.'],
    );
    assert.deepEqual(await redis.ask((client) => client.keys('*:task:*')), []);
  });

  it('has a worker that is told to stop finish its picture', async () => {
    const worker = await WorkerProcess.start(redis.address);
    await link.open();
    const { all } = await taken(1);
    worker.hold();
    const parsing = link.submit(task(), forever);
    await all;
    worker.stop();
    await worker.says('Finishing 1 picture first.');
    worker.goOn();
    assert.ok((await parsing).persons.length > 0);
    assert.equal(await worker.ended(), 0);
    await until(() => link.workers.length === 0);
    assert.deepEqual(await redis.keys(), []);
  });

  it('ends at once when it is told to stop twice', async () => {
    const command = start(['worker', '--redis', redis.address.url, '--queue', 'tests']);
    await command.says('Serving');
    const [engine] = childrenOf(command.child.pid!);
    await link.open();
    const { all } = await taken(1);
    process.kill(engine!, 'SIGSTOP');
    const cancelled = errorOf(link.submit(task(), forever));
    await all;
    command.child.kill('SIGTERM');
    await command.says('Finishing 1 picture first.');
    command.child.kill('SIGTERM');
    const { code } = await command.ended;
    process.kill(engine!, 'SIGKILL');
    assert.equal(code, 143);
    await link.close();
    assert.equal((await cancelled).code, 'M2FP_CANCELLED');
  });

  it('gets over a Redis that is killed and comes back with nothing', async () => {
    const worker = await WorkerProcess.start(redis.address);
    await link.open();
    const { all } = await taken(1);
    worker.hold();
    const picture = task();
    const parsings = [link.submit(picture, forever), link.submit(picture, forever)];
    await all;
    await redis.stop('SIGKILL');
    await until(() => link.failure !== null);
    assert.equal(link.failure?.code, 'M2FP_ENGINE_UNAVAILABLE');
    assert.deepEqual(link.workers, []);
    parsings.push(link.submit(picture, forever));
    await worker.says('Trying again');
    await redis.start();
    await until(() => link.failure === null && link.workers.length === 1);
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

  it('takes a picture back from the worker that is at it', async () => {
    const engine = new PlayedEngine();
    await play(engine);
    await link.open();
    const controller = new AbortController();
    const parsing = link.submit(task(), controller.signal);
    const { aborted } = await engine.visit();
    const reason = new M2fpError('M2FP_CANCELLED', 'Enough.');
    controller.abort(reason);
    assert.equal(await errorOf(parsing), reason);
    await aborted;
    // The worker is free for the next one.
    const next = link.submit(task(), forever);
    (await engine.visit()).resolve();
    await next;
    await workers[0]!.close();
    await link.close();
    assert.deepEqual(await redis.keys(), []);
  });

  it('leaves nothing of a picture that is taken back before a worker has it', async () => {
    await link.open();
    const controller = new AbortController();
    const parsing = link.submit(task(), controller.signal);
    const reason = new M2fpError('M2FP_CANCELLED', 'Enough.');
    controller.abort(reason);
    assert.equal(await errorOf(parsing), reason);
    const early = new AbortController();
    early.abort(reason);
    assert.equal(await errorOf(link.submit(task(), early.signal)), reason);
    await link.close();
    assert.deepEqual(await redis.keys(), []);
  });

  it('brings the errors of pictures, and leaves nothing of those', async () => {
    const worker = await WorkerProcess.start(redis.address);
    await link.open();
    const broken = await errorOf(link.submit(task(Buffer.from('no picture')), forever));
    assert.equal(broken.code, 'M2FP_UNSUPPORTED_FORMAT');
    const other = await errorOf(link.submit({ ...task(), digest: 'another' }, forever));
    assert.equal(other.code, 'M2FP_MODEL_INVALID');
    assert.match(other.message, /meant for another model .* m2fp-demo/);
    worker.stop();
    assert.equal(await worker.ended(), 0);
    await link.close();
    assert.deepEqual(await redis.keys(), []);
  });

  it('survives what others put under its keys', async () => {
    const engine = new PlayedEngine();
    await link.open();
    await redis.ask(async (client) => {
      await client.sadd(names.workers, 'one', 'two');
      await client.set(names.worker('one'), 'no JSON');
      await client.set(names.worker('two'), '{"id":3}');
    });
    await play(engine);
    await until(() => link.workers.length === 1);
    const parsing = link.submit(task(), forever);
    const { resolve } = await engine.visit();
    const [id = ''] = await redis.ask((client) => client.keys(names.task('*')));
    await redis.ask((client) => client.set(id.replace(':task:', ':answer:'), 'no answer'));
    assert.match((await errorOf(parsing)).message, /cannot be read/);
    resolve();
  });

  it('hears at once of workers that come and go, and of results', async () => {
    link = linkTo(redis.address, { ...SHORT, check: 3_600_000 });
    await link.open();
    assert.deepEqual(link.workers, []);
    const engine = new PlayedEngine();
    const worker = await play(engine);
    await until(() => link.workers.length === 1);
    assert.deepEqual(link.workers, [worker.facts]);
    const parsing = link.submit(task(), forever);
    (await engine.visit()).resolve();
    await parsing;
    await worker.close();
    await until(() => link.workers.length === 0);
  });

  it('refuses a worker with another model than those of its queue', async () => {
    await play(new PlayedEngine());
    const { code, message } = await errorOf(play(new PlayedEngine('a'.repeat(64))));
    assert.equal(code, 'M2FP_BAD_OPTION');
    assert.match(
      message,
      /another model in the queue tests: .* not m2fp-demo \(fp16, aaaaaaaaaaaa\)\. Choose another --queue/,
    );
    await play(new PlayedEngine());
  });

  it('ends a worker whose engine gave up', async () => {
    const engine = new PlayedEngine();
    const { ended } = await play(engine);
    await link.open();
    engine.giveUp('It crashed five times.');
    const { code, message } = await errorOf(ended);
    assert.deepEqual([code, message], ['M2FP_ENGINE_CRASHED', 'It crashed five times.']);
    await until(() => link.workers.length === 0);
  });

  it('can be closed with pictures under way, and opened again', async () => {
    const engine = new PlayedEngine();
    await play(engine);
    await link.open();
    const error = errorOf(link.submit(task(), forever));
    const { aborted } = await engine.visit();
    await link.close();
    assert.equal((await error).code, 'M2FP_CANCELLED');
    await aborted;
    assert.deepEqual(link.workers, []);
    await link.open();
    const parsing = link.submit(task(), forever);
    (await engine.visit()).resolve();
    assert.equal((await parsing).width, 1);
  });

  describe('without a way there', () => {
    let stranger: Server | undefined;
    afterEach(() => stranger?.close());

    async function failure(address: Partial<WorkerAddress>, times?: Partial<Times>): Promise<string> {
      const { code, message } = await errorOf(linkTo({ ...redis.address, ...address }, times).open());
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
      const { message } = await errorOf(linkTo({ ...redis.address, url }, { connect: 100 }).open());
      assert.match(message, /does not answer/);
    });

    it('says that the other side may not speak TLS', async () => {
      const url = redis.address.url.replace('redis:', 'rediss:');
      assert.match(await failure({ url }, { connect: 500 }), /does not answer, or not with TLS/);
    });

    it('can be closed while it tries', async () => {
      const url = await listen(createServer());
      const silent = linkTo({ ...redis.address, url });
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
