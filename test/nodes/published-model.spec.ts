/** The nodes with a model that is pulled from a server when it is first needed. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeMessage } from 'node-red';
import sharp from 'sharp';
import { engines } from '../../nodes/common/engines.ts';
import type { ModelNode } from '../../nodes/common/model.ts';
import type { ModelFacts } from '../../nodes/common/model-facts.ts';
import { shutdownEngines } from '../../src/engine/index.ts';
import { M2fpError } from '../../src/errors.ts';
import type { NetworkInput } from '../../src/image/index.ts';
import type { Parsing } from '../../src/parsing/types.ts';
import { convertCheckpoint } from '../../src/store/convert.ts';
import type { PullProgress } from '../../src/store/progress.ts';
import { pullModel } from '../../src/store/pull.ts';
import { openStore } from '../../src/store/store.ts';
import { answerStatus, CHECKPOINT, MODEL_ID, notFound } from '../store/support/hub.ts';
import { type FakeEngine, fakeEngines, restoreEngines } from './support/fake-engine.ts';
import { nodeConfig } from './support/flows.ts';
import { notPlain } from './support/plain-data.ts';
import { publishedModel } from './support/published.ts';
import { deploy, type Events, nodeOf, send, startFlow, stopFlow } from './support/red.ts';

describe('the nodes with a published model', function () {
  this.timeout(60_000);
  const t = publishedModel();
  let picture: Buffer;

  const infer = (properties = {}, id = 'node') =>
    nodeConfig('m2fp-infer', id, { model: 'model', ...properties });
  const load = (properties = {}) =>
    nodeConfig('m2fp-load', 'node', { model: 'model', wires: [['out'], ['out2']], ...properties });
  const modelFolder = () => join(t.root, ...MODEL_ID.split('/'), 'master');
  const text = (events: Events, pattern: RegExp): Promise<void> =>
    events.until(() => events.statuses.some((status) => pattern.test(status.text ?? '')));
  const facts = (msg: NodeMessage | undefined) => msg?.payload as ModelFacts;

  before(async () => {
    picture = await sharp({ create: { width: 96, height: 64, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
  });
  afterEach(async () => {
    await stopFlow();
    restoreEngines();
  });

  it('download, convert and run it for the first picture, and show how far that has come', async () => {
    const held = t.holdDownload();
    const events = await startFlow([t.model(), infer()]);
    try {
      await text(events, /status\.absent$/);
      assert.deepEqual(t.hub.requests, [], 'nobody needs it yet');
      send({ payload: picture, m2fp: { shortSide: 64 } });
      await text(events, /^3\d %/);
      assert.ok(
        events.statuses.some(
          ({ fill, shape, text: shown }) => fill === 'yellow' && shape === 'ring' && shown,
        ),
      );
      held.letGo();
      await text(events, /^converting/);
      await events.ended();
      assert.deepEqual(events.caught, []);
      const parsing = events.sent[0]!['parsing'] as Parsing;
      assert.equal(parsing.model.id, MODEL_ID);
      assert.deepEqual([parsing.width, parsing.height], [96, 64]);
      assert.deepEqual(readdirSync(modelFolder()).toSorted(), ['m2fp.json', 'model.onnx', 'model.onnx.data']);
      for (const { text: shown = '' } of events.statuses) {
        assert.ok(shown.replace(/^.*:m2fp-model\./, '').length <= 20 || shown.includes('.error.'), shown);
      }
      await deploy([t.model(), infer()]);
      assert.equal(t.hub.of(CHECKPOINT).length, 1);
    } finally {
      await stopFlow();
      await shutdownEngines();
    }
  });

  describe('and an engine without a process', function () {
    // Less than the time after which a download that stands still is given up.
    this.timeout(20_000);
    let engine: FakeEngine;

    beforeEach(() => {
      const readManifest = engines.readManifest.bind(engines);
      ({ engine } = fakeEngines());
      engines.readManifest = readManifest;
      // In this process, which is quicker.
      engines.pull = (options) => pullModel({ ...options, tools: { convert: convertCheckpoint } });
    });

    it('pull it once for all nodes, also of two config nodes', async () => {
      const held = t.holdDownload();
      const events = await startFlow([
        t.model(),
        t.model({ name: 'same' }, 'second'),
        infer(),
        infer({ model: 'second', wires: [['out']] }, 'other'),
        nodeConfig('m2fp-preprocess', 'first', { model: 'model', wires: [['out']] }),
      ]);
      send({ payload: picture });
      nodeOf('other').receive({ payload: picture });
      nodeOf('first').receive({ payload: picture });
      await text(events, /^3\d %/);
      held.letGo();
      await events.ended(3);
      assert.deepEqual(events.caught, []);
      assert.equal(t.hub.of(CHECKPOINT).length, 1);
      const input = events.sent.map(({ payload }) => payload as NetworkInput).find(({ type }) => type);
      assert.equal(input?.type, 'm2fp-input');
    });

    for (const [name, prepare, code] of [
      ['is not known', () => t.hub.next('list', (_, response) => notFound(response)), 'M2FP_MODEL_NOT_FOUND'],
      ['needs a login', () => t.hub.next('list', answerStatus(403)), 'M2FP_DOWNLOAD_FAILED'],
    ] as const) {
      it(`that ${name} end their messages with ${code}, and try again with the next one`, async () => {
        prepare();
        const events = await startFlow([t.model(), infer()]);
        send({ payload: picture });
        await events.ended();
        assert.equal(events.caught[0]!.error.code, code);
        assert.equal(events.caught[0]!.statusCode, 503);
        await text(events, new RegExp(`error\\.${code}$`));
        assert.equal(t.hub.requests.length, 1, 'nobody tries again without a message');
        send({ payload: picture });
        await events.ended(2);
        assert.equal(events.sent.length, 1);
      });
    }

    it('that cannot be had show it, also where they have no message', async () => {
      t.hub.next('list', answerStatus(403));
      const events = await startFlow([t.model(), infer(), infer({ wires: [['out']] }, 'other')]);
      nodeOf('other').receive({ payload: picture });
      await text(events, /error\.M2FP_DOWNLOAD_FAILED$/);
    });

    it('of a wrong id are red, and their messages end in M2FP_BAD_OPTION', async () => {
      for (const properties of [{ modelId: '../up' }, { baseUrl: 'ftp://mirror' }, { revision: 'a/b' }]) {
        const events = await startFlow([t.model(properties), infer()]);
        await text(events, /error\.M2FP_BAD_OPTION$/);
        send({ payload: picture });
        await events.ended();
        assert.equal(events.caught[0]!.error.code, 'M2FP_BAD_OPTION');
        assert.equal(events.caught[0]!.statusCode, 400);
        await stopFlow();
      }
      assert.deepEqual(t.hub.requests, []);
    });

    it('let as many messages wait as the queue takes', async () => {
      const held = t.holdDownload();
      const events = await startFlow([t.model({ maxQueue: 1 }), infer()]);
      send({ payload: picture });
      await text(events, /^3\d %/);
      send({ payload: picture });
      send({ payload: picture, topic: 'too many' });
      await events.ended();
      assert.deepEqual(
        events.caught.map(({ error, topic }) => [error.code, topic]),
        [['M2FP_BUSY', 'too many']],
      );
      assert.match(events.caught[0]!.error.message, /limit of 1 /);
      held.letGo();
      await events.ended(3);
      assert.equal(events.sent.length, 2);
      assert.equal(engine.requests.length, 2);
    });

    describe('keep the rules of the queue while it is downloaded', () => {
      const topics = (messages: NodeMessage[]) => messages.map(({ topic }) => String(topic));

      /** A download in its middle, which the picture "first" has set off. */
      async function downloading(properties: object) {
        const held = t.holdDownload();
        const events = await startFlow([t.model(), infer({ wires: [['out'], ['out2']], ...properties })]);
        send({ payload: picture, topic: 'first' });
        await text(events, /^3\d %/);
        return { events, held };
      }

      it('latest: one waits for each camera, and its older pictures are dropped at once', async () => {
        const { events, held } = await downloading({ policy: 'latest', key: 'camera' });
        for (const [topic, camera] of [
          ['a1', 'a'],
          ['b1', 'b'],
          ['a2', 'a'],
          ['a3', 'a'],
        ])
          send({ payload: picture, topic, camera });
        await events.until(() => events.sentOnSecondWire.length === 2);
        assert.deepEqual(topics(events.sentOnSecondWire), ['a1', 'a2']);
        assert.deepEqual(
          events.sentOnSecondWire.map((msg) => msg['dropped']),
          ['replaced', 'replaced'],
        );
        assert.deepEqual(events.sent, []);
        held.letGo();
        await events.ended(3);
        assert.deepEqual(events.caught, []);
        assert.deepEqual(topics(events.sent).toSorted(), ['a3', 'b1', 'first']);
      });

      it('wait: in line, up to the limit', async () => {
        const { events, held } = await downloading({ policy: 'wait', limit: 1 });
        for (const topic of ['second', 'too many']) send({ payload: picture, topic });
        await events.ended();
        assert.deepEqual(
          events.caught.map(({ error, topic }) => [error.code, topic]),
          [['M2FP_BUSY', 'too many']],
        );
        held.letGo();
        await events.ended(3);
        assert.deepEqual(topics(events.sent).toSorted(), ['first', 'second']);
      });

      it('reject: nobody waits but who set it off', async () => {
        const { events, held } = await downloading({ policy: 'reject' });
        send({ payload: picture, topic: 'second' });
        await events.ended();
        assert.deepEqual([events.caught[0]!.error.code, events.caught[0]!.topic], ['M2FP_BUSY', 'second']);
        held.letGo();
        await events.ended(2);
        assert.deepEqual(topics(events.sent), ['first']);
      });

      it('drops what has become too old, and who set it off, too', async () => {
        const { events, held } = await downloading({ maxAge: 1 });
        send({ payload: picture, topic: 'second' });
        await events.until(() => events.sentOnSecondWire.length === 1);
        assert.deepEqual(topics(events.sentOnSecondWire), ['second']);
        held.letGo();
        await events.until(() => events.sentOnSecondWire.length === 2);
        assert.deepEqual(topics(events.sentOnSecondWire), ['second', 'first']);
        assert.deepEqual(
          events.sentOnSecondWire.map((msg) => msg['dropped']),
          ['expired', 'expired'],
        );
        assert.deepEqual([events.sent, events.caught, engine.requests], [[], [], []]);
      });
    });

    it('bound the messages of preprocess and load nodes too', async () => {
      for (const node of [nodeConfig('m2fp-preprocess', 'node', { model: 'model' }), load()]) {
        const held = t.holdDownload();
        const events = await startFlow([t.model({ maxQueue: 0, revision: 'master' }), node]);
        send({ payload: picture });
        await text(events, /^3\d %/);
        send({ payload: picture });
        await events.ended();
        assert.equal(events.caught[0]!.error.code, 'M2FP_BUSY');
        held.letGo();
        await events.ended(2);
        assert.equal(events.sent.length, 1);
        await stopFlow();
        await openStore(t.root).remove(MODEL_ID);
      }
    });

    it('stop the download in a deploy, and the next message goes on from there', async () => {
      const held = t.holdDownload();
      const events = await startFlow([t.model(), infer()]);
      send({ payload: picture });
      await text(events, /^3\d %/);
      const after = await deploy([t.model(), infer()]);
      await held.broken;
      assert.deepEqual(
        events.done.map(({ code }) => code),
        ['M2FP_CANCELLED'],
      );
      send({ payload: picture });
      await after.ended();
      assert.deepEqual(after.caught, []);
      const size = t.hub.checkpoint.bytes.length;
      assert.deepEqual(
        t.hub.of(CHECKPOINT).map(({ range }) => range),
        [undefined, `bytes=${Math.floor(size * 0.37)}-`],
      );
    });

    it('stop it too where only the node that waits is deployed', async () => {
      const held = t.holdDownload();
      const events = await startFlow([t.model(), infer(), infer({ wires: [['out']] }, 'other')]);
      send({ payload: picture });
      await text(events, /^3\d %/);
      await deploy([t.model(), infer({ name: 'changed' }), infer({ wires: [['out']] }, 'other')], 'nodes');
      await held.broken;
      await events.ended();
      assert.equal(events.caught[0]!.error.code, 'M2FP_CANCELLED');
      nodeOf('other').receive({ payload: picture });
      await events.ended(2);
      assert.equal(events.sent.length, 1);
      assert.equal(t.hub.of(CHECKPOINT).length, 2);
    });

    it('go on where another node waits', async () => {
      const held = t.holdDownload();
      const other = infer({ wires: [['out']] }, 'other');
      const events = await startFlow([t.model(), infer(), other]);
      send({ payload: picture });
      nodeOf('other').receive({ payload: picture, topic: 'other' });
      await text(events, /^3\d %/);
      await deploy([t.model(), infer({ name: 'changed' }), other], 'nodes');
      held.letGo();
      await events.ended(2);
      assert.deepEqual(
        events.sent.map(({ topic }) => topic),
        ['other'],
      );
      assert.equal(t.hub.of(CHECKPOINT).length, 1);
    });

    it('go on where a client has gone', async () => {
      const held = t.holdDownload();
      const events = await startFlow([t.model(), infer()]);
      const model = nodeOf('model') as ModelNode;
      const client = new AbortController();
      const gone = new M2fpError('M2FP_CANCELLED', 'gone');
      const waiting = model.engine(client.signal);
      await text(events, /^3\d %/);
      client.abort(gone);
      await assert.rejects(waiting, gone);
      held.letGo();
      await model.engine();
      assert.equal(t.hub.of(CHECKPOINT).length, 1);
    });

    it('find a model that was pulled by another program in the meantime', async () => {
      const events = await startFlow([t.model(), infer()]);
      await text(events, /status\.absent$/);
      await t.pull({}, { convert: convertCheckpoint });
      const { length } = t.hub.requests;
      send({ payload: picture });
      await events.ended();
      assert.deepEqual(events.caught, []);
      assert.equal(t.hub.requests.length, length);
    });

    describe('a load node', () => {
      it('tells the facts of a model that is not there, and does not pull it', async () => {
        for (const action of ['info', 'unload']) {
          const events = await startFlow([t.model({ precision: 'fp16' }), load({ action })]);
          send({});
          await events.ended();
          const told = facts(events.sent[0]);
          assert.deepEqual(
            [told.state, told.id, told.revision, told.precision, told.size, told.digest, told.labels],
            ['not pulled', MODEL_ID, 'master', 'fp16', 0, null, []],
          );
          assert.equal(told.folder, `${modelFolder()}+fp16`);
          assert.match(told.licence, new RegExp(`https://modelscope.cn/models/${MODEL_ID}$`));
          assert.deepEqual(notPlain(told), []);
          assert.equal(existsSync(told.folder), false);
          await stopFlow();
        }
        assert.deepEqual(t.hub.requests, []);
        assert.deepEqual(engine.actions, []);
      });

      it('pulls it, tells how far it has come on its second output, and then where it lies', async () => {
        const held = t.holdDownload();
        const events = await startFlow([t.model(), load()]);
        const told = () => events.sentOnSecondWire.map(({ payload }) => payload as PullProgress);
        send({ topic: 'x' });
        await events.until(() => told().some(({ share, phase }) => phase === 'download' && share! > 0.3));
        const progress = told().at(-1)!;
        const total =
          (t.hub.files.get('configuration.json')?.bytes.length ?? 0) + t.hub.checkpoint.bytes.length;
        assert.equal(progress.file, CHECKPOINT);
        assert.equal(progress.total, total);
        assert.equal(progress.share, progress.received / total);
        assert.deepEqual(notPlain(events.sentOnSecondWire[0]), []);
        send({ payload: { action: 'info' } });
        await events.ended();
        assert.equal(facts(events.sent[0]).state, 'pulling');
        held.letGo();
        await events.ended(2);
        assert.deepEqual(events.caught, []);
        assert.deepEqual([told().at(-1)?.phase, told().at(-1)?.share], ['convert', 1]);
        const after = facts(events.sent[1]);
        assert.equal(events.sent[1]!.topic, 'x');
        assert.deepEqual(
          [after.source, after.revision, after.folder],
          ['modelscope', 'master', modelFolder()],
        );
        assert.ok(after.size > 0);
      });

      it('tells of the download that another node needs, and does without a second wire', async () => {
        const events = await startFlow([
          t.model(),
          load(),
          nodeConfig('m2fp-load', 'old', { model: 'model', wires: [['out']] }),
          infer({ wires: [['out']] }, 'other'),
        ]);
        nodeOf('other').receive({ payload: picture });
        await events.ended();
        assert.deepEqual(events.caught, []);
        assert.ok(events.sentOnSecondWire.length > 0);
        assert.equal(events.sent.length, 1);
      });

      it('pulls it when the flow starts, where it is told to', async () => {
        const events = await startFlow([t.model(), load({ onStart: true })]);
        await text(events, /status\.ready$/);
        assert.equal(t.hub.of(CHECKPOINT).length, 1);
        assert.deepEqual(events.sent, []);
      });

      it('tells Catch nodes that it could not be pulled when the flow started', async () => {
        t.hub.next('list', answerStatus(403));
        const events = await startFlow([t.model(), load({ onStart: true })]);
        await events.until(() => events.caught.length > 0);
        assert.equal(events.caught[0]!.error.code, 'M2FP_DOWNLOAD_FAILED');
      });

      it('stops a download that it began by itself when it is deployed', async () => {
        const held = t.holdDownload();
        const events = await startFlow([t.model(), load({ onStart: true })]);
        await text(events, /^3\d %/);
        await deploy([t.model(), load({ onStart: false })], 'nodes');
        await held.broken;
        assert.deepEqual(events.caught, []);
      });

      it('reloads what lies in the store', async () => {
        const events = await startFlow([t.model(), load({ action: 'reload' })]);
        send({});
        await events.ended();
        assert.deepEqual(engine.actions, ['unload', 'load']);
        await openStore(t.root).remove(MODEL_ID);
        send({});
        await events.ended(2);
        assert.deepEqual(events.caught, []);
        assert.equal(t.hub.of(CHECKPOINT).length, 2);
      });
    });
  });
});
