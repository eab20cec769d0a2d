import assert from 'node:assert/strict';
import { mock } from 'node:test';
import type { NodeMessage } from 'node-red';
import { services } from '../../../nodes/common/services.ts';
import { FIELDS } from '../../../nodes/m2fp-status/config.ts';
import type { EngineFacts } from '../../../nodes/m2fp-status/facts.ts';
import { requestEvents } from '../../../src/engine/events.ts';
import type { ListedEngine } from '../../../src/engine/index.ts';
import type { EngineInfo } from '../../../src/engine/types.ts';
import { M2fpError } from '../../../src/errors.ts';
import type { Health } from '../../../src/observe/health.ts';
import type { MetricFamily } from '../../../src/observe/metrics.ts';
import type { PullProgress } from '../../../src/store/progress.ts';
import { until } from '../../engine/support/fakes.ts';
import { engineInfo } from '../../observe/support/engine-info.ts';
import { type FakeEngine, fakeEngines, MANIFEST, restoreEngines } from '../support/fake-engine.ts';
import { htmlOf, nodeConfig } from '../support/flows.ts';
import { notPlain } from '../support/plain-data.ts';
import { twoPeople } from '../../support/images.ts';
import { publishedModel } from '../support/published.ts';
import { deploy, type Events, nodeOf, send, startFlow, stopFlow } from '../support/red.ts';

interface Told {
  health: Health;
  engines: EngineFacts[];
  metrics: MetricFamily[];
}

