import assert from 'node:assert/strict';
import { type FakeEngine, fakeEngines, restoreEngines } from '../support/fake-engine.ts';
import { nodeConfig } from '../support/flows.ts';
import { send, startFlow, stopFlow } from '../support/red.ts';
import { notPlain } from '../support/plain-data.ts';

describe('m2fp-infer', () => {
  let engine: FakeEngine;
  beforeEach(() => {
    engine = fakeEngines().engine;
  });
  afterEach(async () => {
    await stopFlow();
    restoreEngines();
  });
  it('parses', async () => {
    const events = await startFlow([nodeConfig('m2fp-model', 'model'), nodeConfig('m2fp-infer', 'node', { model: 'model' })]);
    send({ payload: Buffer.from('89504e470d0a1a0a0000', 'hex'), topic: 'x' });
    await events.ended();
    console.log(events.caught, events.sent, events.statuses);
    assert.deepEqual(notPlain(events.sent[0]), []);
    await events.until(() => events.statuses.length === 3);
    console.log(events.statuses);
  });
});
