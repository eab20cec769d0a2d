import assert from 'node:assert/strict';
import type { NodeMessage } from 'node-red';
import { services } from '../../../nodes/common/services.ts';
import type { EngineFacts } from '../../../nodes/m2fp-status/facts.ts';
import { requestEvents } from '../../../src/engine/events.ts';
import { M2fpError } from '../../../src/errors.ts';
import type { Health } from '../../../src/observe/health.ts';
import type { MetricFamily } from '../../../src/observe/metrics.ts';
import { until } from '../../engine/support/fakes.ts';
import { engineInfo } from '../../observe/support/engine-info.ts';
import { MANIFEST } from '../support/fake-engine.ts';
import { nodeConfig } from '../support/flows.ts';
import { notPlain } from '../support/plain-data.ts';
import { nodeOf, send, startFlow } from '../support/red.ts';
import { answer, infer, model, shown, status, useEngines } from './support.ts';

interface Told {
  health: Health;
  engines: EngineFacts[];
  metrics: MetricFamily[];
}

describe('m2fp-status', () => {
  const seen = useEngines();

  it('tells the health, the engines and the metrics in plain JSON, and keeps the rest of the message', async () => {
    seen.others = [engineInfo({ waiting: 3 })];
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
    seen.others = [engineInfo({ state: 'failed', failure })];
    const bad = await answer(events);
    assert.equal(bad['statusCode'], 503);
    const { live, ready, reasons } = bad.payload as Health;
    assert.deepEqual([live, ready], [true, false]);
    assert.deepEqual(reasons, [{ code: 'engine-failed', model: 'me/model', message: 'gave up' }]);
    seen.others = [engineInfo({ provider: 'wasm' })];
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
      seen.others = [engineInfo({ state: 'failed' })];
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
      seen.others = [engineInfo({ state: 'loading' })];
      assert.equal((await answer(events))['statusCode'], 503);
    });

    it('stays ready while an engine rests, and while it loads again', async () => {
      const events = await startFlow([model, infer, status({ format: 'ready' })]);
      for (const state of ['idle', 'loading'] as const) {
        seen.others = [engineInfo({ state, loadSeconds: 2 })];
        assert.equal((await answer(events))['statusCode'], 200, state);
      }
      seen.others = [engineInfo({ state: 'loading', loadSeconds: null })];
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
        if (thoroughly) seen.others = [engineInfo({ state: 'loading' })];
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
    seen.others = [engineInfo({ provider: 'wasm' })];
    await events.until(() => shown(events) === 'degraded');
    seen.others = [engineInfo({ state: 'loading' })];
    await events.until(() => shown(events) === 'unready');
    assert.deepEqual(events.sent, []);
  });

  it('sends a message when the health changes, where it is asked to', async () => {
    const events = await startFlow([model, infer, status({ onChange: true, format: 'health' })]);
    seen.others = [engineInfo({ state: 'loading' })];
    await events.until(() => events.sent.length === 1);
    seen.others = [engineInfo({ waiting: 8 })];
    await events.until(() => events.sent.length === 2);
    // No change: only the number in the words is another.
    seen.others = [engineInfo({ waiting: 9 })];
    await answer(events);
    seen.others = [engineInfo()];
    await events.until(() => events.sent.length === 4);
    assert.deepEqual(
      events.sent.map(({ payload }) => (payload as Health).status),
      ['unready', 'degraded', 'degraded', 'ready'],
    );
    assert.equal(events.done.length, 1);
  });

  describe('of one model', () => {
    it('tells of no other, and neither loads nor acquires it', async () => {
      seen.others = [engineInfo({ state: 'failed', owners: ['another'] })];
      const events = await startFlow([model, status({ model: 'model' })]);
      const { health, engines: told, metrics } = (await answer(events)).payload as Told;
      assert.equal(health.status, 'ready');
      assert.deepEqual(told, []);
      const digests = metrics.flatMap(({ samples }) => samples.map(({ labels }) => labels['digest']));
      assert.ok(digests.every((digest) => digest === undefined || digest === MANIFEST.digest.slice(0, 12)));
      assert.deepEqual([seen.acquired, seen.engine.actions], [[], []]);
    });

    it('is healthy while an engine fails that serves an equal model of another node', async () => {
      seen.others = [engineInfo({ state: 'failed', manifest: MANIFEST, owners: ['another'] })];
      const events = await startFlow([model, status({ model: 'model' })]);
      const { health, engines: told } = (await answer(events)).payload as Told;
      assert.deepEqual([health.status, told.length], ['ready', 1]);
    });

    it('follows its engine', async () => {
      const load = nodeConfig('m2fp-load', 'load', { model: 'model' });
      const events = await startFlow([model, load, status({ model: 'model', onChange: true })]);
      nodeOf('load').receive({});
      await until(seen.engine, ({ state }) => state === 'ready');
      seen.engine.set('failed', 0, { name: 'M2fpError', message: 'gave up' });
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
});
