/** Pictures for the zone editor: the next one that passes a node, for who waits. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import sharp from 'sharp';
import { readSequence } from '../../../bench/track/sequences.ts';
import { nodeConfig } from '../support/flows.ts';
import { redApi, send, startFlow, stopFlow } from '../support/red.ts';

describe('the next picture of a node', () => {
  const [frame] = readSequence('pass', 1).frames.slice(2);
  let server: http.Server;

  beforeEach(async () => {
    await startFlow([nodeConfig('m2fp-track', 'node')]);
    server = http.createServer(redApi().httpAdmin as unknown as http.RequestListener).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await stopFlow();
  });

  /** Asks as the editor does; resolves when the request has come in. */
  async function ask(
    id: string,
    headers: Record<string, string> = {},
  ): Promise<{ answer: Promise<Response> }> {
    const came = once(server, 'request');
    const { port } = server.address() as AddressInfo;
    const answer = fetch(`http://127.0.0.1:${port}/m2fp/pictures/${id}`, { headers });
    await came;
    // The way to the route has some turns.
    await new Promise(setImmediate);
    return { answer };
  }

  it('is a small JPEG for all who wait, and for nobody who asks later', async () => {
    const waiting = [await ask('node'), await ask('node')];
    const large = await sharp(frame!.image).resize(1600, 900).jpeg().toBuffer();
    send({ parsing: { ...frame!.parsing, image: large } });
    for (const { answer } of waiting) {
      const response = await answer;
      assert.deepEqual(
        [response.status, response.headers.get('content-type'), response.headers.get('cache-control')],
        [200, 'image/jpeg', 'no-store'],
      );
      const { width, height } = await sharp(Buffer.from(await response.arrayBuffer())).metadata();
      assert.deepEqual([width, height], [800, 450]);
    }
    const late = await ask('node');
    await stopFlow();
    assert.equal((await late.answer).status, 204);
  });

  it('is refused for a node that there is not, for the pages of others, and for too many', async () => {
    const unknown = await ask('nobody');
    assert.equal((await unknown.answer).status, 404);
    const foreign = await ask('node', { origin: 'http://elsewhere.example' });
    assert.equal((await foreign.answer).status, 403);
    const waiting = [];
    for (let count = 0; count < 10; count++) waiting.push(await ask('node'));
    const last = await ask('node');
    assert.equal((await last.answer).status, 429);
    await stopFlow();
    for (const { answer } of waiting) assert.equal((await answer).status, 204);
  });

  it('says why there is none where the picture cannot be read', async () => {
    const waiting = await ask('node');
    send({ parsing: { ...frame!.parsing, image: Buffer.from('no picture') } });
    const response = await waiting.answer;
    assert.equal(response.status, 415);
    assert.equal(((await response.json()) as { code: string }).code, 'M2FP_UNSUPPORTED_FORMAT');
  });
});
