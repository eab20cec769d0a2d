/** A load node with a model that is pulled from a server. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import type { NodeMessage } from 'node-red';
import type { ModelFacts } from '../../nodes/common/model-facts.ts';
import type { PullProgress } from '../../src/store/progress.ts';
import { openStore } from '../../src/store/store.ts';
import { answerStatus, CHECKPOINT, MODEL_ID } from '../store/support/hub.ts';
import { nodeConfig } from './support/flows.ts';
import { notPlain } from './support/plain-data.ts';
import { BEFORE_STALL, engineWithoutProcess, publishedNodes } from './support/published.ts';
import { deploy, nodeOf, send, startFlow, stopFlow } from './support/red.ts';

describe('the nodes with a published model', function () {
  this.timeout(60_000);
  const t = publishedNodes();

  describe('and an engine without a process', function () {
    this.timeout(BEFORE_STALL);
    const fake = engineWithoutProcess();
    const facts = (msg: NodeMessage | undefined) => msg?.payload as ModelFacts;

    describe('a load node', () => {
      for (const action of ['info', 'unload']) {
        it(`tells the facts of a model that is not there, and does not pull it: ${action}`, async () => {
          const events = await startFlow([t.model({ precision: 'fp16' }), t.load({ action })]);
          send({});
          await events.ended();
          const told = facts(events.sent[0]);
          assert.deepEqual(
            [told.state, told.id, told.revision, told.precision, told.size, told.digest, told.labels],
            ['not pulled', MODEL_ID, 'master', 'fp16', 0, null, []],
          );
          assert.equal(told.folder, `${t.modelFolder()}+fp16`);
          assert.match(told.licence, new RegExp(`https://modelscope.cn/models/${MODEL_ID}$`));
          assert.deepEqual(notPlain(told), []);
          assert.equal(existsSync(told.folder), false);
          await stopFlow();
          assert.deepEqual(t.hub.requests, []);
          assert.deepEqual(fake.engine.actions, []);
        });
      }

      it('pulls it, tells how far it has come on its second output, and then where it lies', async () => {
        const held = t.holdDownload();
        const events = await startFlow([t.model(), t.load()]);
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
          ['modelscope', 'master', t.modelFolder()],
        );
        assert.ok(after.size > 0);
      });

      it('tells of the download that another node needs, and does without a second wire', async () => {
        const events = await startFlow([
          t.model(),
          t.load(),
          nodeConfig('m2fp-load', 'old', { model: 'model', wires: [['out']] }),
          t.infer({ wires: [['out']] }, 'other'),
        ]);
        nodeOf('other').receive({ payload: t.image });
        await events.ended();
        assert.deepEqual(events.caught, []);
        assert.ok(events.sentOnSecondWire.length > 0);
        assert.equal(events.sent.length, 1);
      });

      it('pulls it when the flow starts, where it is told to', async () => {
        const events = await startFlow([t.model(), t.load({ onStart: true })]);
        await t.text(events, /status\.ready$/);
        assert.equal(t.hub.of(CHECKPOINT).length, 1);
        assert.deepEqual(events.sent, []);
      });

      it('tells Catch nodes that it could not be pulled when the flow started', async () => {
        t.hub.next('list', answerStatus(403));
        const events = await startFlow([t.model(), t.load({ onStart: true })]);
        await events.until(() => events.caught.length > 0);
        assert.equal(events.caught[0]!.error.code, 'M2FP_DOWNLOAD_FAILED');
      });

      it('stops a download that it began by itself when it is deployed', async () => {
        const held = t.holdDownload();
        const events = await startFlow([t.model(), t.load({ onStart: true })]);
        await t.text(events, /^3\d %/);
        await deploy([t.model(), t.load({ onStart: false })], 'nodes');
        await held.broken;
        assert.deepEqual(events.caught, []);
      });

      it('reloads what lies in the store', async () => {
        const events = await startFlow([t.model(), t.load({ action: 'reload' })]);
        send({});
        await events.ended();
        assert.deepEqual(fake.engine.actions, ['restart']);
        await openStore(t.root).remove(MODEL_ID);
        send({});
        await events.ended(2);
        assert.deepEqual(events.caught, []);
        assert.equal(t.hub.of(CHECKPOINT).length, 2);
      });
    });
  });
});
