/** Jobs of several clients with API keys of their own, over HTTP. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobView } from '../../../src/service/jobs/view.ts';
import type { Problem } from '../../../src/service/problem.ts';
import { twoPeople } from '../../support/images.ts';
import { nodeConfig } from '../support/flows.ts';
import { coreNode, redApi, startFlow, stopFlow, useSettings } from '../support/red.ts';

describe('jobs of clients with API keys', () => {
  let userDir: string;
  let server: http.Server;
  let url: string;

  before(async () => {
    userDir = await mkdtemp(join(tmpdir(), 'm2fp-owners-'));
    useSettings({ userDir });
    const ways = [
      ['post', '/jobs'],
      ['get', '/jobs/:id'],
      ['delete', '/jobs/:id'],
    ].map(([method, path]) => ({
      id: `in ${method}`,
      type: 'http in',
      name: '',
      method,
      url: path,
      wires: [['request']],
    }));
    const flow = [
      ...ways,
      nodeConfig('m2fp-request', 'request', { wires: [['node']] }),
      nodeConfig('m2fp-jobs', 'node', { wires: [[], ['response']] }),
      nodeConfig('m2fp-response', 'answer', { wires: [['response']] }),
      { id: 'catcher', type: 'catch', scope: null, uncaught: false, wires: [['answer', 'caught']] },
      { id: 'response', type: 'http response', name: '', statusCode: '', headers: {}, wires: [] },
    ];
    await startFlow(flow, [coreNode('network/21-httpin')], { request: { keys: 'alpha, beta' } });
    server = http.createServer(redApi().httpNode as unknown as http.RequestListener);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jobs`;
  });
  after(async () => {
    server.close();
    server.closeAllConnections();
    await stopFlow();
    useSettings({});
    await rm(userDir, { recursive: true, force: true });
  });

  const ask = (method: string, key: string, path = '', headers: Record<string, string> = {}) =>
    fetch(url + path, {
      method,
      headers: { 'x-api-key': key, ...headers },
      ...(method === 'POST' && { body: new Uint8Array(twoPeople) }),
    });
  const codeOf = async (response: Response): Promise<string> => ((await response.json()) as Problem).code;

  it('are there for the key that made them, and for no other', async () => {
    const made = await ask('POST', 'alpha');
    assert.equal(made.status, 202);
    const { id } = (await made.json()) as JobView;
    for (const [method, path] of [
      ['GET', `/${id}`],
      ['GET', `/${id}?result`],
      ['DELETE', `/${id}`],
    ] as const) {
      const refused = await ask(method, 'beta', path);
      assert.deepEqual([refused.status, await codeOf(refused)], [404, 'M2FP_JOB_NOT_FOUND']);
      assert.equal((await ask(method, 'gamma', path)).status, 401);
    }
    const told = await ask('GET', 'alpha', `/${id}`);
    assert.deepEqual([told.status, ((await told.json()) as JobView).id], [200, id]);
    assert.equal((await ask('DELETE', 'alpha', `/${id}`)).status, 200);
    const ended = await ask('GET', 'alpha', `/${id}?result`);
    assert.deepEqual(
      [ended.status, ended.headers.get('retry-after'), await codeOf(ended)],
      [410, null, 'M2FP_CANCELLED'],
    );
  });

  it('have idempotency keys of their own', async () => {
    const key = { 'idempotency-key': 'the same' };
    const answers = [
      await ask('POST', 'alpha', '', key),
      await ask('POST', 'alpha', '', key),
      await ask('POST', 'beta', '', key),
    ];
    const places = answers.map(({ headers }) => headers.get('location'));
    assert.deepEqual([places[0] === places[1], places[0] === places[2]], [true, false]);
    assert.equal(answers[1]!.headers.get('idempotent-replayed'), 'true');
    const other = await ask('POST', 'alpha', '?masks=rle', key);
    assert.deepEqual([other.status, await codeOf(other)], [422, 'M2FP_KEY_REUSED']);
  });
});
