import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { services } from '../../../nodes/common/services.ts';
import { FIELDS } from '../../../nodes/m2fp-status/config.ts';
import { M2fpError } from '../../../src/errors.ts';
import type { Health } from '../../../src/observe/health.ts';
import type { PullProgress } from '../../../src/store/progress.ts';
import { until } from '../../engine/support/fakes.ts';
import { engineInfo } from '../../observe/support/engine-info.ts';
import { MANIFEST, restoreEngines } from '../support/fake-engine.ts';
import { htmlOf, nodeConfig } from '../support/flows.ts';
import { twoPeople } from '../../support/images.ts';
import { publishedModel } from '../support/published.ts';
import { deploy, type Events, nodeOf, send, startFlow } from '../support/red.ts';
import { answer, infer, model, shown, status, useEngines } from './support.ts';

describe('m2fp-status', () => {
  const seen = useEngines();

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
      seen.others = [engineInfo({ state: 'ready', manifest: MANIFEST, owners: ['another'] })];
      assert.equal((await health(events)).ready, false);
      seen.others = [];
      const damaged = services.readManifest.bind(services);
      services.readManifest = intact;
      nodeOf('infer').receive({ payload: twoPeople });
      await until(seen.engine, ({ state }) => state === 'ready');
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
      await until(seen.engine, ({ state }) => state === 'ready');
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
          seen.others = [engineInfo({ ...told, manifest: MANIFEST, owners })];
          const msg = await answer(events);
          assert.deepEqual([msg['statusCode'], (msg.payload as Health).reasons], [200, []]);
        }
      }
      seen.others = [engineInfo({ ...failed, manifest: MANIFEST, owners: ['deleted', 'model'] })];
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
      seen.engine.set('failed');
      await new Promise(setImmediate);
    } finally {
      begun.mock.restore();
      ended.mock.restore();
    }
  });
});
