/** How workers behind a real Redis come and go. */
import assert from 'node:assert/strict';
import { sleep } from '../../../src/async.ts';
import { start } from '../../cli/support.ts';
import { childrenOf } from '../../support/processes.ts';
import { PlayedEngine } from '../support/played-engine.ts';
import { errorOf, forever, names, redisUnderTest, taken, request, until } from '../support/redis-workers.ts';
import { SHORT } from '../support/times.ts';
import { WorkerProcess } from '../support/worker.ts';

describe('workers on Redis', function () {
  this.timeout(60_000);
  const subject = redisUnderTest();
  const { linkTo, play } = subject;

  it('has a worker that is told to stop finish its picture', async () => {
    const { redis, link } = subject;
    const worker = await WorkerProcess.start(redis.address);
    await link.open();
    const { all } = await taken(redis, 1);
    worker.hold();
    const parsing = link.submit(request(link), forever);
    await all;
    worker.stop();
    await worker.says('Finishing 1 picture first.');
    worker.goOn();
    assert.ok((await parsing).persons.length > 0);
    assert.equal(await worker.ended(), 0);
    await until(link, () => link.workers.length === 0);
    assert.deepEqual(await redis.keys(), []);
  });

  it('hands over what is parsed when Redis takes changes again, and parses it no second time', async () => {
    const { redis, link } = subject;
    const engine = new PlayedEngine();
    const log: string[] = [];
    await play(engine, log);
    await link.open();
    const refuse = (replicas: number): Promise<unknown> =>
      redis.ask((client) => client.config('SET', 'min-replicas-to-write', String(replicas)));
    const parsing = link.submit(request(link), forever);
    const { resolve } = await engine.nextJob();
    const again = engine.nextJob().then(() => 'again');
    await refuse(1);
    resolve();
    while (!log.some((line) => line.includes('takes no changes'))) await sleep(10);
    await refuse(0);
    assert.equal(typeof (await Promise.race([parsing, again])), 'object');
  });

  it('ends at once when it is told to stop twice', async () => {
    const { redis, link } = subject;
    const command = start(['worker', '--redis', redis.address.url, '--queue', 'tests']);
    await command.says('Serving');
    const [engine] = childrenOf(command.child.pid!);
    await link.open();
    const { all } = await taken(redis, 1);
    process.kill(engine!, 'SIGSTOP');
    const cancelled = errorOf(link.submit(request(link), forever));
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

  it('hears at once of workers that come and go, and of results', async () => {
    const { redis } = subject;
    const link = linkTo(redis.address, { ...SHORT, check: 3_600_000 });
    await link.open();
    assert.deepEqual(link.workers, []);
    const engine = new PlayedEngine();
    const worker = await play(engine);
    await until(link, () => link.workers.length === 1);
    assert.deepEqual(link.workers, [worker.facts]);
    const parsing = link.submit(request(link), forever);
    (await engine.nextJob()).resolve();
    await parsing;
    await worker.close();
    await until(link, () => link.workers.length === 0);
  });

  it('knows since when it has heard nothing of a worker that died', async () => {
    const { redis, link } = subject;
    const { facts } = await play(new PlayedEngine());
    await link.open();
    await redis.ask(async (client) => {
      const told = JSON.stringify({ ...facts, id: 'dead' });
      // Its last word came when half of the time that it holds for was over.
      await client.set(names.worker('dead'), told, 'PX', SHORT.lifetime! / 2);
      await client.sadd(names.workers, 'dead');
      await client.publish(names.news, 'dead');
    });
    await until(link, () => link.workers.length === 2);
    assert.ok(link.silentFor < SHORT.lifetime! / 2, 'the other one tells of itself');
    await subject.closeWorkers();
    await until(link, () => link.workers.length === 1);
    await until(link, () => link.workers.length === 0);
    assert.ok(link.silentFor >= SHORT.lifetime!, `${link.silentFor} ms`);
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
    const { link } = subject;
    const engine = new PlayedEngine();
    const { ended } = await play(engine);
    await link.open();
    engine.giveUp('It crashed five times.');
    const { code, message } = await errorOf(ended);
    assert.deepEqual([code, message], ['M2FP_ENGINE_CRASHED', 'It crashed five times.']);
    await until(link, () => link.workers.length === 0);
  });
});
