/** What counts as a request of which node, and what does not. */
import assert from 'node:assert/strict';
import { requestEvents, type RequestEvent } from '../../../src/engine/events.ts';
import { M2fpError } from '../../../src/errors.ts';
import { services } from '../../../nodes/common/services.ts';
import { twoPeople } from '../../support/images.ts';
import { type FakeEngine, fakeEngines, restoreEngines } from '../support/fake-engine.ts';
import { nodeConfig } from '../support/flows.ts';
import { type Events, send, startFlow, stopFlow } from '../support/red.ts';

describe('pictures that no engine gets', () => {
  let engine: FakeEngine;
  let refused: RequestEvent[];
  let stopListening: () => void;

  beforeEach(() => {
    ({ engine } = fakeEngines());
    refused = [];
    // The engine that is played here tells nothing by itself.
    stopListening = requestEvents.subscribe((event) => refused.push(event));
  });
  afterEach(async () => {
    stopListening();
    await stopFlow();
    restoreEngines();
  });

  const start = (type: Parameters<typeof nodeConfig>[0], properties: object = {}): Promise<Events> =>
    startFlow([
      nodeConfig('m2fp-model', 'model'),
      nodeConfig(type, 'node', { model: 'model', ...properties }),
    ]);
  const fail = async (events: Events, msg: object): Promise<string | undefined> => {
    const before = events.caught.length;
    send({ ...msg });
    await events.until(() => events.caught.length > before);
    return events.caught.at(-1)!.error.code;
  };
  const told = (): unknown[] =>
    refused.map(({ engine: { model }, caller, fate, code }) => [model, caller, fate, code]);

  it('count for infer, by its name and camera, each once', async () => {
    const events = await start('m2fp-infer', { name: 'gate', camera: 'topic' });
    assert.equal(await fail(events, { topic: 'camera/1' }), 'M2FP_NO_IMAGE');
    assert.equal(
      await fail(events, { payload: twoPeople, m2fp: { limit: -1 }, topic: 2 }),
      'M2FP_BAD_OPTION',
    );
    assert.equal(
      await fail(events, { payload: Buffer.from('nothing known'), topic: { a: 1 } }),
      'M2FP_UNSUPPORTED_FORMAT',
    );
    assert.deepEqual(told(), [
      ['', { node: 'gate', camera: 'camera/1' }, 'rejected', 'M2FP_NO_IMAGE'],
      ['', { node: 'gate', camera: '2' }, 'rejected', 'M2FP_BAD_OPTION'],
      ['', { node: 'gate' }, 'rejected', 'M2FP_UNSUPPORTED_FORMAT'],
    ]);
    // From here on it is the engine that counts, whatever comes of it.
    send({ payload: twoPeople, topic: 'camera/1' });
    await events.until(() => events.sent.length === 1);
    engine.failure = new M2fpError('M2FP_TIMEOUT', 'too long');
    assert.equal(await fail(events, { payload: twoPeople, topic: 'camera/1' }), 'M2FP_TIMEOUT');
    assert.equal(refused.length, 3);
    assert.deepEqual(
      engine.requests.map(({ caller, trial }) => [caller, trial]),
      [1, 2].map(() => [{ node: 'gate', camera: 'camera/1' }, undefined]),
    );
  });

  it('count for infer whose model is not to be had, by its id where it has no name', async () => {
    services.acquire = async () => {
      throw new M2fpError('M2FP_MODEL_INVALID', 'it was changed');
    };
    const events = await start('m2fp-infer');
    assert.equal(await fail(events, { payload: twoPeople, topic: 'a' }), 'M2FP_MODEL_INVALID');
    assert.deepEqual(told(), [['', { node: 'node' }, 'rejected', 'M2FP_MODEL_INVALID']]);
  });

  it('do not count where a message only cancels others', async () => {
    const events = await start('m2fp-infer', { key: 'topic' });
    assert.equal(await fail(events, { cancel: true, topic: {} }), 'M2FP_BAD_OPTION');
    assert.deepEqual(refused, []);
  });

  it('count for preprocess', async () => {
    const events = await start('m2fp-preprocess', { name: 'small' });
    assert.equal(await fail(events, { payload: Buffer.from('nothing known') }), 'M2FP_UNSUPPORTED_FORMAT');
    send({ payload: twoPeople });
    await events.until(() => events.sent.length === 1);
    assert.deepEqual(told(), [['', { node: 'small' }, 'rejected', 'M2FP_UNSUPPORTED_FORMAT']]);
  });

  it('do not count for a warm-up, which is a trial', async () => {
    const events = await start('m2fp-load', { action: 'warm-up' });
    send({});
    await events.until(() => events.sent.length === 1);
    assert.deepEqual(
      engine.requests.map(({ trial }) => trial),
      [true],
    );
  });
});
