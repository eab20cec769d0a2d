/** The jobs of the packed package: a Node-RED that is killed between 202 and the result. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, watch } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import sharp from 'sharp';
import { Webhook } from 'standardwebhooks';
import type { ParsingSummary } from '../../src/parsing/summary.ts';
import type { JobView } from '../../src/service/jobs/view.ts';
import { installedPackage } from '../support/installed-package.ts';
import { example, NodeRed } from '../support/node-red.ts';
import { twoPeople } from '../support/images.ts';
import { RedisServer } from './support/redis.ts';

type Told = JobView & { result?: ParsingSummary };

const SECRET = `whsec_${Buffer.alloc(32, 'x').toString('base64')}`;

describe('the jobs of a Node-RED', function () {
  this.timeout(120_000);
  let nodeRed: NodeRed;
  let receiver: Server;
  const calls: { type: string; data: { id: string } }[] = [];

  before(async () => {
    receiver = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => (body += text));
      request.on('end', () => {
        calls.push(new Webhook(SECRET).verify(body, request.headers as Record<string, string>) as never);
        response.end();
        receiver.emit('called');
      });
    }).listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    const hosts = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
    const flow = example('4 Parsing service').map((node) =>
      node.type === 'm2fp-jobs'
        ? { ...node, webhookHosts: hosts, credentials: { webhookSecret: SECRET } }
        : node,
    );
    nodeRed = await NodeRed.start('node-red', flow);
    // As the editor deploys it: the secret goes to the credentials.
    const deployed = await nodeRed.post('/flows', {
      headers: { 'content-type': 'application/json', 'Node-RED-Deployment-Type': 'full' },
      body: JSON.stringify(flow),
    });
    assert.equal(deployed.status, 204);
    while (nodeRed.log.split('Started flows').length < 3) await once(nodeRed.child, 'log');
  });
  after(async () => {
    await nodeRed?.stop();
    receiver?.close();
  });

  const submit = async (query = '', body: Buffer = twoPeople): Promise<JobView> => {
    const response = await nodeRed.post(`/m2fp/api/jobs${query}`, { body: new Uint8Array(body) });
    const text = await response.text();
    assert.equal(response.status, 202, text);
    const job = JSON.parse(text) as JobView;
    assert.equal(
      new URL(response.headers.get('location')!, response.url).pathname,
      `/m2fp/api/jobs/${job.id}`,
    );
    return job;
  };
  const get = (id: string, query = '', init: RequestInit = {}): Promise<Response> =>
    fetch(`${nodeRed.url}/m2fp/api/jobs/${id}${query}`, init);
  const ended = async (id: string): Promise<Told> => {
    for (;;) {
      const response = await get(id);
      const text = await response.text();
      assert.equal(response.status, 200, text);
      const job = JSON.parse(text) as Told;
      if (job.ended !== null) return job;
      await pause(100);
    }
  };
  const kept = (): string[] =>
    globSync('m2fp/jobs/jobs/{queued,new,claims,tries}/*', { cwd: nodeRed.userDir });

  it('are parsed, and told of', async () => {
    const { id } = await submit();
    const job = await ended(id);
    assert.deepEqual([job.state, job.error], ['done', null]);
    assert.deepEqual([job.result?.width, job.result?.model.id], [448, 'm2fp-demo']);
  });

  it('have the format that was asked for', async () => {
    const { id } = await submit('?format=png&view=map');
    const { resultType, resultUrl } = await ended(id);
    assert.equal(resultType, 'image/png');
    const response = await fetch(new URL(resultUrl!, `${nodeRed.url}/m2fp/api/jobs/${id}`));
    assert.equal(response.headers.get('content-type'), 'image/png');
    const { format, width } = await sharp(await response.arrayBuffer()).metadata();
    assert.deepEqual([format, width], ['png', 448]);
  });

  it('fail with what a client is told of its picture', async () => {
    const { id } = await submit('', twoPeople.subarray(0, 20_000));
    const { state, error } = await ended(id);
    assert.deepEqual([state, error?.code, error?.status], ['failed', 'M2FP_BAD_IMAGE', 400]);
  });

  it('are refused where there is no picture, and unknown where there is no job', async () => {
    const refused = await nodeRed.post('/m2fp/api/jobs', { body: 'a text' });
    assert.deepEqual(
      [refused.status, refused.headers.get('content-type')],
      [415, 'application/problem+json'],
    );
    for (const method of ['GET', 'DELETE']) {
      const unknown = await get('01a229e6-b4a0-7000-9b55-9618413aeaa9', '', { method });
      assert.equal(unknown.status, 404);
      assert.equal(((await unknown.json()) as { code: string }).code, 'M2FP_JOB_NOT_FOUND');
    }
    const elsewhere = await nodeRed.post('/m2fp/api/jobs?job.webhook=https://example.org/', {
      body: new Uint8Array(twoPeople),
    });
    assert.equal(elsewhere.status, 400);
  });

  it('are cancelled, and forgotten', async () => {
    const jobs = await Promise.all(Array.from({ length: 5 }, () => submit()));
    const last = jobs
      .map(({ id }) => id)
      .toSorted()
      .at(-1)!;
    const cancelled = await get(last, '', { method: 'DELETE' });
    assert.equal(cancelled.status, 200);
    assert.equal(((await cancelled.json()) as JobView).state, 'cancelled');
    for (const { id } of jobs) assert.equal((await ended(id)).state, id === last ? 'cancelled' : 'done');
    assert.equal((await get(last, '', { method: 'DELETE' })).status, 204);
    assert.equal((await get(last)).status, 404);
  });

  it('survive that Node-RED is killed between 202 and the result, and are called for once', async () => {
    const { port } = receiver.address() as AddressInfo;
    const hook = `?job.webhook=${encodeURIComponent(`http://127.0.0.1:${port}/done`)}&format=json`;
    const done = await submit(hook);
    await ended(done.id);
    const jobs = await Promise.all(Array.from({ length: 8 }, () => submit(hook)));
    const before = kept().length;
    assert.ok(before > 0, 'all had ended before it was killed');
    await nodeRed.restart('SIGKILL');
    for (const { id } of jobs) {
      const job = await ended(id);
      assert.deepEqual([job.state, job.error, job.result?.width], ['done', null, 448]);
    }
    assert.equal((await ended(done.id)).state, 'done');
    const ids = [done, ...jobs].map(({ id }) => id);
    const called = (): string[] => calls.filter(({ type }) => type === 'job.done').map(({ data }) => data.id);
    while (!ids.every((id) => called().includes(id))) await once(receiver, 'called');
    // No picture is kept that has a result, nor a call that was answered: its file goes once the answer is in.
    const changes = watch(join(nodeRed.userDir, 'm2fp/jobs/jobs'), { recursive: true });
    while (kept().length > 0) await once(changes, 'change');
    changes.close();
    assert.ok(!nodeRed.log.includes(SECRET));
  });

  it('go on when flows are deployed', async () => {
    const jobs = await Promise.all(Array.from({ length: 4 }, () => submit()));
    const flows = await (await fetch(`${nodeRed.url}/flows`)).text();
    const deployed = await nodeRed.post('/flows', {
      headers: { 'content-type': 'application/json', 'Node-RED-Deployment-Type': 'full' },
      body: flows,
    });
    assert.equal(deployed.status, 204);
    for (const { id } of jobs) {
      let job: Told | undefined;
      while (job === undefined) job = await ended(id).catch(() => pause(200, undefined));
      assert.equal(job.state, 'done');
    }
  });
});

describe('the jobs of two Node-REDs with one Redis', function () {
  this.timeout(120_000);
  let redis: RedisServer;
  const nodeReds: NodeRed[] = [];
  let worker: ChildProcess | undefined;

  before(async () => {
    redis = await RedisServer.start({ persistent: true });
    const { url, queue } = redis.address;
    const flow = example('4 Parsing service').map((node) =>
      node.type === 'm2fp-model' ? { ...node, source: 'remote', redis: url, queue } : node,
    );
    for (let n = 0; n < 2; n++) nodeReds.push(await NodeRed.start('node-red', flow));
  });
  after(async () => {
    worker?.kill('SIGKILL');
    for (const nodeRed of nodeReds) await nodeRed.stop();
    await redis?.stop();
  });

  function startWorker(): void {
    const { address } = redis;
    const program = join(installedPackage().folder, 'dist', 'cli', 'm2fp.js');
    worker = spawn(process.execPath, [program, 'worker', '--redis', address.url, '--queue', address.queue], {
      stdio: 'ignore',
    });
  }

  /** Pictures of jobs that have been parsed, by both. */
  async function parsed(): Promise<number> {
    const counts = nodeReds.map(async ({ url }) => {
      const text = await (await fetch(`${url}/m2fp/metrics`)).text();
      const own =
        /^m2fp_messages_total\{type="m2fp-infer",node="m2fpeainfer00001",fate="sent",code=""\} (\d+)$/m;
      return Number(own.exec(text)?.[1] ?? 0);
    });
    return (await Promise.all(counts)).reduce((sum, count) => sum + count);
  }

  it('are told of by the one that did not take them, and are done once', async () => {
    startWorker();
    const ids = await Promise.all(
      Array.from({ length: 12 }, async (_, i) => {
        const response = await nodeReds[i % 2]!.post('/m2fp/api/jobs', { body: new Uint8Array(twoPeople) });
        assert.equal(response.status, 202);
        return ((await response.json()) as JobView).id;
      }),
    );
    for (const [i, id] of ids.entries()) {
      const address = `${nodeReds[(i + 1) % 2]!.url}/m2fp/api/jobs/${id}`;
      let job: Told | undefined;
      while (job === undefined || job.ended === null) {
        job = (await (await fetch(address)).json()) as Told;
        await pause(100);
      }
      assert.deepEqual([job.state, job.attempts, job.result?.width], ['done', 1, 448]);
      assert.equal((await fetch(address, { method: 'DELETE' })).status, 204);
    }
    assert.equal(await parsed(), ids.length);
    const ended = once(worker!, 'exit');
    worker!.kill('SIGTERM');
    await ended;
  });

  it('wait for a worker through a restart of Redis and the death of the one that took them, and are seen by both', async () => {
    const [first, second] = nodeReds as [NodeRed, NodeRed];
    const response = await first.post('/m2fp/api/jobs', { body: new Uint8Array(twoPeople) });
    const { id } = (await response.json()) as JobView;
    assert.equal(response.status, 202);
    const look = async (): Promise<Told | undefined> => {
      const told = await fetch(`${second.url}/m2fp/api/jobs/${id}`);
      return told.status === 200 ? ((await told.json()) as Told) : undefined;
    };
    assert.equal((await look())?.ended, null);
    await redis.stop('SIGKILL');
    await redis.start();
    first.child.kill('SIGKILL');
    startWorker();
    let job: Told | undefined;
    while (job === undefined || job.ended === null) {
      job = await look();
      await pause(200);
    }
    assert.deepEqual([job.state, job.error, job.result?.width], ['done', null, 448]);
    assert.doesNotMatch(second.log, /append-only/);
    const left = await redis.keys();
    const pictures = left.filter((key) => /:job:/.test(key) && !key.endsWith(id));
    assert.deepEqual(pictures, []);
  });
});
