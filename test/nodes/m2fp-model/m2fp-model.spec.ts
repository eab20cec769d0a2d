import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { services } from '../../../nodes/common/services.ts';
import type { ModelNode } from '../../../nodes/common/model.ts';
import { crashEvents } from '../../../src/engine/events.ts';
import { M2fpError } from '../../../src/errors.ts';
import { type FakeEngine, fakeEngines, MANIFEST, restoreEngines } from '../support/fake-engine.ts';
import { nodeConfig } from '../support/flows.ts';
import { deploy, nodeOf, send, startFlow, stopFlow } from '../support/red.ts';

describe('m2fp-model', () => {
  let engine: FakeEngine;
  let acquired: object[];

  const model = (properties = {}) => nodeConfig('m2fp-model', 'model', properties);
  const user = (id: string, properties = {}) =>
    nodeConfig('m2fp-infer', id, { model: 'model', ...properties });
  const modelNode = () => nodeOf('model') as ModelNode;

  beforeEach(() => {
    ({ engine, acquired } = fakeEngines());
  });
  afterEach(async () => {
    await stopFlow();
    restoreEngines();
  });

  it('asks for nothing before a node does', async () => {
    await startFlow([model(), user('node')]);
    assert.deepEqual(acquired, []);
    assert.equal((await modelNode().manifest()).id, MANIFEST.id);
    assert.deepEqual(acquired, []);
  });

  it('has one engine for all nodes, however many ask at once', async () => {
    await startFlow([model(), user('node'), user('other')]);
    const [one, two] = await Promise.all([modelNode().engine(), modelNode().engine()]);
    assert.equal(one, two);
    assert.equal(acquired.length, 1);
  });

  it('knows its users, and no more of them once they are gone', async () => {
    await startFlow([model(), user('node'), user('other')]);
    assert.deepEqual(Object.keys(modelNode().users).toSorted(), ['node', 'other']);
    await deploy([model(), user('node')], 'nodes');
    assert.deepEqual(Object.keys(modelNode().users), ['node']);
  });

  it('tells every user what the engine does', async () => {
    const events = await startFlow([model(), user('node'), user('other')]);
    await modelNode().engine();
    engine.set('loading');
    await events.until(() => events.statuses.some(({ text }) => text?.endsWith('status.loading')));
    engine.set('failed', 0, { name: 'M2fpError', code: 'M2FP_ENGINE_CRASHED', message: '' });
    await events.until(() => events.statuses.some(({ text }) => text?.endsWith('error.M2FP_ENGINE_CRASHED')));
  });

  it('logs once why the engine is not on the fastest, whatever is deployed', async () => {
    const logged: unknown[] = [];
    engine.fallback = 'It runs on WebAssembly.';
    for (let i = 0; i < 2; i++) {
      await startFlow([model(), user('node')]);
      modelNode().warn = (text) => logged.push(text);
      await modelNode().engine();
      engine.set('loading');
      engine.set('ready');
      await stopFlow();
    }
    assert.deepEqual(logged, ['It runs on WebAssembly.']);
  });

  it('logs before the first picture that models will run on WebAssembly; those of workers do not', async () => {
    const why = 'There is no native onnxruntime.';
    const logged: unknown[] = [];
    let asked = 0;
    let tell = (): void => {};
    const told = new Promise<string>((resolve) => (tell = () => resolve(why)));
    services.fallback = () => {
      asked++;
      return told;
    };
    await startFlow([model({ source: 'remote', redis: 'redis://127.0.0.1:1' }), user('node')]);
    assert.equal(asked, 0);
    await stopFlow();
    await startFlow([model(), user('node')]);
    modelNode().warn = (text) => logged.push(text);
    tell();
    await new Promise(setImmediate);
    assert.deepEqual([asked, acquired.length], [1, 0]);
    assert.deepEqual(logged, [why]);
  });

  it('says before the first picture that none can be read, in the log and under its users', async () => {
    const problem = new M2fpError(
      'M2FP_ENGINE_UNAVAILABLE',
      'The image library sharp does not load: install it.',
    );
    let tell = (): void => {};
    const told = new Promise<M2fpError>((resolve) => (tell = () => resolve(problem)));
    services.imageProblem = () => told;
    const logged: unknown[] = [];
    const events = await startFlow([model(), user('node')]);
    modelNode().warn = (text) => logged.push(text);
    tell();
    await events.until(() =>
      events.statuses.some(
        ({ text, fill }) => fill === 'red' && text?.endsWith('error.M2FP_ENGINE_UNAVAILABLE'),
      ),
    );
    while (logged.length === 0) await new Promise(setImmediate);
    assert.deepEqual([logged, acquired.length], [[problem.message], 0]);
  });

  it('logs the end of a process that no picture tells of, of its own engine, while it is deployed', async () => {
    const logged: unknown[] = [];
    await startFlow([model(), user('node')]);
    modelNode().warn = (text) => logged.push(text);
    const end = (digest: string): void =>
      crashEvents.publish({ engine: { model: MANIFEST.id, digest }, message: 'Gone.' });
    end(MANIFEST.digest);
    assert.deepEqual(logged, [], 'it has no engine yet');
    await modelNode().engine();
    end('beef');
    end(MANIFEST.digest);
    assert.deepEqual(logged, ['Gone. No picture was lost, and the next one starts it again.']);
    await stopFlow();
    end(MANIFEST.digest);
    assert.equal(logged.length, 1);
  });

  it('gives the engine back when it closes, and stops listening', async () => {
    await startFlow([model(), user('node')]);
    await modelNode().engine();
    await stopFlow();
    assert.equal(engine.releases, 1);
    assert.equal(engine.subscribers, 0);
  });

  it('gives back an engine that comes only after the close', async () => {
    await startFlow([model(), user('node')]);
    const acquire = services.acquire.bind(services);
    let arrive = (): void => {};
    const arrival = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    services.acquire = async (options, owner) => {
      await arrival;
      return acquire(options, owner);
    };
    const coming = modelNode().engine();
    const stopped = stopFlow();
    arrive();
    await Promise.all([coming, stopped]);
    assert.equal(engine.releases, 1);
  });

  it('closes well where the engine could not be had', async () => {
    await startFlow([model(), user('node')]);
    services.acquire = () => Promise.reject(new Error('no'));
    await assert.rejects(modelNode().engine(), /no/);
    await stopFlow();
    assert.equal(engine.releases, 0);
  });

  it('is given back and taken again by ten deploys, never two at a time', async () => {
    await startFlow([model(), user('node')]);
    for (let i = 1; i <= 10; i++) {
      await modelNode().engine();
      assert.equal(acquired.length, i);
      assert.equal(engine.releases, i - 1);
      await deploy([model(), user('node')]);
    }
    assert.equal(engine.subscribers, 0);
  });

  for (const [properties, code] of [
    [{ threads: 'many' }, 'M2FP_BAD_OPTION'],
    [{ source: 'folder', folder: '' }, 'M2FP_MODEL_NOT_FOUND'],
    [{ source: 'folder', folder: '${M2FP_NOT_SET}' }, 'M2FP_MODEL_NOT_FOUND'],
  ] as const) {
    it(`with a wrong setting is created all the same; its users are red and their messages end in errors: ${JSON.stringify(properties)}`, async () => {
      const events = await startFlow([model(properties), user('node')]);
      await events.until(() =>
        events.statuses.some(({ fill, text }) => fill === 'red' && text?.endsWith(code)),
      );
      send({ payload: Buffer.from('89504e470d0a1a0a', 'hex') });
      await events.ended();
      assert.equal(events.caught[0]!.error.code, code);
    });
  }

  it('whose folder is missing shows it, and is found again without a deploy once the folder is there', async () => {
    restoreEngines();
    const folder = await mkdtemp(join(tmpdir(), 'm2fp-nodes-'));
    try {
      const events = await startFlow([
        model({ source: 'folder', folder: join(folder, 'gone') }),
        user('node'),
      ]);
      await events.until(() =>
        events.statuses.some(({ text }) => text?.endsWith('error.M2FP_MODEL_NOT_FOUND')),
      );
      await assert.rejects(modelNode().manifest(), { code: 'M2FP_MODEL_NOT_FOUND', message: /gone/ });
      await assert.rejects(modelNode().engine(), { code: 'M2FP_MODEL_NOT_FOUND' });
      fakeEngines();
      assert.equal(await modelNode().manifest(), MANIFEST);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
