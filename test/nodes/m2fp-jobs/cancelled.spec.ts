/** A job that is over while its picture is in the flow: nobody works on it any more, and it keeps the outcome that it has. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeMessage } from 'node-red';
import type { JobView } from '../../../src/service/jobs/view.ts';
import { twoPeople } from '../../support/images.ts';
import { type FakeEngine, fakeEngines, restoreEngines } from '../support/fake-engine.ts';
import { nodeConfig } from '../support/flows.ts';
import { type Events, send, startFlow, stopFlow, useSettings } from '../support/red.ts';

describe('a job that is over while it runs', () => {
  let userDir: string;
  let events: Events;
  let engine: FakeEngine;

  beforeEach(async () => {
    userDir = await mkdtemp(join(tmpdir(), 'm2fp-jobs-node-'));
    useSettings({ userDir });
    ({ engine } = fakeEngines());
    engine.held = true;
  });
  afterEach(async () => {
    engine.letGo();
    await stopFlow();
    restoreEngines();
    useSettings({});
    await rm(userDir, { recursive: true, force: true });
  });

  const start = async (properties: object = {}): Promise<void> => {
    events = await startFlow([
      nodeConfig('m2fp-model', 'model'),
      nodeConfig('m2fp-jobs', 'node', { wires: [['infer'], ['out']], inFlight: 1, ...properties }),
      nodeConfig('m2fp-infer', 'infer', { model: 'model', wires: [['answer'], []] }),
      nodeConfig('m2fp-response', 'answer', { wires: [['out2']] }),
      { id: 'catcher', type: 'catch', scope: null, uncaught: false, wires: [['answer', 'caught']] },
    ]);
  };
  const ask = async (method: string, id = ''): Promise<NodeMessage & { statusCode?: number }> => {
    const before = events.sent.length;
    const originalUrl = `/jobs${id && `/${id}`}`;
    send({ req: { method, originalUrl, params: { id }, query: {} }, payload: twoPeople });
    await events.until(() => events.sent.length > before);
    return events.sent.at(-1)!;
  };
  const look = async (id: string): Promise<JobView> => {
    const { payload } = await ask('GET', id);
    return (Buffer.isBuffer(payload) ? JSON.parse(payload.toString()) : payload) as JobView;
  };
  const aborted = async (at: number): Promise<void> => {
    const { signal } = engine.requests[at]!;
    if (!signal!.aborted) await new Promise((resolve) => signal!.addEventListener('abort', resolve));
  };

  it('stops in the engine when it is taken back, and the next one begins', async () => {
    await start();
    const { id } = (await ask('POST')).payload as JobView;
    const next = (await ask('POST')).payload as JobView;
    await engine.requested();
    assert.equal((await look(id)).state, 'running');
    const told = await ask('DELETE', id);
    assert.deepEqual([told.statusCode, (told.payload as JobView).state], [200, 'cancelled']);
    await aborted(0);
    await engine.requested(2);
    engine.letGo();
    while ((await look(next.id)).ended === null);
    assert.deepEqual([(await look(id)).state, (await look(next.id)).state], ['cancelled', 'done']);
    assert.deepEqual(
      events.caught.map(({ error }) => error.code),
      ['M2FP_CANCELLED'],
    );
    // Neither a result nor an error goes out over HTTP.
    assert.equal(events.sentOnSecondWire.length, 0);
  });

  it('stops when the flow had its time', async () => {
    await start({ timeout: 1 });
    const { id } = (await ask('POST')).payload as JobView;
    await engine.requested();
    await aborted(0);
    const { state, error } = await look(id);
    assert.deepEqual([state, error?.code], ['failed', 'M2FP_TIMEOUT']);
  });

  it('is not disturbed by its own end', async () => {
    engine.held = false;
    await start();
    const { id } = (await ask('POST')).payload as JobView;
    while ((await look(id)).ended === null);
    assert.equal((await look(id)).state, 'done');
    assert.deepEqual(events.caught, []);
    assert.ok(!engine.requests[0]!.signal!.aborted);
  });
});
