/** The example flow "8 Health and metrics". */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { services } from '../../../nodes/common/services.ts';
import type { EngineInfo } from '../../../src/engine/types.ts';
import type { Health } from '../../../src/observe/health.ts';
import { engineInfo } from '../../observe/support/engine-info.ts';
import { nodeConfig } from '../support/flows.ts';
import { restoreEngines } from '../support/fake-engine.ts';
import { coreNode, type NodeConfig, redApi, startFlow, stopFlow } from '../support/red.ts';

const EXAMPLE = new URL('../../../examples/8 Health and metrics.json', import.meta.url);

describe('the example "8 Health and metrics"', () => {
  let server: http.Server;
  let url: string;
  let list: EngineInfo[];

  beforeEach(async () => {
    list = [];
    services.list = async () => list.map((info) => ({ ...info, owners: ['model'] }));
    const nodes = JSON.parse(readFileSync(EXAMPLE, 'utf8')) as NodeConfig[];
    const used = nodes.filter(({ type }) => ['m2fp-status', 'http in', 'http response'].includes(type));
    const wired = used.map((node) =>
      node.id.startsWith('m2fpe8statc') ? { ...node, wires: [['out']] } : node,
    );
    const users = [nodeConfig('m2fp-model', 'model'), nodeConfig('m2fp-infer', 'infer', { model: 'model' })];
    await startFlow([...wired, ...users], [coreNode('network/21-httpin')]);
    server = http.createServer(redApi().httpNode as unknown as http.RequestListener);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await stopFlow();
    restoreEngines();
  });

  it('answers a probe', async () => {
    const good = await fetch(`${url}/health`);
    assert.equal(good.status, 200);
    assert.match(good.headers.get('content-type')!, /^application\/json/);
    assert.equal(((await good.json()) as Health).ready, true);
    list = [engineInfo({ state: 'failed' })];
    const bad = await fetch(`${url}/health`);
    assert.equal(bad.status, 503);
    assert.equal(((await bad.json()) as Health).status, 'unready');
  });

  it('answers whether it lives, whatever the engines do, and whether it is ready', async () => {
    const statuses = async (): Promise<number[]> =>
      Promise.all(['live', 'ready'].map(async (path) => (await fetch(`${url}/${path}`)).status));
    assert.deepEqual(await statuses(), [200, 200]);
    list = [engineInfo({ state: 'failed' })];
    assert.deepEqual(await statuses(), [200, 503]);
  });

  it('answers Prometheus', async () => {
    list = [engineInfo({ waiting: 2 })];
    const response = await fetch(`${url}/metrics`);
    assert.equal(response.status, 200);
    // Express sorts the parameters.
    const type = response.headers.get('content-type')!.split('; ').toSorted();
    assert.deepEqual(type, ['charset=utf-8', 'text/plain', 'version=0.0.4']);
    assert.match(await response.text(), /^m2fp_inference_pending_requests\{.+\} 2$/m);
  });
});
