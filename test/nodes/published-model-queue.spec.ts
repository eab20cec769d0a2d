/** The messages that wait for a model while it is pulled from a server. */
import assert from 'node:assert/strict';
import type { NodeMessage } from 'node-red';
import { openStore } from '../../src/store/store.ts';
import { MODEL_ID } from '../store/support/hub.ts';
import { nodeConfig } from './support/flows.ts';
import { BEFORE_STALL, engineWithoutProcess, publishedNodes } from './support/published.ts';
import { send, startFlow, stopFlow } from './support/red.ts';

describe('the nodes with a published model', function () {
  this.timeout(60_000);
  const t = publishedNodes();

  describe('and an engine without a process', function () {
    this.timeout(BEFORE_STALL);
    const fake = engineWithoutProcess();

    it('let as many messages wait as the queue takes', async () => {
      const held = t.holdDownload();
      const events = await startFlow([t.model({ maxQueue: 1 }), t.infer()]);
      send({ payload: t.image });
      await t.text(events, /^3\d %/);
      send({ payload: t.image });
      send({ payload: t.image, topic: 'too many' });
      await events.ended();
      assert.deepEqual(
        events.caught.map(({ error, topic }) => [error.code, topic]),
        [['M2FP_BUSY', 'too many']],
      );
      assert.match(events.caught[0]!.error.message, /limit of 1 /);
      held.letGo();
      await events.ended(3);
      assert.equal(events.sent.length, 2);
      assert.equal(fake.engine.requests.length, 2);
    });

    describe('keep the rules of the queue while it is downloaded', () => {
      const topics = (messages: NodeMessage[]) => messages.map(({ topic }) => String(topic));

      /** A download in its middle, which the picture "first" has set off. */
      async function downloading(properties: object) {
        const held = t.holdDownload();
        const events = await startFlow([t.model(), t.infer({ wires: [['out'], ['out2']], ...properties })]);
        send({ payload: t.image, topic: 'first' });
        await t.text(events, /^3\d %/);
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
          send({ payload: t.image, topic, camera });
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
        for (const topic of ['second', 'too many']) send({ payload: t.image, topic });
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
        send({ payload: t.image, topic: 'second' });
        await events.ended();
        assert.deepEqual([events.caught[0]!.error.code, events.caught[0]!.topic], ['M2FP_BUSY', 'second']);
        held.letGo();
        await events.ended(2);
        assert.deepEqual(topics(events.sent), ['first']);
      });

      it('drops what has become too old, and who set it off, too', async () => {
        const { events, held } = await downloading({ maxAge: 1 });
        send({ payload: t.image, topic: 'second' });
        await events.until(() => events.sentOnSecondWire.length === 1);
        assert.deepEqual(topics(events.sentOnSecondWire), ['second']);
        held.letGo();
        await events.until(() => events.sentOnSecondWire.length === 2);
        assert.deepEqual(topics(events.sentOnSecondWire), ['second', 'first']);
        assert.deepEqual(
          events.sentOnSecondWire.map((msg) => msg['dropped']),
          ['expired', 'expired'],
        );
        assert.deepEqual([events.sent, events.caught, fake.engine.requests], [[], [], []]);
      });
    });

    for (const node of [nodeConfig('m2fp-preprocess', 'node', { model: 'model' }), t.load()]) {
      it(`bound the messages of ${node['type']} nodes too`, async () => {
        const held = t.holdDownload();
        const events = await startFlow([t.model({ maxQueue: 0, revision: 'master' }), node]);
        send({ payload: t.image });
        await t.text(events, /^3\d %/);
        send({ payload: t.image });
        await events.ended();
        assert.equal(events.caught[0]!.error.code, 'M2FP_BUSY');
        held.letGo();
        await events.ended(2);
        assert.equal(events.sent.length, 1);
        await stopFlow();
        await openStore(t.root).remove(MODEL_ID);
      });
    }
  });
});
