/** The routes by which the form gets a model before it is deployed. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { services } from '../../../nodes/common/services.ts';
import type { DownloadStatus, FormDescription } from '../../../nodes/form/about-answers.ts';
import { bundledModelFolder } from '../../../src/paths.ts';
import { convertCheckpoint } from '../../../src/store/convert.ts';
import { convertLocal } from '../../../src/store/local.ts';
import { goldenFolder } from '../../support/golden.ts';
import { answerStatus, CHECKPOINT, MODEL_ID } from '../../store/support/hub.ts';
import { adminServer } from '../support/admin-server.ts';
import { nodeConfig } from '../support/flows.ts';
import { BEFORE_STALL, engineWithoutProcess, publishedNodes } from '../support/published.ts';
import { type Events, send, startFlow } from '../support/red.ts';

type Body = DownloadStatus & { code?: string; message?: string };

describe('a download that the form begins', function () {
  this.timeout(BEFORE_STALL);
  const t = publishedNodes();
  engineWithoutProcess();
  const admin = adminServer();

  const start = async (nodes = [nodeConfig('m2fp-preprocess', 'node')]): Promise<Events> => {
    const events = await startFlow(nodes);
    await admin.open();
    return events;
  };
  afterEach(() => admin.close());

  const ask = async <T = Body>(
    path: string,
    method?: string,
    body?: object,
  ): Promise<{ status: number; body: T }> => admin.ask<T>(path, method, body);
  /** A form that nobody deployed. */
  const form = (properties = {}) => t.model(properties, 'undeployed');
  const begin = (properties = {}) => ask('downloads', 'POST', form(properties));
  const description = async (properties = {}) =>
    (await ask<FormDescription>('models/estimate', 'POST', form(properties))).body;
  const isHalfway = ({ progress }: DownloadStatus): boolean =>
    progress?.file === CHECKPOINT && progress.phase === 'download' && progress.share! > 0.3;
  /** The status, once it is as wanted. */
  const until = async (id: string, isSo: (status: DownloadStatus) => boolean): Promise<DownloadStatus> => {
    for (;;) {
      const { body } = await ask(`downloads/${id}`);
      if (isSo(body)) return body;
      await sleep(10);
    }
  };

  it('needs no deploy, tells how far it has come to whoever asks about the form, and ends with the model', async () => {
    const held = t.holdDownload();
    await start();
    assert.equal((await description()).download, null);
    const { status, body } = await begin();
    assert.deepEqual([status, body.state], [200, 'running']);
    const { progress } = await until(body.id, isHalfway);
    assert.deepEqual([progress!.phase, progress!.file], ['download', CHECKPOINT]);
    assert.ok(progress!.received > 0 && progress!.total! > progress!.received);
    // As a form that was closed and opened does.
    const found = await description();
    assert.deepEqual([found.present, found.download?.id, found.download?.state], [false, body.id, 'running']);
    // What the form does not name has no part in it.
    for (const other of [{ revision: 'v2' }, { precision: 'fp16' }, { baseUrl: `${t.hub.url}/mirror` }])
      assert.equal((await description(other)).download, null, JSON.stringify(other));
    held.letGo();
    const done = await until(body.id, ({ state }) => state !== 'running');
    assert.deepEqual([done.state, done.problem, done.progress], ['done', null, null]);
    const there = await description();
    assert.deepEqual([there.present, there.download], [true, null]);
    assert.ok(existsSync(join(t.modelFolder(), 'm2fp.json')));
  });

  it('is one with that of a node that waits for the same model, and the node shows its end', async () => {
    const held = t.holdDownload();
    const events = await start([t.model(), t.infer()]);
    await t.text(events, /status\.absent$/);
    const { body } = await begin();
    await until(body.id, isHalfway);
    assert.equal((await begin()).body.id, body.id);
    send({ payload: t.image });
    await t.text(events, /^3\d %/);
    held.letGo();
    await until(body.id, ({ state }) => state === 'done');
    await events.ended();
    assert.deepEqual(events.caught, []);
    assert.equal(t.hub.of(CHECKPOINT).length, 1);
  });

  it('takes the word that the model is missing from nodes that nobody sends a picture to', async () => {
    const events = await start([t.model(), t.infer()]);
    await t.text(events, /status\.absent$/);
    const { body } = await begin();
    await until(body.id, ({ state }) => state === 'done');
    await events.until(() => Object.keys(events.statuses.at(-1)!).length === 0);
  });

  it('is cancelled, and goes on from there', async () => {
    const held = t.holdDownload();
    await start();
    const { body } = await begin();
    await until(body.id, isHalfway);
    assert.equal((await ask(`downloads/${body.id}/cancel`, 'POST')).status, 200);
    await held.broken;
    assert.equal((await ask(`downloads/${body.id}`)).body, null);
    assert.equal((await ask(`downloads/${body.id}/cancel`, 'POST')).status, 404);
    assert.equal((await description()).download, null);
    await begin();
    await until(body.id, ({ state }) => state === 'done');
    assert.match(t.hub.of(CHECKPOINT).at(-1)!.range!, /^bytes=[1-9]/);
  });

  it('leaves a node that waits for the same model its download when it is cancelled', async () => {
    const held = t.holdDownload();
    const events = await start([t.model(), t.infer()]);
    const { body } = await begin();
    send({ payload: t.image });
    await t.text(events, /^3\d %/);
    assert.equal((await ask(`downloads/${body.id}/cancel`, 'POST')).status, 200);
    held.letGo();
    await events.ended();
    assert.deepEqual(events.caught, []);
    assert.equal(t.hub.of(CHECKPOINT).length, 1);
  });

  it('tells why it failed until the next try', async () => {
    t.hub.always('list', answerStatus(403));
    await start();
    const { body } = await begin();
    const failed = await until(body.id, ({ state }) => state !== 'running');
    assert.deepEqual([failed.state, failed.problem?.code], ['failed', 'M2FP_DOWNLOAD_FAILED']);
    assert.match(failed.problem!.message, /403/);
    const { download } = await description();
    assert.equal(download?.problem?.message, failed.problem!.message);
    assert.equal((await begin()).body.problem, null);
  });

  it('converts a checkpoint that lies on this machine', async () => {
    services.convert = (checkpoint, options) =>
      convertLocal(checkpoint, { ...options, tools: { convert: convertCheckpoint } });
    await start();
    const local = { source: 'folder', folder: goldenFolder('multi') };
    const before = await description(local);
    assert.deepEqual([before.present, before.isCheckpoint], [false, true]);
    const { body } = await begin(local);
    assert.equal(body.id, before.choice);
    await until(body.id, ({ state }) => state === 'done');
    assert.equal((await description(local)).present, true);
    assert.deepEqual(t.hub.requests, []);
  });

  it('is refused for no form, and nobody’s is not there to cancel', async () => {
    await start();
    assert.equal((await ask('downloads', 'POST', {})).status, 400);
    assert.equal((await ask('downloads/nobody')).body, null);
    assert.equal((await ask('downloads/nobody/cancel', 'POST')).status, 404);
  });

  for (const wrong of [{ source: 'bundled' }, { modelId: '../..' }]) {
    it(`is refused for ${JSON.stringify(wrong)}`, async () => {
      await start();
      const { status, body } = await begin(wrong);
      assert.deepEqual([status, body.code], [400, 'M2FP_BAD_OPTION'], JSON.stringify(wrong));
    });
  }

  describe('of what is neither downloaded nor converted', () => {
    let folder: string;
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'm2fp-downloads-'));
      await cp(bundledModelFolder(), folder, { recursive: true });
    });
    afterEach(() => rm(folder, { recursive: true, force: true }));

    const refused = async (wrong: object): Promise<[number, string | undefined, string]> => {
      await start();
      const { status, body } = await begin(wrong);
      return [status, body.code, body.message ?? ''];
    };

    it('says that it is ready, where it is', async () => {
      await start();
      for (const ready of [{ source: 'bundled' }, { source: 'folder', folder }]) {
        const { status, body } = await begin(ready);
        assert.equal(status, 400);
        assert.match(body.message!, /ready as it is/);
      }
    });

    it('says where a folder holds no model', async () => {
      await rm(join(folder, 'm2fp.json'));
      const [status, code, message] = await refused({ source: 'folder', folder });
      assert.deepEqual([status, code], [503, 'M2FP_MODEL_NOT_FOUND']);
      assert.ok(message.includes(folder), message);
    });

    it('says where there is no folder', async () => {
      const [, code] = await refused({ source: 'folder', folder: join(folder, 'nowhere') });
      assert.equal(code, 'M2FP_MODEL_NOT_FOUND');
    });

    it('says which file is damaged, also where its size is right', async () => {
      const file = join(folder, 'model.onnx.data');
      const { size } = await stat(file);
      await writeFile(file, Buffer.alloc(size));
      const [, code, message] = await refused({ source: 'folder', folder });
      assert.equal(code, 'M2FP_MODEL_INVALID');
      assert.match(message, /model\.onnx\.data is not the file that was converted/);
    });

    it('says that no Redis of workers answers', async () => {
      const [status, code, message] = await refused({ source: 'remote', redis: 'redis://127.0.0.1:1' });
      assert.deepEqual([status, code], [503, 'M2FP_ENGINE_UNAVAILABLE']);
      assert.match(message, /redis:\/\/127\.0\.0\.1:1/);
    });
  });

  it('ends at once where the model is there', async () => {
    await t.pull({ id: MODEL_ID }, { convert: convertCheckpoint });
    const requests = t.hub.requests.length;
    await start();
    const { body } = await begin();
    assert.equal((await until(body.id, ({ state }) => state !== 'running')).state, 'done');
    assert.equal(t.hub.requests.length, requests);
  });
});
