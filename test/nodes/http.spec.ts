/** The nodes between HTTP In and HTTP Response. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import sharp from 'sharp';
import { M2fpError } from '../../src/errors.ts';
import { type FakeEngine, fakeEngines, restoreEngines } from './support/fake-engine.ts';
import { nodeConfig } from './support/flows.ts';
import {
  coreNode,
  deploy,
  type Events,
  type NodeConfig,
  redApi,
  startFlow,
  stopFlow,
} from './support/red.ts';

describe('an HTTP flow', () => {
  let engine: FakeEngine;
  let events: Events;
  let server: http.Server;
  let url: string;
  let image: Buffer;
  let flow: NodeConfig[];

  beforeEach(async () => {
    ({ engine } = fakeEngines());
    image = await sharp({ create: { width: 8, height: 4, channels: 3, background: 'red' } })
      .jpeg()
      .toBuffer();
    const input = { type: 'http in', name: '', method: 'post', wires: [['node']] };
    flow = [
      { ...input, id: 'raw', url: '/parse', upload: false },
      // An http in node that accepts uploads passes no other body on.
      { ...input, id: 'uploads', url: '/upload', upload: true },
      nodeConfig('m2fp-model', 'model'),
      nodeConfig('m2fp-infer', 'node', { model: 'model', wires: [['response']] }),
      // As in the example flow: what is caught is answered by its statusCode.
      { id: 'catcher', type: 'catch', scope: null, uncaught: false, wires: [['response', 'caught']] },
      { id: 'response', type: 'http response', name: '', statusCode: '', headers: {}, wires: [] },
    ];
    events = await startFlow(flow, [coreNode('network/21-httpin')]);
    server = http.createServer(redApi().httpNode as unknown as http.RequestListener);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    engine.letGo();
    server.closeAllConnections();
    server.close();
    await stopFlow();
    restoreEngines();
  });

  const post = (body: BodyInit, type: string): Promise<Response> =>
    fetch(`${url}/parse`, { method: 'POST', body, headers: { 'content-type': type } });

  it('answers a picture with a summary in JSON', async () => {
    const response = await post(new Uint8Array(image), 'image/jpeg');
    assert.equal(response.status, 200);
    const summary = (await response.json()) as { persons: unknown[] };
    assert.equal(summary.persons.length, 2);
  });

  it('answers an upload', async () => {
    const form = new FormData();
    form.append('note', 'me');
    form.append('picture', new Blob([new Uint8Array(image)], { type: 'image/jpeg' }), 'me.jpg');
    const response = await fetch(`${url}/upload`, { method: 'POST', body: form });
    assert.equal(response.status, 200);
    assert.ok((engine.requests[0]!.image as Buffer).equals(image));
  });

  it('answers errors by their status', async () => {
    assert.equal((await post('{}', 'application/json')).status, 400);
    assert.equal((await post('%PDF-1.4', 'image/jpeg')).status, 415);
    engine.failure = new M2fpError('M2FP_BUSY', 'busy');
    assert.equal((await post(new Uint8Array(image), 'image/jpeg')).status, 429);
    engine.failure = new TypeError('a fault of ours');
    assert.equal((await post(new Uint8Array(image), 'image/jpeg')).status, 500);
  });

  // A deploy of what changed leaves the nodes that answer; a full one closes them, too.
  for (const type of ['nodes', 'full'] as const) {
    it(`answers a picture that a deploy has ended with the status of its code (${type})`, async () => {
      engine.held = true;
      const asked = post(new Uint8Array(image), 'image/jpeg');
      await engine.requested();
      await deploy(
        flow.map((node) => (node.id === 'node' ? { ...node, scoreThreshold: 0.6 } : node)),
        type,
      );
      const response = await asked;
      assert.equal(response.status, 499);
      const { code } =
        type === 'nodes' ? events.caught[0]!.error : ((await response.json()) as { code?: string });
      assert.equal(code, 'M2FP_CANCELLED');
      // Who answers: the flow, or in its place the node.
      assert.equal(response.headers.get('retry-after'), type === 'nodes' ? null : '1');
    });
  }

  it('gives a picture up when its client has gone', async () => {
    engine.held = true;
    const client = http.request(`${url}/parse`, {
      method: 'POST',
      headers: { 'content-type': 'image/jpeg' },
    });
    client.on('error', () => {});
    client.end(image);
    await engine.requested();
    const { signal } = engine.requests[0]!;
    assert.equal(signal!.aborted, false);
    client.destroy();
    await events.until(() => events.done.length === 1);
    assert.equal(signal!.aborted, true);
    assert.equal(events.done[0]!.code, 'M2FP_CANCELLED');
    assert.equal(events.done[0]!.msg['statusCode'], 499);
  });
});
