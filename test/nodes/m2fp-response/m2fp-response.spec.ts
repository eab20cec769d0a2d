/** What the flow around the node decides; the formats are tested in test/service. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { messageEvents } from '../../../src/engine/events.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import { exampleParsing } from '../support/fake-engine.ts';
import { nodeConfig } from '../support/flows.ts';
import { notPlain } from '../support/plain-data.ts';
import { type Events, send, startFlow, stopFlow } from '../support/red.ts';

describe('m2fp-response', () => {
  let parsing: Parsing;
  const start = (properties = {}): Promise<Events> =>
    startFlow([nodeConfig('m2fp-response', 'node', properties)]);
  const answered = async (properties: object, msg: Record<string, unknown>) => {
    const events = await start(properties);
    send(msg);
    await events.ended();
    assert.equal(events.caught.length, 0, events.caught[0]?.error.message);
    const [sent] = events.sent as unknown as [
      { statusCode: number; headers: Record<string, string>; payload: Buffer },
    ];
    return sent;
  };

  beforeEach(async () => {
    parsing = await exampleParsing();
  });
  afterEach(stopFlow);

  it('gives what the form says to a client that does not say what it wants', async () => {
    const { statusCode, headers, payload } = await answered({ format: 'jpeg', view: 'map' }, { parsing });
    assert.deepEqual([statusCode, headers['content-type']], [200, 'image/jpeg']);
    assert.equal(payload.readUInt16BE(0), 0xffd8);
  });

  it('reads the address where no request node has, and leaves other names to the flow', async () => {
    const req = { originalUrl: '/jobs/7?masks=rle&wait=3', headers: { accept: 'application/json' } };
    const sent = await answered({}, { parsing, req });
    assert.match(sent.payload.toString(), /"mask":/);
    assert.deepEqual(notPlain({ ...sent, req: undefined }), []);
  });

  it('goes by what the request node has read alone', async () => {
    const req = { originalUrl: '/parse?masks=rle', headers: {} };
    const { payload } = await answered({}, { parsing, req, m2fp: { response: {} } });
    assert.doesNotMatch(payload.toString(), /"mask":/);
  });

  it('drops what comes for a client that has its answer already', async () => {
    const fates: string[] = [];
    const stop = messageEvents.subscribe(({ fate }) => fates.push(fate));
    const events = await start();
    const res = { _res: Object.assign(new EventEmitter(), { headersSent: true, writableEnded: true }) };
    send({ parsing, res });
    await events.until(() => events.completed.length === 1);
    stop();
    assert.deepEqual([events.sent, events.caught, fates], [[], [], ['dropped']]);
  });

  it('keeps headers of the flow that are of no other body', async () => {
    const headers = {
      'X-Mine': 'a',
      'Content-Type': 'text/html',
      'content-length': '3',
      ETag: 'b',
      Vary: 'Origin',
    };
    const sent = await answered({}, { parsing, headers });
    assert.deepEqual(sent.headers, {
      'X-Mine': 'a',
      'content-type': 'application/json',
      'cache-control': 'no-store',
      vary: 'Accept',
      'x-content-type-options': 'nosniff',
    });
    await stopFlow();
    const foreign = await answered({}, { parsing, headers: { ...headers, 'x-node-red-request-node': 'c' } });
    assert.equal(foreign.headers['X-Mine'], undefined);
  });

  it('answers an error that was caught, in place of a result', async () => {
    const error = { message: 'M2fpError: full', code: 'M2FP_BUSY', source: { id: 'infer' } };
    const { statusCode, headers, payload } = await answered(
      {},
      { parsing, error, headers: { 'retry-after': '9' } },
    );
    assert.deepEqual([statusCode, headers['retry-after']], [429, '9']);
    assert.equal((JSON.parse(payload.toString()) as { detail: string }).detail, 'full');
  });

  it('answers a message that brings nothing as a fault of the service', async () => {
    const { statusCode, payload } = await answered({}, { payload: 'hello' });
    assert.equal(statusCode, 500);
    assert.match(payload.toString(), /"code":"INTERNAL"/);
  });
});
