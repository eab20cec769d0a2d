/** What metrics and health tell of jobs. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeMessage } from 'node-red';
import { endJob } from '../../../nodes/common/job.ts';
import { processMetrics } from '../../../src/observe/metrics.ts';
import type { Health } from '../../../src/observe/health.ts';
import type { JobView } from '../../../src/service/jobs/view.ts';
import { twoPeople } from '../../support/images.ts';
import { fakeEngines, restoreEngines } from '../support/fake-engine.ts';
import { nodeConfig } from '../support/flows.ts';
import {
  type Events,
  type NodeConfig,
  nodeOf,
  send,
  startFlow,
  stopFlow,
  useSettings,
} from '../support/red.ts';

const SECRET = `whsec_${Buffer.alloc(32, 'x').toString('base64')}`;
const name = 'line of the test';
const answer = (statusCode: number, content: object) => ({
  statusCode,
  headers: { 'content-type': 'application/json' },
  body: Buffer.from(JSON.stringify(content)),
});

describe('the figures of jobs', () => {
  let userDir: string;
  let events: Events;
  let receiver: Server | undefined;
  beforeEach(async () => {
    userDir = await mkdtemp(join(tmpdir(), 'm2fp-jobs-node-'));
    useSettings({ userDir });
    fakeEngines();
  });
  afterEach(async () => {
    await stopFlow();
    restoreEngines();
    receiver?.close();
    useSettings({});
    await rm(userDir, { recursive: true, force: true });
  });

  const jobs = (properties: object = {}): NodeConfig =>
    nodeConfig('m2fp-jobs', 'node', { name, inFlight: 1, wires: [['out'], ['out2']], ...properties });
  const request = (method: string, id = '', more: object = {}): NodeMessage => ({
    req: { method, originalUrl: `/jobs/${id}`, params: { id }, query: {} },
    payload: twoPeople,
    ...more,
  });
  const ask = async (msg: NodeMessage): Promise<JobView> => {
    const before = events.sentOnSecondWire.length;
    send(msg);
    await events.until(() => events.sentOnSecondWire.length > before);
    return events.sentOnSecondWire.at(-1)!.payload as JobView;
  };
  const refuse = async (msg: NodeMessage): Promise<void> => {
    const before = events.caught.length;
    send(msg);
    await events.until(() => events.caught.length > before);
  };
  /** What a metric says of this line, by the label that is not the node's. */
  const told = async (metric: string): Promise<Record<string, number>> => {
    const families = await processMetrics().json({ engines: [] });
    const { samples } = families.find((family) => family.name === metric)!;
    const own = samples.filter(({ labels }) => labels['node'] === name);
    return Object.fromEntries(
      own.map(({ labels, value }) => [labels['state'] ?? labels['outcome'] ?? labels['code'] ?? '', value]),
    );
  };
  /** What a counter has gained since. */
  const since = async (metric: string): Promise<() => Promise<Record<string, number>>> => {
    const before = await told(metric);
    return async () =>
      Object.fromEntries(
        Object.entries(await told(metric))
          .map(([label, value]): [string, number] => [label, value - (before[label] ?? 0)])
          .filter(([, value]) => value !== 0),
      );
  };

  it('are those of the line, and of how jobs ended', async () => {
    events = await startFlow([jobs()]);
    assert.deepEqual(await told('m2fp_jobs'), { queued: 0, running: 0 });
    assert.deepEqual(Object.keys(await told('m2fp_jobs_ended_total')), [
      'done',
      'failed',
      'cancelled',
      'expired',
    ]);
    const ended = await since('m2fp_jobs_ended_total');
    const accepted = await since('m2fp_jobs_accepted_total');
    const views: JobView[] = [];
    for (let n = 0; n < 4; n++) views.push(await ask(request('POST')));
    await events.until(() => events.sent.length > 0);
    while ((await told('m2fp_jobs'))['running'] !== 1);
    assert.deepEqual(await told('m2fp_jobs'), { queued: 3, running: 1 });
    const [age] = Object.values(await told('m2fp_jobs_oldest_waiting_seconds'));
    assert.ok(age! > 0 && age! < 60, String(age));
    await endJob(events.sent[0]!, answer(200, {}));
    await events.until(() => events.sent.length > 1);
    await endJob(events.sent[1]!, answer(400, { code: 'M2FP_BAD_IMAGE' }));
    await ask(request('DELETE', views[3]!.id));
    assert.deepEqual(await accepted(), { '': 4 });
    assert.deepEqual(await ended(), { done: 1, failed: 1, cancelled: 1 });
    await ask(request('DELETE', views[2]!.id));
    assert.deepEqual(await told('m2fp_jobs'), { queued: 0, running: 0 });
    assert.deepEqual(await told('m2fp_jobs_oldest_waiting_seconds'), { '': 0 });
    await stopFlow();
    assert.deepEqual(await told('m2fp_jobs'), {});
  });

  it('are those of webhooks', async () => {
    let status = 410;
    receiver = createServer((asked, response) => {
      asked.resume();
      response.writeHead(status).end();
      status = 204;
    }).listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    const webhook = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
    events = await startFlow([jobs({ webhookHosts: webhook })], [], { node: { webhookSecret: SECRET } });
    const calls = await since('m2fp_webhook_calls_total');
    for (let n = 0; n < 2; n++) {
      await ask(request('POST', '', { webhook }));
      await events.until(() => events.sent.length > n);
      await endJob(events.sent[n]!, answer(200, {}));
      while (Object.keys(await calls()).length <= n) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.deepEqual(await calls(), { unwanted: 1, delivered: 1 });
  });

  it('count the pictures that were refused, and not those who asked for a job', async () => {
    events = await startFlow([jobs({ maxJobs: 1 })]);
    const refused = await since('m2fp_inference_request_failure_total');
    await refuse(request('POST', '', { payload: 'a text' }));
    await ask(request('POST'));
    await refuse(request('POST'));
    await refuse(request('GET', 'none'));
    assert.deepEqual(await refused(), { M2FP_UNSUPPORTED_FORMAT: 1, M2FP_BUSY: 1 });
  });

  it('say that it is not ready where the model is gone that says where jobs are kept', async () => {
    events = await startFlow([
      jobs({ model: 'gone' }),
      nodeConfig('m2fp-status', 'status', { format: 'ready', wires: [['out']] }),
    ]);
    nodeOf('status').receive({});
    await events.until(() => events.sent.length > 0);
    const { statusCode, payload } = events.sent[0] as NodeMessage & { statusCode: number };
    assert.equal(statusCode, 503);
    const { reasons } = (typeof payload === 'string' ? JSON.parse(payload) : payload) as Health;
    assert.match(reasons[0]!.message, new RegExp(`"${name}" \\(m2fp-jobs\\)`));
  });
});
