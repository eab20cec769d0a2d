/** An HTTP client that goes away, in a flow of real nodes on the fake child. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { leavesNothingBehind } from '../engine/support/fakes.ts';
import { nodeConfig } from '../nodes/support/flows.ts';
import { coreNode, type Events, redApi, startFlow } from '../nodes/support/red.ts';
import { type FakeChildren, fakeChildren, modelNode, order, settled } from './support/fake-children.ts';

describe('an HTTP client', () => {
  let t: FakeChildren;
  let events: Events;
  let server: http.Server;
  let port: number;

  const start = async (properties = {}): Promise<void> => {
    const input = { id: 'in', type: 'http in', name: '', url: '/parse', method: 'post', upload: false };
    events = await startFlow(
      [
        { ...input, wires: [['node']] },
        t.model(),
        nodeConfig('m2fp-infer', 'node', { model: 'model', wires: [['response'], ['out2']], ...properties }),
        { id: 'catcher', type: 'catch', scope: ['node'], uncaught: false, wires: [['response', 'caught']] },
        { id: 'response', type: 'http response', name: '', statusCode: '', headers: {}, wires: [] },
      ],
      [coreNode('network/21-httpin')],
    );
    server = http.createServer(redApi().httpNode as unknown as http.RequestListener);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
    await (await modelNode().engine()).load();
  };

  beforeEach(async () => {
    t = await fakeChildren();
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await t.stop();
  });
  leavesNothingBehind();

  /** A request that hangs up when told; its answer's status, or none. */
  const ask = (text: string): { hangUp(): void; status: Promise<number | undefined> } => {
    const request = http.request({
      host: '127.0.0.1',
      port,
      path: '/parse',
      method: 'POST',
      headers: { 'content-type': 'image/gif' },
    });
    const status = new Promise<number | undefined>((resolve) => {
      request.on('response', (response) => resolve(response.resume().statusCode));
      request.on('error', () => resolve(undefined));
    });
    request.end(order(text));
    return { hangUp: () => void request.destroy(), status };
  };
  const engineHas = (running: number, waiting: number): Promise<void> =>
    settled(async () => {
      const info = await t.info();
      return info.running === running && info.waiting === waiting;
    });

  it('who goes away while it waits frees its place at once', async () => {
    await start();
    const first = ask('hold 1');
    await engineHas(1, 0);
    const second = ask('hold 2');
    await engineHas(1, 1);
    second.hangUp();
    await engineHas(1, 0);
    assert.deepEqual(
      events.done.map(({ code, msg }) => [code, msg['statusCode']]),
      [['M2FP_CANCELLED', 499]],
    );
    process.kill((await t.info()).pid!, 'SIGUSR2');
    assert.equal(await first.status, 200);
  });

  it('who goes away while its picture runs ends its message; the next one is answered', async () => {
    await start();
    const first = ask('hold 1');
    await engineHas(1, 0);
    const pid = (await t.info()).pid!;
    first.hangUp();
    await events.until(() => events.done.length === 1);
    assert.equal(events.done[0]!.code, 'M2FP_CANCELLED');
    const second = ask('fine');
    process.kill(pid, 'SIGUSR2');
    assert.equal(await second.status, 200);
  });

  it('whose picture is replaced by a newer one is told 429, and 504 where it grew too old', async () => {
    await start({ policy: 'latest', maxAge: 1 });
    const first = ask('hold 1');
    await engineHas(1, 0);
    const second = ask('fine 2');
    await engineHas(1, 1);
    const third = ask('fine 3');
    assert.equal(await second.status, 429);
    t.clock.advance(1000);
    assert.equal(await third.status, 504);
    process.kill((await t.info()).pid!, 'SIGUSR2');
    assert.equal(await first.status, 200);
    assert.deepEqual(events.sentOnSecondWire, []);
  });

  it('who does not wait is refused with 429 while the engine is busy', async () => {
    await start({ policy: 'reject' });
    const first = ask('hold 1');
    await engineHas(1, 0);
    assert.equal(await ask('fine').status, 429);
    process.kill((await t.info()).pid!, 'SIGUSR2');
    assert.equal(await first.status, 200);
  });
});
