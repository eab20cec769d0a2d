/** Pictures that go through a real Redis to workers and back. */
import assert from 'node:assert/strict';
import { acquireEngine } from '../../../src/engine/index.ts';
import type { ChildParsing } from '../../../src/engine/protocol.ts';
import { M2fpError } from '../../../src/errors.ts';
import { preprocess } from '../../../src/image/index.ts';
import { bundledModelFolder } from '../../../src/paths.ts';
import { start } from '../../cli/support.ts';
import { twoPeople } from '../../support/images.ts';
import { PlayedEngine } from '../support/played-engine.ts';
import { errorOf, forever, names, redisUnderTest, taken, request, until } from '../support/redis-workers.ts';
import { WorkerProcess } from '../support/worker.ts';

const withoutTiming = ({ timing: _timing, ...rest }: ChildParsing) => rest;

describe('workers on Redis', function () {
  this.timeout(60_000);
  const subject = redisUnderTest();
  const { play } = subject;

  it('gives what an engine of this machine gives, through the command', async () => {
    const { redis, link } = subject;
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
      const remote = await link.submit(request(link, sent), forever);
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
    await until(link, () => link.workers.length === 0);
    assert.deepEqual(await redis.keys(), []);
  });

  it('shares pictures among workers', async () => {
    const { redis, link } = subject;
    const both = await Promise.all([1, 2].map(() => WorkerProcess.start(redis.address)));
    await link.open();
    assert.equal(link.workers.length, 2);
    const { all } = await taken(redis, 2);
    for (const worker of both) worker.hold();
    const parsings = Array.from({ length: 6 }, () => link.submit(request(link), forever));
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
    const { redis, link } = subject;
    const first = await WorkerProcess.start(redis.address);
    await link.open();
    const { all } = await taken(redis, 1);
    first.hold();
    const parsing = link.submit(request(link), forever);
    await all;
    await WorkerProcess.start(redis.address);
    await first.kill();
    assert.ok((await parsing).persons.length > 0);
    await until(link, () => link.workers.length === 1);
  });

  it('gives up a picture over which two workers died', async () => {
    const { redis, link } = subject;
    const worker = await WorkerProcess.start(redis.address);
    await link.open();
    worker.hold();
    const first = await taken(redis, 1);
    const error = errorOf(link.submit(request(link), forever));
    await first.all;
    const second = await WorkerProcess.start(redis.address);
    const again = await taken(redis, 2);
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
    assert.deepEqual(await redis.ask((client) => client.keys('*:request:*')), []);
  });

  it('takes a picture back from the worker that is at it', async () => {
    const { redis, link } = subject;
    const engine = new PlayedEngine();
    const worker = await play(engine);
    await link.open();
    const controller = new AbortController();
    const parsing = link.submit(request(link), controller.signal);
    const { aborted } = await engine.nextJob();
    const reason = new M2fpError('M2FP_CANCELLED', 'Enough.');
    controller.abort(reason);
    assert.equal(await errorOf(parsing), reason);
    await aborted;
    // The worker is free for the next one.
    const next = link.submit(request(link), forever);
    (await engine.nextJob()).resolve();
    await next;
    await worker.close();
    await link.close();
    assert.deepEqual(await redis.keys(), []);
  });

  it('leaves nothing of a picture that is taken back before a worker has it', async () => {
    const { redis, link } = subject;
    await link.open();
    const controller = new AbortController();
    const parsing = link.submit(request(link), controller.signal);
    const reason = new M2fpError('M2FP_CANCELLED', 'Enough.');
    controller.abort(reason);
    assert.equal(await errorOf(parsing), reason);
    const early = new AbortController();
    early.abort(reason);
    assert.equal(await errorOf(link.submit(request(link), early.signal)), reason);
    await link.close();
    assert.deepEqual(await redis.keys(), []);
  });

  it('brings the errors of pictures, and leaves nothing of those', async () => {
    const { redis, link } = subject;
    const worker = await WorkerProcess.start(redis.address);
    await link.open();
    const broken = await errorOf(link.submit(request(link, Buffer.from('no picture')), forever));
    assert.equal(broken.code, 'M2FP_UNSUPPORTED_FORMAT');
    const other = await errorOf(link.submit({ ...request(link), digest: 'another' }, forever));
    assert.equal(other.code, 'M2FP_MODEL_INVALID');
    assert.match(other.message, /meant for another model .* m2fp-demo/);
    for (const options of [
      { shortSide: 4097 },
      { longSide: 1e9 },
      { shortSide: -1 },
      { scoreThreshold: NaN },
    ]) {
      const refused = await errorOf(link.submit({ ...request(link), options }, forever));
      assert.equal(refused.code, 'M2FP_BAD_OPTION', refused.message);
    }
    worker.stop();
    assert.equal(await worker.ended(), 0);
    await link.close();
    assert.deepEqual(await redis.keys(), []);
  });
});
