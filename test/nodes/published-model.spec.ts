/** The nodes with a model that is pulled from a server when it is first needed. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import type { ModelNode } from '../../nodes/common/model.ts';
import { shutdownEngines } from '../../src/engine/index.ts';
import { M2fpError } from '../../src/errors.ts';
import type { NetworkInput } from '../../src/image/index.ts';
import type { Parsing } from '../../src/parsing/types.ts';
import { convertCheckpoint } from '../../src/store/convert.ts';
import { answerStatus, CHECKPOINT, MODEL_ID, notFound } from '../store/support/hub.ts';
import { nodeConfig } from './support/flows.ts';
import { BEFORE_STALL, engineWithoutProcess, publishedNodes } from './support/published.ts';
import { deploy, nodeOf, send, startFlow, stopFlow } from './support/red.ts';

describe('the nodes with a published model', function () {
  this.timeout(60_000);
  const t = publishedNodes();

  it('download, convert and run it for the first picture, and show how far that has come', async () => {
    const held = t.holdDownload();
    const events = await startFlow([t.model(), t.infer()]);
    try {
      await t.text(events, /status\.absent$/);
      assert.deepEqual(t.hub.requests, [], 'nobody needs it yet');
      send({ payload: t.image, m2fp: { shortSide: 64 } });
      await t.text(events, /^3\d %/);
      assert.ok(
        events.statuses.some(
          ({ fill, shape, text: shown }) => fill === 'yellow' && shape === 'ring' && shown,
        ),
      );
      held.letGo();
      await t.text(events, /^converting/);
      await events.ended();
      assert.deepEqual(events.caught, []);
      const parsing = events.sent[0]!['parsing'] as Parsing;
      assert.equal(parsing.model.id, MODEL_ID);
      assert.deepEqual([parsing.width, parsing.height], [96, 64]);
      assert.deepEqual(readdirSync(t.modelFolder()).toSorted(), [
        'm2fp.json',
        'model.onnx',
        'model.onnx.data',
      ]);
      for (const { text: shown = '' } of events.statuses) {
        assert.ok(shown.replace(/^.*:m2fp-model\./, '').length <= 20 || shown.includes('.error.'), shown);
      }
      await deploy([t.model(), t.infer()]);
      assert.equal(t.hub.of(CHECKPOINT).length, 1);
    } finally {
      await stopFlow();
      await shutdownEngines();
    }
  });

  describe('and an engine without a process', function () {
    this.timeout(BEFORE_STALL);
    engineWithoutProcess();

    it('pull it once for all nodes, also of two config nodes', async () => {
      const held = t.holdDownload();
      const events = await startFlow([
        t.model(),
        t.model({ name: 'same' }, 'second'),
        t.infer(),
        t.infer({ model: 'second', wires: [['out']] }, 'other'),
        nodeConfig('m2fp-preprocess', 'first', { model: 'model', wires: [['out']] }),
      ]);
      send({ payload: t.image });
      nodeOf('other').receive({ payload: t.image });
      nodeOf('first').receive({ payload: t.image });
      await t.text(events, /^3\d %/);
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
        const events = await startFlow([t.model(), t.infer()]);
        send({ payload: t.image });
        await events.ended();
        assert.equal(events.caught[0]!.error.code, code);
        assert.equal(events.caught[0]!.statusCode, 503);
        await t.text(events, new RegExp(`error\\.${code}$`));
        assert.equal(t.hub.requests.length, 1, 'nobody tries again without a message');
        send({ payload: t.image });
        await events.ended(2);
        assert.equal(events.sent.length, 1);
      });
    }

    it('that cannot be had show it, also where they have no message', async () => {
      t.hub.next('list', answerStatus(403));
      const events = await startFlow([t.model(), t.infer(), t.infer({ wires: [['out']] }, 'other')]);
      nodeOf('other').receive({ payload: t.image });
      await t.text(events, /error\.M2FP_DOWNLOAD_FAILED$/);
    });

    for (const properties of [{ modelId: '../up' }, { baseUrl: 'ftp://mirror' }, { revision: 'a/b' }]) {
      it(`of a wrong id or address are red, and their messages end in M2FP_BAD_OPTION: ${JSON.stringify(properties)}`, async () => {
        const events = await startFlow([t.model(properties), t.infer()]);
        await t.text(events, /error\.M2FP_BAD_OPTION$/);
        send({ payload: t.image });
        await events.ended();
        assert.equal(events.caught[0]!.error.code, 'M2FP_BAD_OPTION');
        assert.equal(events.caught[0]!.statusCode, 400);
        assert.deepEqual(t.hub.requests, []);
      });
    }

    it('stop the download in a deploy, and the next message goes on from there', async () => {
      const held = t.holdDownload();
      const events = await startFlow([t.model(), t.infer()]);
      send({ payload: t.image });
      await t.text(events, /^3\d %/);
      const after = await deploy([t.model(), t.infer()]);
      await held.broken;
      assert.deepEqual(
        events.done.map(({ code }) => code),
        ['M2FP_CANCELLED'],
      );
      send({ payload: t.image });
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
      const events = await startFlow([t.model(), t.infer(), t.infer({ wires: [['out']] }, 'other')]);
      send({ payload: t.image });
      await t.text(events, /^3\d %/);
      await deploy(
        [t.model(), t.infer({ name: 'changed' }), t.infer({ wires: [['out']] }, 'other')],
        'nodes',
      );
      await held.broken;
      await events.ended();
      assert.equal(events.caught[0]!.error.code, 'M2FP_CANCELLED');
      nodeOf('other').receive({ payload: t.image });
      await events.ended(2);
      assert.equal(events.sent.length, 1);
      assert.equal(t.hub.of(CHECKPOINT).length, 2);
    });

    it('go on where another node waits', async () => {
      const held = t.holdDownload();
      const other = t.infer({ wires: [['out']] }, 'other');
      const events = await startFlow([t.model(), t.infer(), other]);
      send({ payload: t.image });
      nodeOf('other').receive({ payload: t.image, topic: 'other' });
      await t.text(events, /^3\d %/);
      await deploy([t.model(), t.infer({ name: 'changed' }), other], 'nodes');
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
      const events = await startFlow([t.model(), t.infer()]);
      const model = nodeOf('model') as ModelNode;
      const client = new AbortController();
      const gone = new M2fpError('M2FP_CANCELLED', 'gone');
      const waiting = model.engine(client.signal);
      await t.text(events, /^3\d %/);
      client.abort(gone);
      await assert.rejects(waiting, gone);
      held.letGo();
      await model.engine();
      assert.equal(t.hub.of(CHECKPOINT).length, 1);
    });

    it('find a model that was pulled by another program in the meantime', async () => {
      const events = await startFlow([t.model(), t.infer()]);
      await t.text(events, /status\.absent$/);
      await t.pull({}, { convert: convertCheckpoint });
      const { length } = t.hub.requests;
      send({ payload: t.image });
      await events.ended();
      assert.deepEqual(events.caught, []);
      assert.equal(t.hub.requests.length, length);
    });
  });
});
