/** A Node-RED without a model of its own: `m2fp worker`, as the package brings it, has it. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { ModelFacts } from '../../nodes/common/model-facts.ts';
import type { ParsingSummary } from '../../src/parsing/summary.ts';
import { NodeRed } from '../support/node-red.ts';
import { twoPeople } from '../support/images.ts';
import { RedisServer } from './support/redis.ts';
import { startWorker, stopWorker } from './support/worker-command.ts';

const PASSWORD = 'a password of the tests';

describe('a flow whose pictures workers parse', function () {
  this.timeout(90_000);
  let redis: RedisServer;
  let nodeRed: NodeRed;
  const workers: ChildProcess[] = [];

  before(async () => {
    redis = await RedisServer.start({ password: PASSWORD });
    const { url, queue } = redis.address;
    const at = { z: 'tab', x: 100, y: 100 };
    const headers = { 'content-type': 'application/json' };
    nodeRed = await NodeRed.start('node-red', [
      { id: 'tab', type: 'tab', label: 'Parsing elsewhere' },
      { id: 'model', type: 'm2fp-model', source: 'remote', redis: url, queue, timeout: 60, configVersion: 2 },
      { id: 'in', type: 'http in', url: '/parse', method: 'post', upload: true, wires: [['infer']], ...at },
      { id: 'infer', type: 'm2fp-infer', model: 'model', wires: [['answer'], []], ...at },
      { id: 'answer', type: 'http response', statusCode: '', headers, wires: [], ...at },
      { id: 'catch', type: 'catch', scope: ['infer'], wires: [['refuse']], ...at },
      {
        id: 'refuse',
        type: 'function',
        func: 'msg.statusCode = 503; msg.payload = { code: msg.error.code, message: msg.error.message }; return msg;',
        wires: [['answer']],
        ...at,
      },
    ]);
    // As the editor deploys it: the password goes to the credentials, not into the flow.
    const flows = (await (await fetch(`${nodeRed.url}/flows`)).json()) as {
      id: string;
      credentials?: object;
    }[];
    flows.find(({ id }) => id === 'model')!.credentials = { redisPassword: PASSWORD };
    const deployed = await nodeRed.post('/flows', {
      headers: { ...headers, 'Node-RED-Deployment-Type': 'full' },
      body: JSON.stringify(flows),
    });
    assert.equal(deployed.status, 204);
    // Node-RED answers before the flows run.
    while (nodeRed.log.split('Started flows').length < 3) await once(nodeRed.child, 'log');
  });
  after(async () => {
    await nodeRed?.stop();
    await Promise.all(workers.map(stopWorker));
    await redis?.stop();
  });

  function parse(): Promise<Response> {
    const body = new FormData();
    body.set('image', new Blob([Uint8Array.from(twoPeople)]), 'two-people.png');
    return nodeRed.post('/parse', { body });
  }

  it('says that nobody works, and becomes ready by itself when a worker comes', async () => {
    const statuses = await nodeRed.statuses();
    try {
      const refused = await parse();
      const { code, message } = (await refused.json()) as { code: string; message: string };
      assert.deepEqual([refused.status, code], [503, 'M2FP_ENGINE_UNAVAILABLE']);
      assert.match(message, /m2fp worker/);
      const ready = statuses.next('infer', ({ fill }) => fill === 'green');
      workers.push(await startWorker(redis, PASSWORD));
      await ready;
    } finally {
      statuses.close();
    }
  });

  it('parses there, and has neither a model nor a process of its own', async () => {
    const response = await parse();
    const summary = (await response.json()) as ParsingSummary;
    assert.equal(response.status, 200, JSON.stringify(summary));
    assert.deepEqual([summary.model.id, summary.width, summary.height], ['m2fp-demo', 448, 448]);
    assert.ok(summary.persons.length > 0);
    const facts = (await (await fetch(`${nodeRed.url}/m2fp/models/model`)).json()) as ModelFacts;
    assert.deepEqual(facts.remote, { url: redis.address.url, queue: redis.address.queue, workers: 1 });
    assert.equal(facts.folder, null);
    assert.ok(!JSON.stringify(facts).includes(PASSWORD));
    assert.ok(!nodeRed.log.includes(PASSWORD));
  });

  it('loses nothing when the worker is replaced while pictures come', async () => {
    const first = workers.pop()!;
    const answers = Array.from({ length: 6 }, parse);
    const ended = stopWorker(first);
    workers.push(await startWorker(redis, PASSWORD));
    for (const answer of answers) assert.equal((await answer).status, 200);
    await ended;
    assert.equal(first.exitCode, 0);
  });

  it('leaves no picture in Redis', async () => {
    const keys = await redis.keys();
    assert.deepEqual(
      keys.filter((key) => !key.includes(':worker')),
      [],
    );
  });
});