describe('m2fp-status', () => {
  let engine: FakeEngine;
  let acquired: object[];
  /** Those beside {@link engine}; they serve the model node, where they do not say whom. */
  let others: (EngineInfo & Partial<ListedEngine>)[];

  const model = nodeConfig('m2fp-model', 'model');
  const infer = nodeConfig('m2fp-infer', 'infer', { model: 'model' });
  const status = (properties = {}) => nodeConfig('m2fp-status', 'node', properties);
  const answer = async (
    events: Events,
    msg: NodeMessage = {},
  ): Promise<NodeMessage & Record<string, unknown>> => {
    const before = events.sent.length;
    send(msg);
    await events.until(() => events.sent.length > before || events.caught.length > 0);
    assert.deepEqual(events.caught, []);
    return events.sent.at(-1)!;
  };
  const shown = (events: Events): string | undefined => events.statuses.at(-1)?.text?.split('.').at(-1);

  beforeEach(() => {
    ({ engine, acquired } = fakeEngines());
    others = [];
    services.list = async () =>
      [...(acquired.length > 0 ? [engine.info()] : []), ...others].map((info) => ({
        owners: ['model'],
        ...info,
      }));
  });
  afterEach(async () => {
    await stopFlow();
    restoreEngines();
  });

  it('tells the health, the engines and the metrics in plain JSON, and keeps the rest of the message', async () => {
    others = [engineInfo({ waiting: 3 })];
    const events = await startFlow([status()]);
    const msg = await answer(events, { payload: 1700000000000, topic: 'x' });
    const { health, engines: told, metrics } = msg.payload as Told;
    assert.deepEqual(health, { status: 'ready', live: true, ready: true, reasons: [] });
    assert.deepEqual(
      told.map(({ model: id, state, waiting, maxQueue }) => [id, state, waiting, maxQueue]),
      [['me/model', 'ready', 3, 8]],
    );
    const pending = metrics.find(({ name }) => name === 'm2fp_inference_pending_requests');
    assert.deepEqual(pending!.samples[0]!.value, 3);
    assert.deepEqual(notPlain(msg), []);
    assert.deepEqual(JSON.parse(JSON.stringify(msg.payload)), msg.payload);
    assert.equal(msg.topic, 'x');
    assert.equal('statusCode' in msg, false);
    assert.equal('headers' in msg, false);
    await events.until(() => events.completed.length === 1);
  });

  it('gives Prometheus its text and content type, and leaves other headers', async () => {
    requestEvents.publish({
      engine: { model: 'counted before', digest: 'c'.repeat(12) },
      fate: 'replaced',
      cached: false,
      queue: 0,
    });
    const events = await startFlow([status({ format: 'prometheus' })]);
    const headers = { 'Content-Type': 'application/json', 'cache-control': 'no-store' };
    const msg = await answer(events, { headers });
    assert.match(msg.payload as string, /^# HELP m2fp_/);
    assert.match(msg.payload as string, /\nm2fp_inference_request_dropped_total\{model="counted before",/);
    assert.deepEqual(msg['headers'], {
      'cache-control': 'no-store',
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
    });
  });

  it('answers a readiness probe with 200 or 503', async () => {
    const failure = { name: 'M2fpError', code: 'M2FP_ENGINE_CRASHED', message: 'gave up' };
    const events = await startFlow([model, infer, status({ format: 'health', probe: true })]);
    const good = await answer(events);
    assert.equal(good['statusCode'], 200);
    others = [engineInfo({ state: 'failed', failure })];
    const bad = await answer(events);
    assert.equal(bad['statusCode'], 503);
    const { live, ready, reasons } = bad.payload as Health;
    assert.deepEqual([live, ready], [true, false]);
    assert.deepEqual(reasons, [{ code: 'engine-failed', model: 'me/model', message: 'gave up' }]);
    others = [engineInfo({ provider: 'wasm' })];
    const slow = await answer(events);
    assert.equal(slow['statusCode'], 200);
    assert.equal((slow.payload as Health).status, 'degraded');
  });

  describe('for probes', () => {
    const request = (path: string): NodeMessage => ({ req: { path } });
    const told = ({ statusCode, payload }: Record<string, unknown>): unknown[] => [statusCode, payload];

    it('tells by the end of the path whether it lives, is ready and why not, and the metrics', async () => {
      const events = await startFlow([model, infer, status({ format: 'path' })]);
      const health = { status: 'ready', live: true, ready: true, reasons: [] };
      const { live: _live, ...readiness } = health;
      for (const [path, expected] of [
        ['/live', [200, { live: true }]],
        ['/m2fp/ready', [200, readiness]],
        ['/ready/', [200, readiness]],
        ['/health', [200, health]],
      ] as const) {
        const msg = await answer(events, request(path));
        assert.deepEqual(told(msg), expected, path);
        assert.deepEqual(msg['headers'], { 'cache-control': 'no-store' });
      }
      others = [engineInfo({ state: 'failed' })];
      assert.deepEqual(told(await answer(events, request('/live'))), [200, { live: true }]);
      const bad = await answer(events, request('/ready'));
      assert.deepEqual(
        [bad['statusCode'], (bad.payload as Health).reasons.map(({ code }) => code)],
        [503, ['engine-failed']],
      );
      assert.equal((await answer(events, request('/health')))['statusCode'], 503);
      const metrics = await answer(events, request('/metrics'));
      assert.match(metrics.payload as string, /^m2fp_ready 0$/m);
      assert.deepEqual(
        [metrics['statusCode'], (metrics['headers'] as Record<string, string>)['content-type']],
        [200, 'text/plain; version=0.0.4; charset=utf-8'],
      );
      // Without a path, all that is known.
      assert.equal((await answer(events)).payload instanceof Object, true);
      send(request('/elsewhere'));
      await events.until(() => events.caught.length > 0);
      const { error, statusCode } = events.caught[0]!;
      assert.deepEqual([error.code, statusCode], ['M2FP_BAD_OPTION', 400]);
      assert.match(error.message, /\/ready/);
    });

    it('lives while nothing else answers', async () => {
      services.list = () => new Promise(() => {});
      const events = await startFlow([status({ format: 'live' })]);
      assert.deepEqual(told(await answer(events)), [200, { live: true }]);
    });

    it('is ready by its own choice, without the box', async () => {
      const events = await startFlow([model, infer, status({ format: 'ready' })]);
      assert.equal((await answer(events))['statusCode'], 200);
      others = [engineInfo({ state: 'loading' })];
      assert.equal((await answer(events))['statusCode'], 503);
    });

    it('stays ready while an engine rests, and while it loads again', async () => {
      const events = await startFlow([model, infer, status({ format: 'ready' })]);
      for (const state of ['idle', 'loading'] as const) {
        others = [engineInfo({ state, loadSeconds: 2 })];
        assert.equal((await answer(events))['statusCode'], 200, state);
      }
      others = [engineInfo({ state: 'loading', loadSeconds: null })];
      assert.equal((await answer(events))['statusCode'], 503);
    });

    it('reads the files of a model that was never loaded', async () => {
      const intact = services.readManifest.bind(services);
      services.readManifest = async (folder, thoroughly) => {
        if (thoroughly) throw new M2fpError('M2FP_MODEL_INVALID', 'model.onnx.data was changed');
        return intact(folder);
      };
      const events = await startFlow([model, infer, status({ format: 'ready' })]);
      const msg = await answer(events);
      assert.deepEqual(
        [msg['statusCode'], (msg.payload as Health).reasons[0]?.message],
        [503, 'model.onnx.data was changed'],
      );
    });

    it('sees an engine that begins to load while the files are read', async () => {
      const read = services.readManifest.bind(services);
      services.readManifest = async (folder, thoroughly) => {
        if (thoroughly) others = [engineInfo({ state: 'loading' })];
        return read(folder);
      };
      const events = await startFlow([model, infer, status({ format: 'ready' })]);
      assert.equal((await answer(events))['statusCode'], 503);
    });

    it('is not ready where no picture can be read', async () => {
      const imageProblem = services.imageProblem.bind(services);
      services.imageProblem = async () => new M2fpError('M2FP_ENGINE_UNAVAILABLE', 'install sharp');
      try {
        const events = await startFlow([model, infer, status({ format: 'ready' })]);
        const msg = await answer(events);
        assert.deepEqual(
          [msg['statusCode'], (msg.payload as Health).reasons[0]?.message],
          [503, 'install sharp'],
        );
      } finally {
        services.imageProblem = imageProblem;
      }
    });
  });

  it('shows the health', async () => {
    const events = await startFlow([model, infer, status()]);
    await events.until(() => shown(events) === 'ready');
    others = [engineInfo({ provider: 'wasm' })];
    await events.until(() => shown(events) === 'degraded');
    others = [engineInfo({ state: 'loading' })];
    await events.until(() => shown(events) === 'unready');
    assert.deepEqual(events.sent, []);
  });

  it('sends a message when the health changes, where it is asked to', async () => {
    const events = await startFlow([model, infer, status({ onChange: true, format: 'health' })]);
    others = [engineInfo({ state: 'loading' })];
    await events.until(() => events.sent.length === 1);
    others = [engineInfo({ waiting: 8 })];
    await events.until(() => events.sent.length === 2);
    // No change: only the number in the words is another.
    others = [engineInfo({ waiting: 9 })];
    await answer(events);
    others = [engineInfo()];
    await events.until(() => events.sent.length === 4);
    assert.deepEqual(
      events.sent.map(({ payload }) => (payload as Health).status),
      ['unready', 'degraded', 'degraded', 'ready'],
    );
    assert.equal(events.done.length, 1);
  });

  describe('of one model', () => {
    it('tells of no other, and neither loads nor acquires it', async () => {
      others = [engineInfo({ state: 'failed', owners: ['another'] })];
      const events = await startFlow([model, status({ model: 'model' })]);
      const { health, engines: told, metrics } = (await answer(events)).payload as Told;
      assert.equal(health.status, 'ready');
      assert.deepEqual(told, []);
      const digests = metrics.flatMap(({ samples }) => samples.map(({ labels }) => labels['digest']));
      assert.ok(digests.every((digest) => digest === undefined || digest === MANIFEST.digest.slice(0, 12)));
      assert.deepEqual([acquired, engine.actions], [[], []]);
    });

    it('is healthy while an engine fails that serves an equal model of another node', async () => {
      others = [engineInfo({ state: 'failed', manifest: MANIFEST, owners: ['another'] })];
      const events = await startFlow([model, status({ model: 'model' })]);
      const { health, engines: told } = (await answer(events)).payload as Told;
      assert.deepEqual([health.status, told.length], ['ready', 1]);
    });

    it('follows its engine', async () => {
      const load = nodeConfig('m2fp-load', 'load', { model: 'model' });
      const events = await startFlow([model, load, status({ model: 'model', onChange: true })]);
      nodeOf('load').receive({});
      await until(engine, ({ state }) => state === 'ready');
      engine.set('failed', 0, { name: 'M2fpError', message: 'gave up' });
      await events.until(() =>
        events.sent.some(({ payload }) => (payload as Told).health.status === 'unready'),
      );
      const { engines: told } = events.sent.at(-1)!.payload as Told;
      assert.deepEqual(
        told.map(({ model: id, state }) => [id, state]),
        [['fake', 'failed']],
      );
    });

    it('tells what is wrong with it, without failing', async () => {
      services.readManifest = async () => {
        throw new M2fpError('M2FP_MODEL_INVALID', 'm2fp.json is damaged');
      };
      const events = await startFlow([
        { ...model, name: 'mine' },
        status({ model: 'model', format: 'health', probe: true }),
      ]);
      const msg = await answer(events);
      assert.deepEqual((msg.payload as Health).reasons, [
        { code: 'model-failed', model: 'mine', message: 'm2fp.json is damaged' },
      ]);
      assert.equal(msg['statusCode'], 503);
    });

    it('that is not there fails', async () => {
      const events = await startFlow([status({ model: 'nowhere' })]);
      send({});
      await events.ended();
      assert.equal(events.caught[0]!.error.code, 'M2FP_MODEL_NOT_FOUND');
      assert.equal(events.caught[0]!.statusCode, 503);
    });
  });

  describe('of all models of the flows', () => {
    const health = async (events: Events): Promise<Health> => (await answer(events)).payload as Health;

    for (const [name, config] of [
      ['has no folder', { source: 'folder', folder: '' }],
      ['has a folder with nothing in it', { source: 'folder', folder: '/nowhere/at/all' }],
    ] as const) {
      it(`is not ready where one ${name}`, async () => {
        restoreEngines();
        const events = await startFlow([
          { ...model, ...config },
          infer,
          status({ format: 'health', probe: true }),
        ]);
        const msg = await answer(events);
        const { ready, reasons } = msg.payload as Health;
        assert.deepEqual([ready, reasons.map(({ code }) => code)], [false, ['model-failed']]);
        assert.match(reasons[0]!.message, /folder/);
        assert.equal(msg['statusCode'], 503);
      });
    }

    it('is not ready once the files of one are damaged, unless its engine runs', async () => {
      const events = await startFlow([model, infer, status({ format: 'health' })]);
      assert.equal((await health(events)).ready, true);
      const intact = services.readManifest.bind(services);
      services.readManifest = async () => {
        throw new M2fpError('M2FP_MODEL_INVALID', 'model.onnx.data is missing');
      };
      assert.deepEqual((await health(events)).reasons, [
        { code: 'model-failed', model: 'fake', message: 'model.onnx.data is missing' },
      ]);
      // One of another node, in another folder, says nothing of this one.
      others = [engineInfo({ state: 'ready', manifest: MANIFEST, owners: ['another'] })];
      assert.equal((await health(events)).ready, false);
      others = [];
      const damaged = services.readManifest.bind(services);
      services.readManifest = intact;
      nodeOf('infer').receive({ payload: twoPeople });
      await until(engine, ({ state }) => state === 'ready');
      services.readManifest = damaged;
      assert.equal((await health(events)).ready, true);
    });

    it('is not ready while the engine of one cannot be had, whatever that of an equal one does', async () => {
      const acquire = services.acquire.bind(services);
      let broken: M2fpError | undefined = new M2fpError('M2FP_MODEL_INVALID', 'it was changed');
      services.acquire = async (options, owner) => {
        if (owner === 'model' && broken) throw broken;
        return acquire(options, owner);
      };
      const events = await startFlow([
        model,
        nodeConfig('m2fp-model', 'equal'),
        infer,
        nodeConfig('m2fp-infer', 'good', { model: 'equal' }),
        status({ format: 'health', probe: true }),
      ]);
      assert.equal((await health(events)).ready, true);
      nodeOf('good').receive({ payload: twoPeople });
      await until(engine, ({ state }) => state === 'ready');
      const fail = async (code: string): Promise<void> => {
        nodeOf('infer').receive({ payload: twoPeople });
        await events.until(() => events.caught.length > 0);
        assert.equal(events.caught.splice(0)[0]!.error.code, code);
      };
      for (const code of ['M2FP_MODEL_INVALID', 'M2FP_MODEL_NOT_FOUND', 'M2FP_ENGINE_UNAVAILABLE'] as const) {
        broken = new M2fpError(code, 'it was changed');
        await fail(code);
        const msg = await answer(events);
        const { ready, reasons } = msg.payload as Health;
        assert.equal(msg['statusCode'], 503);
        assert.deepEqual(
          [ready, reasons.map((reason) => [reason.code, reason.message])],
          [false, [['model-failed', 'it was changed. It is tried again by itself within 30 seconds.']]],
        );
      }
      broken = undefined;
      nodeOf('infer').receive({ payload: twoPeople });
      let told = await health(events);
      while (!told.ready) told = await health(events);
      broken = new M2fpError('M2FP_MODEL_INVALID', 'it was changed');
      assert.equal((await health(events)).ready, true);
    });

    it('is ready whatever becomes of an engine that serves none of them', async () => {
      const failed = { state: 'failed', failure: { name: 'M2fpError', message: 'no worker' } } as const;
      const events = await startFlow([
        model,
        infer,
        nodeConfig('m2fp-model', 'unused'),
        status({ format: 'health', probe: true }),
      ]);
      // It lingers after a deploy; it serves a node that was deleted; it serves one that nobody uses.
      for (const owners of [[], ['deleted'], ['unused']]) {
        for (const told of [failed, { state: 'loading' } as const]) {
          others = [engineInfo({ ...told, manifest: MANIFEST, owners })];
          const msg = await answer(events);
          assert.deepEqual([msg['statusCode'], (msg.payload as Health).reasons], [200, []]);
        }
      }
      others = [engineInfo({ ...failed, manifest: MANIFEST, owners: ['deleted', 'model'] })];
      assert.deepEqual(
        (await health(events)).reasons.map(({ code, message }) => [code, message]),
        [['engine-failed', 'no worker']],
      );
    });

    it('is ready whatever is wrong with a model that nobody uses', async () => {
      const events = await startFlow([{ ...model, source: 'folder' }, status({ format: 'health' })]);
      assert.deepEqual((await health(events)).reasons, []);
    });

    it('is not ready while nodes name one that is not there, until they name another one', async () => {
      const other = { ...model, id: 'other' };
      const well = { ...infer, id: 'well', model: 'other' };
      const gate = { ...infer, name: 'gate' };
      const load = nodeConfig('m2fp-load', 'load', { model: 'model' });
      const look = status({ format: 'ready' });
      const bad = await answer(await startFlow([other, well, gate, load, look]));
      const { ready, reasons } = bad.payload as Health;
      assert.deepEqual([bad['statusCode'], ready, reasons.length], [503, false, 1]);
      const { code, model: id, message } = reasons[0]!;
      assert.deepEqual([code, id], ['model-failed', 'model']);
      assert.match(message, /"gate" \(m2fp-infer\), "load" \(m2fp-load\) is disabled, or was deleted/);
      const good = await answer(await deploy([other, well, { ...gate, model: 'other' }, look]));
      assert.deepEqual([good['statusCode'], (good.payload as Health).reasons], [200, []]);
    });

    it('is ready again when it is put back by a deploy that leaves the other nodes as they are', async () => {
      const look = status({ format: 'ready' });
      const bad = await answer(await startFlow([infer, look]));
      assert.equal(bad['statusCode'], 503);
      const good = await answer(await deploy([model, infer, look], 'nodes'));
      assert.deepEqual([good['statusCode'], (good.payload as Health).reasons], [200, []]);
    });

    it('counts the bundled model where nodes have none of their own', async () => {
      services.readManifest = async () => {
        throw new M2fpError('M2FP_MODEL_INVALID', 'reinstall the package');
      };
      const events = await startFlow([{ ...infer, model: '' }, status({ format: 'health' })]);
      const { ready, reasons } = await health(events);
      assert.deepEqual([ready, reasons[0]?.message], [false, 'reinstall the package']);
    });

    describe('one of which cannot be downloaded', () => {
      const published = publishedModel();

      it('is not ready before it is there, not after that has failed, and not while it is on its way', async () => {
        services.isPulled = () => Promise.resolve(false);
        services.pull = () => Promise.reject(new M2fpError('M2FP_DOWNLOAD_FAILED', 'no network'));
        const events = await startFlow([
          published.model(),
          infer,
          status({ format: 'health', onChange: true }),
        ]);
        const first = await health(events);
        assert.deepEqual([first.ready, first.reasons[0]?.code], [false, 'model-absent']);
        nodeOf('infer').receive({ payload: twoPeople });
        await events.until(() => events.caught.length > 0);
        assert.equal(events.caught.splice(0)[0]!.error.code, 'M2FP_DOWNLOAD_FAILED');
        const failed = await health(events);
        assert.deepEqual(
          [failed.ready, failed.reasons.map(({ code, message }) => [code, message])],
          [false, [['model-failed', 'no network. It is tried again by itself within 30 seconds.']]],
        );
        // Still on its way.
        services.pull = ({ signal, onProgress }) => {
          const retry = { status: null, reason: 'the hub refuses', seconds: 8, attempt: 4, attempts: 5 };
          const progress = {
            phase: 'list',
            share: null,
            received: 0,
            total: null,
            bytesPerSecond: null,
            retry,
          };
          onProgress?.(progress as PullProgress);
          return new Promise((_resolve, reject) => {
            signal?.addEventListener('abort', () => reject(signal.reason as Error));
          });
        };
        nodeOf('infer').receive({ payload: twoPeople });
        let coming = await health(events);
        while (coming.reasons[0]?.code === 'model-failed') coming = await health(events);
        assert.deepEqual([coming.ready, coming.reasons[0]?.code], [false, 'model-pulling']);
        assert.match(
          coming.reasons[0]!.message,
          /waits: the hub refuses\. The server is asked again within 8 seconds \(4 of 5\)/,
        );
      });
    });
  });

  describe('of a published model', () => {
    const published = publishedModel();

    it('tells that it is absent, and does not pull it', async () => {
      const events = await startFlow([
        published.model(),
        status({ model: 'model', format: 'health', probe: true }),
      ]);
      const msg = await answer(events);
      const { status: told, reasons } = msg.payload as Health;
      assert.equal(told, 'unready');
      assert.deepEqual(
        reasons.map(({ code }) => code),
        ['model-absent'],
      );
      assert.equal(msg['statusCode'], 503);
      assert.deepEqual(published.hub.requests, []);
    });
  });

  it('fails for an output that does not exist, and offers those that do', async () => {
    const events = await startFlow([status({ format: 'xml' })]);
    send({});
    await events.ended();
    assert.equal(events.caught[0]!.error.code, 'M2FP_BAD_OPTION');
    const form = htmlOf('m2fp-status');
    const offered = [...form.matchAll(/<option value="([^"]+)"/g)].map(([, value]) => value);
    assert.deepEqual(offered, [...FIELDS.format.form.choices!]);
  });

  it('looks no more when it was closed', async () => {
    const begun = mock.method(globalThis, 'setInterval');
    const ended = mock.method(globalThis, 'clearInterval');
    try {
      const events = await startFlow([model, status({ model: 'model', onChange: true })]);
      await events.until(() => shown(events) === 'ready');
      const timer = begun.mock.calls.find(({ arguments: [, ms] }) => ms === 1000)!.result;
      await deploy([model]);
      assert.ok(ended.mock.calls.some(({ arguments: [handle] }) => handle === timer));
      services.list = async () => assert.fail('it looked');
      engine.set('failed');
      await new Promise(setImmediate);
    } finally {
      begun.mock.restore();
      ended.mock.restore();
    }
  });
});
