/** What a worker tells those that watch over it: `m2fp worker --listen`. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ChildProcess, spawn } from 'node:child_process';
import { freePort } from '../support/node-red.ts';
import { root } from '../support/installed-package.ts';
import { RedisServer } from './support/redis.ts';

describe('m2fp worker --listen', function () {
  this.timeout(60_000);
  let redis: RedisServer;
  let worker: ChildProcess;
  let url: string;

  before(async () => {
    redis = await RedisServer.start();
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const args = ['dist/cli/m2fp.js', 'worker', '--redis', redis.address.url, '--listen', `${port}`];
    worker = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  });
  after(async () => {
    if (worker.exitCode === null) {
      worker.kill('SIGTERM');
      await once(worker, 'exit');
    }
    await redis.stop();
  });

  /** Asks until the answer has this status; its text. */
  async function ready(status: number): Promise<string> {
    for (;;) {
      const response = await fetch(`${url}/ready`).catch(() => undefined);
      if (response?.status === status) return await response.text();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  it('is ready when it takes pictures', async () => {
    assert.deepEqual(JSON.parse(await ready(200)), { status: 'ready', ready: true, reasons: [] });
  });

  it('has metrics for Prometheus', async () => {
    const response = await fetch(`${url}/metrics`);
    assert.equal(response.status, 200);
    assert.match(response.headers.get('content-type')!, /^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    assert.match(text, /^m2fp_\w+\{.*model="m2fp-demo"/m);
    assert.match(text, /^m2fp_ready 1$/m);
  });

  it('answers nothing else', async () => {
    assert.equal((await fetch(`${url}/`)).status, 404);
    assert.equal((await fetch(`${url}/ready`, { method: 'POST' })).status, 405);
  });

  it('says that Redis is away, and is ready again by itself', async () => {
    await redis.stop('SIGKILL');
    assert.match(await ready(503), /redis-lost/);
    await redis.start();
    assert.deepEqual(JSON.parse(await ready(200)), { status: 'ready', ready: true, reasons: [] });
  });
});
