import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { convertCheckpoint } from '../../../src/store/convert.ts';
import type { PullTools } from '../../../src/store/pull.ts';
import { goldenFolder } from '../../support/golden.ts';
import { answerStatus, CHECKPOINT, MODEL_ID, stallAt } from '../support/hub.ts';
import { bench, convert, never } from '../support/pulling.ts';

describe('pulling a model', () => {
  const t = bench();

  it('cleans up after a process that died in a conversion, and keeps what it downloaded', async () => {
    await assert.rejects(t.pull({}, { convert: () => Promise.reject(new Error('killed')) }), /killed/);
    const [work] = readdirSync(join(t.root, '.partial'));
    const half = join(t.root, '.partial', work!, 'model-half');
    mkdirSync(half);
    writeFileSync(join(half, 'model.onnx'), 'half');
    const convertBesideNothing: PullTools['convert'] = (options) => {
      assert.equal(existsSync(half), false);
      return convert(options);
    };
    await t.pull({}, { convert: convertBesideNothing });
    assert.equal(t.hub.of(CHECKPOINT).length, 1);
    t.nothingLeft();
  });

  it('moves a model into the store that was finished when its process died', async () => {
    await assert.rejects(t.pull({}, { convert: () => Promise.reject(new Error('killed')) }));
    const [work] = readdirSync(join(t.root, '.partial'));
    const out = join(t.root, '.partial', work!, 'model-whole');
    const { manifest } = await convertCheckpoint({ source: goldenFolder('multi'), out, id: MODEL_ID });
    const pulled = await t.pull({}, { convert: never });
    assert.deepEqual(pulled.manifest, manifest);
    t.nothingLeft();
  });

  it('removes half models of other pulls that died, and keeps their downloads', async () => {
    const other = join(t.root, '.partial', 'damo!other!master');
    mkdirSync(join(other, 'download'), { recursive: true });
    writeFileSync(join(other, 'download', CHECKPOINT), 'part');
    mkdirSync(join(other, 'model-half'));
    await t.pull({}, { convert });
    assert.deepEqual(readdirSync(other), ['download']);
  });

  it('does it once for callers that ask at the same time', async () => {
    const conversions: string[] = [];
    const counted: PullTools['convert'] = (options) => {
      conversions.push(options.out);
      return convert(options);
    };
    const pulled = await Promise.all([1, 2, 3].map(() => t.pull({}, { convert: counted })));
    assert.equal(conversions.length, 1);
    assert.equal(t.hub.of(CHECKPOINT).length, 1);
    assert.equal(new Set(pulled.map(({ manifest }) => manifest)).size, 1);
  });

  describe('cancelled', () => {
    it('before it begins, does nothing', async () => {
      await assert.rejects(t.pull({ signal: AbortSignal.abort() }), { code: 'M2FP_CANCELLED' });
      assert.deepEqual(t.hub.requests, []);
    });

    it('in the list, ends at once', async () => {
      const controller = new AbortController();
      t.hub.next('list', () => controller.abort());
      await assert.rejects(t.pull({ signal: controller.signal }), { code: 'M2FP_CANCELLED' });
    });

    it('in the download, keeps the part for the next time', async () => {
      const controller = new AbortController();
      t.hub.next(CHECKPOINT, stallAt(0.37));
      t.clock.step = 1000;
      const size = t.hub.checkpoint.bytes.length;
      const cancelled = t.pull({
        signal: controller.signal,
        onProgress: ({ file, received }) => {
          if (file === CHECKPOINT && received > size * 0.2) controller.abort();
        },
      });
      await assert.rejects(cancelled, { code: 'M2FP_CANCELLED' });
      await t.pull({}, { convert });
      const [, second] = t.hub.of(CHECKPOINT);
      assert.match(second?.range ?? '', /^bytes=[1-9]\d+-$/);
    });

    it('in the back-off, ends at once', async () => {
      const controller = new AbortController();
      t.hub.always('list', answerStatus(500));
      const cancelled = t.pull(
        { signal: controller.signal },
        {
          clock: {
            now: () => 0,
            after(ms) {
              if (ms < 10_000) setImmediate(() => controller.abort());
              return { cancel: () => {} };
            },
          },
        },
      );
      await assert.rejects(cancelled, { code: 'M2FP_CANCELLED' });
      assert.equal(t.hub.of('list').length, 1);
    });

    it('in the conversion, ends it and frees the lock', async () => {
      const controller = new AbortController();
      const cancelled = t.pull({
        signal: controller.signal,
        onProgress: ({ phase }) => {
          if (phase === 'convert') controller.abort();
        },
      });
      await assert.rejects(cancelled, { code: 'M2FP_CANCELLED' });
      assert.equal(existsSync(t.modelFolder()), false);
      await t.pull({}, { convert });
    });

    it('by one of two callers, goes on for the other', async () => {
      const controller = new AbortController();
      const held = new Promise<ServerResponse>((resolve) =>
        t.hub.next('list', (_, response) => resolve(response)),
      );
      const cancelled = t.pull({ signal: controller.signal }, { convert: never });
      let other: ReturnType<typeof t.pull> | undefined;
      const told = new Promise<void>((resolve) => {
        other = t.pull({ onProgress: () => resolve() }, { convert: never });
      });
      const [response] = await Promise.all([held, told]);
      controller.abort();
      await assert.rejects(cancelled, { code: 'M2FP_CANCELLED' });
      // The request of both is still there: it is answered, and tried again.
      response.writeHead(500).end();
      await assert.rejects(other!, /converted/);
      assert.equal(t.hub.of('list').length, 2);
    });
  });
});
