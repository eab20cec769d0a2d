import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { NodeMessage } from 'node-red';
import { services } from '../../../nodes/common/services.ts';
import type { ModelFacts } from '../../../nodes/common/model-facts.ts';
import { M2fpError } from '../../../src/errors.ts';
import type { Diagnosis } from '../../../src/observe/diagnosis.ts';
import { checkNetworkInput } from '../../../src/image/index.ts';
import { bundledModelFolder } from '../../../src/paths.ts';
import { type FakeEngine, fakeEngines, MANIFEST, restoreEngines } from '../support/fake-engine.ts';
import { nodeConfig } from '../support/flows.ts';
import { notPlain } from '../support/plain-data.ts';
import { deploy, type Events, nodeOf, send, startFlow, stopFlow, useSettings } from '../support/red.ts';

describe('m2fp-load', () => {
  let engine: FakeEngine;
  let acquired: object[];

  const model = nodeConfig('m2fp-model', 'model');
  const load = (properties = {}) => nodeConfig('m2fp-load', 'node', { model: 'model', ...properties });
  const facts = async (events: Events, msg: NodeMessage): Promise<ModelFacts> => {
    send(msg);
    await events.until(() => events.sent.length + events.caught.length > 0);
    assert.deepEqual(events.caught, []);
    return events.sent[0]!.payload as ModelFacts;
  };

  beforeEach(() => {
    ({ engine, acquired } = fakeEngines());
  });
  afterEach(async () => {
    await stopFlow();
    restoreEngines();
  });

  it('loads the model for any message and tells its facts in plain JSON', async () => {
    const events = await startFlow([model, load()]);
    const told = await facts(events, { payload: 1700000000000, topic: 'x' });
    assert.deepEqual(told, {
      id: 'fake',
      revision: null,
      source: 'bundled',
      folder: bundledModelFolder(),
      size: 1100,
      licence: 'Apache-2.0, as this package',
      digest: 'f00d',
      kind: 'multi',
      labels: MANIFEST.labels,
      input: MANIFEST.input,
      scoreThreshold: 0.5,
      mapConfidence: 0.5,
      precision: 'fp32',
      int8: null,
      warnings: [],
      provider: 'cpu',
      threads: 2,
      state: 'ready',
      loadSeconds: 0.5,
      waiting: 0,
      restarts: 0,
      remote: null,
    });
    assert.deepEqual(engine.actions, ['load']);
    assert.deepEqual(notPlain(events.sent[0]), []);
    assert.deepEqual(JSON.parse(JSON.stringify(told)), told);
    assert.equal(events.sent[0]!.topic, 'x');
    assert.notEqual(told.labels, MANIFEST.labels, 'a flow cannot change the manifest');
    await events.until(() => events.completed.length === 1);
  });

  for (const [action, actions] of [
    ['load', ['load']],
    ['warm-up', ['load']],
    ['reload', ['restart']],
    ['unload', ['unload']],
    ['info', []],
  ] as const) {
    for (const [properties, msg] of [
      [{ action }, {}],
      [{ action: 'load' }, { payload: { action } }],
      [{ action: 'load' }, { payload: { action: 'unload' }, m2fp: { action } }],
    ] as const) {
      it(`does "${action}" by ${JSON.stringify({ ...properties, ...msg })}`, async () => {
        engine.actions.length = 0;
        engine.requests.length = 0;
        const events = await startFlow([model, load(properties)]);
        await facts(events, { ...msg });
        assert.deepEqual(engine.actions, actions);
        assert.equal(engine.requests.length, action === 'warm-up' ? 1 : 0);
      });
    }
  }

  it('tells with "info", and only with that, how the installation does', async () => {
    const asked: unknown[][] = [];
    services.diagnose = async (...args) => {
      asked.push(args);
      return { format: 1, state: 'warn', checks: [{ name: 'cpu' }] } as unknown as Diagnosis;
    };
    useSettings({ m2fpModelStore: '/srv/store-of-info' });
    try {
      const events = await startFlow([model, load({ action: 'info' })]);
      const told = (await facts(events, {})) as ModelFacts & { diagnosis?: Diagnosis };
      assert.deepEqual(told.diagnosis, { format: 1, state: 'warn', checks: [{ name: 'cpu' }] });
      assert.equal(told.id, 'fake');
      assert.deepEqual(notPlain(events.sent[0]), []);
      assert.equal(asked.length, 1);
      assert.deepEqual(asked[0]?.[0], [resolve('/srv/store-of-info')]);
      assert.deepEqual(engine.actions, [], 'nothing is loaded for it');

      told.diagnosis.state = 'fail';
      send({});
      await events.until(() => events.sent.length === 2);
      const again = events.sent[1]!.payload as typeof told;
      assert.equal(again.diagnosis?.state, 'warn', 'a flow cannot change what others get');
      assert.equal(asked.length, 1, 'one that is a moment old is given again');
      send({ payload: { action: 'load' } });
      await events.until(() => events.sent.length === 3);
      assert.ok(!('diagnosis' in (events.sent[2]!.payload as object)));
    } finally {
      useSettings({});
    }
  });

  it('warms up with input that the model takes', async () => {
    const events = await startFlow([model, load({ action: 'warm-up' })]);
    await facts(events, {});
    checkNetworkInput(engine.requests[0]!.image, MANIFEST.input);
  });

  it('reloads from the folder as it is now', async () => {
    const events = await startFlow([model, load({ action: 'reload' })]);
    await facts(events, {});
    assert.equal(acquired.length, 2);
    assert.equal(engine.releases, 1);
    assert.equal(engine.subscribers, 1);
  });

  it('tells of an action that does not exist', () => {
    assert.deepEqual(engine.actions, []);
  });

  for (const msg of [{ payload: { action: 'explode' } }, { m2fp: { action: 'explode' } }]) {
    it(`tells of an action that does not exist: ${JSON.stringify(msg)}`, async () => {
      const events = await startFlow([model, load()]);
      send(msg);
      await events.ended();
      assert.equal(events.caught[0]!.error.code, 'M2FP_BAD_OPTION');
      assert.match(events.caught[0]!.error.message, /load, warm-up, reload, unload, info/);
      assert.deepEqual(engine.actions, []);
    });
  }

  it('tells of an action that cannot be read', async () => {
    const events = await startFlow([model, load()]);
    const payload = {
      get action() {
        throw new RangeError('a getter at fault');
      },
    };
    // Node-RED would read it to copy it.
    nodeOf('node').emit(
      'input',
      { payload },
      () => {},
      (error: unknown) => events.caught.push({ error } as never),
    );
    while (events.caught.length === 0) await nextTurn();
    const { code, message } = events.caught[0]!.error;
    assert.equal(code, 'M2FP_BAD_OPTION');
    assert.match(message, /action in msg.payload.*a getter at fault/);
    assert.deepEqual(engine.actions, []);
  });

  it('reloads without taking the engine away from those who have it, also where that fails', async () => {
    const events = await startFlow([model, load({ action: 'reload' })]);
    await facts(events, {});
    const damaged = new M2fpError('M2FP_MODEL_INVALID', 'it was changed');
    services.acquire = () => Promise.reject(damaged);
    send({});
    await events.ended(2);
    assert.equal(events.caught[0]!.error.code, 'M2FP_MODEL_INVALID');
    assert.deepEqual([engine.releases, engine.subscribers], [1, 1]);
    send({ payload: { action: 'load' } });
    await events.ended(3);
    assert.equal((events.sent[1]!.payload as ModelFacts).state, 'ready');
    assert.ok(!engine.actions.includes('unload'));
  });

  it('tells why it could not load, and shows it', async () => {
    engine.failure = new M2fpError('M2FP_MODEL_INVALID', 'convert it again');
    const events = await startFlow([model, load()]);
    send({});
    await events.until(() => events.statuses.some(({ text }) => text?.endsWith('error.M2FP_MODEL_INVALID')));
    assert.equal(events.caught[0]!.error.code, 'M2FP_MODEL_INVALID');
    assert.equal(events.caught[0]!.statusCode, 503);
  });

  it('without a model is there, and its messages end in errors', async () => {
    const events = await startFlow([load({ model: 'nowhere' })]);
    send({});
    await events.ended();
    assert.equal(events.caught[0]!.error.code, 'M2FP_MODEL_NOT_FOUND');
  });

  describe('when the flow starts', () => {
    it('loads, shows it and sends nothing', async () => {
      const events = await startFlow([model, load({ onStart: true })]);
      await events.until(() => events.statuses.some(({ text }) => text?.endsWith('status.ready')));
      assert.deepEqual(engine.actions, ['load']);
      assert.deepEqual(events.sent, []);
    });

    it('does not unless it is told to', async () => {
      await startFlow([model, load()]);
      assert.deepEqual(engine.actions, []);
    });

    it('tells Catch nodes of a failure although there is no message', async () => {
      engine.failure = new M2fpError('M2FP_ENGINE_UNAVAILABLE', 'no binary');
      const events = await startFlow([model, load({ onStart: true })]);
      await events.until(() => events.caught.length > 0);
      assert.equal(events.caught[0]!.error.code, 'M2FP_ENGINE_UNAVAILABLE');
    });
  });

  it('that is deployed while it loads ends its message once', async () => {
    const events = await startFlow([model, load({ action: 'warm-up' })]);
    engine.held = true;
    send({});
    await engine.requested();
    await deploy([model]);
    assert.deepEqual(
      events.done.map(({ code }) => code),
      ['M2FP_CANCELLED'],
    );
  });
});
