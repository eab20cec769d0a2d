/** A model that workers on other machines have. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { mock } from 'node:test';
import type { NodeMessage } from 'node-red';
import type { ModelNode } from '../../../nodes/common/model.ts';
import type { ModelFacts } from '../../../nodes/common/model-facts.ts';
import type { WorkerSeen } from '../../../nodes/common/workers.ts';
import type { DeployedFacts } from '../../../nodes/form/about-answers.ts';
import type { LabelsAnswer } from '../../../nodes/form/label-sets.ts';
import { services } from '../../../nodes/common/services.ts';
import type { ModelDescription } from '../../../nodes/m2fp-model/about.ts';
import type { CheckResult } from '../../../nodes/m2fp-model/check.ts';
import type { EngineFacts } from '../../../nodes/m2fp-status/facts.ts';
import type { Health } from '../../../src/observe/health.ts';
import { type FakeEngine, fakeEngines, MANIFEST, restoreEngines } from '../support/fake-engine.ts';
import { type FakeWorkers, fakeWorkers } from '../support/fake-workers.ts';
import { nodeConfig } from '../support/flows.ts';
import { notPlain } from '../support/plain-data.ts';
import { deploy, type Events, nodeOf, redApi, send, startFlow, stopFlow } from '../support/red.ts';

const SECRET = 'hunter2';
const CREDENTIALS = { model: { redisUsername: 'me', redisPassword: SECRET } };
const URL = 'redis://10.0.0.7:6379';

describe('m2fp-model with workers', () => {
  let engine: FakeEngine;
  let workers: FakeWorkers;

  const model = (properties = {}) =>
    nodeConfig('m2fp-model', 'model', { source: 'remote', redis: URL, queue: 'cams', ...properties });
  const node = (type: 'm2fp-infer' | 'm2fp-load' | 'm2fp-status', properties = {}) =>
    nodeConfig(type, 'node', { model: 'model', ...properties });
  const modelNode = () => nodeOf('model') as ModelNode;
  const start = (...nodes: Parameters<typeof startFlow>[0]) =>
    startFlow([model(), ...nodes], [], structuredClone(CREDENTIALS));
  const shows = (events: Events, text: string) =>
    events.until(() => events.statuses.at(-1)?.text?.endsWith(text) === true);

  beforeEach(() => {
    ({ engine } = fakeEngines());
    workers = fakeWorkers(engine);
    services.readManifest = () => assert.fail('nothing lies on this machine');
  });
  afterEach(async () => {
    await stopFlow();
    restoreEngines();
  });

  it('connects when it is deployed, once for all nodes, with the credentials', async () => {
    const events = await start(node('m2fp-infer'), nodeConfig('m2fp-infer', 'other', { model: 'model' }));
    await shows(events, 'status.ready');
    assert.deepEqual(
      workers.acquired.map(({ address, maxQueue }) => ({ ...address, maxQueue })),
      [{ url: URL, queue: 'cams', username: 'me', password: SECRET, maxQueue: 32 }],
    );
    assert.deepEqual(engine.actions, []);
  });

  it('parses pictures, with the sizes of the form', async () => {
    const events = await startFlow([model({ shortSide: 320 }), node('m2fp-infer')]);
    send({ payload: Buffer.from('89504e470d0a1a0a', 'hex') });
    await events.ended();
    assert.deepEqual(events.caught, []);
    assert.equal(engine.requests[0]!.options?.shortSide, 320);
  });

  it('has its place without credentials, and the manifest of the workers', async () => {
    await start(node('m2fp-infer'));
    assert.deepEqual(await modelNode().manifest(), MANIFEST);
    assert.deepEqual(await modelNode().place(), {
      source: 'remote',
      folder: null,
      remote: { url: URL, queue: 'cams' },
      presence: { state: 'present' },
      engine: 'ready',
    });
  });

  it('with an address that is none is red, asks nobody, and messages end in errors', async () => {
    const events = await startFlow([model({ redis: `redis://me:${SECRET}@10.0.0.7` }), node('m2fp-infer')]);
    await shows(events, 'error.M2FP_BAD_OPTION');
    send({ payload: Buffer.from('89504e470d0a1a0a', 'hex') });
    await events.ended();
    assert.equal(events.caught[0]!.error.code, 'M2FP_BAD_OPTION');
    assert.ok(!JSON.stringify(events.caught[0]).includes(SECRET));
    assert.deepEqual(workers.acquired, []);
  });

  describe('of whom none is there', () => {
    /** The timers of five seconds that run, by what they call. */
    const retries = new Map<object, () => void>();
    let onPlanned = (): void => {};
    /** Resolves when a retry is planned. */
    const planned = async (): Promise<void> => {
      if (retries.size === 0) await new Promise<void>((resolve) => (onPlanned = resolve));
    };

    beforeEach(() => {
      workers.leave();
      retries.clear();
      const { setTimeout: later, clearTimeout: forget } = globalThis;
      mock.method(globalThis, 'setTimeout', (work: () => void, ms?: number) => {
        const timer = later(work, ms);
        if (ms === 5000) {
          retries.set(timer, work);
          onPlanned();
        }
        return timer;
      });
      mock.method(globalThis, 'clearTimeout', (timer: NodeJS.Timeout) => {
        retries.delete(timer);
        forget(timer);
      });
    });
    afterEach(() => mock.restoreAll());

    /** Lets the time of the only retry come. */
    const retry = async (): Promise<void> => {
      await planned();
      const [[timer, work] = assert.fail('nothing is tried again'), ...others] = [...retries];
      assert.deepEqual(others, []);
      assert.equal((timer as NodeJS.Timeout).hasRef(), false);
      clearTimeout(timer as NodeJS.Timeout);
      work();
    };

    it('is red, and becomes ready by itself when the first one comes', async () => {
      const events = await start(node('m2fp-infer'));
      await shows(events, 'error.M2FP_ENGINE_UNAVAILABLE');
      assert.equal(events.statuses.at(-1)?.fill, 'red');
      await retry();
      await planned();
      assert.equal(workers.acquired.length, 2);
      workers.failure = undefined;
      await retry();
      await shows(events, 'status.ready');
      assert.equal(workers.acquired.length, 3);
      assert.equal(retries.size, 0);
    });

    it('becomes ready also where a message has failed meanwhile, and the next one is parsed', async () => {
      const events = await start(node('m2fp-infer'));
      await planned();
      send({ payload: Buffer.from('89504e470d0a1a0a', 'hex') });
      await events.ended();
      assert.equal(events.caught[0]!.error.code, 'M2FP_ENGINE_UNAVAILABLE');
      assert.equal(events.caught[0]!.statusCode, 503);
      workers.failure = undefined;
      await retry();
      await shows(events, 'status.ready');
      send({ payload: Buffer.from('89504e470d0a1a0a', 'hex') });
      await events.ended(2);
      assert.equal(events.sent.length, 1);
    });

    it('is tried no more when it is closed, or nobody uses it', async () => {
      await start(node('m2fp-infer'));
      await planned();
      await deploy([model()], 'nodes');
      assert.equal(retries.size, 0);
      await deploy([model(), node('m2fp-infer')], 'nodes');
      await planned();
      await stopFlow();
      assert.equal(retries.size, 0);
    });

    it('lets as many messages wait for one as the queue takes', async () => {
      let answer = (): void => {};
      workers.answer = new Promise((resolve) => (answer = resolve));
      workers.failure = undefined;
      const events = await startFlow([model({ maxQueue: 1 }), node('m2fp-infer')]);
      for (let n = 0; n < 3; n++) send({ payload: Buffer.from('89504e470d0a1a0a', 'hex') });
      await events.ended();
      assert.deepEqual(
        events.caught.map(({ error }) => error.code),
        ['M2FP_BUSY'],
      );
      answer();
      await events.ended(3);
      assert.equal(events.sent.length, 2);
    });

    for (const outcome of ['fails', 'succeeds']) {
      it(`is neither waited for nor tried again by a close in the middle of a try that ${outcome}`, async () => {
        let answer = (): void => {};
        workers.answer = new Promise((resolve) => (answer = resolve));
        await start(node('m2fp-infer'));
        await stopFlow();
        if (outcome === 'succeeds') workers.failure = undefined;
        answer();
        await new Promise(setImmediate);
        assert.equal(retries.size, 0);
        assert.equal(engine.releases, outcome === 'succeeds' ? 1 : 0);
        assert.equal(engine.subscribers, 0);
      });
    }

    it('fails the probe of a status node, which asks nobody by itself', async () => {
      const events = await start(node('m2fp-status', { format: 'health', probe: true }));
      await planned();
      const before = workers.acquired.length;
      send({});
      await events.ended();
      const msg = events.sent[0]! as { payload?: unknown; statusCode?: number };
      assert.equal(msg.statusCode, 503);
      const { code, message } = (msg.payload as Health).reasons[0]!;
      assert.equal(code, 'model-failed');
      assert.match(
        message,
        /^No worker serves the queue\. It is tried again by itself within \d+ seconds\.$/,
      );
      assert.equal(workers.acquired.length, before);
    });
  });

  describe('at m2fp-load', () => {
    const ask = async (action: string): Promise<ModelFacts & { workers?: WorkerSeen[] }> => {
      const events = await start(node('m2fp-load'));
      const msg: NodeMessage & { m2fp: object } = { m2fp: { action } };
      send(msg);
      await events.ended();
      assert.deepEqual(events.caught, []);
      assert.deepEqual(notPlain(events.sent[0]), []);
      assert.ok(!JSON.stringify(events.sent[0]).includes(SECRET));
      return events.sent[0]!.payload as ModelFacts;
    };

    it('tells the facts and the workers for info', async () => {
      const { source, folder, size, id, remote, licence, workers: told } = await ask('info');
      assert.deepEqual([source, folder, size, id], ['remote', null, 0, MANIFEST.id]);
      assert.deepEqual(remote, { url: URL, queue: 'cams', workers: 2 });
      assert.match(licence, /workers/);
      assert.deepEqual(
        told?.map(({ host, provider, threads, slots }) => [host, provider, threads, slots]),
        [
          ['hall-a', 'cpu', 4, 1],
          ['hall-b', 'cpu', 4, 2],
        ],
      );
      assert.ok(told.every((worker) => !('manifest' in worker)));
    });

    it('ends the connection for unload, and says so', async () => {
      engine.hosts = [];
      const { state, remote, workers: told } = await ask('unload');
      assert.deepEqual([state, remote?.workers, told], ['idle', 0, undefined]);
      assert.deepEqual(engine.actions, ['unload']);
    });

    it('asks the workers anew for reload', async () => {
      await ask('reload');
      assert.deepEqual(engine.actions, ['restart']);
      assert.equal(workers.acquired.length, 2);
      assert.equal(engine.releases, 1);
    });
  });

  it('is shown without a connection as such', async () => {
    const events = await start(node('m2fp-infer'));
    await shows(events, 'status.ready');
    engine.hosts = [];
    engine.set('idle');
    await shows(events, 'status.disconnected');
  });

  it('shows at m2fp-status whose processes the workers are', async () => {
    services.list = async () => [{ ...engine.info(), owners: [] }];
    const events = await start(node('m2fp-status'));
    send({});
    await events.ended();
    const { engines: told } = events.sent[0]!.payload as { engines: EngineFacts[] };
    // Their ids are also that of a process of this machine, which has another size.
    assert.deepEqual(
      told[0]!.processes.map(({ host, rss }) => [host, rss]),
      [
        ['hall-a', 5e8],
        ['hall-b', 5e8],
      ],
    );
  });

  describe('at the admin routes', () => {
    let server: http.Server;
    const ask = async (
      path: string,
      body?: object,
    ): Promise<{ status: number; body: unknown; text: string }> => {
      const { port } = server.address() as AddressInfo;
      const response = await fetch(`http://127.0.0.1:${port}/m2fp/${path}`, {
        method: body ? 'POST' : 'GET',
        ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      });
      const text = await response.text();
      return { status: response.status, body: JSON.parse(text) as unknown, text };
    };
    const serve = async (): Promise<void> => {
      await start(node('m2fp-infer'));
      server = http.createServer(redApi().httpAdmin as unknown as http.RequestListener);
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    };
    afterEach(() => {
      server.closeAllConnections();
      server.close();
    });

    it('gives the labels of the workers, and none where they do not answer soon', async () => {
      await serve();
      const labels = async (): Promise<string[] | undefined> => {
        const { models } = (await ask('labels')).body as LabelsAnswer;
        return models[0]!.parts?.map(({ name }) => name);
      };
      assert.deepEqual(await labels(), MANIFEST.labels);
      let answer = (): void => {};
      workers.answer = new Promise((resolve) => (answer = resolve));
      await modelNode().forget();
      const later = globalThis.setTimeout;
      mock.method(globalThis, 'setTimeout', (work: () => void, ms?: number) =>
        // The patience of the route.
        later(work, ms === 2000 ? 0 : ms),
      );
      try {
        assert.equal(await labels(), undefined);
      } finally {
        mock.restoreAll();
        answer();
      }
    });

    it('tells the facts of the deployed one, without credentials', async () => {
      await serve();
      const { body, text } = await ask('models/model');
      const { state, remote, progress } = body as DeployedFacts;
      assert.deepEqual([state, remote?.workers, progress], ['ready', 2, null]);
      assert.ok(!text.includes(SECRET));
    });

    it('checks it, without counting the memory of other machines', async () => {
      await serve();
      const { status, body } = await ask('models/model/check', {});
      const { memory, load, processes } = body as CheckResult;
      assert.deepEqual([status, memory, load, processes], [200, null, null, 2]);
      assert.equal(engine.requests.length, 1);
    });

    it('tells what is served at an address that is not deployed, and what is wrong with it', async () => {
      await serve();
      const form = { ...model({ id: 'new', redis: 'redis://10.0.0.8' }), shortSide: 40 };
      const { body } = await ask('models/estimate', form);
      const { id, labels, input, precision, digest, estimate, workers: told } = body as ModelDescription;
      assert.deepEqual(
        [id, labels, precision, digest, estimate],
        ['fake', MANIFEST.labels, 'fp32', 'f00d', null],
      );
      assert.deepEqual(input, { ...MANIFEST.input, shortSide: 40 });
      assert.deepEqual(
        told?.map(({ host, slots }) => [host, slots]),
        [
          ['hall-a', 1],
          ['hall-b', 2],
        ],
      );
      workers.leave();
      const gone = await ask('models/estimate', form);
      assert.deepEqual([gone.status, (gone.body as { code: string }).code], [503, 'M2FP_ENGINE_UNAVAILABLE']);
    });

    it('uses the credentials that the form holds, and the deployed password where that is unchanged', async () => {
      await serve();
      const used = async (credentials: object | undefined): Promise<unknown[]> => {
        const { text } = await ask('models/estimate', { ...model(), credentials });
        assert.ok(!text.includes(SECRET) && !text.includes('other'));
        const { username, password } = workers.described.at(-1)!;
        return [username, password];
      };
      assert.deepEqual(await used({ redisUsername: 'me', redisPassword: '__PWRD__' }), ['me', SECRET]);
      assert.deepEqual(await used({ redisUsername: 'you', redisPassword: 'other' }), ['you', 'other']);
      assert.deepEqual(await used({ redisUsername: '', redisPassword: '' }), ['', '']);
      assert.deepEqual(await used(undefined), ['', '']);
      assert.deepEqual(await used({ redisUsername: 3, redisPassword: {} }), ['', '']);
    });
  });
});
